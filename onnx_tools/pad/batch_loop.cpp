// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/batch_loop.hpp>

#include <onnx_tools/model/prune.hpp>
#include <onnx_tools/model/sort.hpp>
#include <onnx_tools/pad/exposed_inputs.hpp>
#include <onnx_tools/pad/image_rows.hpp>
#include <onnx_tools/pad/outputs.hpp>

#include <algorithm>

namespace padbatch::onnx_tools {
namespace {

class loop_maker {
public:
    loop_maker(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
        : m_plan(p), m_graph(graph), m_inner(m_body, fresh, opset), m_outer(m_graph, fresh, opset)
    {
    }

    void run()
    {
        m_body.Swap(&m_graph);
        m_graph.set_name(m_body.name());
        m_graph.mutable_doc_string()->swap(*m_body.mutable_doc_string());
        m_body.clear_doc_string();
        m_body.set_name("padbatch/image");

        const auto used = values_in_use(m_body);
        m_body.mutable_output()->Swap(&m_old_outputs);
        take_image();
        write_body();
        remove_unused(m_body, used);
        write_loop();
    }

private:
    // Something that the Loop stacks: a value of the body, its type there, and the name of the stack.
    struct stacked {
        std::string value;
        element_type element;
        std::vector<dimension> shape;
        std::string stack;
    };

    std::string fresh(const std::string& wanted) { return m_inner.fresh()(wanted); }

    // The inputs of an image become those of a batch, and the body takes those of its image from them. It sees the
    // others, which are the same for all images, as they are.
    void take_image()
    {
        struct taken {
            image_input from;
            std::string value;
        };
        std::vector<taken> all;
        for (const auto& from : m_plan.source.image_inputs) {
            all.push_back({from, fresh(all.empty() ? "padbatch/image" : "padbatch/" + from.name + "/of_image")});
        }
        for (const auto& given : m_body.input()) {
            const auto& name = given.name();
            const auto& shared = m_plan.source.shared_inputs;
            const auto own =
                std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.from.name == name; });
            if (own != all.end()) {
                add_batch_input(given, own->from);
            } else if (std::find(shared.begin(), shared.end(), name) != shared.end()) {
                *m_graph.add_input() = given;
            }
        }
        m_images = all.front().from.name;
        for (std::size_t i = 1; i < all.size(); ++i) {
            m_more_images.push_back(all[i].from.name);
        }
        for (const auto& input : m_plan.inputs) {
            if (input.per_image) {
                m_more_images.push_back(input.name);
            }
        }
        m_image = all.front().value;
        for (const auto& each : all) {
            rename_value(m_body, each.from.name, each.value);
        }
        m_body.clear_input(); // even those that could override weights: they would have to be outside
        m_iteration = fresh("padbatch/iteration");
        m_condition = fresh("padbatch/condition");
        declare(*m_body.add_input(), m_iteration, element_type::int64, {});
        declare(*m_body.add_input(), m_condition, element_type::boolean, {});

        // The nodes of the model read the image, so these nodes come first.
        sort_nodes(m_body);
        const int nodes = m_body.node_size();
        std::string index;
        for (const auto& each : all) {
            if (each.from.has_batch && index.empty()) {
                index = m_inner.unsqueeze("image/index", m_iteration, 0);
            }
            const auto& at = each.from.has_batch ? index : m_iteration;
            m_inner.gather(each.value == m_image ? "image/taken" : each.from.name + "/taken", each.from.name, at, 0,
                           each.value);
        }
        take_exposed(m_inner, m_plan, m_iteration);
        auto& moved = *m_body.mutable_node();
        std::rotate(moved.pointer_begin(), moved.pointer_begin() + nodes, moved.pointer_end());
    }

    void add_batch_input(const onnx::ValueInfoProto& given, const image_input& from)
    {
        auto& input = *m_graph.add_input();
        input = given;
        const auto type = declared_type(given);
        auto shape = type.shape;
        if (from.has_batch && !shape.empty()) {
            shape.erase(shape.begin());
        }
        shape.insert(shape.begin(), m_plan.batch);
        declare(input, from.name, type.element.value_or(element_type::float32), shape);
    }

    // How many rows every image has inside the Loop.
    [[nodiscard]] std::int64_t rows() const
    {
        return m_plan.max_detections ? *m_plan.max_detections : limit_of(m_plan).value();
    }

