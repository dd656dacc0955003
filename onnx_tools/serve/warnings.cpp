// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/serve/warnings.hpp>

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/plan/output_bytes.hpp>
#include <onnx_tools/recognise/image_inputs.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30;

// How to turn a model of `images` images into one of any number.
std::string dynamic_remedy(std::int64_t images)
{
    return images == 1 ? "rewrite it with `dynamic_batch`"
                       : "export the model for one image, and rewrite it with `dynamic_batch`";
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

// The node that takes an input apart into images, and how many it takes.
struct taken_apart {
    const onnx::NodeProto* node = nullptr;
    std::int64_t images = 0;
};

bool is_first_axis(const onnx::NodeProto& node)
{
    return integer_attribute(node, "axis", 0) == 0;
}

// The highest position that a Gather along the first dimension reads, plus one; 0 when it is not constant.
std::int64_t images_gathered(const graph_index& index, const onnx::NodeProto& gather)
{
    const auto positions = gather.input_size() > 1 ? index.constant_integers(gather.input(1)) : std::nullopt;
    if (!positions || positions->empty() || !is_first_axis(gather)) {
        return 0;
    }
    const auto [lowest, highest] = std::minmax_element(positions->begin(), positions->end());
    return *lowest < 0 ? 0 : *highest + 1; // negative positions count from the end, and exist in every batch
}

// Finds the nodes that tie a value to a fixed number of images: a Split along its first dimension, or Gathers of
// constant positions if nothing else reads it.
taken_apart find_taken_apart(const graph_index& index, const std::string& value)
{
    taken_apart gathers;
    bool only_gathers = true;
    for (const auto* reader : index.readers(value)) {
        const auto& op = reader->op_type();
        const bool is_data = reader->input_size() > 0 && reader->input(0) == value;
        if (op == "Split" && is_data && is_first_axis(*reader)) {
            return {reader, reader->output_size()};
        }
        if (op == "Shape") {
            continue;
        }
        taken_apart found;
        if (op == "Gather" && is_data) {
            found = {reader, images_gathered(index, *reader)};
        } else if ((op == "Identity" || op == "Cast") && reader->output_size() == 1) {
            found = find_taken_apart(index, reader->output(0));
            if (found.node != nullptr && found.node->op_type() == "Split") {
                return found;
            }
        }
        only_gathers = only_gathers && found.images > 0;
        if (found.images > gathers.images) {
            gathers = found;
        }
    }
    return only_gathers ? gathers : taken_apart{};
}

// An input that declares any number of images, although the graph needs a certain one.
struct false_promise {
    const onnx::ValueInfoProto* input = nullptr;
    taken_apart how;
};

std::vector<false_promise> false_promises(const graph_index& index)
{
    std::vector<false_promise> found;
    for (const auto* input : index.required_inputs()) {
        const auto shape = declared_type(*input).shape;
        if (!shape.empty() && !shape.front().size) {
            if (const auto how = find_taken_apart(index, input->name()); how.node != nullptr) {
                found.push_back({input, how});
            }
        }
    }
    return found;
}

std::string warn_of_false_promise(const false_promise& promise)
{
    const std::string symbol = declared_type(*promise.input).shape.front().symbol;
    const bool split = promise.how.node->op_type() == "Split";
    return "the input " + quoted(promise.input->name()) + " declares any number of images" +
           (symbol.empty() ? "" : " (" + quoted(symbol) + ")") + ", but the graph takes it apart into " +
           images(promise.how.images) + " (" + describe(*promise.how.node) + "): " +
           (split ? "runs at other batch sizes fail there"
                  : "runs with fewer fail there, and runs with more ignore the rest") +
           "; " + dynamic_remedy(promise.how.images);
}

std::string warn_of_constant_batch(const graph_index& index, std::int64_t batch)
{
    std::vector<std::string> names;
    bool list = false;
    for (const auto* input : index.required_inputs()) {
        const auto shape = declared_type(*input).shape;
        if (!shape.empty() && shape.front().size) {
            list = list || shape.size() == 3;
            names.push_back(input->name());
        }
    }
    return "the model takes exactly " + images(batch) + " (" +
           (list && names.size() > 1 ? "one for each of its inputs: " : "its input ") + list_of(names) +
           "): a server cannot join requests into a batch, and Triton serves it only with max_batch_size 0; " +
           dynamic_remedy(batch);
}

// The outputs that do not begin with the batch, either as the inputs declare it or as the graph needs it.
std::vector<std::string> ragged_outputs(const onnx::ModelProto& model, const dimension& declared,
                                        const dimension& batch)
{
    std::vector<std::string> names;
    for (const auto& output : model.graph().output()) {
        const auto shape = declared_type(output).shape;
        if (shape.empty() || (shape.front() != declared && shape.front() != batch)) {
            names.push_back(output.name());
        }
    }
    return names;
}

std::string warn_of_ragged(const std::vector<std::string>& names, const dimension& batch)
{
    const bool one = names.size() == 1;
    const std::string which = std::string(one ? "the output " : "the outputs ") + list_of(names) +
                              (one ? " does not begin" : " do not begin") + " with the batch (" +
                              (batch.size ? images(*batch.size) : quoted(batch.symbol)) + "): ";
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
    for (const auto* input : index.required_inputs()) {
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
    const auto batch = batch_of(model);
    return !batch.symbol.empty() && ragged_outputs(model, batch, batch).empty() &&
           false_promises(graph_index(model.graph())).empty();
}

std::vector<std::string> serving_warnings(const onnx::ModelProto& model, std::int64_t request_images)
{
    const graph_index index(model.graph());
    const auto declared = batch_of(model);
    const auto promises = false_promises(index);
    const auto batch = promises.empty() ? declared : dimension{promises.front().how.images, ""};
    std::vector<std::string> warnings;
    for (const auto& promise : promises) {
        warnings.push_back(warn_of_false_promise(promise));
    }
    if (declared.size) {
        warnings.push_back(warn_of_constant_batch(index, *declared.size));
    }
    if (batch.size || !batch.symbol.empty()) {
        if (const auto ragged = ragged_outputs(model, declared, batch); !ragged.empty()) {
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
