// SPDX-License-Identifier: Apache-2.0
// Changes exports at random, rewrites them under random options, and judges what comes of it: refused with a remedy
// that works when it is followed, a failure at run time, or the bytes of the export, padded by plain code. What is
// right is known by the origin of each output, not by its name or place.
//
//     mutation_tests [--count N] [--seed N] FOLDER [FIXTURE ...]   N mutants of each fixture of FOLDER/manifest.json
//     mutation_tests --one 'STEP; STEP' 'OPTIONS' FOLDER FIXTURE   this mutant, under these options
//
// Prints a line for each fault, with the smallest mutant that shows it. tests/support/mutations.hpp says what a step
// is.

#include <tests/onnx_tools/engines/mutation_judge.hpp>
#include <tests/onnx_tools/engines/mutations_found.hpp>
#include <tests/onnx_tools/engines/setting_pairs.hpp>

#include <onnx_tools/files/model_io.hpp>
#include <tests/support/follow_remedies.hpp>
#include <tests/support/mutation_program.hpp>
#include <tests/support/mutations.hpp>
#include <tests/support/option_sets.hpp>
#include <tests/support/remedies.hpp>
#include <tests/support/told_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

struct tally {
    std::size_t mutants = 0;
    std::size_t right = 0;
    std::size_t failing = 0;
    std::size_t refused = 0;
    std::size_t not_judged = 0;
    followed_count followed;
    std::size_t faults = 0;
};

// Fields, batch and order as a user who knows the model would give them; nothing if options cannot say it.
known_values known_of(const mutant& m, const fixture& f)
{
    known_values known;
    known.values["--max-detections"] = std::to_string(f.limit);
    const auto images = images_of(m, m.outputs.size());
    std::vector<std::size_t> places;
    for (std::size_t k = 0; k < m.outputs.size(); ++k) {
        if (m.outputs[k].is_detection()) {
            if (is_reshaped(m.outputs[k]) || k != places.size()) {
                return known;
            }
            places.push_back(k);
        }
    }
    if (images.empty() || places.size() % images.size() != 0) {
        return known;
    }
    const std::size_t slots = places.size() / images.size();
    for (const bool by_image : {true, false}) {
        std::string fields;
        std::set<std::string> different;
        bool fits = true;
        for (std::size_t slot = 0; slot < slots; ++slot) {
            const auto& first = m.outputs[by_image ? slot : slot * images.size()];
            fields += (fields.empty() ? "" : ",") + first.field;
            fits = fits && different.insert(first.field).second;
            for (std::size_t i = 0; i < images.size(); ++i) {
                const auto& o = m.outputs[by_image ? i * slots + slot : slot * images.size() + i];
                fits = fits && o.field == first.field && o.image == images[i];
            }
        }
        if (fits) {
            known.values["--fields"] = fields;
            known.values["--batch"] = std::to_string(images.size());
            known.values["--order"] = by_image ? "image" : "field";
            break;
        }
    }
    return known;
}

class fixture_run {
public:
    fixture_run(const fixture& f, tally& counted)
        : m_fixture(f), m_model(load_model(f.file.string())), m_right_model(m_model),
          m_judge(make_judge(m_fixture, m_right_model)), m_tally(counted)
    {
    }

    // All rewrites set the parameters of the pair's first export to those of the second, which is then what is right.
    fixture_run(const fixture& f, const setting_pair& pair, tally& counted)
        : m_fixture(with_limit_of(f, pair)), m_model(load_model(f.file.string())), m_right_model(parsed(pair.other)),
          m_judge(make_judge(m_fixture, m_right_model)), m_tally(counted)
    {
        for (const auto& [kind, value] : pair.after) {
            m_settings.emplace_back("--set", std::string(name_of(kind)) + "=" + padbatch::onnx_tools::text_of(value));
        }
    }

