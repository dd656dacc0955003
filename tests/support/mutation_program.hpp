// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_MUTATION_PROGRAM_HPP
#define PADBATCH_TESTS_SUPPORT_MUTATION_PROGRAM_HPP

#include <tests/support/mutations.hpp>
#include <tests/support/remedies.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

// What programs that rewrite mutants and judge the results have in common.
namespace padbatch::test {

/// What such a program is told.
struct mutation_arguments {
    std::string folder;
    std::vector<std::string> names; ///< of the exports; all of them if there are none
    std::size_t count = 0;
    std::uint32_t seed = 1;
    std::optional<std::pair<std::string, std::string>> one; ///< steps and options
};

/// Nothing if the arguments make no sense. `count` is how many mutants of an export there are unless --count says so.
inline std::optional<mutation_arguments> mutation_arguments_of(int argc, char** argv, std::size_t count)
{
    std::vector<std::string> arguments(argv + 1, argv + argc);
    mutation_arguments told;
    told.count = count;
    while (arguments.size() > 2 && arguments.front().rfind("--", 0) == 0) {
        if (arguments[0] == "--one") {
            told.one.emplace(arguments[1], arguments[2]);
            arguments.erase(arguments.begin());
        } else if (arguments[0] == "--count") {
            told.count = std::stoul(arguments[1]);
        } else if (arguments[0] == "--seed") {
            told.seed = static_cast<std::uint32_t>(std::stoul(arguments[1]));
        } else {
            return std::nullopt;
        }
        arguments.erase(arguments.begin(), arguments.begin() + 2);
    }
    if (arguments.empty()) {
        return std::nullopt;
    }
    told.folder = arguments.front();
    told.names.assign(arguments.begin() + 1, arguments.end());
    return told;
}

/// The steps of a text, with semicolons between them.
inline std::vector<std::string> steps_in(const std::string& text)
{
    std::vector<std::string> steps;
    for (const auto& step : detail::split_at(text, std::regex(" *; *"))) {
        if (!step.empty()) {
            steps.push_back(step);
        }
    }
    return steps;
}

/// Up to `wanted` steps that fit `m`, one after the other, and what they make of it. `draw_one(m)` draws a step, and
/// `may_go_on(m)` says whether more may follow.
template <class Mutant, class DrawOne, class MayGoOn>
std::vector<std::string> draw_steps(Mutant& m, std::size_t wanted, const DrawOne& draw_one, const MayGoOn& may_go_on)
{
    std::vector<std::string> steps;
    for (int tries = 0; tries < 20 && steps.size() < wanted && may_go_on(m); ++tries) {
        auto next = m;
        const auto step = draw_one(m);
        if (apply(next, step)) {
            m = std::move(next);
            steps.push_back(step);
        }
    }
    return steps;
}

/// Leaves out elements of `list`, one at a time, as long as `holds(fewer)`.
template <class List, class Holds>
void reduce(List& list, const Holds& holds)
{
    for (std::size_t i = list.size(); i-- > 0;) {
        auto fewer = list;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        if (holds(fewer)) {
            list = std::move(fewer);
        }
    }
}

/// Prints a fault, unless `most` of its kind have been printed: they often have one cause. `shape` tells the kinds
/// apart, together with the steps but for their numbers.
inline void print_fault(const std::string& kind, const std::string& text, const std::vector<std::string>& steps,
                        const std::string& options, const std::string& where, const std::string& file,
                        const std::string& shape, int most, std::size_t longest)
{
    std::string all;
    for (const auto& step : steps) {
        all += (all.empty() ? "" : "; ") + step;
    }
    static std::map<std::string, int> seen;
    if (++seen[kind + std::regex_replace(all, std::regex("[0-9]+"), "#") + shape] > most) {
        return;
    }
    std::string line = std::regex_replace(text, std::regex("\n"), " ");
    if (line.size() > longest) {
        line = line.substr(0, longest) + "...";
    }
    std::printf("FAULT %s | %s | --one '%s' '%s' %s | %s\n", kind.c_str(), where.c_str(), all.c_str(), options.c_str(),
                file.c_str(), line.c_str());
    std::fflush(stdout);
}

/// Reports the mutants of `file` that once showed a fault.
template <class Run, class Found>
void report_found(Run& run, const Found& all, const std::string& file)
{
    for (const auto& found : all) {
        if (found.fixture == file) {
            run.report(steps_in(std::string(found.steps)), flags_in(std::string(found.options)),
                       std::string(found.what));
        }
    }
}

/// The seed of mutant `i` of the export in this place.
inline std::uint32_t seed_of_mutant(std::uint32_t seed, std::uint32_t place, std::size_t i)
{
    return seed * 7919U + place * 104729U + static_cast<std::uint32_t>(i) * 1299709U;
}

/// The exit status for these numbers. A run in which hardly anything is accepted, or hardly anything refused, says
/// nothing. `runs` is whether accepted ones were run.
inline int mutation_verdict(std::size_t rewrites, std::size_t right, std::size_t refused, std::size_t hints,
                            std::size_t faults, bool one, bool runs)
{
    const bool telling = one || (refused * 10 > rewrites && hints > 0 && (!runs || right * 10 > rewrites));
    if (!telling) {
        std::printf("too few of them were accepted, or refused with a hint, to say anything\n");
    }
    return faults == 0 && telling ? 0 : 1;
}

} // namespace padbatch::test

#endif
