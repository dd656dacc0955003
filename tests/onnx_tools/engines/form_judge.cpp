// SPDX-License-Identifier: Apache-2.0
// Runs what was made from a changed export in ONNX Runtime, beside the changed export itself.

#include <tests/onnx_tools/engines/form_judge.hpp>

#include <tests/support/form_rows.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <cmath>
#include <exception>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace padbatch::test {
namespace {

using namespace onnx_tools;
using form_outputs = std::map<std::string, tensor>;

verdict form_fault(const std::string& kind, const std::string& text)
{
    return {verdict::kind::fault, kind, text};
}

// What an image, or each of a batch, brings along.
std::vector<float> values_of_input(const std::string& name, unsigned seed)
{
    const auto n = static_cast<float>(seed);
    return name == "scale_factor"        ? std::vector<float>{0.5F + 0.25F * n, 2.0F - 0.125F * n}
           : name == "orig_target_sizes" ? std::vector<float>{2.0F * form_width, 3.0F * form_height + n}
                                         : scene(seed, form_height, form_width);
}

form_outputs run_seeds(model_session& session, const std::vector<unsigned>& seeds)
{
    std::vector<std::vector<float>> data;
    std::vector<std::vector<std::int64_t>> shapes;
    const auto images = static_cast<std::int64_t>(seeds.size());
    for (const auto& name : session.inputs()) {
        data.emplace_back();
        if (name == "gain") {
            data.back() = {0.75F};
            shapes.push_back({1});
            continue;
        }
        for (const unsigned seed : seeds) {
            const auto own = values_of_input(name, seed);
            data.back().insert(data.back().end(), own.begin(), own.end());
        }
        const bool pixels = name != "scale_factor" && name != "orig_target_sizes";
        shapes.push_back(pixels ? std::vector<std::int64_t>{images, 3, form_height, form_width}
                                : std::vector<std::int64_t>{images, 2});
    }
    return session.run(data, shapes);
}

std::string shape_text(const std::vector<std::int64_t>& shape)
{
    std::string text = "[";
    for (const auto extent : shape) {
        text += (text.size() == 1 ? "" : ",") + std::to_string(extent);
    }
    return text + "]";
}

// What differs; empty if nothing does. Labels may have any type that holds them.
std::string difference(const tensor& got, const tensor& expected, double tolerance)
{
    if (got.shape != expected.shape) {
        return "is " + shape_text(got.shape) + ", not " + shape_text(expected.shape);
    }
    for (std::size_t i = 0; i < detail::elements_of(expected); ++i) {
        const double number = detail::number_at(expected, i);
        const double most = tolerance * std::max(1.0, std::abs(number));
        if (!(std::abs(detail::number_at(got, i) - number) <= most)) {
            return "has " + std::to_string(detail::number_at(got, i)) + " for " +
                   std::to_string(detail::number_at(expected, i)) + " at " + std::to_string(i) + " of " +
                   shape_text(got.shape);
        }
    }
    return "";
}

class engine_form_judge : public form_judge {
public:
    engine_form_judge(const form_export& e, const onnx::ModelProto& model) : m_export(e), m_model(model) {}

    verdict judge(const form_mutant& m, const rewrite_outcome& outcome) override
    {
        const auto& pad = outcome.options.pad;
        if (outcome.plan->new_limit && *outcome.plan->new_limit > m_export.limit) {
            return {verdict::kind::not_judged, "", "rows that the export leaves out"};
        }
        if (pad.classes && outcome.plan->source.limit && outcome.plan->source.limit->at_cut) {
            return {verdict::kind::not_judged, "", "classes that are chosen in front of the limit"};
        }
        std::unique_ptr<model_session> original;
        std::unique_ptr<model_session> result;
        try {
            original = session_of(m.model);
        } catch (const std::exception& e) {
            return {verdict::kind::not_judged, "", e.what()};
        }
        try {
            result = session_of(outcome.result);
        } catch (const std::exception& e) {
            return form_fault("no runtime loads the result", e.what());
        }
        const bool any_batch = pad.dynamic_batch || m.batch == 0;
        verdict all;
        for (const auto& seeds : batches_of(any_batch ? 0 : m.batch)) {
            std::vector<form_run> runs;
            const bool apart = m.batch == 1; // an image at a time
            try {
                for (std::size_t i = 0; i < (apart ? seeds.size() : 1); ++i) {
                    const auto own = apart ? std::vector<unsigned>{seeds[i]} : seeds;
                    runs.push_back({m_export, m, run_seeds(*original, own), own.size(), selected_from(own)});
                }
            } catch (const std::exception& e) {
                return {verdict::kind::not_judged, "", e.what()};
            }
            form_outputs got;
            try {
                got = run_seeds(*result, seeds);
            } catch (const std::exception& e) {
                all.what = all.what == verdict::kind::right ? verdict::kind::fails_at_run : all.what;
                all.text = e.what();
                if (m.harmless) {
                    return form_fault("fails at run time, though nothing that matters has changed", e.what());
                }
                continue;
            }
            const auto wrong = compare(m, outcome, runs, got);
            if (!wrong.empty()) {
                std::string scenes;
                for (const auto seed : seeds) {
                    scenes += (scenes.empty() ? "" : ",") + std::to_string(seed);
                }
                return form_fault("wrong", wrong + " for scenes " + scenes);
            }
        }
        return all;
    }

private:
    static std::unique_ptr<model_session> session_of(const onnx::ModelProto& model)
    {
        return std::make_unique<model_session>(model.SerializeAsString(), ORT_DISABLE_ALL, "", ORT_LOGGING_LEVEL_FATAL);
    }