    // The mutant of these steps; nothing if one does not fit.
    std::optional<mutant> make(const std::vector<std::string>& steps) const
    {
        auto m = unchanged(m_fixture, m_model);
        for (const auto& step : steps) {
            if (!apply(m, step)) {
                return std::nullopt;
            }
        }
        return m;
    }

    std::optional<fault> check(const mutant& m, flag_list flags)
    {
        flags.insert(flags.end(), m_settings.begin(), m_settings.end());
        ++m_tally.mutants;
        const auto outcome = rewrite_as_told(m.model, flags);
        if (outcome.plan) {
            if (m.valid && is_told_wrong(told(m), flags)) {
                ++m_tally.not_judged; // as it was told
                return std::nullopt;
            }
            return judge(m, outcome);
        }
        if (!outcome.is_refusal()) {
            return fault{"ends with a failure that is not the model's", outcome.message};
        }
        ++m_tally.refused;
        const bool hidden = !m_settings.empty() && outcome.message.find("inside a function") != std::string::npos;
        if (m.harmless && !m.steps.empty() && !hidden && is_accepted(flags)) {
            return fault{"refused, though nothing that matters has changed", outcome.message};
        }
        return m.valid ? follow(told(m), flags, outcome.message, m_tally.followed).wrong : std::nullopt;
    }

    void report(const std::vector<std::string>& steps, const flag_list& flags, const std::string& where)
    {
        const auto m = make(steps);
        if (!m) {
            std::printf("no such mutant: %s\n", where.c_str());
            ++m_tally.faults;
            return;
        }
        if (const auto found = check(*m, flags)) {
            print_smallest(steps, flags, *found, where);
        }
    }

    [[nodiscard]] const fixture& known() const { return m_fixture; }

private:
    std::optional<fault> judge(const mutant& m, const rewrite_outcome& outcome)
    {
        if (outcome.options.pad.settings.size() != m_settings.size()) {
            ++m_tally.not_judged; // a hint was to leave one out, which gives another model
            return std::nullopt;
        }
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

    // Whether the export itself is accepted.
    bool is_accepted(const flag_list& flags)
    {
        const auto [entry, added] = m_accepted.emplace(text_of(flags), false);
        if (added) {
            entry->second = rewrite_as_told(m_model, flags).plan.has_value();
        }
        return entry->second;
    }

    followed_model told(const mutant& m)
    {
        return {m.model, known_of(m, m_fixture), [&](const rewrite_outcome& outcome) { return judge(m, outcome); }};
    }

    // Leaves out steps and options as long as the same fault is found.
    void print_smallest(std::vector<std::string> steps, flag_list flags, fault found, const std::string& where)
    {
        ++m_tally.faults;
        const auto shows = [&](const std::vector<std::string>& s, const flag_list& o) {
            const auto m = make(s);
            auto smaller = m ? check(*m, o) : std::nullopt;
            if (!smaller || smaller->kind != found.kind) {
                return false;
            }
            found = std::move(*smaller);
            return true;
        };
        reduce(steps, [&](const auto& fewer) { return shows(fewer, flags); });
        reduce(flags, [&](const auto& fewer) { return shows(steps, fewer); });
        print_fault(found.kind, found.text, steps, text_of(flags), where, m_fixture.file.filename().string(),
                    text_of(flags), 2, 700);
    }

    static fixture with_limit_of(fixture f, const setting_pair& pair)
    {
        if (const auto limit = pair.after.find(parameter::detections_per_img); limit != pair.after.end()) {
            f.limit = std::get<std::int64_t>(limit->second);
        }
        return f;
    }

    static onnx::ModelProto parsed(const std::string& bytes)
    {
        onnx::ModelProto model;
        if (!model.ParseFromString(bytes)) {
            throw std::runtime_error("the second export of a pair cannot be read");
        }
        return model;
    }

    const fixture m_fixture;
    const onnx::ModelProto m_model;
    const onnx::ModelProto m_right_model;
    std::unique_ptr<mutation_judge> m_judge;
    flag_list m_settings;
    tally& m_tally;
    std::map<std::string, bool> m_accepted;
};

flag_list draw_options(const mutant& m, const fixture& f, mutation_draws& draw)
{
    if (draw.one_in(3)) {
        return {};
    }
    if (draw.one_in(5)) {
        const auto known = known_of(m, f).values;
        flag_list flags;
        if (known.count("--fields") != 0) {
            for (const char* flag : {"--fields", "--batch", "--order"}) {
                flags.emplace_back(flag, known.at(flag));
            }
        }
        return flags;
    }
    return flags_in(draw.one_in(12) ? draw.of(refused_option_sets()) : draw.of(option_sets()));
}

void run_drawn(fixture_run& run, std::uint32_t seed)
{
    mutation_draws draw(seed);
    auto m = run.make({}).value();
    const std::size_t wanted = 1 + draw.below(3);
    const auto steps = draw_steps(
        m, wanted, [&](const mutant& now) { return draw_step(now, draw); },
        [](const mutant& now) { return now.valid; });
    run.report(steps, draw_options(m, run.known(), draw), "seed " + std::to_string(seed));
}

int usage()
{
    std::fprintf(stderr, "usage: mutation_tests [--count N] [--seed N] FOLDER [FIXTURE ...]\n"
                         "       mutation_tests --one 'STEP; STEP' 'OPTIONS' FOLDER FIXTURE\n");
    return 2;
}

} // namespace

