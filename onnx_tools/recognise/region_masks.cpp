// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/region_masks.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// Whether there are `values`, and each of them is `expected`.
bool all_are(const onnx::AttributeProto* values, std::int64_t expected)
{
    return values != nullptr && values->ints_size() > 0 &&
           std::all_of(values->ints().begin(), values->ints().end(), [&](auto v) { return v == expected; });
}

// How many times larger than its input the output of a convolution is, if it keeps the size or multiplies it; nothing
// otherwise.
std::optional<std::int64_t> scale_of(const onnx::NodeProto& node)
{
    const auto* kernel = attribute(node, "kernel_shape");
    if (kernel == nullptr || kernel->ints_size() == 0 || !all_are(kernel, kernel->ints(0))) {
        return std::nullopt;
    }
    const auto* strides = attribute(node, "strides");
    const auto* pads = attribute(node, "pads");
    const auto* dilations = attribute(node, "dilations");
    const std::int64_t k = kernel->ints(0);
    const bool dense = dilations == nullptr || all_are(dilations, 1);
    if (standard_operator(node) == "ConvTranspose") {
        const bool bare = (pads == nullptr || all_are(pads, 0)) && attribute(node, "output_padding") == nullptr &&
                          attribute(node, "output_shape") == nullptr;
        return dense && bare && all_are(strides, k) ? std::optional(k) : std::nullopt;
    }
    const bool keeps = (pads == nullptr && k == 1) || all_are(pads, (k - 1) / 2);
    return dense && k % 2 == 1 && keeps && (strides == nullptr || all_are(strides, 1)) ? std::optional<std::int64_t>(1)
                                                                                       : std::nullopt;
}

// The same for a Resize or Upsample whose scales are constant: [1, 1, s, s].
std::optional<std::int64_t> scale_of_resize(const graph_index& index, const onnx::NodeProto& node)
{
    const int place = is(&node, {"Resize"}) ? 2 : 1;
    if (node.input_size() != place + 1) { // with sizes in place of scales
        return std::nullopt;
    }
    const auto scales = index.constant_floats(node.input(place));
    if (!scales || scales->size() != 4) {
        return std::nullopt;
    }
    const float scale = scales->back();
    const bool whole = (*scales)[0] == 1 && (*scales)[1] == 1 && (*scales)[2] == scale && scale >= 1 && scale <= 64 &&
                       std::floor(scale) == scale;
    return whole ? std::optional(static_cast<std::int64_t>(scale)) : std::nullopt;
}

// Whether a node's result has the extents of its input: activations, normalisation, quantisation, arithmetic.
bool keeps_size(const onnx::NodeProto* node)
{
    return is(node, {"Relu",
                     "LeakyRelu",
                     "PRelu",
                     "Clip",
                     "Elu",
                     "Selu",
                     "Celu",
                     "ThresholdedRelu",
                     "HardSigmoid",
                     "HardSwish",
                     "Mish",
                     "Gelu",
                     "Softplus",
                     "Softsign",
                     "Tanh",
                     "Sigmoid",
                     "Erf",
                     "BatchNormalization",
                     "Dropout",
                     "InstanceNormalization",
                     "GroupNormalization",
                     "QuantizeLinear",
                     "DequantizeLinear",
                     "Identity",
                     "Cast",
                     "Mul",
                     "Add",
                     "Sub",
                     "Div"}) &&
           node->input_size() > 0;
}

// The size that the nearest RoiAlign above `value` gives its regions. (There is one for each level of a feature
// pyramid, all with the same size.)
std::optional<std::pair<std::int64_t, std::int64_t>> region_size(const graph_index& index, std::string_view value)
{
    std::set<std::pair<std::int64_t, std::int64_t>> sizes;
    std::vector<std::string_view> level{value};
    std::unordered_set<std::string_view> seen;
    while (!level.empty() && sizes.empty()) { // one step up the graph at a time
        std::vector<std::string_view> next;
        for (const auto at : level) {
            const auto* node = index.producer(at);
            if (node == nullptr || !seen.insert(at).second) {
                continue;
            }
            if (standard_operator(*node) == "RoiAlign") {
                sizes.emplace(integer_attribute(*node, "output_height", 1),
                              integer_attribute(*node, "output_width", 1));
            }
            next.insert(next.end(), node->input().begin(), node->input().end());
        }
        level = std::move(next);
    }
    return sizes.size() == 1 ? std::optional(*sizes.begin()) : std::nullopt;
}

// The height and width of the mask probabilities that `value` picks rows and classes of.
std::optional<std::pair<std::int64_t, std::int64_t>> size_of_regions(const graph_index& index, std::string_view value)
{
    const auto* node = producer_behind(
        index, value, {"Slice", "Split", "Unsqueeze", "Reshape", "Gather", "Flatten", "Identity", "Cast"}, 32);
    if (!is(node, {"Sigmoid"}) || node->input_size() == 0) {
        return std::nullopt;
    }
    std::int64_t scale = 1;
    std::string_view at = node->input(0);
    for (int steps = 0; steps < 64; ++steps) {
        node = index.producer(at);
        if (is(node, {"Conv", "ConvTranspose", "QLinearConv", "Resize", "Upsample"})) {
            const auto more = is(node, {"Resize", "Upsample"}) ? scale_of_resize(index, *node) : scale_of(*node);
            if (!more || *more < 1 || scale > 4096) {
                return std::nullopt;
            }
            scale *= *more;
        } else if (!keeps_size(node)) {
            break;
        }
        at = node->input(0);
        if (node->input_size() > 1 && is(node, {"Mul", "Add", "Sub", "Div"}) && index.producer(at) == nullptr) {
            at = node->input(1); // the other operand is a constant
        }
    }
    // What puts the regions of a pyramid's levels together keeps their size. Behind any other node it is not known, and
    // is found when the model runs.
    if (!is(node, {"RoiAlign", "ScatterND", "ScatterElements", "Concat", "Gather", "GatherND", "Where"})) {
        return std::nullopt;
    }
    auto size = region_size(index, at);
    if (size) {
        size->first *= scale;
        size->second *= scale;
    }
    return size;
}

} // namespace

std::optional<region_masks> find_region_masks(const graph_index& index, const std::string& masks)
{
    const auto* paste = producer_behind(index, masks, {"Identity", "Cast", "Unsqueeze", "Squeeze"}, 32);
    if (!is(paste, {"Loop"})) {
        return std::nullopt;
    }
    // Of what the Loop reads, only the region masks have a margin.
    std::set<std::string_view> padded;
    for (const auto value : values_read(*paste)) {
        if (const auto* node = index.producer(value); is(node, {"Pad"}) && node->input_size() > 0) {
            padded.insert(node->input(0));
        }
    }
    if (padded.size() != 1) {
        return std::nullopt;
    }
    return region_masks{std::string(*padded.begin()), size_of_regions(index, *padded.begin())};
}

} // namespace padbatch::onnx_tools
