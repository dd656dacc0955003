// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/run.hpp>

#include <onnx_tools/cli/exposed.hpp>
#include <onnx_tools/cli/flags.hpp>
#include <onnx_tools/cli/inspect.hpp>
#include <onnx_tools/cli/inspect_json.hpp>
#include <onnx_tools/cli/options.hpp>
#include <onnx_tools/cli/report.hpp>
#include <onnx_tools/error.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/plan/pad_value.hpp>
#include <onnx_tools/rewrite.hpp>
#include <onnx_tools/serve/triton_repository.hpp>
#include <onnx_tools/serve/warnings.hpp>
#include <onnx_tools/utf8.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

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
        const auto before = declared_rows(model.graph().output());
        // The result does not tell what another rewrite would do.
        const auto advice = o.triton && !o.quiet ? advice_on(model, o.rewrite) : dynamic_batch_advice::refused;
        const auto p = onnx_tools::rewrite(model, o.rewrite);
        require_boolean(o, p);
        save(o, saving, model);
        if (o.quiet) {
            print_aside(limit_warning(p)); // rows that never hold anything are hardly what was wanted
            return;
        }
        try {
            print_aside(report_of(o, before, p, model, advice));
        } catch (const std::exception&) { // the model is there, and that is what was asked for
            std::fputs("onnx-pad-outputs: the model is written, but memory ran out for the report on it\n", m_err);
        }
    }

    static void require_savable(const options& o, const save_options& saving)
    {
        if (o.triton) {
            onnx_tools::require_savable(*o.triton, saving.loaded_from, saving.external_files);
        } else {
            onnx_tools::require_savable(o.out, saving);
        }
    }

    // Only bool fields take the words true and false as pad values.
    static void require_boolean(const options& o, const pad_plan& p)
    {
        for (const auto& f : p.fields) {
            if (f.element != element_type::boolean && o.pad_words.count(f.kind) != 0) {
                const std::string name(name_of(f.kind));
                misused("--pad-value " + name + " is a word, but the " + name + " of this model are " +
                            name_of(f.element),
                        range_text(f.element), "correct the value");
            }
        }
    }

    static void save(const options& o, const save_options& saving, const onnx::ModelProto& model)
    {
        if (o.triton) {
            save_triton_repository(model, *o.triton, saving.loaded_from, saving.external_files);
        } else {
            save_model(model, o.out, saving);
        }
    }

    // What was done, and what a server will make of it.
    static std::string report_of(const options& o, const std::vector<table_row>& before, const pad_plan& p,
                                 const onnx::ModelProto& model, dynamic_batch_advice advice)
    {
        std::string text = before_and_after(o.in, before, p, planned_rows(model, p)) + input_lines(p);
        if (!o.triton) {
            text += "wrote " + quoted(o.out) + "\n";
        } else {
            text += "wrote " + quoted(o.triton->repository + "/" + o.triton->model_name) + "\n";
            const auto images = std::max<std::int64_t>(o.triton->max_batch_size, 1);
            for (const auto& warning : with_flags(serving_warnings(model, images, advice))) {
                text += "warning: " + warning + "\n";
            }
        }
        return printable_lines(text + limit_warning(p) + size_warnings(p));
    }

    void inspect(const options& o)
    {
        auto model = load_model(o.in);
        const auto advice = advice_on(model, o.rewrite);
        const model_as_it_is before{o.in, model.graph().output(),
                                    with_flags(serving_warnings(model, default_request_images, advice))};
        try {
            const auto after = try_rewrite(o.rewrite, model, advice);
            print(o.json ? inspect_json(before, after) : printable_lines(inspect_text(before, after)));
        } catch (const tool_error& e) {
            if (e.kind() == failure::refused) { // its outputs, and what a server makes of them, can still be reported
                print(o.json ? inspect_json(before, with_flags(e.what())) : printable_lines(inspect_text(before)));
            }
            throw;
        }
    }

    static rewritten_model try_rewrite(const rewrite_options& chosen, onnx::ModelProto& model,
                                       dynamic_batch_advice advice)
    {
        const auto found = examine(model, chosen.recognise);
        auto pad = chosen.pad;
        // A report on a model without a limit is still worth having; it says what is missing.
        const bool needs_rows =
            !found.limit && std::holds_alternative<model_limit>(pad.max_detections) && !pad.dynamic_batch;
        if (needs_rows) {
            pad.max_detections = largest_of_batch{};
        }
        const auto p = onnx_tools::rewrite(model, found, pad);
        return {p, needs_rows, planned_rows(model, p),
                with_flags(serving_warnings(model, default_request_images, advice))};
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
