// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_UTF8_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_UTF8_HPP

#include <string_view>

namespace padbatch::onnx_tools {

/// Whether `text` is UTF-8 (Unicode 15, table 3-7) without control characters, as names in protobuf's text format must
/// be.
[[nodiscard]] bool is_plain_text(std::string_view text) noexcept;

} // namespace padbatch::onnx_tools

#endif
