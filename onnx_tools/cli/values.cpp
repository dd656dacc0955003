// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/values.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

namespace padbatch::onnx_tools::cli {
namespace {

std::string lower_letters(const std::string& word)
{
    std::string letters;
    for (const char c : word) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            letters += c;
        } else if (c >= 'A' && c <= 'Z') {
            letters += static_cast<char>(c - 'A' + 'a');
        }
    }
    return letters;
}

// How many letters must be added, left out or changed to get from one word to the other.
std::size_t distance(const std::string& from, const std::string& to)
{
    std::vector<std::size_t> row(to.size() + 1);
    for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] = i;
    }
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t changed = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
        }
    }
    return row.back();
}

std::vector<std::string> field_names()
{
    std::vector<std::string> names;
    for (const auto f : all_fields()) {
        names.emplace_back(name_of(f));
    }
    return names;
}

// `a, b or c`.
std::string alternatives(const std::vector<std::string>& words)
{
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
    }
    return text;
}

// Names with commas between them, each one of `known` and given once. `thing` is what they name.
std::vector<std::string> name_list(const std::string& option, const std::string& text, const std::string& thing,
                                   const std::vector<std::string>& known, const std::string& expected)
{
    const std::string given = option + " " + quoted(text);
    auto names = split(text, ",");
    for (auto at = names.begin(); at != names.end(); ++at) {
        if (at->empty()) {
            misused(given + " contains an empty name", expected, "remove the extra comma");
        }
        if (std::find(known.begin(), known.end(), *at) == known.end()) {
            const std::string meant = closest(*at, known);
            misused(given + ": there is no " + thing + " " + quoted(*at), expected,
                    meant.empty() ? "correct the " + thing + "'s name" : "did you mean " + quoted(meant) + "?");
        }
        if (std::find(names.begin(), at, *at) != at) {
            misused(given + " names " + quoted(*at) + " twice", "each " + thing + " once", "leave one of them out");
        }
    }
    return names;
}

} // namespace

std::vector<std::string> split(const std::string& text, const std::string& separator)
{
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (auto end = text.find(separator); end != std::string::npos; end = text.find(separator, begin)) {
        parts.push_back(text.substr(begin, end - begin));
        begin = end + separator.size();
    }
    parts.push_back(text.substr(begin));
    return parts;
}

std::string closest(const std::string& word, const std::vector<std::string>& names)
{
    const std::string typed = lower_letters(word);
    std::string best;
    std::size_t least = 3;
    for (const auto& name : names) {
        const std::string letters = lower_letters(name);
        const bool beginning = typed.size() >= 3 && letters.compare(0, typed.size(), typed) == 0;
        const std::size_t d =
            beginning ? std::min<std::size_t>(1, letters.size() - typed.size()) : distance(typed, letters);
        if (d < least && 2 * d < typed.size()) {
            best = name;
            least = d;
        }
    }
    return best;
}

std::int64_t whole_number(const std::string& option, const std::string& text, std::int64_t least,
                          const std::string& or_else, const std::string& example)
{
    const auto value = to_number(text);
    const auto* whole = value ? std::get_if<std::int64_t>(&*value) : nullptr;
    if (whole == nullptr || *whole < least || *whole > std::numeric_limits<std::int32_t>::max()) {
        misused(option + " is " + quoted(text),
                "a whole number from " + std::to_string(least) + " to 2147483647" + or_else,
                "write, for example, " + option + " " + example);
    }
    return *whole;
}

number any_number(const std::string& given, const std::string& text)
{
    const auto value = to_number(text);
    if (!value) {
        misused(given + ": the value is not a number", "a number, such as 0, -1, 1e-3, nan or inf",
                "correct the value");
    }
    return *value;
}

double fraction(const std::string& option, const std::string& text)
{
    const auto value = to_number(text);
    const double real = value ? std::visit([](auto n) { return static_cast<double>(n); }, *value) : 0;
    if (!(real > 0 && real <= 1)) {
        misused(option + " is " + quoted(text), "a number above 0 and at most 1",
                "write, for example, " + option + " 0.5");
    }
    return real;
}

std::size_t position_in(const std::vector<std::string>& words, const std::string& option, const std::string& text,
                        const std::string& remedy)
{
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end()) {
        const std::string meant = closest(text, words);
        misused(option + " is " + quoted(text), alternatives(words),
                meant.empty() ? remedy : "did you mean " + option + " " + meant + "?");
    }
    return static_cast<std::size_t>(found - words.begin());
}

