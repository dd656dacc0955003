// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/exposed.hpp>

#include <onnx_tools/cli/values.hpp>
#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>

#include <cstdint>
#include <limits>
#include <variant>

namespace padbatch::onnx_tools::cli {
namespace {

const std::string expose = "--expose";
const std::string expose_per_image = "--expose-per-image";

std::string example(const std::string& option)
{
    return "write, for example, " + option + " min_score" +
           (option == expose ? " or " + option + " min_score=0.5" : "");
}

run_option named(const std::string& option, const std::string& text, const std::string& name)
{
    std::vector<std::string> names;
    for (const auto each : all_run_options) {
        names.emplace_back(name_of(each));
    }
    const auto found = run_option_from_name(name);
    if (!found) {
        const std::string form = option == expose ? option + " NAME or " + option + " NAME=DEFAULT" : option + " NAME";
        const std::string meant = closest(name, names);
        misused(option + " " + quoted(text) + ": there is nothing called " + quoted(name) + " to choose in each run",
                form + ", with a NAME of min_score or max_detections",
                meant.empty() ? example(option) : "did you mean " + option + " " + meant + "?");
    }
    return *found;
}

double default_of(run_option option, const std::string& text, const std::string& value)
{
    const std::string given = expose + " " + quoted(text);
    if (value.empty()) {
        misused(given + " has nothing after the '='", expose + " NAME, or " + expose + " NAME=DEFAULT",
                example(expose));
    }
    const auto number = to_number(value);
    const double real = number ? std::visit([](auto n) { return static_cast<double>(n); }, *number) : -1;
    if (option == run_option::min_score && !(real >= 0 && real <= 1)) {
        misused(given + ": the default is not a score", "a number from 0, which keeps all rows, to 1",
                "write, for example, " + expose + " min_score=0.5");
    }
    const bool whole = number && std::holds_alternative<std::int64_t>(*number) && real >= 0 &&
                       real <= std::numeric_limits<std::int32_t>::max();
    if (option == run_option::max_detections && !whole) {
        misused(given + ": the default is not a number of rows", "a whole number from 0 to 2147483647",
                "write, for example, " + expose + " max_detections=20");
    }
    return real;
}

void add(std::map<run_option, exposure>& all, const std::string& option, const std::string& text)
{
    const std::string given = option + " " + quoted(text);
    if (text.find(',') != std::string::npos) {
        misused(given + " contains a comma", "one name at a time",
                "repeat the option: " + option + " min_score " + option + " max_detections");
    }
    const auto equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const auto kind = named(option, text, name);
    exposure how{std::nullopt, option == expose_per_image};
    if (equals != std::string::npos && how.per_image) {
        misused(given + " has a default", option + " NAME, which every run gives for each of its images",
                "write " + option + " " + name + ", or use " + expose);
    }
    if (equals != std::string::npos) {
        how.fallback = default_of(kind, text, text.substr(equals + 1));
    }
    if (!all.emplace(kind, how).second) {
        misused(name + " is exposed twice", expose + " or " + expose_per_image + ", and each name once",
                "leave one of them out");
    }
}

} // namespace

std::map<run_option, exposure> exposed_options(const std::vector<std::string>& exposed,
                                               const std::vector<std::string>& per_image)
{
    std::map<run_option, exposure> all;
    for (const auto& text : exposed) {
        add(all, expose, text);
    }
    for (const auto& text : per_image) {
        add(all, expose_per_image, text);
    }
    return all;
}

void require_servable(const std::map<run_option, exposure>& exposed, const std::optional<triton_options>& triton)
{
    for (const auto& [option, how] : exposed) {
        const std::string name(name_of(option));
        const std::string per_image = expose_per_image + " " + name + " together with --dynamic-batch";
        if (triton && how.fallback) {
            misused(expose + " " + name + "=" + text_of_number(*how.fallback) +
                        " is given together with --triton-repository",
                    "inputs without a default, which every request has",
                    "use " + per_image + ", or " + expose + " " + name + " together with --max-batch-size 0");
        }
        if (triton && !how.per_image && triton->max_batch_size != 0) {
            misused(expose + " " + name + " is given together with --triton-repository",
                    "a number for each image: a server cannot join requests with one number for all images",
                    "use " + per_image + "; or add --max-batch-size 0, so that requests are not joined");
        }
    }
}

std::string input_text(const pad_plan& p, const planned_input& input)
{
    const std::string who = input.per_image ? " (for each image)" : "";
    std::string text = quoted(input.name) + ", " + name_of(input.element) + " " + text_of_shape(input.shape) + ": ";
    if (input.option == run_option::min_score) {
        text += "rows with a lower score are dropped" + who;
        text += p.scores_at_cuts ? ", where the model cuts them" : "";
        if (const auto own = threshold_of(p)) {
            text += "; the model itself drops those below " + text_of_number(*own);
        }
    } else {
        const auto most = most_rows(p);
        text += "how many rows are kept" + who + ", the best" + (most ? ", from 0 to " + std::to_string(*most) : "");
        text += p.source.cuts.empty() ? "" : "; no others are computed";
    }
    if (input.fallback) {
        text += "; " + text_of_number(*input.fallback) +
                " if it is left out (in ONNX Runtime; OpenVINO does not have the input)";
    }
    return text;
}

std::string input_lines(const pad_plan& p)
{
    std::string lines;
    for (const auto& input : p.inputs) {
        lines += "input " + input_text(p, input) + "\n";
    }
    return lines;
}

} // namespace padbatch::onnx_tools::cli
