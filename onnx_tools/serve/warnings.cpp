// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/serve/warnings.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/functions.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/plan/output_bytes.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/batch_inputs.hpp>
#include <onnx_tools/recognise/image_inputs.hpp>
#include <onnx_tools/recognise/one_image.hpp>
#include <onnx_tools/recognise/rearranged.hpp>
#include <onnx_tools/serve/first_extents.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <variant>

namespace padbatch::onnx_tools {
namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30;

bool is_padded(const onnx::ModelProto& model)
{
    return !metadata(model, contract::batch_key).empty();
}

// How to turn a model of `images` images into one of any number.
std::string dynamic_remedy(const onnx::ModelProto& model, std::int64_t images, dynamic_batch_advice advice)
{
    if (advice == dynamic_batch_advice::refused) {
        return "to be served in batches, the model must be exported for any number of images";
    }
    return std::string(images != 1        ? "export the model for one image, and rewrite that"
                       : is_padded(model) ? "rewrite its export"
                                          : "rewrite it") +
           " with `dynamic_batch`" + (advice == dynamic_batch_advice::with_rows ? " and `max_detections` N" : "");
}

// `'a', 'b' and 'c'`, or `'a', 'b', 'c' and 5 others`.
std::string list_of(const std::vector<std::string>& names)
{
    constexpr std::size_t most = 4;
    if (names.size() == 1) {
        return quoted(names.front());
    }
    const std::size_t shown = names.size() > most ? most - 1 : names.size() - 1;
    const std::vector<std::string> first(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown));
    return joined(first, ", ", quoted) + " and " +
           (names.size() > most ? std::to_string(names.size() - shown) + " others" : quoted(names.back()));
}

std::string images(std::int64_t count)
{
    return count_of(count, "image");
}

std::string warn_of_false_promise(const false_promise& promise, const std::string& remedy)
{
    const std::string symbol = declared_type(*promise.input).shape.front().symbol;
    const bool split = standard_operator(*promise.how.node) == "Split";
    return "the input " + quoted(promise.input->name()) + " declares any number of images" +
           (symbol.empty() ? "" : " (" + quoted(symbol) + ")") + ", but the graph takes it apart into " +
           images(promise.how.images) + " (" + describe(*promise.how.node) + "): " +
           (promise.how.padded ? split ? "runs with more fail there" : "runs with more ignore the rest"
            : split            ? "runs at other batch sizes fail there"
                               : "runs with fewer fail there, and runs with more ignore the rest") +
           "; " + remedy;
}

std::string warn_of_constant_batch(const graph_index& index, std::int64_t batch, const std::string& remedy)
{
    std::vector<std::string> names;
    bool list = false;
    for (const auto* input : inputs_of(index).data) {
        const auto shape = declared_type(*input).shape;
        if (!shape.empty() && shape.front().size) {
            list = list || shape.size() == 3;
            names.push_back(input->name());
        }
    }
    return "the model takes exactly " + images(batch) + " (" +
           (list && names.size() > 1 ? "one for each of its inputs: " : "its input ") + list_of(names) +
           "): a server cannot join requests into a batch, and Triton serves it only with max_batch_size 0; " + remedy;
}

std::string warn_of_weights(const std::vector<std::string>& names)
{
    return std::string(names.size() == 1 ? "the input " : "the inputs ") + list_of(names) +
           (names.size() == 1 ? " is a weight: every request has to carry it"
                              : " are weights: every request has to carry them") +
           ", and a server cannot join requests into a batch; export the model with "
           "its weights inside (export_params=True)";
}

std::string warn_of_settings(const onnx::ModelProto& model, const std::vector<std::string>& names)
{
    const bool one = names.size() == 1;
    const bool exposed = is_padded(model) && std::all_of(names.begin(), names.end(), [](const auto& name) {
                             return run_option_from_name(name).has_value();
                         });
    return std::string(one ? "the input " : "the inputs ") + list_of(names) +
           (one ? " is one number" : " are one number each") +
           " for all images of a run: a server cannot join requests into a batch, and Triton serves the model only "
           "with "
           "max_batch_size 0; " +
           (exposed
                ? "`expose_per_image` " + joined(names, " `expose_per_image` ", [](const auto& name) { return name; }) +
                      " with `dynamic_batch` gives each image its own"
                : "a number for each image, [batch, 1], can be joined");
}

