// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/job.hpp>

#include <onnx_tools/cli/flags.hpp>
#include <onnx_tools/cli/inspect.hpp>
#include <onnx_tools/cli/inspect_json.hpp>
#include <onnx_tools/plan/pad_value.hpp>
#include <onnx_tools/rewrite.hpp>
#include <onnx_tools/serve/triton_repository.hpp>
#include <onnx_tools/utf8.hpp>

#include <algorithm>
#include <cstdint>
#include <variant>

namespace padbatch::onnx_tools::cli {
namespace {

// Only bool fields take the words true and false as pad values.
void require_boolean(const options& o, const pad_plan& p)
{
    for (const auto& f : p.fields) {
        if (f.element != element_type::boolean && o.pad_words.count(f.kind) != 0) {
            const std::string name(name_of(f.kind));
            misused("--pad-value " + name + " is a word, but the " + name + " of this model are " + name_of(f.element),
                    range_text(f.element), "correct the value");
        }
    }
}

rewritten_model try_rewrite(const rewrite_options& chosen, onnx::ModelProto& model, dynamic_batch_advice advice)
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
            with_flags(onnx_tools::serving_warnings(model, default_request_images, advice))};
}

} // namespace

void require_savable(const options& o, const save_options& saving)
{
    if (o.triton) {
        onnx_tools::require_savable(*o.triton, saving.loaded_from, saving.external_files);
    } else {
        onnx_tools::require_savable(o.out, saving);
    }
}

void save(const options& o, const save_options& saving, const onnx::ModelProto& model)
{
    if (o.triton) {
        save_triton_repository(model, *o.triton, saving.loaded_from, saving.external_files);
    } else {
        save_model(model, o.out, saving);
    }
}

padded_model pad(onnx::ModelProto& model, const options& o)
{
    padded_model padded;
    padded.declared = model.graph().output();
    if (o.triton && !o.quiet) { // the result does not tell what another rewrite would do
        padded.advice = advice_on(model, o.rewrite);
    }
    padded.plan = rewrite(model, o.rewrite);
    require_boolean(o, padded.plan);
    return padded;
}

std::vector<std::string> serving_warnings(const options& o, const padded_model& padded, const onnx::ModelProto& model)
{
    if (!o.triton) {
        return {};
    }
    const auto images = std::max<std::int64_t>(o.triton->max_batch_size, 1);
    return with_flags(onnx_tools::serving_warnings(model, images, padded.advice));
}

inspection inspect(onnx::ModelProto& model, const options& o)
{
    const auto advice = advice_on(model, o.rewrite);
    const model_as_it_is before{o.in, model.graph().output(),
                                with_flags(onnx_tools::serving_warnings(model, default_request_images, advice))};
    try {
        const auto after = try_rewrite(o.rewrite, model, advice);
        return {o.json ? inspect_json(before, after) : printable_lines(inspect_text(before, after)), std::nullopt};
    } catch (const tool_error& e) {
        if (e.kind() != failure::refused) {
            throw;
        }
        return {o.json ? inspect_json(before, with_flags(e.what())) : printable_lines(inspect_text(before)), e};
    }
}

} // namespace padbatch::onnx_tools::cli
