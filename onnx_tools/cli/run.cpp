// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/run.hpp>

#include <onnx_tools/cli/exposed.hpp>
#include <onnx_tools/cli/flags.hpp>
#include <onnx_tools/cli/job.hpp>
#include <onnx_tools/cli/options.hpp>
#include <onnx_tools/cli/report.hpp>
#include <onnx_tools/error.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/utf8.hpp>

#include <cerrno>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

namespace padbatch::onnx_tools::cli {
namespace {

class command {
public:
    command(std::FILE* out, std::FILE* err) : m_out(out), m_err(err) {}

    void operator()(const options& o)
    {
        if (o.inspect) {
            inspect(o);
        } else {
            rewrite(o);
        }
    }

    void print(const std::string& text)
    {
        errno = 0;
        if (std::fwrite(text.data(), 1, text.size(), m_out) != text.size() || std::fflush(m_out) != 0) {
            throw tool_error(failure::io, {"cannot write to standard output: " + std::generic_category().message(errno),
                                           "a terminal, file or pipe that accepts the text",
                                           "check where the output goes and whether there is room"});
        }
    }

    // A message that cannot be written does not affect the work.
    void print_aside(const std::string& text) { std::fwrite(text.data(), 1, text.size(), m_err); }

    int fail(failure kind, const std::string& message)
    {
        print_aside("onnx-pad-outputs: " + printable_lines(message) + "\n");
        return static_cast<int>(kind);
    }

private:
    void rewrite(const options& o)
    {
        save_options saving{o.force, o.in, {}};
        require_savable(o, saving); // before the work, and again after it
        auto model = load_model(o.in);
        saving.external_files = external_data(model);
        require_savable(o, saving);
        const auto padded = pad(model, o);
        save(o, saving, model);
        if (o.quiet) {
            print_aside(limit_warning(padded.plan)); // rows that never hold anything are hardly what was wanted
            return;
        }
        try {
            print_aside(report_of(o, padded, model));
        } catch (const std::exception&) { // the model is there, and that is what was asked for
            std::fputs("onnx-pad-outputs: the model is written, but memory ran out for the report on it\n", m_err);
        }
    }

    // What was done, and what a server will make of it.
    static std::string report_of(const options& o, const padded_model& padded, const onnx::ModelProto& model)
    {
        const auto& p = padded.plan;
        std::string text =
            before_and_after(o.in, declared_rows(padded.declared), p, planned_rows(model, p)) + input_lines(p);
        text += "wrote " + quoted(o.triton ? o.triton->repository + "/" + o.triton->model_name : o.out) + "\n";
        for (const auto& warning : serving_warnings(o, padded, model)) {
            text += "warning: " + warning + "\n";
        }
        return printable_lines(text + limit_warning(p) + size_warnings(p));
    }

    void inspect(const options& o)
    {
        auto model = load_model(o.in);
        const auto inspected = cli::inspect(model, o);
        print(inspected.report);
        if (inspected.refusal) {
            throw tool_error(*inspected.refusal);
        }
    }

    std::FILE* m_out;
    std::FILE* m_err;
};

} // namespace

int run(int argc, const char* const* argv, std::FILE* out, std::FILE* err) noexcept
{
    command c(out, err);
    try {
        try {
            const auto parsed = parse(argc, argv);
            if (parsed.run) {
                c(*parsed.run);
            } else {
                c.print(parsed.print);
            }
            return 0;
        } catch (const tool_error& e) {
            return c.fail(e.kind(), with_flags(e.what()));
        } catch (const std::bad_alloc&) {
            throw;
        } catch (const std::length_error&) { // a text that would be longer than memory
            throw;
        } catch (const std::exception& e) {
            return c.fail(failure::internal, std::string("internal error: ") + e.what() +
                                                 "\n  expected: no internal error, whatever the model"
                                                 "\n  what to do: please report this bug, with the model");
        }
    } catch (...) { // out of memory, perhaps while making a message
        std::fputs("onnx-pad-outputs: out of memory\n  expected: free memory of about twice the size of the model\n"
                   "  what to do: free some memory, or use a machine with more\n",
                   err); // allocates nothing
        return static_cast<int>(failure::internal);
    }
}

} // namespace padbatch::onnx_tools::cli