int main(int argc, char** argv)
{
    const auto told = mutation_arguments_of(argc, argv, 6);
    if (!told) {
        return usage();
    }
    const auto count = told->count;
    const auto seed = told->seed;
    const auto fixtures = read_manifest(told->folder);
    tally counted;
    std::uint32_t place = 0;
    for (const auto& f : fixtures) {
        const auto name = f.file.filename().string();
        ++place;
        if (!told->names.empty() && std::find(told->names.begin(), told->names.end(), name) == told->names.end()) {
            continue;
        }
        fixture_run run(f, counted);
        if (told->one) {
            run.report(steps_in(told->one->first), flags_in(told->one->second), "as told");
            continue;
        }
        report_found(run, mutations_found, f.file.stem().string());
        for (std::size_t i = 0; i < count; ++i) {
            run_drawn(run, seed_of_mutant(seed, place, i));
        }
        // The same under other parameters, a pair a run or all of them.
        const auto pairs = has_setting_pairs(f) ? setting_pairs_of(f) : std::vector<setting_pair>();
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            if (!pairs[i].folded.empty() || (count <= 20 && i != (place + seed) % pairs.size())) {
                continue;
            }
            fixture_run other(f, pairs[i], counted);
            for (std::size_t k = 0; k < (count + 2) / 3; ++k) {
                run_drawn(other,
                          seed * 7919U + place * 15485863U + static_cast<std::uint32_t>(i * 32452843U + k * 1299709U));
            }
        }
        // What is refused without any change.
        std::size_t set = place;
        for (const auto* sets : {&option_sets(), &refused_option_sets()}) {
            for (const auto& options : *sets) {
                if (++set % (count > 20 ? 1 : count > 2 ? 12 : 24) == 0) {
                    run.report({}, flags_in(options), "unchanged");
                }
            }
        }
    }
    std::printf("%zu rewrites: %zu right, %zu failing at run time, %zu refused, %zu not judged; %zu hints followed, "
                "%zu of them to a right result; %zu faults\n",
                counted.mutants, counted.right, counted.failing, counted.refused, counted.not_judged,
                counted.followed.hints, counted.followed.right, counted.faults);
    if (counted.mutants == 0) {
        return usage();
    }
    return mutation_verdict(counted.mutants, counted.right, counted.refused, counted.followed.hints, counted.faults,
                            told->one.has_value(), has_engine());
}
