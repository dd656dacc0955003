#include <onnx_tools/check.hpp>
#include <onnx_tools/cli/options.hpp>
#include <onnx_tools/cli/report.hpp>
#include <onnx_tools/error.hpp>
#include <onnx_tools/model_io.hpp>
#include <onnx_tools/pad.hpp>

#include <google/protobuf/stubs/common.h>

#include <cerrno>
#include <csignal>
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

void run(const cli::options& o)
{
    const save_options saving{o.force, o.in};
    if (!o.inspect) {
        require_savable(o.out, saving); // before the work, and again at the end of it
    }
    auto model = load_model(o.in);
    require_sound(model, failure::refused, "'" + o.in + "' is not a valid model", "export the model again");
    const auto found = recognise(model, o.recognise);
    auto choices = o.pad;
    // What can be said of a model without a limit is still worth seeing; the report says what is missing.
    choices.max_of_batch = choices.max_of_batch || (o.inspect && !found.limit && !choices.max_detections);
    const auto p = plan(model, found, choices);
    std::string report;
    if (o.inspect) {
        const bool needs_rows = choices.max_of_batch && !o.pad.max_of_batch;
        report =
            o.json ? cli::inspect_json(o.in, p, needs_rows) : printable(cli::inspect_text(o.in, model, p, needs_rows));
    } else if (!o.quiet) {
        report =
            printable(cli::before_and_after(o.in, cli::declared_outputs(model), p, cli::planned_outputs(model, p)) +
                      "'" + o.out + "' is written\n" + cli::size_warnings(p));
    }
    pad(model, p);
    require_sound(model, failure::internal, "the padded model is not valid",
                  "this is a defect of onnx-pad-outputs: please report it with the model");
    if (o.inspect) {
        print(report);
        return;
    }
    save_model(model, o.out, saving);
    print_aside(report);
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
            run(*parsed.run);
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
