// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_VALUES_HPP
#define PADBATCH_ONNX_TOOLS_CLI_VALUES_HPP

#include <onnx_tools/error.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/field.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

// What the values of options mean. Each function takes the option's name for its message, and throws `tool_error` with
// `failure::usage` for a value that makes no sense.
namespace padbatch::onnx_tools::cli {

/// The parts of `text` between the separators, one more than there are separators.
[[nodiscard]] std::vector<std::string> split(const std::string& text, const std::string& separator);

/// The one of `names` that `word` was most likely meant to be; empty when none is close.
[[nodiscard]] std::string closest(const std::string& word, const std::vector<std::string>& names);

/// A whole number from `least` to 2147483647. `or_else` says what else is allowed, `example` is a number for the
/// message.
[[nodiscard]] std::int64_t whole_number(const std::string& option, const std::string& text, std::int64_t least,
                                        const std::string& or_else, const std::string& example);

/// A number; an integer if it is written as one. `given` is the option with its value, for the message.
[[nodiscard]] number any_number(const std::string& given, const std::string& text);

/// A number above 0 and at most 1.
[[nodiscard]] double fraction(const std::string& option, const std::string& text);

/// The position of `text` in `words`. `remedy` is what to do when `text` is neither one of them nor close to one.
[[nodiscard]] std::size_t position_in(const std::vector<std::string>& words, const std::string& option,
                                      const std::string& text, const std::string& remedy = "choose one of these");

/// What the word `text` stands for.
template <typename T>
[[nodiscard]] T meaning(const std::vector<std::pair<std::string, T>>& words, const std::string& option,
                        const std::string& text, const std::string& remedy = "choose one of these")
{
    std::vector<std::string> names;
    for (const auto& [name, value] : words) {
        names.push_back(name);
    }
    return words[position_in(names, option, text, remedy)].second;
}

/// Reads each of `texts` as `FIELD=VALUE`, each field once. `value_name` is what messages call the VALUE; `also`, if
/// not empty, is a name that is allowed besides those of fields.
[[nodiscard]] std::map<std::string, std::string> pairs(const std::string& option, const std::vector<std::string>& texts,
                                                       const std::string& value_name, const std::string& also);

/// The parameters that --set sets: each of `texts` is `NAME=VALUE`, each parameter once.
[[nodiscard]] std::map<parameter, number> settings(const std::string& option, const std::vector<std::string>& texts);

/// The fields that --fields names.
[[nodiscard]] std::vector<field> field_list(const std::string& text);

/// The columns that --columns names.
[[nodiscard]] std::vector<flat_column> column_list(const std::string& text);

} // namespace padbatch::onnx_tools::cli

#endif
