// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/inspect.hpp>
#include <onnx_tools/cli/options.hpp>
#include <onnx_tools/cli/report.hpp>
#include <onnx_tools/error.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/serve/triton_config.hpp>
#include <onnx_tools/serve/warnings.hpp>

#include <google/protobuf/stubs/common.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>

#include <fcntl.h>

namespace {

using namespace padbatch::onnx_tools;

// File names and names in a model may hold anything; a terminal should get no control characters from them.
std::string printable(std::string text)
{
    for (char& c : text) {
        if ((c >= 0 && c < ' ' && c != '\n') || c == '\x7f') {
            c = '?';
        }
    }
    return text;
}

void print(const std::string& text)
{
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
        throw tool_error(failure::io, {"cannot write to standard output: " + std::generic_category().message(errno),
                                       "a terminal, file or pipe that takes the text",
                                       "check where the output goes, and whether there is room"});
    }
}

// A message that cannot be written changes nothing about the work.
void print_aside(const std::string& text)
{
    std::fwrite(text.data(), 1, text.size(), stderr);
}

// Where one of the standard streams is closed, the next file that is opened would take its place, and be written to as
// if it were that stream. So each gets a file, one on which it fails as before.
void occupy_closed_streams()
{
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
            (void)::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        }
    }
}

void require_sound(const onnx::ModelProto& model, failure kind, const std::string& what, const std::string& remedy)
{
    const auto found = complaints(model);
    if (!found.empty()) {
        throw tool_error(kind, {what + ": " + found.front() +
                                    (found.size() == 1 ? "" : " (and " + std::to_string(found.size() - 1) + " more)"),
                                "a graph in which every value read is produced and names are unique", remedy});
    }
}

void require_sound_result(const onnx::ModelProto& model)
{
    require_sound(model, failure::internal, "the padded model is not valid",
                  "this is a defect of onnx-pad-outputs: please report it with the model");
}

detections recognise_sound(const cli::options& o, const onnx::ModelProto& model)
{
    require_sound(model, failure::refused, "'" + o.in + "' is not a valid model", "export the model again");
    return recognise(model, o.recognise);
}

// Writes the model, and says where.
std::string save(const cli::options& o, const save_options& saving, const onnx::ModelProto& model)
{
    if (!o.triton) {
        save_model(model, o.out, saving);
        return "'" + o.out + "' is written\n";
    }
    save_triton_repository(model, *o.triton, o.in);
    std::string text = "'" + o.triton->repository + "/" + o.triton->model_name + "' is written\n";
    for (const auto& warning : serving_warnings(model, std::max<std::int64_t>(o.triton->max_batch_size, 1))) {
        text += "warning: " + warning + "\n";
    }
    return text;
}

void rewrite(const cli::options& o)
{
    const save_options saving{o.force, o.in};
    if (o.triton) { // before the work, and again at the end of it
        require_savable(*o.triton, o.in);
    } else {
        require_savable(o.out, saving);
    }
    auto model = load_model(o.in);
    const auto p = plan(model, recognise_sound(o, model), o.pad);
    const auto before = cli::declared_rows(model.graph().output());
    pad(model, p);
    require_sound_result(model);
    const auto written = save(o, saving, model);
    if (!o.quiet) {
        print_aside(printable(cli::before_and_after(o.in, before, p, cli::planned_rows(model, p)) + written +
                              cli::size_warnings(p)));
    }
}

cli::rewritten_model try_rewrite(const cli::options& o, onnx::ModelProto& model)
{
    const auto found = recognise_sound(o, model);
    auto choices = o.pad;
    // What can be said of a model without a limit is still worth seeing; the report says what is missing.
    const bool needs_rows = !found.limit && !choices.max_detections && !choices.max_of_batch && !choices.dynamic_batch;
    choices.max_of_batch = choices.max_of_batch || needs_rows;
    const auto p = plan(model, found, choices);
    pad(model, p);
    require_sound_result(model);
    return {p, needs_rows, cli::planned_rows(model, p), serving_warnings(model)};
}

void inspect(const cli::options& o)
{
    auto model = load_model(o.in);
    const cli::model_as_it_is before{o.in, model.graph().output(), serving_warnings(model)};
    try {
        const auto after = try_rewrite(o, model);
        print(o.json ? cli::inspect_json(before, after) : printable(cli::inspect_text(before, after)));
    } catch (const tool_error& e) {
        if (e.kind() == failure::refused) { // its outputs, and what a server makes of them, can be told all the same
            print(o.json ? cli::inspect_json(before, e.what()) : printable(cli::inspect_text(before)));
        }
        throw;
    }
}

int fail(failure kind, const std::string& message)
{
    print_aside("onnx-pad-outputs: " + printable(message) + "\n");
    return static_cast<int>(kind);
}

} // namespace

int main(int argc, char** argv)
{
#if GOOGLE_PROTOBUF_VERSION < 4022000
    google::protobuf::SetLogHandler(nullptr); // errors have messages of their own
#endif
    occupy_closed_streams();
    // Writing beyond a limit on the size of files, or to a pipe that nobody reads, is an error like others.
    std::signal(SIGXFSZ, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const auto parsed = cli::parse(argc, argv);
        if (parsed.run) {
            parsed.run->inspect ? inspect(*parsed.run) : rewrite(*parsed.run);
        } else {
            print(parsed.print);
        }
        return 0;
    } catch (const tool_error& e) {
        return fail(e.kind(), e.what());
    } catch (const std::bad_alloc&) {
        std::fputs("onnx-pad-outputs: memory ran out\n  expected: about twice the size of the model\n"
                   "  what to do: free some memory, or use a machine with more\n",
                   stderr); // without asking for more memory
        return static_cast<int>(failure::internal);
    } catch (const std::exception& e) {
        return fail(failure::internal, std::string("internal error: ") + e.what() +
                                           "\n  expected: no such error, whatever the model is"
                                           "\n  what to do: please report this defect, with the model");
    }
}