// The outputs that do not begin with the batch: if the graph shows what they begin with, then by that, and otherwise as
// they are declared, either as the inputs declare the batch or as the graph needs it.
struct ragged_outputs {
    std::vector<std::string> names;
    bool misdeclared = false; // one of them declares that it begins with the batch
};

ragged_outputs find_ragged(const onnx::ModelProto& model, const graph_index& index, const dimension& declared,
                           const dimension& batch)
{
    extent_finder finder(index, batched_inputs(index));
    const bool padded = is_padded(model); // what padding made is as declared
    ragged_outputs ragged;
    for (const auto& output : model.graph().output()) {
        const auto shape = declared_type(output).shape;
        const auto found = padded ? counted::unknown : finder.first_extent_of(output.name());
        const bool differs = shape.empty() || (shape.front() != declared && shape.front() != batch);
        if (found == counted::rows || (found == counted::unknown && differs)) {
            ragged.names.push_back(output.name());
            ragged.misdeclared = ragged.misdeclared || !differs;
        }
    }
    return ragged;
}

std::string warn_of_ragged(const ragged_outputs& ragged, const dimension& batch)
{
    const auto& names = ragged.names;
    const bool one = names.size() == 1;
    const std::string which = std::string(one ? "the output " : "the outputs ") + list_of(names) +
                              (one ? " does not begin" : " do not begin") + " with the batch (" +
                              (batch.size ? images(*batch.size) : quoted(batch.symbol)) + ")" +
                              (ragged.misdeclared ? ", whatever the file declares: " : ": ");
    if (batch.size) {
        return which + "responses differ in shape from request to request, and a server cannot split them by image; "
                       "pad the model";
    }
    return which + "a server that joins requests, such as Triton with a max_batch_size above 0, splits " +
           (one ? "it" : "them") + " by number of images all the same, so that requests silently get one another's " +
           "rows, or lose some; pad the model";
}

constexpr auto most_bytes = std::numeric_limits<std::int64_t>::max();

std::int64_t plus(std::int64_t a, std::int64_t b)
{
    return a > most_bytes - b ? most_bytes : a + b;
}

// The bytes of one output: of one image if it begins with the batch's symbol, and 0 if another extent is open. `image`
// is the size of the image, for masks that are as large as the image.
std::int64_t bytes_of(const onnx::ValueInfoProto& output, const dimension& batch,
                      const std::optional<image_extents>& image)
{
    const auto type = declared_type(output);
    if (!type.element || !type.rank ||
        (!type.shape.empty() && !type.shape.front().size && (batch.symbol.empty() || type.shape.front() != batch))) {
        return 0;
    }
    const auto bytes = count_bytes(*type.element, type.shape, image);
    return bytes ? bytes->total.value_or(0) : most_bytes;
}

// The bytes of all outputs together, as far as their sizes are known; those of one image if the batch is a symbol.
std::int64_t response_bytes(const onnx::ModelProto& model, const graph_index& index, const dimension& batch)
{
    const auto size = declared_image_size(index);
    const bool pasted = metadata(model, contract::masks_key) != contract::region_masks;
    const std::string fields = "," + metadata(model, contract::fields_key) + ",";
    std::int64_t bytes = 0;
    for (const auto& output : model.graph().output()) {
        const bool masks = pasted && fields.find(",masks=" + output.name() + ",") != std::string::npos;
        bytes = plus(bytes, bytes_of(output, batch, masks ? size : std::nullopt));
    }
    return bytes;
}

std::string gib_text(std::int64_t bytes)
{
    const auto tenths = bytes / (gib / 10);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

std::string warn_of_size(std::int64_t bytes, const dimension& batch)
{
    const std::string limit = "a response through gRPC must stay below 2 GiB";
    const std::string remedy = "; `masks` roi or none, `mask_type` uint8 or a smaller `max_detections` make it smaller";
    if (!batch.symbol.empty()) {
        const std::int64_t fitting = (2 * gib - 1) / bytes;
        return "the outputs have " + std::to_string(bytes >> 20) + " MiB for each image, but " + limit +
               ": a request of " + images(fitting + 1) + " fails" + remedy;
    }
    return "the outputs have " + gib_text(bytes) + " together, but " + limit + ": every request fails" + remedy;
}

} // namespace

