// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/threshold.hpp>

#include <onnx_tools/plan/pad_value.hpp>

#include <cstdint>
#include <cstring>
#include <string>

namespace padbatch::onnx_tools {
namespace {

// For IEEE 754 numbers above 0, the next lower number has the bits minus one.
template <typename Bits>
bool step_down(std::string& bytes)
{
    Bits bits{};
    std::memcpy(&bits, bytes.data(), sizeof(Bits));
    if (bits == 0) {
        return false;
    }
    bits = static_cast<Bits>(bits - 1U);
    std::memcpy(bytes.data(), &bits, sizeof(Bits));
    return true;
}

bool step_down(element_type type, std::string& bytes)
{
    switch (type) {
    case element_type::float64: return step_down<std::uint64_t>(bytes);
    case element_type::float32: return step_down<std::uint32_t>(bytes);
    case element_type::float16: return step_down<std::uint16_t>(bytes);
    default: return false;
    }
}

} // namespace

bool is_threshold(double value) noexcept
{
    return value > 0 && value <= 1;
}

std::optional<onnx::TensorProto> just_below(element_type type, double value)
{
    auto tensor = is_threshold(value) ? make_pad_value(type, value) : std::nullopt;
    if (!tensor || !step_down(type, *tensor->mutable_raw_data())) {
        return std::nullopt;
    }
    tensor->clear_dims();
    return tensor;
}

} // namespace padbatch::onnx_tools
