// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/batch_inputs.hpp>

#include <onnx_tools/model/value_types.hpp>
#include <onnx_tools/recognise/image_inputs.hpp>

#include <algorithm>
#include <cstddef>

namespace padbatch::onnx_tools {
namespace {

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

bool is_constant(const graph_index& index, const std::string& value)
{
    return index.constant(value) != nullptr || is(index.producer(value), {"Constant"});
}

// Whether `node` reads `value` and has the same images in its only output, each changed as the others are.
bool keeps_images(const graph_index& index, const onnx::NodeProto& node, const std::string& value)
{
    if (node.output_size() != 1) {
        return false;
    }
    if (is(&node, {"Identity", "Cast", "Pad"})) {
        return node.input_size() > 0 && node.input(0) == value;
    }
    return is(&node, {"Add", "Sub", "Mul", "Div"}) && node.input_size() == 2 &&
           is_constant(index, node.input(node.input(0) == value ? 1 : 0));
}

// Whether a Pad adds images at the end.
bool adds_images(const graph_index& index, const onnx::NodeProto& node)
{
    const auto pads = node.input_size() > 1 ? index.constant_integers(node.input(1)) : std::nullopt;
    return standard_operator(node) == "Pad" && node.input_size() > 1 &&
           (!pads || (!pads->empty() && (*pads)[pads->size() / 2] != 0));
}

// Finds the nodes that tie a value to a fixed number of images: a Split along its first dimension, or Gathers of
// constant positions if nothing else reads it.
taken_apart find_taken_apart(const graph_index& index, const std::string& value, int depth = 0)
{
    taken_apart gathers;
    bool only_gathers = true;
    for (const auto* reader : index.readers(value)) {
        const auto op = standard_operator(*reader);
        const bool is_data = reader->input_size() > 0 && reader->input(0) == value;
        if (op == "Split" && is_data && is_first_axis(*reader)) {
            return {reader, reader->output_size(), false};
        }
        if (op == "Shape") {
            continue;
        }
        taken_apart found;
        if (op == "Gather" && is_data) {
            found = {reader, images_gathered(index, *reader), false};
        } else if (depth < 64 && keeps_images(index, *reader, value)) { // a broken graph may have a cycle
            found = find_taken_apart(index, reader->output(0), depth + 1);
            found.padded = found.padded || adds_images(index, *reader);
            if (found.node != nullptr && standard_operator(*found.node) == "Split") {
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

// Whether `value` is read as a weight, directly or once converted.
bool is_read_as_weight(const graph_index& index, const std::string& value, int depth = 0)
{
    const auto& readers = index.readers(value);
    return std::any_of(readers.begin(), readers.end(), [&](const onnx::NodeProto* reader) {
        const auto& inputs = reader->input();
        const bool first = !inputs.empty() && inputs[0] == value;
        if (first && depth < 8 && reader->output_size() == 1 &&
            is(reader, {"Identity", "Cast", "Transpose", "DequantizeLinear"})) {
            return is_read_as_weight(index, reader->output(0), depth + 1);
        }
        return !first && std::find(inputs.begin(), inputs.end(), value) != inputs.end() &&
               is(reader, {"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization"});
    });
}

bool is_static(const std::vector<dimension>& shape)
{
    return !shape.empty() && std::all_of(shape.begin(), shape.end(), [](const auto& extent) { return extent.size; });
}

// Whether `input` holds one number.
bool is_one_number(const onnx::ValueInfoProto& input)
{
    const auto type = declared_type(input);
    return type.rank == 0 || (type.shape.size() == 1 && type.shape.front().size == 1);
}

bool is_image(const std::vector<dimension>& shape)
{
    const auto rank = shape.size();
    if (rank != 3 && rank != 4) {
        return false;
    }
    const bool last = has_channels_last(shape);
    const auto& height = shape[rank - (last ? 3 : 2)].size;
    const auto& width = shape[rank - (last ? 2 : 1)].size;
    const auto& channels = shape[rank - (last ? 1 : 3)].size;
    return (channels == 1 || channels == 3) && height != 1 && width != 1; // no scale for each channel
}

} // namespace

model_inputs inputs_of(const graph_index& index)
{
    model_inputs inputs;
    std::vector<const onnx::ValueInfoProto*> likely;
    for (const auto* input : index.required_inputs()) {
        const auto shape = declared_type(*input).shape;
        if (is_static(shape) && is_read_as_weight(index, input->name())) {
            inputs.weights.push_back(input->name());
        } else {
            likely.push_back(input);
        }
    }
    // Scales, say, are read in many ways. Beside inputs that are weights they are that too.
    for (const auto* input : likely) {
        const auto shape = declared_type(*input).shape;
        if (!inputs.weights.empty() && is_static(shape) && !is_image(shape)) {
            inputs.weights.push_back(input->name());
        } else {
            inputs.data.push_back(input);
        }
    }
    const bool images = std::any_of(inputs.data.begin(), inputs.data.end(), [](const auto* input) {
        const auto rank = declared_type(*input).rank;
        return rank == 3 || rank == 4;
    });
    if (images) {
        const auto first = std::stable_partition(inputs.data.begin(), inputs.data.end(),
                                                 [](const auto* input) { return !is_one_number(*input); });
        std::for_each(first, inputs.data.end(), [&](const auto* input) { inputs.settings.push_back(input->name()); });
        inputs.data.erase(first, inputs.data.end());
    }
    return inputs;
}

std::vector<std::string> batched_inputs(const graph_index& index)
{
    std::vector<std::string> names;
    for (const auto* input : inputs_of(index).data) {
        const auto shape = declared_type(*input).shape;
        if (!shape.empty() && !(shape.size() == 3 && shape.front().size)) {
            names.push_back(input->name());
        }
    }
    return names;
}

std::vector<false_promise> false_promises(const graph_index& index)
{
    std::vector<false_promise> found;
    for (const auto* input : inputs_of(index).data) {
        const auto shape = declared_type(*input).shape;
        if (!shape.empty() && !shape.front().size) {
            if (const auto how = find_taken_apart(index, input->name()); how.node != nullptr) {
                found.push_back({input, how});
            }
        }
    }
    return found;
}

} // namespace padbatch::onnx_tools