    static std::vector<std::vector<unsigned>> batches_of(std::size_t batch)
    {
        return batch == 1   ? std::vector<std::vector<unsigned>>{{1}, {0}, {5}}
               : batch == 2 ? std::vector<std::vector<unsigned>>{{1, 0}, {2, 3}}
                            : std::vector<std::vector<unsigned>>{{1}, {3, 0, 5, 6}, {0, 2}};
    }

    // What the NonMaxSuppression of the export reads.
    std::vector<tensor> selected_from(const std::vector<unsigned>& seeds)
    {
        if (m_export.form != output_form::nms) {
            return {};
        }
        if (!m_selects) {
            auto model = m_model;
            for (const auto& node : m_model.graph().node()) {
                if (node.op_type() == "NonMaxSuppression") {
                    model.mutable_graph()->clear_output();
                    for (int i = 0; i < 2; ++i) {
                        auto& output = *model.mutable_graph()->add_output();
                        output.set_name(node.input(i));
                        output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx_number::float32);
                        m_selected[static_cast<std::size_t>(i)] = node.input(i);
                    }
                }
            }
            m_selects = session_of(model);
        }
        const auto outputs = run_seeds(*m_selects, seeds);
        return {outputs.at(m_selected[0]), outputs.at(m_selected[1])};
    }

    // What is wrong with the outputs of the result.
    std::string compare(const form_mutant& m, const rewrite_outcome& outcome, const std::vector<form_run>& runs,
                        const form_outputs& got) const
    {
        const auto& pad = outcome.options.pad;
        const auto& told = outcome.options.recognise;
        const bool hidden =
            m_export.ends_at_minus_one && m.outputs.front().axes != "11nk"; // then nothing shows the form
        if (pad.layout == output_layout::tf_od && !told.normalised && !hidden && !has_pixels(m)) {
            return "boxes that are no pixels of the input are divided by its size";
        }
        // All the readings of each run, the same of all of them.
        std::vector<form_rows> readings;
        for (const auto& run : runs) {
            auto own = rows_of_run(run, told.normalised);
            for (std::size_t i = 0; i < own.size(); ++i) {
                if (readings.size() <= i) {
                    readings.push_back(std::move(own[i]));
                } else {
                    auto& to = readings[i];
                    to.images.insert(to.images.end(), own[i].images.begin(), own[i].images.end());
                    to.lost += own[i].lost;
                }
            }
        }
        std::string wrong;
        for (const auto& reading : readings) {
            for (const bool sorted : {true, false}) {
                const auto found = difference_to(reading, sorted, outcome, runs, got);
                if (found.empty()) {
                    return "";
                }
                wrong = wrong.empty() ? found : wrong;
            }
        }
        return wrong;
    }

    [[nodiscard]] bool has_pixels(const form_mutant& m) const
    {
        const bool scaled = m_export.file.find("paddle") != std::string::npos ||
                            m_export.file.find("scaled") != std::string::npos ||
                            m_export.file.find("rtdetr") != std::string::npos;
        return !m.is_normalised && !scaled;
    }

