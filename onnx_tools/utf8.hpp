// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_UTF8_HPP
#define PADBATCH_ONNX_TOOLS_UTF8_HPP

#include <string>
#include <string_view>

namespace padbatch::onnx_tools {

/// Whether `text` is UTF-8 (Unicode 15, table 3-7) without control characters (C0, DEL and C1), as names in protobuf's
/// text format should be.
[[nodiscard]] bool is_plain_text(std::string_view text) noexcept;

/// `text` on one line, with nothing in it that a terminal obeys instead of showing. Line breaks and tabs become `\n`,
/// `\r` and `\t`; other control characters, separators of lines and paragraphs, and the marks that
/// change the direction of writing become `\u001b`; bytes that are not UTF-8 become `\xff`. The rest stays as it is, so
/// the result of one call is left alone by the next.
[[nodiscard]] std::string printable(std::string_view text);

/// The same for a text of several lines, whose line feeds stay. JSON remains the same document: none of these
/// characters has a meaning between its strings, and in a string `\u001b` is that character.
[[nodiscard]] std::string printable_lines(std::string_view text);

} // namespace padbatch::onnx_tools

#endif
