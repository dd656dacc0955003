// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/inputs_of_image.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/batch_inputs.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

enum class belongs_to { image, all, unknown };

void require_named_inputs(const graph_index& index, const recognise_options& options)
{
    const auto inputs = index.required_inputs();
    for (const auto* names : {&options.per_image_inputs, &options.shared_inputs}) {
        const std::string option = names == &options.per_image_inputs ? "`per_image_input` " : "`shared_input` ";
        for (const auto& name : *names) {
            if (std::none_of(inputs.begin(), inputs.end(), [&](const auto* input) { return input->name() == name; })) {
                misused(option + name + " names no input of the model",
                        "one of: " + joined(inputs, ", ", [](const auto* input) { return shown(input->name()); }),
                        "correct the name, or leave the option out");
            }
            if (names == &options.shared_inputs && options.per_image_inputs.count(name) != 0) {
                misused("the input " + quoted(name) + " is named by both `per_image_input` and `shared_input`",
                        "one of them", "leave one of them out");
            }
        }
    }
}

// The input that holds the image, if one does: of rank 4, or else of rank 3.
const onnx::ValueInfoProto* image_of(const std::vector<const onnx::ValueInfoProto*>& inputs)
{
    for (const int rank : {4, 3}) {
        for (const auto* input : inputs) {
            if (declared_type(*input).rank == rank) {
                return input;
            }
        }
    }
    return nullptr;
}

bool takes_one_image(const graph_index& index, const detections& found)
{
    if (!found.flat) {
        return found.batch == 1;
    }
    const auto inputs = index.required_inputs();
    return !found.only_one_image.empty() || std::any_of(inputs.begin(), inputs.end(), [&](const auto* input) {
        const auto shape = declared_type(*input).shape;
        return input->name() == found.flat->batch_input && !shape.empty() && shape.front().size == 1;
    });
}

belongs_to owner_by_shape(const value_type& type, const onnx::ValueInfoProto* image)
{
    if (type.rank.value_or(0) < 2) {
        return type.rank ? belongs_to::all : belongs_to::unknown;
    }
    if (type.shape.empty()) {
        return belongs_to::unknown;
    }
    const auto& first = type.shape.front();
    if (first.size) {
        const bool may_be_image = *type.rank == 3 || *type.rank == 4;
        return *first.size == 1 ? belongs_to::image : may_be_image ? belongs_to::unknown : belongs_to::all;
    }
    if (first.symbol.empty() || image == nullptr) {
        return belongs_to::unknown;
    }
    const auto shape = declared_type(*image).shape;
    return shape.size() == 4 && shape.front().symbol == first.symbol ? belongs_to::image : belongs_to::all;
}

} // namespace

void find_inputs_of_image(const graph_index& index, const recognise_options& options, detections& found)
{
    require_named_inputs(index, options);
    if (!takes_one_image(index, found)) {
        return;
    }
    const auto inputs = inputs_of(index);
    const auto* image = image_of(inputs.data);
    if (image != nullptr && options.shared_inputs.count(image->name()) != 0) {
        image = nullptr;
    }
    if (image != nullptr) {
        const int rank = *declared_type(*image).rank;
        found.image_inputs.push_back({image->name(), rank == 4});
        if (found.images.empty()) {
            found.images = {image->name()};
            found.image_rank = rank;
        }
    }
    for (const auto* input : index.required_inputs()) {
        const auto& name = input->name();
        if (input == image) {
            continue;
        }
        const auto type = declared_type(*input);
        const bool data = std::find(inputs.data.begin(), inputs.data.end(), input) != inputs.data.end();
        const auto owner = options.per_image_inputs.count(name) != 0 ? belongs_to::image
                           : options.shared_inputs.count(name) != 0  ? belongs_to::all
                           : data                                    ? owner_by_shape(type, image)
                                                                     : belongs_to::all;
        if (owner == belongs_to::image) {
            found.image_inputs.push_back({name, !type.shape.empty() && type.shape.front().size.value_or(1) == 1});
        } else {
            (owner == belongs_to::all ? found.shared_inputs : found.undecided_inputs).push_back(name);
        }
    }
}

} // namespace padbatch::onnx_tools