    static std::string difference_to(const form_rows& reading, bool sorted, const rewrite_outcome& outcome,
                                     const std::vector<form_run>& runs, const form_outputs& got)
    {
        if (!reading.lost.empty()) {
            return reading.lost + ", and yet the model is padded";
        }
        const auto& plan = *outcome.plan;
        const auto& pad = outcome.options.pad;
        std::vector<std::string> fields;
        for (const auto& f : plan.source.fields) {
            fields.emplace_back(name_of(f.kind));
        }
        const auto has = [&](const char* name) { return std::count(fields.begin(), fields.end(), name) != 0; };
        if (has("labels") != reading.has_labels || has("scores") != reading.has_scores || !has("boxes") ||
            fields.size() > 3) {
            std::string text;
            for (const auto& field : fields) {
                text += " " + field;
            }
            return "the fields are" + text;
        }
        std::size_t largest = 0;
        auto images = reading.images;
        for (auto& image : images) {
            if (pad.classes) {
                std::erase_if(image, [&](const form_row& row) {
                    const auto& named = pad.classes->labels;
                    const bool is_named =
                        std::find(named.begin(), named.end(), static_cast<std::int64_t>(row.label)) != named.end();
                    return is_named == pad.classes->dropped;
                });
            }
            largest = std::max(largest, image.size());
            image = sorted ? best_first(image) : image;
        }
        const auto* most = std::get_if<std::int64_t>(&pad.max_detections);
        if (!sorted && (plan.source.flat || (most != nullptr && static_cast<std::size_t>(*most) < largest))) {
            return "rows that are not the best first";
        }
        std::vector<plain_image> plain;
        for (const auto& image : images) {
            plain.push_back(plain_of(image, pad, got));
        }
        auto expected = plain_outputs(fields, plain, pad, plan.max_detections.value_or(0));
        for (auto& [name, value] : expected) {
            const bool counts = name == "num_detections" || name == "num_dets";
            const auto kind = field_from_name(name);
            name = counts && pad.count_name              ? *pad.count_name
                   : kind && pad.names.count(*kind) != 0 ? pad.names.at(*kind)
                                                         : name;
        }
        std::set<std::string> names;
        // Corners that are computed in another type than that of the boxes round otherwise.
        const auto has_type = [&](int type) {
            return std::any_of(runs.front().outputs.begin(), runs.front().outputs.end(),
                               [&](const auto& output) { return output.second.type == type; });
        };
        const auto& held = runs.front().mutant.outputs;
        const bool centers = std::any_of(
            held.begin(), held.end(), [](const output_meaning& o) { return o.columns.find('c') != std::string::npos; });
        const double tolerance = !centers                         ? 0
                                 : has_type(onnx_number::float16) ? 2e-3
                                 : has_type(onnx_number::float64) ? 1e-5
                                                                  : 0;
        for (const auto& [name, value] : expected) {
            const auto found = got.find(name);
            if (found == got.end()) {
                return "there is no output " + name;
            }
            if (const auto what = difference(found->second, value, tolerance); !what.empty()) {
                return "'" + name + "' " + what;
            }
            names.insert(name);
        }
        for (const auto& name : plan.source.other_outputs) {
            tensor stack;
            for (const auto& run : runs) {
                const auto& own = run.outputs.at(name);
                stack.type = own.type;
                stack.bytes.insert(stack.bytes.end(), own.bytes.begin(), own.bytes.end());
            }
            if (got.count(name) == 0 || got.at(name).type != stack.type || got.at(name).bytes != stack.bytes) {
                return "'" + name + "' is not what it was";
            }
            names.insert(name);
        }
        return names.size() == got.size() ? "" : "there are outputs that nobody has asked for";
    }

    // The rows in the types that the result has them in.
    static plain_image plain_of(const std::vector<form_row>& rows, const pad_options& pad, const form_outputs& got)
    {
        const auto type_in = [&](field kind, const std::vector<std::string>& names) {
            if (pad.names.count(kind) != 0 && got.count(pad.names.at(kind)) != 0) {
                return got.at(pad.names.at(kind)).type;
            }
            for (const auto& name : names) {
                if (const auto found = got.find(name); found != got.end()) {
                    return found->second.type;
                }
            }
            return onnx_number::float32;
        };
        const auto n = static_cast<std::int64_t>(rows.size());
        tensor boxes{type_in(field::boxes, {"boxes", "detection_boxes", "det_boxes", "dets", "output0"}), {n, 4}, {}};
        tensor scores{type_in(field::scores, {"scores", "detection_scores", "det_scores", "dets", "output0"}), {n}, {}};
        tensor labels{onnx_number::int64, {n}, {}};
        for (const auto& row : rows) {
            for (const double number : row.box) {
                detail::append_number(boxes, number);
            }
            detail::append_number(scores, row.score);
            detail::append_number(labels, row.label);
        }
        plain_image image{{}, form_height, form_width};
        image.rows["boxes"] = std::move(boxes);
        image.rows["labels"] = std::move(labels);
        image.rows["scores"] = std::move(scores);
        return image;
    }

    const form_export& m_export;
    const onnx::ModelProto& m_model;
    std::unique_ptr<model_session> m_selects;
    std::array<std::string, 2> m_selected;
};

} // namespace

std::unique_ptr<form_judge> make_form_judge(const form_export& e, const onnx::ModelProto& model)
{
    return std::make_unique<engine_form_judge>(e, model);
}

bool runs_forms()
{
    return true;
}

} // namespace padbatch::test
