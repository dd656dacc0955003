// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_FOLLOW_REMEDIES_HPP
#define PADBATCH_TESTS_SUPPORT_FOLLOW_REMEDIES_HPP

#include <tests/support/remedies.hpp>
#include <tests/support/told_options.hpp>

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Does what refusals say, and judges what comes of it.
namespace padbatch::test {

/// What is wrong: its kind in a few words, and the whole story.
struct fault {
    std::string kind;
    std::string text;
};

inline bool has_flag(const flag_list& flags, const std::string& name)
{
    return std::any_of(flags.begin(), flags.end(), [&](const auto& flag) { return flag.first == name; });
}

/// A model, and what is known about it.
struct followed_model {
    const onnx::ModelProto& model;
    known_values known;
    /// What is wrong with a rewrite that succeeded.
    std::function<std::optional<fault>(const rewrite_outcome&)> judge;
    /// Whether the model's outputs are one list of rows, so that --from and --columns say the truth.
    bool is_one_list = false;
};

/// How many hints were followed, and how many of them led to a right result at once.
struct followed_count {
    std::size_t hints = 0;
    std::size_t right = 0;
};

/// Whether options say what is not so: that the outputs are one list of rows, or other fields, images or orders.
inline bool tells_wrong(const followed_model& m, const flag_list& flags)
{
    return std::any_of(flags.begin(), flags.end(), [&](const auto& flag) {
        const bool told =
            flag.first == "--fields" || flag.first == "--batch" || flag.first == "--order" || flag.first == "--columns";
        const auto right = m.known.values.find(flag.first);
        return (flag.first == "--from" && !m.is_one_list) ||
               (told && (right == m.known.values.end() || right->second != flag.second));
    });
}

/// Whether options declare outputs as what they are not, so that no result can be right.
inline bool is_told_wrong(const followed_model& m, const flag_list& flags)
{
    const bool declared = has_flag(flags, "--fields") || (m.is_one_list && has_flag(flags, "--columns"));
    return (!m.is_one_list && (has_flag(flags, "--from") || has_flag(flags, "--columns"))) ||
           (declared && tells_wrong(m, flags));
}

/// Whether a suggestion says of an output what it is not, where it is known what it is: the image of each row, or the
/// number of rows of each image. A refusal names both, and the user knows which is true.
inline bool is_untrue(const followed_model& m, const suggestion& s)
{
    const auto is_known = [&](const char* name) { return m.known.values.count(name) != 0; };
    return (is_known("--batch-index") || is_known("--count-output")) &&
           std::any_of(s.set.begin(), s.set.end(), [&](const auto& flag) {
               const auto right = m.known.values.find(flag.first);
               return (flag.first == "--batch-index" || flag.first == "--count-output") &&
                      (right == m.known.values.end() || right->second != flag.second);
           });
}

namespace detail {

inline std::string found_of(const std::string& message)
{
    return message.substr(0, message.find("\n  expected: "));
}

// Whether a refusal is about an option that was given before, and that the suggestion did not speak of.
inline bool is_about_another(const std::string& message, const flag_list& given, const suggestion& s)
{
    const auto about = flags_of_remedy(found_of(message));
    return std::any_of(about.begin(), about.end(), [&](const auto& flag) {
        return has_flag(given, flag.first) && !has_flag(s.set, flag.first) && !has_flag(s.left_out, flag.first);
    });
}

// Whether a suggestion only takes back what was given, so that what is wrong with the model itself may come to light.
inline bool takes_back(const suggestion& s, const flag_list& given)
{
    return std::all_of(s.set.begin(), s.set.end(), [&](const auto& flag) { return has_flag(given, flag.first); });
}

} // namespace detail

/// What following a refusal's hints came to.
struct followed_outcome {
    std::optional<fault> wrong; ///< the first thing that is wrong
    bool arrived = false;       ///< whether one of the ways led to a right result
};

/// Does what a refusal under `flags` says, each way that it names, and what the refusals say that this leads to. Wrong
/// is a result that is not right, and a way that only leads to refusals, unless it began with "if", goes on from what
/// is not true, or takes back an option that hid another refusal. `before` are the options of the refusals that led
/// here, `said_by_user` those of the first; `promised` is whether no "if" led here.
inline followed_outcome follow(const followed_model& m, const flag_list& flags, const std::string& message,
                               followed_count& count, std::vector<std::string> before = {},
                               const flag_list* said_by_user = nullptr, bool promised = true)
{
    const flag_list& own = said_by_user != nullptr ? *said_by_user : flags;
    followed_outcome all;
    const auto stop = [&](const std::string& kind, const std::string& text) {
        all.wrong = fault{kind, text};
        return all;
    };
    before.push_back(text_of(flags));
    const auto said = suggestions_in(message);
    const auto remedy = detail::remedy_of(message);
    if (said.empty() && remedy.find("--") != std::string::npos && before.size() == 1 &&
        remedy.find("another --") == std::string::npos) {
        return stop("a hint that no test can read", message);
    }
    for (const auto& suggestion : said) {
        const auto next = followed(suggestion, flags, m.known);
        if (!next || is_untrue(m, suggestion)) {
            continue;
        }
        ++count.hints;
        // "If they hold the rows of all images in one list": perhaps they do.
        const bool is_true =
            m.is_one_list && std::find(suggestion.set.begin(), suggestion.set.end(),
                                       std::pair<std::string, std::string>("--from", "flat")) != suggestion.set.end();
        const bool promises = promised && (!suggestion.conditional || is_true);
        const std::string way = "'" + suggestion.text + "' (" + text_of(*next) + ") ";
        if (std::find(before.begin(), before.end(), text_of(*next)) != before.end()) {
            if (promises && before.size() == 1) {
                return stop("a hint changes nothing", way + "of: " + message);
            }
            continue;
        }
        const auto outcome = rewrite_as_told(m.model, *next);
        if (outcome.plan) {
            if (is_told_wrong(m, own) || (!promises && tells_wrong(m, *next))) {
                all.arrived = true; // what the hint went on from was not true
                continue;
            }
            if (auto found = m.judge(outcome)) {
                return stop("a hint leads to: " + found->kind, way + "leads to: " + found->text + " OF " + message);
            }
            ++count.right;
            all.arrived = true;
            continue;
        }
        if (!outcome.is_refusal()) {
            return stop("a hint leads to a failure that is not the model's", way + outcome.message);
        }
        // Another thing to be said about the options is a step forward, if it goes on from there.
        if (before.size() < 7) {
            const auto further = follow(m, *next, outcome.message, count, before, &own, promises);
            if (further.wrong) {
                return further;
            }
            if (further.arrived) {
                all.arrived = true;
                continue;
            }
        }
        flag_list kept; // what hints have put there is theirs to answer for
        std::copy_if(next->begin(), next->end(), std::back_inserter(kept),
                     [&](const auto& flag) { return std::find(own.begin(), own.end(), flag) != own.end(); });
        const bool another = detail::is_about_another(outcome.message, flags, suggestion) ||
                             (detail::takes_back(suggestion, flags) && outcome.message != message);
        if (promises && !tells_wrong(m, kept) && !another) {
            return stop("a hint ends in a refusal", way + "ends in: " + outcome.message + " AFTER " + message);
        }
    }
    return all;
}

} // namespace padbatch::test

#endif
