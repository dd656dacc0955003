// SPDX-License-Identifier: Apache-2.0
// Changes the outputs of exports of every form at random, rewrites them under random options, some of them wrong, and
// judges what comes of it: refused with a remedy that works when it is followed, a failure at run time, or the rows
// that plain code reads in the changed export.
//
//     form_mutation_tests [--count N] [--seed N] FOLDER [PART ...]    N mutants of each export whose name has a PART
//     form_mutation_tests --one 'STEP; STEP' 'OPTIONS' FOLDER PART    this mutant, under these options
//
// FOLDER is tests/data. Prints a line for each fault, with the smallest mutant that shows it.
// tests/support/form_mutations.hpp says what a step is.

#include <tests/onnx_tools/engines/form_judge.hpp>
#include <tests/onnx_tools/engines/form_mutations_found.hpp>

#include <onnx_tools/files/model_io.hpp>
#include <tests/support/form_told.hpp>
#include <tests/support/mutation_program.hpp>

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

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

struct form_tally {
    std::size_t rewrites = 0;
    std::size_t right = 0;
    std::size_t failing = 0;
    std::size_t refused = 0;
    std::size_t not_judged = 0;
    std::size_t hints = 0;
    std::size_t faults = 0;
};

class form_run_of_export {
public:
    form_run_of_export(const form_export& e, const std::string& folder, form_tally& counted)
        : m_export(e), m_model(load_model(folder + "/" + e.file + ".onnx")), m_judge(make_form_judge(e, m_model)),
          m_tally(counted)
    {
    }

    [[nodiscard]] std::optional<form_mutant> make(const std::vector<std::string>& steps) const
    {
        auto m = unchanged(m_export, m_model);
        for (const auto& step : steps) {
            if (!apply(m, step)) {
                return std::nullopt;
            }
        }
        return m;
    }

    std::optional<fault> check(const form_mutant& m, const flag_list& flags, bool changed)
    {
        ++m_tally.rewrites;
        const told_form told(m_export, m);
        const auto outcome = rewrite_as_told(m.model, flags);
        if (outcome.plan) {
            return told.is_wrong(flags) ? contradiction(m, told, flags) : judge(m, outcome);
        }
        if (!outcome.is_refusal()) {
            return fault{"ends with a failure that is not the model's", outcome.message};
        }
        ++m_tally.refused;
        if (m.harmless && changed && !has_flag(flags, "--batch-index") && !has_flag(flags, "--count-output") &&
            rewrite_as_told(m_model, flags).plan) {
            return fault{"refused, though nothing that matters has changed", outcome.message};
        }
        bool arrived = false;
        return follow_forms(m, told, flags, outcome.message, arrived, {});
    }

    void report(const std::vector<std::string>& steps, const flag_list& flags, const std::string& where)
    {
        const auto m = make(steps);
        if (!m) {
            std::printf("no such mutant: %s\n", where.c_str());
            ++m_tally.faults;
            return;
        }
        if (const auto found = check(*m, flags, !steps.empty())) {
            print_smallest(steps, flags, *found, where);
        }
    }

private:
    std::optional<fault> judge(const form_mutant& m, const rewrite_outcome& outcome)
    {
        verdict v;
        try {
            v = m_judge->judge(m, outcome);
        } catch (const std::exception& e) {
            return fault{"cannot be judged", e.what()};
        }
        switch (v.what) {
        case verdict::kind::right: ++m_tally.right; return std::nullopt;
        case verdict::kind::fails_at_run: ++m_tally.failing; return std::nullopt;
        case verdict::kind::not_judged: ++m_tally.not_judged; return std::nullopt;
        case verdict::kind::fault: break;
        }
        return fault{v.fault, v.text};
    }

    // Columns that are wrong are refused where the nodes show other ones: without them the model is read right.
    std::optional<fault> contradiction(const form_mutant& m, const told_form& told, const flag_list& flags)
    {
        flag_list fewer;
        std::string columns;
        for (const auto& flag : flags) {
            if (flag.first == "--columns") {
                columns = flag.second;
            } else {
                fewer.push_back(flag);
            }
        }
        // (A list that ends at image -1 has one order, whatever the nodes show.)
        if (told.is_other_order(columns) && !m_export.ends_at_minus_one && !told.is_wrong(fewer) &&
            m_export.form != output_form::nms && rewrite_as_told(m.model, fewer).plan) {
            return fault{"columns that the nodes contradict are accepted", ""};
        }
        ++m_tally.not_judged; // as it was told
        return std::nullopt;
    }