std::map<std::string, std::string> pairs(const std::string& option, const std::vector<std::string>& texts,
                                         const std::string& value_name, const std::string& also)
{
    const std::string form = option + " FIELD=" + value_name;
    const std::string example = option + " labels=" + (value_name == "NAME" ? "classes" : "-1");
    std::vector<std::string> names = field_names();
    if (!also.empty()) {
        names.push_back(also);
    }
    std::map<std::string, std::string> chosen;
    for (const auto& text : texts) {
        const std::string given = option + " " + quoted(text);
        const auto equals = text.find('=');
        if (equals == std::string::npos) {
            misused(given + " has no '='", form, "write, for example, " + example);
        }
        if (text.find(',') != std::string::npos) {
            misused(given + " contains a comma", form + ", one field at a time",
                    "repeat the option for each field, for example " + example + " " + option +
                        " scores=" + (value_name == "NAME" ? "confidences" : "-1"));
        }
        const std::string name = text.substr(0, equals);
        const std::string value = text.substr(equals + 1);
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            const std::string meant = closest(name, names);
            misused(given + ": there is no field " + quoted(name),
                    form + ", with a FIELD of " + all_field_names() + (also.empty() ? "" : ", " + also),
                    meant.empty() ? "correct the field's name"
                                  : "did you mean " + option + " " + meant + "=" +
                                        value.substr(std::min(value.find_first_not_of(' '), value.size())) + "?");
        }
        if (value.empty()) {
            misused(given + " has nothing after the '='", form, "write, for example, " + example);
        }
        if (!chosen.emplace(name, value).second) {
            misused(option + " names the field " + quoted(name) + " twice", "each field once", "leave one of them out");
        }
    }
    return chosen;
}

std::map<parameter, number> settings(const std::string& option, const std::vector<std::string>& texts)
{
    const std::string form = option + " NAME=VALUE";
    const std::string example = "write, for example, " + option + " score_thresh=0.3";
    std::vector<std::string> names;
    for (const auto kind : all_parameters) {
        names.emplace_back(name_of(kind));
    }
    std::map<parameter, number> chosen;
    for (const auto& text : texts) {
        const std::string given = option + " " + quoted(text);
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals + 1 == text.size()) {
            misused(given + (equals == std::string::npos ? " has no '='" : " has nothing after the '='"), form,
                    example);
        }
        const std::string name = text.substr(0, equals);
        const std::string value = text.substr(equals + 1);
        const auto kind = parameter_from_name(name);
        if (!kind) {
            const std::string meant = closest(name, names);
            misused(given + ": there is no parameter " + quoted(name),
                    form + ", with a NAME of " + joined(names, ", ", [](const auto& n) { return n; }),
                    meant.empty() ? "correct the parameter's name"
                                  : "did you mean " + option + " " + meant + "=" + value + "?");
        }
        if (value.find(',') != std::string::npos) {
            misused(given + " contains a comma", form + ", one parameter at a time",
                    "repeat the option for each parameter");
        }
        if (!chosen.emplace(*kind, any_number(given, value)).second) {
            misused(option + " names the parameter " + quoted(std::string(name_of(*kind))) + " twice",
                    "each parameter once", "leave one of them out");
        }
    }
    return chosen;
}

std::vector<field> field_list(const std::string& text)
{
    std::vector<field> fields;
    for (const auto& name : name_list("--fields", text, "field", field_names(),
                                      "names from " + all_field_names() +
                                          ", separated by commas without spaces, such as boxes,labels,scores")) {
        fields.push_back(*field_from_name(name));
    }
    return fields;
}

std::vector<flat_column> column_list(const std::string& text)
{
    std::vector<std::string> known;
    for (const auto column : all_columns()) {
        known.emplace_back(name_of(column));
    }
    std::vector<flat_column> columns;
    for (const auto& name :
         name_list("--columns", text, "column", known,
                   "names from " + alternatives(known) +
                       ", separated by commas without spaces, such as batch,x1,y1,x2,y2,label,score")) {
        columns.push_back(*column_from_name(name));
    }
    return columns;
}

} // namespace padbatch::onnx_tools::cli
