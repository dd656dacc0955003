// SPDX-License-Identifier: Apache-2.0
// Runs what was made from a mutant in ONNX Runtime, beside the export that the mutant was made from.

#include <tests/onnx_tools/engines/mutation_judge.hpp>

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/plan/layout.hpp>
#include <tests/support/batch_input.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>
#include <tests/support/with_limit.hpp>

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace padbatch::test {
namespace {

using namespace onnx_tools;

const std::string region_name = "mutation/region_masks_of_image_";

// The values that an export's full masks are pasted from: what its paste loop reads with a margin around it.
std::string pasted_from(const graph_index& index, const std::string& masks)
{
    const auto* loop = producer_behind(index, masks, {"Identity", "Cast", "Unsqueeze", "Squeeze"}, 32);
    for (const auto value : loop == nullptr ? std::vector<std::string_view>() : values_read(*loop)) {
        const auto* node = index.producer(value);
        if (is(node, {"Pad"})) {
            return node->input(0);
        }
    }
    return "";
}

// The export, with what its masks are pasted from as further outputs.
std::string with_regions(const fixture& f, onnx::ModelProto model)
{
    auto& graph = *model.mutable_graph();
    for (std::size_t slot = 0; slot < f.fields.size(); ++slot) {
        for (std::size_t image = 0; f.fields[slot] == "masks" && image < f.batch; ++image) {
            const auto value = pasted_from(graph_index(graph), f.output(image, slot));
            if (value.empty()) {
                continue;
            }
            auto& node = *graph.add_node();
            node.set_op_type("Identity");
            node.add_input(value);
            node.add_output(region_name + std::to_string(image));
            auto& output = *graph.add_output();
            output.set_name(node.output(0));
            output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
        }
    }
    return model.SerializeAsString();
}

struct export_run {
    batch_input input;
    std::map<std::string, tensor> loose;
    std::vector<unsigned> scenes;
};

// The field that an output of a layout begins with.
std::string field_of(const std::string& name)
{
    static const std::map<std::string, std::string> fields{{"detection_boxes", "boxes"},
                                                           {"detection_scores", "scores"},
                                                           {"detection_classes", "labels"},
                                                           {"detection_masks", "masks"},
                                                           {"det_boxes", "boxes"},
                                                           {"det_scores", "scores"},
                                                           {"det_classes", "labels"},
                                                           {"dets", "boxes"},
                                                           {"output0", "boxes"},
                                                           {"num_detections", ""},
                                                           {"num_dets", ""}};
    const auto found = fields.find(name);
    return found == fields.end() ? name : found->second;
}

std::string text_of_shape(const std::vector<std::int64_t>& shape)
{
    std::string text = "[";
    for (const auto extent : shape) {
        text += (text.size() == 1 ? "" : ",") + std::to_string(extent);
    }
    return text + "]";
}

std::vector<std::int64_t> without_ones(std::vector<std::int64_t> shape)
{
    shape.erase(std::remove(shape.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(shape.size())),
                            shape.end(), 1),
                shape.end());
    return shape;
}

verdict fault(const std::string& kind, const std::string& text)
{
    return {verdict::kind::fault, kind, text};
}

bool loads(const onnx::ModelProto& model)
{
    try {
        const model_session session(model.SerializeAsString(), ORT_DISABLE_ALL, "", ORT_LOGGING_LEVEL_FATAL);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

class engine_judge : public mutation_judge {
public:
    engine_judge(const fixture& f, const onnx::ModelProto& model) : m_fixture(f), m_model(model) {}

    verdict judge(const mutant& m, const rewrite_outcome& outcome) override
    {
        const auto& plan = *outcome.plan;
        // A higher limit gives rows that the export leaves out.
        m_limit = std::max(m_fixture.limit, plan.new_limit.value_or(0));
        if (!m.valid) {
            return fault("a broken graph is accepted", misreadings(m, plan));
        }
        if (!plan.source.flat) {
            if (auto wrong = cover(m, outcome); wrong.what == verdict::kind::fault) {
                return wrong;
            }
        }
        std::unique_ptr<model_session> session;
        try {
            session = std::make_unique<model_session>(outcome.result.SerializeAsString(), ORT_DISABLE_ALL, "",
                                                      ORT_LOGGING_LEVEL_FATAL);
        } catch (const std::exception& e) {
            // ONNX Runtime fails on some functions where the outputs declare no shapes; the padded model has others.
            auto unshaped = m.model;
            for (auto& output : *unshaped.mutable_graph()->mutable_output()) {
                output.mutable_type()->mutable_tensor_type()->clear_shape();
            }
            if (!loads(m.model) || (m.model.functions_size() != 0 && !loads(unshaped))) {
                return {verdict::kind::not_judged, "", e.what()};
            }
            return fault("no runtime loads the result", e.what());
        }
        if (plan.source.flat) {
            try {
                (void)session->run(runs().front().input.data, runs().front().input.shapes);
            } catch (const std::exception& e) {
                return {verdict::kind::fails_at_run, "", e.what()};
            }
            return fault("wrong", "outputs for each image are taken for rows of all images in one list");
        }
        const auto run = [&] {
            return outcome.options.pad.dynamic_batch ? judge_dynamic(m, outcome, *session)
                                                     : judge_fixed(m, outcome, *session);
        };
        auto found = run();
        if (found.what == verdict::kind::fault && m_of_image.size() > 1) {
            std::vector<std::size_t> listed; // the images in the order of the outputs
            for (const auto k : m_covered) {
                if (std::find(listed.begin(), listed.end(), m.outputs[k].image) == listed.end()) {
                    listed.push_back(m.outputs[k].image);
                }
            }
            m_images.swap(listed);
            if (const auto other = run().what; m_images != listed && other != verdict::kind::fault) {
                found.what = other; // nothing shows whose images they are: the outputs' order counts
                found.fault.clear();
            }
        }
        return found;
    }

private:
    // Runs of the export, made when they are first asked for.
    std::vector<export_run>& runs()
    {
        auto& all = m_runs[m_limit];
        if (!all.empty()) {
            return all;
        }
        const auto model = m_limit == m_fixture.limit ? m_model : with_limit(m_model, m_fixture.limit, m_limit);
        model_session session(with_regions(m_fixture, model), ORT_DISABLE_ALL);
        bool has_empty = false;
        for (const auto& run : m_fixture.runs) {
            const bool empty = run.counts && std::count(run.counts->begin(), run.counts->end(), 0) ==
                                                 static_cast<std::ptrdiff_t>(run.counts->size());
            if (all.size() >= 4 || (empty && has_empty)) {
                continue;
            }
            has_empty = has_empty || empty;
            export_run r;
            r.scenes = run.scenes;
            r.input = make_batch_input(m_fixture, run.scenes);
            try {
                r.loose = session.run(r.input.data, r.input.shapes);
            } catch (const std::exception&) {
                continue; // an R-CNN fails for images without proposals
            }
            all.push_back(std::move(r));
        }
        if (all.empty()) {
            throw std::runtime_error("the export itself does not run");
        }
        return all;
    }

    // Finds out which outputs the result must have taken, by their origin, and whether that is possible.
    verdict cover(const mutant& m, const rewrite_outcome& outcome)
    {
        const auto& told = outcome.options.recognise;
        m_covered.clear();
        if (told.fields) {
            const auto fields = told.fields->size();
            const auto images = told.batch ? static_cast<std::size_t>(*told.batch) : m.outputs.size() / fields;
            for (std::size_t k = 0; k < std::min(fields * images, m.outputs.size()); ++k) {
                m_covered.push_back(k);
            }
        } else {
            for (std::size_t k = 0; k < m.outputs.size(); ++k) {
                if (m.outputs[k].is_detection()) {
                    m_covered.push_back(k);
                }
            }
        }
        m_of_image.clear();
        for (const auto k : m_covered) {
            const auto& o = m.outputs[k];
            if (!o.is_detection()) {
                return fault("wrong", "an output that is no detection is padded; " + misreadings(m, *outcome.plan));
            }
            if (!m_of_image[o.image].emplace(o.field, k).second) {
                return fault("an output that is there twice is accepted", misreadings(m, *outcome.plan));
            }
        }
        if (m_of_image.empty()) {
            return fault("wrong", "no output is a detection, and yet the model is accepted");
        }
        m_images.clear();
        for (const auto& [image, fields] : m_of_image) {
            m_images.push_back(image);
        }
        const auto& first = m_of_image.begin()->second;
        for (const auto& [image, fields] : m_of_image) {
            const bool same = fields.size() == first.size() &&
                              std::equal(fields.begin(), fields.end(), first.begin(),
                                         [](const auto& a, const auto& b) { return a.first == b.first; });
            if (!same) {
                return fault("wrong", "not every image has the same fields, and yet the model is accepted; " +
                                          misreadings(m, *outcome.plan));
            }
        }
        return {};
    }

    [[nodiscard]] bool is_covered(std::size_t k) const
    {
        return std::find(m_covered.begin(), m_covered.end(), k) != m_covered.end();
    }

    // The rows of one image, from a run of the export.
    plain_image image_of(const mutant& m, const rewrite_outcome& outcome, const export_run& run, std::size_t image)
    {
        plain_image result;
        std::tie(result.height, result.width) = m_fixture.image_sizes.at(image);
        for (const auto& [field, k] : m_of_image.at(image)) {
            const auto& o = m.outputs[k];
            auto rows = rows_along_first_axis(o, run.loose.at(o.source));
            const auto& pad = outcome.options.pad;
            if (field == "masks" && pad.masks == mask_choice::roi) {
                auto regions = run.loose.at(region_name + std::to_string(image));
                if (rows.shape.size() == 3) {
                    regions.shape.erase(regions.shape.begin() + 1);
                }
                rows = detail::cast(regions, rows.type);
            }
            if (field == "masks" && pad.mask_type == element_type::float32) {
                rows = detail::cast(rows, onnx_number::float32);
            }
            result.rows[field] = std::move(rows);
        }
        if (result.rows.count("scores") == 0) { // by which plain_outputs counts
            tensor some{onnx_number::float32, {result.rows.begin()->second.shape.front()}, {}};
            some.bytes.resize(4 * static_cast<std::size_t>(some.shape.front()));
            result.rows["scores"] = std::move(some);
        }
        return result;
    }

    std::vector<named_tensor> expected_of(const mutant& m, const rewrite_outcome& outcome,
                                          const std::vector<plain_image>& images)
    {
        std::vector<std::string> order;
        for (const auto k : m_covered) {
            if (m.outputs[k].image == m_of_image.begin()->first) {
                order.push_back(m.outputs[k].field);
            }
        }
        const auto& pad = outcome.options.pad;
        auto outputs = plain_outputs(order, images, pad, m_fixture.limit);
        for (auto& [name, value] : outputs) {
            const auto kind = field_from_name(field_of(name));
            if (field_of(name).empty()) {
                name = pad.count_name.value_or(name);
            } else if (kind && pad.names.count(*kind) != 0) {
                name = pad.names.at(*kind);
            }
        }
        return outputs;
    }

    // Whether the rows of a field differ in form from image to image, and one image has none: it has either form.
    [[nodiscard]] bool has_no_form(const mutant& m, const std::vector<plain_image>& images) const
    {
        bool empty = false;
        for (const auto& image : images) {
            empty = empty || image.rows.begin()->second.shape.front() == 0;
        }
        const auto& first = m_of_image.begin()->second;
        return empty && std::any_of(m_of_image.begin(), m_of_image.end(), [&](const auto& image) {
                   return std::any_of(first.begin(), first.end(), [&](const auto& field) {
                       return axes_of(m.outputs[image.second.at(field.first)]) != axes_of(m.outputs[field.second]);
                   });
               });
    }

    tensor value_of(const origin& o, const export_run& run) const
    {
        return changed(o.constant ? *o.constant : run.loose.at(o.source), o.changes);
    }

    verdict judge_fixed(const mutant& m, const rewrite_outcome& outcome, model_session& session)
    {
        verdict ends;
        for (auto& run : runs()) {
            std::map<std::string, tensor> got;
            try {
                got = session.run(run.input.data, run.input.shapes);
            } catch (const std::exception& e) {
                ends = fails(m, e.what()); // other images may fit by chance
                continue;
            }
            std::vector<plain_image> images;
            for (const auto image : m_images) {
                images.push_back(image_of(m, outcome, run, image));
            }
            if (has_no_form(m, images)) {
                continue;
            }
            auto expected = expected_of(m, outcome, images);
            for (std::size_t k = 0; k < m.outputs.size(); ++k) {
                if (!is_covered(k)) {
                    expected.emplace_back(m.model.graph().output(static_cast<int>(k)).name(),
                                          value_of(m.outputs[k], run));
                }
            }
            if (auto found = compare(m, outcome, expected, got, run.scenes); found.what != verdict::kind::right) {
                return found;
            }
        }
        return ends;
    }

    // All images at a time, and one alone, with which rows of any number can be stacked.
    verdict judge_dynamic(const mutant& m, const rewrite_outcome& outcome, model_session& session)
    {
        std::vector<const export_run*> all;
        for (const auto& run : runs()) {
            all.push_back(&run);
        }
        const auto found = judge_batch(m, outcome, session, all);
        const auto alone = judge_batch(m, outcome, session, {all.front()});
        return alone.what == verdict::kind::fault ? alone : found;
    }

    verdict judge_batch(const mutant& m, const rewrite_outcome& outcome, model_session& session,
                        const std::vector<const export_run*>& batch)
    {
        std::vector<std::vector<float>> data(1);
        const std::vector<std::int64_t> shape{static_cast<std::int64_t>(batch.size()), 3,
                                              m_fixture.image_sizes.front().first,
                                              m_fixture.image_sizes.front().second};
        std::vector<plain_image> images;
        std::vector<unsigned> scenes;
        for (const auto* run : batch) {
            data.front().insert(data.front().end(), run->input.data.front().begin(), run->input.data.front().end());
            images.push_back(image_of(m, outcome, *run, m_of_image.begin()->first));
            scenes.insert(scenes.end(), run->scenes.begin(), run->scenes.end());
        }
        std::map<std::string, tensor> got;
        try {
            got = session.run(data, {shape});
        } catch (const std::exception& e) {
            return fails(m, e.what());
        }
        auto expected = expected_of(m, outcome, images);
        for (std::size_t k = 0; k < m.outputs.size(); ++k) {
            if (is_covered(k)) {
                continue;
            }
            auto stack = value_of(m.outputs[k], *batch.front());
            stack.bytes.clear();
            if (!stack.shape.empty() && stack.shape.front() == 1) {
                stack.shape.erase(stack.shape.begin());
            }
            stack.shape.insert(stack.shape.begin(), shape.front());
            for (const auto* run : batch) {
                const auto one = value_of(m.outputs[k], *run);
                stack.bytes.insert(stack.bytes.end(), one.bytes.begin(), one.bytes.end());
            }
            expected.emplace_back(m.model.graph().output(static_cast<int>(k)).name(), std::move(stack));
        }
        return compare(m, outcome, expected, got, scenes);
    }

    static verdict fails(const mutant& m, const std::string& what)
    {
        if (m.harmless) {
            return fault("fails at run time, though nothing that matters has changed", what);
        }
        return {verdict::kind::fails_at_run, "", what};
    }

    static verdict compare(const mutant& m, const rewrite_outcome& outcome, const std::vector<named_tensor>& expected,
                           const std::map<std::string, tensor>& got, const std::vector<unsigned>& scenes)
    {
        std::set<std::string> right;
        std::set<std::string> there;
        std::string names;
        for (const auto& [name, value] : expected) {
            right.insert(name);
        }
        for (const auto& [name, value] : got) {
            there.insert(name);
            names += (names.empty() ? "" : ", ") + name + " " + text_of_shape(value.shape);
        }
        const std::string how = "; " + misreadings(m, *outcome.plan);
        // Where a dimension was inserted, the result may have it or not.
        const bool exact = std::none_of(m.outputs.begin(), m.outputs.end(), is_reshaped);
        if (right != there) {
            std::string wanted;
            for (const auto& name : right) {
                wanted += (wanted.empty() ? "" : ", ") + name;
            }
            return fault("wrong", "the outputs are " + names + ", not " + wanted + how);
        }
        for (const auto& [name, value] : expected) {
            const auto& found = got.at(name);
            std::string what;
            if (found.type != value.type) {
                what = "has the element type " + std::to_string(found.type) + ", not " + std::to_string(value.type);
            } else if (exact ? found.shape != value.shape : without_ones(found.shape) != without_ones(value.shape)) {
                what = "is " + text_of_shape(found.shape) + ", not " + text_of_shape(value.shape);
            } else if (found.bytes != value.bytes) {
                const auto at = static_cast<std::size_t>(
                    std::mismatch(found.bytes.begin(), found.bytes.end(), value.bytes.begin(), value.bytes.end())
                        .first -
                    found.bytes.begin());
                what = "differs from byte " + std::to_string(at) + " of " + std::to_string(value.bytes.size()) + " on";
                if (at < std::min(found.bytes.size(), value.bytes.size())) {
                    const auto element = at / element_size(value.type);
                    what += " (" + std::to_string(detail::number_at(found, element)) + " for " +
                            std::to_string(detail::number_at(value, element)) + ")";
                }
            }
            if (!what.empty()) {
                std::string seeds;
                for (const auto seed : scenes) {
                    seeds += (seeds.empty() ? "" : ",") + std::to_string(seed);
                }
                return fault("wrong", "'" + name + "' " + what + " for scenes " + seeds + how);
            }
        }
        return {};
    }

    const fixture& m_fixture;
    const onnx::ModelProto& m_model;
    std::map<std::int64_t, std::vector<export_run>> m_runs; // by the limit
    std::int64_t m_limit = 0;
    std::vector<std::size_t> m_covered;
    std::map<std::size_t, std::map<std::string, std::size_t>> m_of_image; // image: field: output
    std::vector<std::size_t> m_images;                                    // in the order of the batch
};

} // namespace

std::unique_ptr<mutation_judge> make_judge(const fixture& f, const onnx::ModelProto& model)
{
    return std::make_unique<engine_judge>(f, model);
}

bool has_engine()
{
    return true;
}

} // namespace padbatch::test
