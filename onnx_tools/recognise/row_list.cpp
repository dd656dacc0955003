// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/row_list.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/image_inputs.hpp>

#include <utility>

namespace padbatch::onnx_tools {

row_list::row_list(const onnx::ModelProto& model) : index(model.graph()), outputs(typed_outputs(model, index))
{
    std::vector<typed_value> inputs;
    std::vector<typed_value> images;
    for (const auto* info : index.required_inputs()) {
        inputs.push_back({info->name(), declared_type(*info)});
        if (inputs.back().type.rank == 4) {
            images.push_back(inputs.back());
        }
    }
    if (images.size() != 1) {
        throw tool_error(failure::refused, {"it is not clear which input holds the images: " + list_of(inputs),
                                            "one input [B, 3, H, W], whose first extent is the number of images",
                                            "export the model with the images as its only input of rank 4"});
    }
    const auto& shape = images.front().type.shape;
    source.batch_input = images.front().name;
    batch = shape.front();
    if (!has_channels_last(shape)) { // otherwise height and width are not the last two
        found.images = {source.batch_input};
        found.image_rank = 4;
    }
}

void row_list::set_fields(element_type boxes, element_type scores)
{
    found.fields = {{field::boxes, {}, boxes, {{4, ""}}},
                    {field::labels, {}, element_type::int64, {}},
                    {field::scores, {}, scores, {}}};
}

detections row_list::finish() &&
{
    found.image_size = declared_image_size(index);
    for (const auto& output : outputs) {
        if (taken.count(output.name) == 0) {
            found.other_outputs.push_back(output.name);
        }
    }
    found.flat = std::move(source);
    found.limit_stays = "the rows of all images are in one list";
    return std::move(found);
}

bool is_floating_of_rank(const value_type& type, int rank)
{
    return type.element && is_floating(*type.element) && type.rank == rank;
}

std::optional<std::int64_t> last_extent(const value_type& type)
{
    return type.shape.empty() ? std::nullopt : type.shape.back().size;
}

} // namespace padbatch::onnx_tools