    // Does what a refusal says, each way that it names and that is not wrong of this model. Wrong is a result that is
    // not right, and a hint none of whose ways ends in anything but a refusal, unless it began with "if".
    std::optional<fault> follow_forms(const form_mutant& m, const told_form& told, const flag_list& flags,
                                      const std::string& message, bool& arrived, std::vector<std::string> before,
                                      bool* stopped = nullptr)
    {
        before.push_back(text_of(flags));
        const auto said = suggestions_in(message);
        const bool was_wrong = told.is_wrong(flags);
        bool promised = false;
        bool went_on = false;
        std::string ends;
        for (const auto& suggestion : said) {
            const auto next = followed(suggestion, flags, told.known());
            if (!next || told.is_wrong(*next)) {
                continue;
            }
            ++m_tally.hints;
            promised = promised || !suggestion.conditional;
            if (std::find(before.begin(), before.end(), text_of(*next)) != before.end()) {
                ends = "'" + suggestion.text + "' changes nothing";
                continue;
            }
            const auto outcome = rewrite_as_told(m.model, *next);
            if (outcome.plan) {
                if (auto found = judge(m, outcome)) {
                    return fault{"a hint leads to: " + found->kind, "'" + suggestion.text + "' (" + text_of(*next) +
                                                                        ") leads to: " + found->text + " OF " +
                                                                        message};
                }
                arrived = true;
                went_on = true;
                continue;
            }
            if (!outcome.is_refusal()) {
                return fault{"a hint leads to a failure that is not the model's", outcome.message};
            }
            bool further = false;
            bool stops = false; // at something that another option asks for
            if (before.size() < 6) {
                if (auto found = follow_forms(m, told, *next, outcome.message, further, before, &stops)) {
                    return found;
                }
            }
            // What takes something back may show what else is wrong; and so may a step forward.
            went_on = went_on || further || suggestion.set.empty() || stops ||
                      padbatch::test::detail::is_about_another(outcome.message, flags, suggestion);
            arrived = arrived || further;
            ends = "'" + suggestion.text + "' (" + text_of(*next) + ") ends in: " + outcome.message;
        }
        if (stopped != nullptr) {
            *stopped = went_on;
        }
        // What a user has said may be what is in the way.
        const bool says_more = std::any_of(flags.begin(), flags.end(), [](const auto& flag) {
            return flag.first == "--columns" || flag.first == "--from" || flag.first == "--batch-index" ||
                   flag.first == "--count-output" || flag.first == "--fields" || flag.first == "--box-format";
        });
        if (promised && !went_on && before.size() == 1 && !was_wrong && !says_more && !m.odd && !told.is_lost()) {
            return fault{"a hint ends in a refusal", ends + " AFTER " + message};
        }
        return std::nullopt;
    }

    // Leaves out steps and options as long as the same fault is found.
    void print_smallest(std::vector<std::string> steps, flag_list flags, fault found, const std::string& where)
    {
        ++m_tally.faults;
        const auto shows = [&](const std::vector<std::string>& s, const flag_list& o) {
            const auto m = make(s);
            auto smaller = m ? check(*m, o, !s.empty()) : std::nullopt;
            if (!smaller || smaller->kind != found.kind) {
                return false;
            }
            found = std::move(*smaller);
            return true;
        };
        reduce(steps, [&](const auto& fewer) { return shows(fewer, flags); });
        reduce(flags, [&](const auto& fewer) { return shows(steps, fewer); });
        print_fault(found.kind, found.text, steps, text_of(flags), where, m_export.file, m_export.file, 1, 900);
    }

    const form_export& m_export;
    const onnx::ModelProto m_model;
    std::unique_ptr<form_judge> m_judge;
    form_tally& m_tally;
};

void run_drawn(form_run_of_export& run, const form_export& e, std::uint32_t seed)
{
    mutation_draws draw(seed);
    auto m = run.make({}).value();
    const std::size_t wanted = draw.below(4);
    const auto steps = draw_steps(
        m, wanted, [&](const form_mutant& now) { return draw_form_step(now, draw); },
        [](const form_mutant&) { return true; });
    run.report(steps, draw_form_options(e, m, draw), "seed " + std::to_string(seed));
}

int usage()
{
    std::fprintf(stderr, "usage: form_mutation_tests [--count N] [--seed N] FOLDER [PART ...]\n"
                         "       form_mutation_tests --one 'STEP; STEP' 'OPTIONS' FOLDER PART\n");
    return 2;
}

} // namespace

int main(int argc, char** argv)
{
    const auto told = mutation_arguments_of(argc, argv, 8);
    if (!told) {
        return usage();
    }
    form_tally counted;
    std::uint32_t place = 0;
    for (const auto& e : form_exports()) {
        ++place;
        const bool named = std::any_of(told->names.begin(), told->names.end(),
                                       [&](const std::string& part) { return e.file.find(part) != std::string::npos; });
        if (!told->names.empty() && !named) {
            continue;
        }
        form_run_of_export run(e, told->folder, counted);
        if (told->one) {
            run.report(steps_in(told->one->first), flags_in(told->one->second), "as told");
            continue;
        }
        report_found(run, form_mutations_found, e.file);
        for (std::size_t i = 0; i < told->count; ++i) {
            run_drawn(run, e, seed_of_mutant(told->seed, place, i));
        }
    }
    std::printf("%zu rewrites: %zu right, %zu failing at run time, %zu refused, %zu not judged; %zu hints followed; "
                "%zu faults\n",
                counted.rewrites, counted.right, counted.failing, counted.refused, counted.not_judged, counted.hints,
                counted.faults);
    if (counted.rewrites == 0) {
        return usage();
    }
    return mutation_verdict(counted.rewrites, counted.right, counted.refused, counted.hints, counted.faults,
                            told->one.has_value(), runs_forms());
}
