// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/raw.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/node_writer.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>
#include <onnx_tools/recognise/head_outputs.hpp>
#include <onnx_tools/recognise/raw_head.hpp>
#include <onnx_tools/recognise/row_list.hpp>
#include <onnx_tools/recognise/selecting_plugin.hpp>
#include <onnx_tools/recognise/undecided.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

class raw_recogniser {
public:
    raw_recogniser(const onnx::ModelProto& model, const recognise_options& options)
        : m_model(model), m_options(options), m_told(options.head), m_list(model),
          m_plugin(find_selecting_plugin(m_list.index))
    {
    }

    // Whether it is known to be such a head, by more than that nothing else fits.
    [[nodiscard]] bool is_shown() const { return m_plugin != nullptr || names_head(m_model, m_list, m_options); }

    detections run()
    {
        if (m_told.class_agnostic && m_told.nms == suppression::class_by_class) {
            misused("`class_agnostic` is given together with `nms` class-by-class",
                    "boxes that suppress those of all classes, or those of their own", "leave one of them out");
        }
        m_found = m_plugin != nullptr ? head_of_plugin(*m_plugin, m_list, m_options)
                                      : find_head_of_outputs(m_model, m_list, m_options);
        if (m_told.iou_threshold && m_found.selection.nms == suppression::none) {
            misused("`iou_threshold` is given for a head without suppression",
                    "`iou_threshold` for a NonMaxSuppression", "leave it out, or add `nms` shifted");
        }
        require_known_labels();
        require_any_batch();
        return written();
    }

private:
    void require_known_labels() const
    {
        const auto count = m_found.head.classes();
        for (const auto label : m_told.classes ? m_told.classes->labels : std::vector<std::int64_t>()) {
            if (label >= count) {
                misused("a label is " + std::to_string(label) + ", but the head has " + count_of(count, "class"),
                        "labels from 0 to " + std::to_string(count - 1), "correct the list of classes");
            }
        }
    }

    // Decoding that holds for some images of a batch only gives wrong boxes for the others.
    void require_any_batch() const
    {
        if (m_list.batch.size) {
            return;
        }
        for (const auto& name : m_found.taken) {
            if (const auto* node = built_batch(m_list.index, m_found.head.images, name)) {
                refuse("the input " + quoted(m_found.head.images) + " declares any number of images, but " +
                           quoted(name) + " is put together from images at fixed places of the batch, by " +
                           describe(*node),
                       "nodes that hold for every image of a batch, or an input that declares how many there are",
                       "export the model with a fixed number of images (dynamic=False for Ultralytics)");
            }
        }
    }

    [[nodiscard]] detections written()
    {
        onnx::GraphProto scratch;
        fresh_names fresh(m_model.graph());
        node_writer nodes(scratch, fresh, standard_opset(m_model));
        const auto made = write_selection(nodes, m_found.head, m_found.selection);
        rearranged_outputs to;
        const auto symbol = fresh("padbatch_rows");
        const auto declare = [&](const std::string& name, element_type element, std::int64_t columns) {
            auto& info = to.outputs.emplace_back();
            info.set_name(name);
            auto& tensor = *info.mutable_type()->mutable_tensor_type();
            tensor.set_elem_type(to_onnx(element));
            tensor.mutable_shape()->add_dim()->set_dim_param(symbol);
            if (columns != 0) {
                tensor.mutable_shape()->add_dim()->set_dim_value(columns);
            }
        };
        declare(made.boxes, element_type::float32, 4);
        declare(made.labels, element_type::int64, 0);
        declare(made.scores, element_type::float32, 0);
        declare(made.image, element_type::int64, 0);
        if (m_found.head.coefficients) {
            declare(made.coefficients, element_type::float32, m_found.head.coefficients->columns);
        }
        if (m_found.head.keypoints) {
            declare(made.keypoints, element_type::float32,
                    m_found.head.keypoints->columns / m_found.head.keypoint_numbers);
            to.outputs.back().mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(3);
        }
        auto taken = m_found.taken;
        if (!m_found.prototypes.empty()) {
            const auto name = fresh("mask_prototypes");
            nodes.add("Identity", "prototypes", {m_found.prototypes}, name);
            for (const auto& output : m_model.graph().output()) {
                if (output.name() == m_found.prototypes) {
                    to.outputs.push_back(output);
                    to.outputs.back().set_name(name);
                }
            }
            taken.push_back(m_found.prototypes);
        }
        for (const auto& output : m_model.graph().output()) {
            if (std::find(taken.begin(), taken.end(), output.name()) == taken.end()) {
                to.outputs.push_back(output);
            }
        }
        to.nodes.assign(scratch.node().begin(), scratch.node().end());
        to.sources = {{made.boxes, "the boxes that are selected from " + m_found.source},
                      {made.labels, "their classes"},
                      {made.scores, "their scores"},
                      {made.image, "the image of each"}};
        if (m_found.head.coefficients) {
            to.sources[made.coefficients] = "their mask coefficients";
        }
        if (m_found.head.keypoints) {
            to.sources[made.keypoints] = "their keypoints";
        }
        return read(to, made);
    }

    // What is selected is rows of all images in one list.
    [[nodiscard]] detections read(rearranged_outputs& to, const head_rows& made)
    {
        const auto copy = rearranged_copy(m_model, to);
        row_list list(copy);
        list.source.rows = made.boxes;
        list.source.columns = corners;
        list.source.row_labels = made.labels;
        list.source.row_scores = made.scores;
        list.source.batch_index = made.image;
        list.taken = {made.boxes, made.labels, made.scores, made.image};
        list.set_fields(element_type::float32, element_type::float32);
        const auto add_field = [&](field kind, const std::string& value, std::vector<dimension> row) {
            list.source.row_fields[kind] = value;
            list.taken.insert(value);
            list.found.fields.push_back({kind, {}, element_type::float32, std::move(row)});
        };
        if (m_found.head.keypoints) {
            add_field(field::keypoints, made.keypoints,
                      {{m_found.head.keypoints->columns / m_found.head.keypoint_numbers, ""}, {3, ""}});
        }
        if (m_found.head.coefficients) {
            add_field(field::mask_coefficients, made.coefficients, {{m_found.head.coefficients->columns, ""}});
        }
        list.found.limit = row_limit{m_found.selection.most, "the selection from " + m_found.source};
        list.found.may_exceed_limit = // each class has so many
            m_found.selection.nms == suppression::class_by_class && !m_found.selection.class_agnostic;
        list.found.form = export_kind::raw;
        list.found.head = m_found.kind;
        list.found.selection = m_found.selection;
        list.found.evidence = m_found.evidence;
        auto found = std::move(list).finish();
        found.limit_stays = "so many are selected";
        found.rearranged = std::move(to);
        return found;
    }

    const onnx::ModelProto& m_model;
    const recognise_options& m_options;
    const head_options& m_told;
    row_list m_list;
    const onnx::NodeProto* m_plugin;
    found_head m_found;
};

} // namespace

detections recognise_raw(const onnx::ModelProto& model, const recognise_options& options)
{
    raw_recogniser recogniser(model, options);
    try {
        return recogniser.run();
    } catch (const undecided&) {
        throw;
    } catch (const tool_error& e) {
        if (options.from == export_kind::raw || !recogniser.is_shown()) {
            throw;
        }
        throw shown_head_refused(e.kind(), e.parts());
    }
}

} // namespace padbatch::onnx_tools