dimension batch_of(const onnx::ModelProto& model)
{
    const graph_index index(model.graph());
    std::int64_t list = 0;
    dimension batch;
    bool first = true;
    bool agreed = true;
    for (const auto* input : inputs_of(index).data) {
        const auto shape = declared_type(*input).shape;
        if (shape.empty()) {
            agreed = false;
        } else if (shape.size() == 3 && shape.front().size) {
            ++list;
        } else {
            agreed = agreed && (first || shape.front() == batch);
            batch = shape.front();
            first = false;
        }
    }
    if (list > 0) {
        return {list, ""};
    }
    return agreed ? dimension{batch.size, batch.size ? "" : batch.symbol} : dimension{};
}

bool joins_requests(const onnx::ModelProto& model)
{
    const readable_model readable(model);
    const graph_index index(readable->graph());
    const auto batch = batch_of(model);
    const auto inputs = inputs_of(index);
    return !batch.symbol.empty() && inputs.weights.empty() && inputs.settings.empty() &&
           find_ragged(model, index, batch, batch).names.empty() && false_promises(index).empty();
}

dynamic_batch_advice advice_on(const onnx::ModelProto& exported, const rewrite_options& options)
{
    auto pad = options.pad;
    pad.dynamic_batch = true;
    try {
        auto found = as_fields_of_image(exported, examine(exported, options.recognise));
        if (found.batch > 1) {
            found.batch = 1;
            for (auto& f : found.fields) {
                f.values.resize(1);
            }
            found.images.resize(std::min<std::size_t>(found.images.size(), 1));
            found.image_rank = 3; // an image of its own, not the first of those that the graph takes apart
            for (const auto& name : found.images) {
                found.image_inputs.push_back({name, false});
            }
        }
        const bool needs_rows = !found.limit && !std::holds_alternative<std::int64_t>(pad.max_detections);
        if (needs_rows) {
            pad.max_detections = std::int64_t{100}; // any number
        }
        if (found.rearranged) {
            const readable_model readable(exported);
            (void)plan(rearranged_copy(*readable, *found.rearranged), found, pad);
        } else {
            (void)plan(exported, found, pad);
        }
        return needs_rows ? dynamic_batch_advice::with_rows : dynamic_batch_advice::works;
    } catch (const tool_error&) {
        return dynamic_batch_advice::refused;
    }
}

std::vector<std::string> serving_warnings(const onnx::ModelProto& model, std::int64_t request_images,
                                          std::optional<dynamic_batch_advice> advice)
{
    const readable_model readable(model);
    const graph_index index(readable->graph());
    const auto declared = batch_of(model);
    const auto promises = false_promises(index);
    const auto batch = promises.empty() ? declared : dimension{promises.front().how.images, ""};
    if (!advice && (declared.size || !promises.empty())) {
        advice = is_padded(model) ? dynamic_batch_advice::works : advice_on(model);
    }
    std::vector<std::string> warnings;
    for (const auto& promise : promises) {
        warnings.push_back(warn_of_false_promise(promise, dynamic_remedy(model, promise.how.images, *advice)));
    }
    if (declared.size) {
        warnings.push_back(
            warn_of_constant_batch(index, *declared.size, dynamic_remedy(model, *declared.size, *advice)));
    }
    if (const auto weights = inputs_of(index).weights; !weights.empty()) {
        warnings.push_back(warn_of_weights(weights));
    }
    if (const auto settings = inputs_of(index).settings; !settings.empty() && !batch.size) {
        warnings.push_back(warn_of_settings(model, settings));
    }
    if (batch.size || !batch.symbol.empty()) {
        if (const auto ragged = find_ragged(model, index, declared, batch); !ragged.names.empty()) {
            warnings.push_back(warn_of_ragged(ragged, batch));
        }
    }
    if (!batch.size && metadata(model, contract::max_detections_key) == contract::max_detections_of_batch) {
        warnings.emplace_back("the outputs have as many rows as the largest count in the batch (`max_detections` "
                              "batch): what a request gets depends on the requests that it is joined with; pad to a "
                              "fixed `max_detections` N");
    }
    const auto bytes = response_bytes(model, index, batch);
    if (bytes > (2 * gib - 1) / (batch.size ? 1 : std::max<std::int64_t>(request_images, 1))) {
        warnings.push_back(warn_of_size(bytes, batch));
    }
    return warnings;
}

} // namespace padbatch::onnx_tools
