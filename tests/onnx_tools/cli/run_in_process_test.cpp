// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/run.hpp>

#include <onnx_tools/cli/help.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

// The command as a function, on streams of its own.

using namespace padbatch::test;
using nlohmann::json;

namespace {

// A stream whose text is kept.
class text_stream {
public:
    text_stream() : m_file(::open_memstream(&m_text, &m_size)) { REQUIRE(m_file != nullptr); }
    text_stream(const text_stream&) = delete;
    text_stream& operator=(const text_stream&) = delete;
    ~text_stream()
    {
        std::fclose(m_file);
        std::free(m_text); // NOLINT(cppcoreguidelines-no-malloc)
    }

    [[nodiscard]] std::FILE* file() const { return m_file; }
    [[nodiscard]] std::string text() const
    {
        std::fflush(m_file);
        return {m_text, m_size};
    }

private:
    char* m_text = nullptr;
    std::size_t m_size = 0;
    std::FILE* m_file;
};

int run_on(const std::vector<std::string>& arguments, std::FILE* out, std::FILE* err)
{
    std::vector<const char*> argv{"anything"};
    for (const auto& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    return padbatch::onnx_tools::cli::run(static_cast<int>(argv.size()), argv.data(), out, err);
}

struct result {
    int code = 0;
    std::string out;
    std::string err;
};

result run(const std::vector<std::string>& arguments)
{
    const text_stream out;
    const text_stream err;
    const int code = run_on(arguments, out.file(), err.file());
    return {code, out.text(), err.text()};
}

// A folder with the models that these tests need.
struct models : temporary_folder {
    models()
    {
        padbatch::onnx_tools::save_model(small_detector(), in);
        write_file(text, "no model");
        padbatch::onnx_tools::save_model(
            parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[1,9] x) => (float[1,9] classes) "
                        "{ classes = Softmax(x) }"),
            classifier);
    }

    std::string in = file("in.onnx");
    std::string out = file("out.onnx");
    std::string text = file("text.onnx");
    std::string classifier = file("classifier.onnx");
};

} // namespace

TEST_CASE("in process: help and version go to the first stream")
{
    const auto help = run({"--help"});
    CHECK(help.code == 0);
    CHECK(help.out == padbatch::onnx_tools::cli::help);
    CHECK(help.err.empty());
    const auto version = run({"--version"});
    CHECK(version.code == 0);
    CHECK(has(version.out, PADBATCH_TESTS_PROJECT_VERSION));
}

TEST_CASE("in process: a rewrite reports to the second stream")
{
    const models folder;
    const auto done = run({"--max-detections", "3", folder.in, folder.out});
    CAPTURE(done.err);
    CHECK(done.code == 0);
    CHECK(done.out.empty());
    CHECK(has(done.err, "\n  boxes           float32  [2, 3, 4]"));
    CHECK(has(done.err, "'" + folder.out + "'"));
    CHECK(outputs_of(folder.out) ==
          std::vector<std::string>{"num_detections [2, 1]", "boxes [2, 3, 4]", "labels [2, 3]", "scores [2, 3]"});
    const auto quiet = run({"--quiet", "--force", folder.in, folder.out}); // nothing is left of the run before
    CHECK(quiet.code == 0);
    CHECK((quiet.out + quiet.err).empty());
    CHECK(outputs_of(folder.out)[1] == "boxes [2, 7, 4]");
    // Rows that never hold anything are told of all the same.
    const auto more = run({"--quiet", "--force", "--max-detections", "9", folder.in, folder.out});
    CHECK(more.code == 0);
    CHECK(more.out.empty());
    CHECK(more.err.rfind("warning: the model gives at most 7 rows of each image, and that stays", 0) == 0);
    CHECK(outputs_of(folder.out)[1] == "boxes [2, 9, 4]");
}

TEST_CASE("in process: every kind of failure has its exit code, and a message on the second stream")
{
    const models folder;
    const auto names = folder.names();
    const std::vector<std::pair<int, std::vector<std::string>>> cases = {
        {2, {"--max-detections", "0", folder.in, folder.out}},
        {2, {"--pad-value", "labels=true", folder.in, folder.out}},
        {3, {folder.file("absent.onnx"), folder.out}},
        {3, {folder.in, folder.in}},
        {4, {folder.text, folder.out}},
        {5, {folder.classifier, folder.out}},
    };
    for (const auto& [code, arguments] : cases) {
        const auto failed = run(arguments);
        CAPTURE(failed.err);
        CHECK(failed.code == code);
        CHECK(failed.out.empty());
        CHECK(failed.err.rfind("onnx-pad-outputs: ", 0) == 0);
        CHECK(has(failed.err, "\n  what to do: "));
        CHECK_FALSE(has(failed.err, "`")); // options are spelled as flags
        CHECK(folder.names() == names);
    }
    CHECK(has(run({folder.classifier, folder.out}).err, "boxes [n, 4], labels [n] and scores [n]"));
}

TEST_CASE("in process: an inspection goes to the first stream, also of a model that is not rewritten")
{
    const models folder;
    const auto names = folder.names();
    const auto found = run({"--inspect", "--json", folder.in});
    CHECK(found.code == 0);
    CHECK(found.err.empty());
    CHECK(json::parse(found.out).at("batch") == 2);
    CHECK(has(run({"--inspect", folder.in}).out, "num_detections"));

    const auto refused = run({"--inspect", "--json", folder.classifier});
    CHECK(refused.code == 5);
    const auto error = json::parse(refused.out).at("error").get<std::string>();
    CHECK(has(error, "boxes [n, 4], labels [n] and scores [n]"));
    CHECK(has(refused.err, error));
    CHECK(has(run({"--inspect", folder.classifier}).out, "classes"));
    CHECK(folder.names() == names);
}

TEST_CASE("in process: a stream that takes nothing is an error for results, and none for reports")
{
    const models folder;
    const text_stream err;
    std::FILE* full = std::fopen("/dev/full", "w");
    REQUIRE(full != nullptr);
    CHECK(run_on({"--help"}, full, err.file()) == 3);
    CHECK(has(err.text(), "onnx-pad-outputs: "));
    const text_stream out;
    CHECK(run_on({folder.in, folder.out}, out.file(), full) == 0);
    CHECK(outputs_of(folder.out)[0] == "num_detections [2, 1]");
    std::fclose(full);
}