    void write_body()
    {
        row_values image;
        image.image = m_image;
        image.image_rank = m_plan.source.image_rank;
        image.channels_last = m_plan.source.channels_last;
        for (const auto& f : m_plan.fields) {
            image.fields.push_back(f.values.front());
        }
        if (cuts_rows_at_end(m_plan) || drops_rows(m_plan)) {
            require_equal_counts(m_inner, m_plan, image);
        }
        drop_classes(m_inner, m_plan, image);
        drop_low_scores(m_inner, m_plan, image);
        cut_rows(m_inner, m_plan, image);
        convert_rows(m_inner, m_plan, image);
        const auto count = row_count(m_inner, m_plan, image);
        if (m_plan.count) {
            const bool flat = m_plan.count->flat;
            const auto value = m_inner.cast("count/cast", flat ? scalar_row_count(m_inner, m_plan, image) : count,
                                            m_plan.count->element);
            m_stacked.push_back({value,
                                 m_plan.count->element,
                                 {m_plan.count->shape.begin() + 1, m_plan.count->shape.end()},
                                 m_plan.count->name});
        }
        if (!m_plan.max_detections) {
            m_counts = fresh("padbatch/counts");
            m_stacked.push_back({scalar_row_count(m_inner, m_plan, image), element_type::int64, {}, m_counts});
        }
        const auto missing = m_inner.add("Sub", "missing", {m_inner.integers({rows()}), count});
        for (std::size_t i = 0; i < m_plan.fields.size(); ++i) {
            const auto& f = m_plan.fields[i];
            const auto row = row_extents(m_inner, f, image.fields[i]);
            const auto padding = padding_rows(m_inner, f, missing, row, "");
            const std::string name(name_of(f.kind));
            auto shape = f.row;
            shape.insert(shape.begin(), {rows(), ""});
            const auto own = m_plan.max_detections ? own_output(m_plan, i) : "";
            m_padded.push_back(own.empty() ? fresh("padbatch/" + name + "/stacked") : own);
            const auto joined = m_inner.concat(name + "/joined", {image.fields[i], padding}, 0);
            const auto padded_to = padded_shape(m_inner, f, {rows()}, row); // fails if these rows are more or fewer
            m_stacked.push_back({m_inner.add("Reshape", name + "/padded", {joined, padded_to}), f.element,
                                 std::move(shape), m_padded.back()});
        }
        for (const auto& other : m_plan.others) {
            add_other(other);
        }
        const auto going_on = m_inner.add("Identity", "going_on", {m_condition});
        declare(*m_body.add_output(), going_on, element_type::boolean, {});
        for (const auto& each : m_stacked) {
            declare(*m_body.add_output(), each.value, each.element, each.shape);
        }
    }

    void add_other(const planned_other& other)
    {
        // The output keeps its name, so the value inside gets another.
        const auto inside = fresh(other.name + "_of_image");
        rename_value(m_body, other.name, inside);
        std::vector<dimension> shape(other.shape.begin() + 1, other.shape.end());
        const auto value =
            other.squeezed ? m_inner.squeeze("other", inside, 0) : m_inner.add("Identity", "other", {inside});
        m_stacked.push_back({value, other.element, std::move(shape), other.name});
    }

    void write_loop()
    {
        const auto images = m_more_images.empty() ? m_outer.extent("batch", m_images, 0) : common_extent();
        onnx::TensorProto yes;
        yes.set_data_type(onnx::TensorProto::BOOL);
        yes.add_int32_data(1);
        const auto always = m_outer.constant("always", yes);
        m_outer.add("Loop", "each_image", {images, always}, m_stacked.front().stack);
        auto& loop = *m_graph.mutable_node(m_graph.node_size() - 1);
        for (std::size_t i = 1; i < m_stacked.size(); ++i) {
            loop.add_output(m_stacked[i].stack);
        }
        m_outer.new_attribute("body", onnx::AttributeProto::GRAPH).mutable_g()->Swap(&m_body);
        if (!m_plan.max_detections) {
            cut_to_largest();
        }
        join_fields(m_outer, m_plan, m_padded);
        declare_outputs(m_graph, m_plan);
    }

    // The number of images, for which a run fails unless every input of an image has it: a column of as many elements
    // as each has images, side by side, since only columns of one length can be joined.
    std::string common_extent()
    {
        onnx::TensorProto nothing;
        nothing.set_data_type(onnx::TensorProto::FLOAT);
        nothing.add_dims(1);
        nothing.add_float_data(0.0F);
        std::vector<std::string> columns;
        auto all = m_more_images;
        all.insert(all.begin(), m_images);
        for (const auto& input : all) {
            const auto count = m_outer.extents("batch/" + input, input, {0});
            columns.push_back(m_outer.filled(
                "batch/column", m_outer.concat("batch/column/shape", {count, m_outer.integers({1})}, 0), nothing));
        }
        return m_outer.extent("batch", m_outer.concat("batch/columns", columns, 1), 0);
    }

    // M is the largest count, 0 without images.
    void cut_to_largest()
    {
        const auto largest = m_outer.largest_or_zero("count", m_counts);
        for (std::size_t i = 0; i < m_padded.size(); ++i) {
            const std::string name(name_of(m_plan.fields[i].kind));
            m_padded[i] = m_outer.first(name + "/of_batch", m_padded[i], largest, 1, own_output(m_plan, i));
        }
    }

    const pad_plan& m_plan;
    onnx::GraphProto& m_graph;
    onnx::GraphProto m_body;
    google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> m_old_outputs;
    node_writer m_inner;
    node_writer m_outer;
    std::string m_images;                   // the batch
    std::vector<std::string> m_more_images; // what else each image has of its own
    std::string m_image;                    // one of them
    std::string m_iteration;
    std::string m_condition;
    std::string m_counts; // int64 [B], where M is the largest of them
    std::vector<stacked> m_stacked;
    std::vector<std::string> m_padded; // one for each field
};

} // namespace

void pad_in_loop(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset)
{
    loop_maker(graph, p, fresh, opset).run();
}

} // namespace padbatch::onnx_tools
