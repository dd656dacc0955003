// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/plan_exposed.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

namespace padbatch::onnx_tools {
namespace {

// As a user writes it.
std::string given(run_option option, const exposure& how)
{
    return std::string(how.per_image ? "`expose_per_image` " : "`expose` ") + std::string(name_of(option)) +
           (how.fallback ? "=" + text_of_number(*how.fallback) : "");
}

void require_fallback(run_option option, const exposure& how)
{
    const double value = *how.fallback;
    if (how.per_image) {
        misused(given(option, how) + " has a default", "a default for an input that holds for all images of a run",
                "leave the default out, or use `expose`");
    }
    if (option == run_option::min_score && !(value >= 0 && value <= 1)) {
        misused(given(option, how) + " is not a score", "a default from 0, which keeps all rows, to 1",
                "write, for example, `expose` min_score=0.5");
    }
    const bool whole = value >= 0 && value <= std::numeric_limits<std::int32_t>::max() &&
                       value == static_cast<double>(static_cast<std::int64_t>(value));
    if (option == run_option::max_detections && !whole) {
        misused(given(option, how) + " is not a number of rows", "a default from 0 to 2147483647",
                "write, for example, `expose` max_detections=20");
    }
}

void require_per_image(run_option option, const exposure& how, const detections& source, const pad_options& options)
{
    const std::string instead = "use `expose` " + std::string(name_of(option)) + ", one number for all images of a run";
    if (source.flat) {
        misused(given(option, how) + " is given for a model whose rows say which image they belong to",
                "an export of one image, together with `dynamic_batch`", instead);
    }
    if (!options.dynamic_batch) {
        misused(given(option, how) + " is given without `dynamic_batch`",
                "a model of any number of images, with an input [batch, 1]", "add `dynamic_batch`, or " + instead);
    }
}

void require_scores(const exposure& how, const detections& source, const pad_options& options)
{
    const std::string option = given(run_option::min_score, how);
    if (options.min_score) {
        misused("`min_score` " + text_of_number(*options.min_score) + " is given together with " + option,
                "one score for all runs, or one that each run chooses",
                how.per_image
                    ? "leave one of them out"
                    : "leave `min_score` out, or write `expose` min_score=" + text_of_number(*options.min_score) +
                          " for a default that ONNX Runtime lets callers override");
    }
    const auto* scores = find_field(source, field::scores);
    if (scores == nullptr) {
        misused(option + " is given, but the model has no scores", "a model with scores", "leave the option out");
    }
    if (scores->element != element_type::float32 && scores->element != element_type::float16 &&
        scores->element != element_type::float64) {
        misused(option + " is given, but the scores of this model are " + name_of(scores->element),
                "scores of float16, float32 or float64", "leave the option out");
    }
}

void require_free(const onnx::GraphProto& graph, const pad_plan& p, run_option option, const exposure& how)
{
    const std::string name(name_of(option));
    const auto has_name = [&](const auto& value) { return value.name() == name; };
    const bool input = std::any_of(graph.input().begin(), graph.input().end(), has_name);
    if (input || std::any_of(graph.output().begin(), graph.output().end(), has_name)) {
        throw tool_error(failure::refused,
                         {std::string("the model has an ") + (input ? "input" : "output") + " called " + quoted(name) +
                              ", the name of the input that " + given(option, how) + " adds",
                          "a name that no input and no output of the model has",
                          "rename it in the model, or leave " + given(option, how) + " out"});
    }
    const auto clash = [&](const std::string& key) {
        misused("`rename` " + key + "=" + name + " gives an output the name of the input that " + given(option, how) +
                    " adds",
                "names that differ", "choose another name: `rename` " + key + "=NAME");
    };
    if (p.count && p.count->name == name) {
        clash(contract::default_count_name);
    }
    for (const auto& output : p.outputs) {
        if (output.name == name) {
            clash(std::string(name_of(p.fields[output.fields.front()].kind)));
        }
    }
}

} // namespace

void check_exposed(const detections& source, const pad_options& options)
{
    for (const auto& [option, how] : options.exposed) {
        if (how.fallback) {
            require_fallback(option, how);
        }
        if (how.per_image) {
            require_per_image(option, how, source, options);
        }
        if (option == run_option::min_score) {
            require_scores(how, source, options);
        }
    }
}

void plan_exposed(const onnx::GraphProto& graph, const pad_options& options, pad_plan& p)
{
    for (const auto& [option, how] : options.exposed) {
        require_free(graph, p, option, how);
        const auto most = most_rows(p);
        if (option == run_option::max_detections && how.fallback && most &&
            *how.fallback > static_cast<double>(*most)) {
            misused(given(option, how) + " is more than the " + count_of(*most, "row") + " that an image can have",
                    "a default from 0 to " + std::to_string(*most),
                    "choose a smaller default, or pass a larger `max_detections` N too");
        }
        planned_input input;
        input.option = option;
        input.name = name_of(option);
        input.element = option == run_option::min_score ? element_type::float32 : element_type::int32;
        input.per_image = how.per_image;
        if (how.per_image) {
            input.shape.push_back(p.batch);
        }
        input.shape.push_back({1, ""});
        input.fallback = how.fallback;
        p.inputs.push_back(std::move(input));
        if (option == run_option::min_score) {
            p.scores_at_cuts = !p.source.cuts.empty();
        }
    }
}

} // namespace padbatch::onnx_tools
