// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_REMEDIES_HPP
#define PADBATCH_TESTS_SUPPORT_REMEDIES_HPP

#include <tests/support/told_options.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

// Reads what a message of the command says should be done, so that a test can do it.
namespace padbatch::test {

/// One way out of several.
struct suggestion {
    std::string text;
    /// It begins with "if": it does not promise anything about other models.
    bool conditional = false;
    /// It only gives the form: some values are placeholders, examples or left out.
    bool is_form = false;
    flag_list set;
    flag_list left_out; ///< with a value if only the flag with that value, or the value's key, is meant
};

/// What the user knows about the model, for suggestions that only give a form.
struct known_values {
    /// By flag: --fields, --batch, --order, --columns, --max-detections, --rename.
    std::map<std::string, std::string> values;
};

namespace detail {

inline std::string remedy_of(const std::string& message)
{
    static const std::string mark = "\n  what to do: ";
    const auto at = message.rfind(mark);
    return at == std::string::npos ? "" : message.substr(at + mark.size());
}

inline std::vector<std::string> split_at(const std::string& text, const std::regex& separator)
{
    return {std::sregex_token_iterator(text.begin(), text.end(), separator, -1), std::sregex_token_iterator()};
}

inline bool is_value_of(const std::string& flag, const std::string& word)
{
    static const std::regex list("[a-z_0-9]+(,[a-z_0-9]+)*");
    static const std::regex number("[0-9.e+-]+");
    static const std::map<std::string, std::vector<std::string>> words{
        {"--order", {"image", "field", "image|field"}},
        {"--masks", {"full", "roi", "none"}},
        {"--mask-type", {"float", "uint8", "bool"}},
        {"--to", {"torchvision", "efficientnms", "yolov7", "mmdeploy", "tf-od", "ultralytics"}},
        {"--from", {"auto", "fields", "torchvision", "flat", "nms", "padded", "raw"}},
        {"--head", {"yolo", "yolo-seg", "yolo-pose", "yolo-objectness", "yolo-objectness-seg", "boxes-scores", "detr"}},
        {"--nms", {"shifted", "class-by-class", "none"}},
        {"--scores", {"none", "sigmoid", "softmax"}},
        {"--num-classes", {"N"}},
        {"--iou-threshold", {"T"}},
        {"--box-format", {"xyxy", "xywh", "cxcywh", "yxyx"}},
        {"--label-type", {"int32", "int64", "float32"}},
        {"--count-type", {"int32", "int64", "float32"}},
        {"--count-shape", {"B", "Bx1"}},
        {"--batch", {"B"}},
        {"--max-detections", {"N", "batch"}},
        {"--min-score", {"S"}},
        {"--mask-threshold", {"T"}}};
    if (flag == "--fields" || flag == "--columns") {
        return std::regex_match(word, list) && word.find(',') != std::string::npos;
    }
    if (flag == "--batch-index" || flag == "--count-output") {
        return !word.empty();
    }
    static const std::regex strides("none|[0-9]+(,[0-9]+)*");
    static const std::regex extents("[0-9]+x[0-9]+");
    if (flag == "--strides" || flag == "--keypoints" || flag == "--image-size") {
        return std::regex_match(word, flag == "--strides" ? strides : extents);
    }
    if (flag == "--rename" || flag == "--pad-value") {
        return word.find('=') != std::string::npos || word == "num_detections";
    }
    if (flag == "--batch-index" || flag == "--count-output") { // an output's name
        return word.rfind("--", 0) != 0 && word != "or" && word != "and";
    }
    const auto known = words.find(flag);
    if (known == words.end()) {
        return false;
    }
    const bool numeric = flag == "--batch" || flag == "--max-detections" || flag == "--min-score" ||
                         flag == "--mask-threshold" || flag == "--num-classes" || flag == "--iou-threshold";
    return std::find(known->second.begin(), known->second.end(), word) != known->second.end() ||
           (numeric && std::regex_match(word, number));
}

inline bool is_placeholder(const std::string& flag, const std::string& value)
{
    static const std::vector<std::string> all{"N", "S", "T", "image|field"};
    return std::find(all.begin(), all.end(), value) != all.end() || (flag == "--batch" && value == "B") ||
           value.find("=NAME") != std::string::npos || value.find("=VALUE") != std::string::npos;
}

inline bool takes_value(const std::string& flag)
{
    return flag != "--dynamic-batch" && flag != "--squeeze-masks" && flag != "--force" && flag != "--inspect" &&
           flag != "--normalized" && flag != "--normalised" && flag != "--multi-label" && flag != "--class-agnostic";
}

// The flags of a text with the values that follow them.
inline flag_list flags_of_remedy(const std::string& text)
{
    flag_list flags;
    static const std::regex flag_or_word("[^ ]+");
    std::string last;
    for (auto at = std::sregex_iterator(text.begin(), text.end(), flag_or_word); at != std::sregex_iterator(); ++at) {
        std::string word = at->str();
        while (!word.empty() && std::string(",;:.()?'").find(word.back()) != std::string::npos) {
            word.pop_back();
        }
        while (!word.empty() && std::string("('").find(word.front()) != std::string::npos) {
            word.erase(0, 1);
        }
        if (word.rfind("--", 0) == 0) {
            flags.emplace_back(word, "");
            last = word;
        } else if (!last.empty() && is_value_of(last, word)) {
            flags.back().second = word;
            last.clear();
        } else {
            last.clear();
        }
    }
    return flags;
}

inline bool ends_with(const std::string& text, const std::string& end)
{
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

} // namespace detail

/// The ways out that the message names and that consist of options, in its order.
inline std::vector<suggestion> suggestions_in(const std::string& message)
{
    static const std::regex parts("; (or, |or |and )?");
    static const std::regex alternatives("(,? or |, and |, )(?=(--|(also )?(use|pass|add|leave|give|write|name) ))");
    std::vector<suggestion> all;
    for (const auto& part : detail::split_at(detail::remedy_of(message), parts)) {
        // What is to be corrected may not be what the user can correct.
        const bool conditional = part.rfind("if ", 0) == 0 || part.find(" if ") != std::string::npos ||
                                 part.find(" where ") != std::string::npos || part.rfind("correct ", 0) == 0;
        bool leaves_out = false;
        for (const auto& clause : detail::split_at(part, alternatives)) {
            auto flags = detail::flags_of_remedy(clause);
            if (flags.empty()) {
                if (clause.find("leave the option out") != std::string::npos ||
                    clause.find("leave it out") != std::string::npos) {
                    const auto found = detail::flags_of_remedy(message.substr(0, message.find("\n  expected: ")));
                    if (!found.empty()) {
                        all.push_back({clause, conditional, false, {}, {found.front()}});
                    }
                }
                continue;
            }
            auto before = clause.substr(0, clause.find(flags.front().first));
            while (!before.empty() && before.back() == ' ') {
                before.pop_back();
            }
            const bool verb = !before.empty();
            if (verb) {
                leaves_out = detail::ends_with(before, "leave out") || detail::ends_with(before, "leave");
            }
            // "leave out A, B and C" is one way, "A or B" are two.
            const auto at = part.find(clause);
            const bool after_comma =
                at >= 2 && part.compare(at - 2, 2, ", ") == 0 && !(at >= 5 && part.compare(at - 5, 5, ", or ") == 0);
            const bool continues_list = !verb && after_comma && !all.empty() && all.back().conditional == conditional;
            suggestion s{clause, conditional, false, {}, {}};
            for (auto& flag : flags) {
                const bool missing = flag.second.empty() && detail::takes_value(flag.first);
                const bool example = detail::ends_with(before, "such as") || detail::ends_with(before, "correct");
                s.is_form = s.is_form ||
                            (!leaves_out && (missing || example || detail::is_placeholder(flag.first, flag.second)));
                (leaves_out ? s.left_out : s.set).push_back(flag);
            }
            if (continues_list) {
                auto& last = all.back();
                last.text += ", " + clause;
                last.is_form = last.is_form || s.is_form;
                last.set.insert(last.set.end(), s.set.begin(), s.set.end());
                last.left_out.insert(last.left_out.end(), s.left_out.begin(), s.left_out.end());
            } else {
                all.push_back(std::move(s));
            }
        }
    }
    return all;
}

namespace detail {

inline std::string key_in(const std::string& value)
{
    return value.substr(0, value.find('='));
}

inline bool is_keyed(const std::string& flag)
{
    return flag == "--rename" || flag == "--pad-value";
}

} // namespace detail

/// `flags`, changed as suggested. Nothing if the suggestion only gives a form and `known` cannot fill it in.
inline std::optional<flag_list> followed(const suggestion& s, flag_list flags, const known_values& known)
{
    const auto erase = [&](const std::pair<std::string, std::string>& which) {
        flags.erase(std::remove_if(flags.begin(), flags.end(),
                                   [&](const auto& flag) {
                                       return flag.first == which.first &&
                                              (!detail::is_keyed(which.first) || which.second.empty() ||
                                               detail::key_in(flag.second) == detail::key_in(which.second));
                                   }),
                    flags.end());
    };
    for (const auto& flag : s.left_out) {
        erase(flag);
    }
    for (auto flag : s.set) {
        if (s.is_form && flag.first != "--masks" && flag.first != "--to" && flag.first != "--from" &&
            flag.first != "--mask-type" && detail::takes_value(flag.first)) {
            const bool given = !flag.second.empty() && !detail::is_placeholder(flag.first, flag.second);
            const auto value = known.values.find(flag.first);
            if (detail::is_keyed(flag.first)) {
                const auto key = detail::key_in(flag.second);
                flag.second = key + (flag.first == "--rename" ? "=another_name_for_" + key : "=0");
            } else if (value != known.values.end()) {
                flag.second = value->second;
            } else if (!given || flag.first == "--fields" || flag.first == "--columns" || flag.first == "--batch") {
                return std::nullopt;
            }
        }
        erase(flag);
        flags.push_back(flag);
    }
    return flags;
}

} // namespace padbatch::test

#endif
