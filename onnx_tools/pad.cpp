#include <onnx_tools/pad.hpp>

#include <padbatch/contract.hpp>
#include <padbatch/version.hpp>

#include <map>
#include <optional>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// Appends nodes to a graph, each with names of its own.
class node_writer {
public:
    explicit node_writer(onnx::GraphProto& graph) : m_graph(graph), m_fresh(graph) {}

    // The names that are free; shared, so that renamed values do not take one that a node gets.
    fresh_names& fresh() { return m_fresh; }

    // A node with one output, and that output's name: `result`, or a name made from the node's.
    std::string add(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                    const std::string& result = "")
    {
        auto& node = *m_graph.add_node();
        node.set_op_type(op);
        node.set_name(m_fresh("padbatch/" + name));
        for (const auto& input : inputs) {
            node.add_input(input);
        }
        node.add_output(result.empty() ? m_fresh(node.name() + ":0") : result);
        return node.output(0);
    }

    std::string concat(const std::string& name, const std::vector<std::string>& inputs, std::int64_t axis)
    {
        auto value = add("Concat", name, inputs);
        set("axis", axis);
        return value;
    }

    // A one-dimensional int64 constant; equal ones are one node.
    std::string integers(const std::vector<std::int64_t>& values)
    {
        auto& known = m_integers[values];
        if (known.empty()) {
            std::string name = "constant";
            for (const auto value : values) {
                name += "_" + std::to_string(value);
            }
            known = add("Constant", name, {});
            auto& tensor = *new_attribute("value", onnx::AttributeProto::TENSOR).mutable_t();
            tensor.set_data_type(onnx::TensorProto::INT64);
            tensor.add_dims(static_cast<std::int64_t>(values.size()));
            for (const auto value : values) {
                tensor.add_int64_data(value);
            }
        }
        return known;
    }

    // `value` everywhere, in a tensor of this shape.
    std::string filled(const std::string& name, const std::string& shape, const onnx::TensorProto& value)
    {
        auto result = add("ConstantOfShape", name, {shape});
        *new_attribute("value", onnx::AttributeProto::TENSOR).mutable_t() = value;
        return result;
    }

    // The extents of `value` along `axes`, as a one-dimensional tensor.
    std::string extents(const std::string& name, const std::string& value, const std::vector<std::int64_t>& axes)
    {
        auto& shape = m_shapes[value];
        if (shape.empty()) {
            shape = add("Shape", name + "/shape", {value});
        }
        const auto indices = integers(axes);
        auto result = add("Gather", name + "/extents", {shape, indices});
        set("axis", 0);
        return result;
    }

    // An integer attribute of the node added last.
    void set(const std::string& name, std::int64_t value)
    {
        new_attribute(name, onnx::AttributeProto::INT).set_i(value);
    }

private:
    onnx::AttributeProto& new_attribute(const std::string& name, onnx::AttributeProto::AttributeType type)
    {
        auto& attribute = *m_graph.mutable_node(m_graph.node_size() - 1)->add_attribute();
        attribute.set_name(name);
        attribute.set_type(type);
        return attribute;
    }

    onnx::GraphProto& m_graph;
    fresh_names m_fresh;
    std::map<std::vector<std::int64_t>, std::string> m_integers;
    std::map<std::string, std::string> m_shapes;
};

// Makes `name` free for an output: whatever has it, in the graph or inside a subgraph, gets another. The new name of
// the graph's own value, if it had one of that name.
std::optional<std::string> free_value_name(onnx::GraphProto& graph, const std::string& name, fresh_names& fresh)
{
    std::optional<std::string> other;
    if (defined_names(graph).count(name) != 0) {
        other = fresh(name + "_unpadded");
        rename_value(graph, name, *other);
    }
    for (auto& node : *graph.mutable_node()) {
        for_each_subgraph(node, [&](onnx::GraphProto& sub) { (void)free_value_name(sub, name, fresh); });
    }
    return other;
}

void write_type(onnx::ValueInfoProto& info, element_type element, const std::vector<dimension>& shape)
{
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(to_onnx(element));
    for (const auto& extent : shape) {
        auto& dim = *tensor.mutable_shape()->add_dim();
        if (extent.size) {
            dim.set_dim_value(*extent.size);
        } else {
            dim.set_dim_param(extent.symbol);
        }
    }
}

class padder {
public:
    padder(onnx::GraphProto& graph, pad_plan& p) : m_graph(graph), m_plan(p), m_nodes(graph) {}

    void run()
    {
        std::vector<std::string> names{m_plan.count_name};
        for (const auto& f : m_plan.fields) {
            names.push_back(f.name);
        }
        for (const auto& name : names) {
            m_nodes.fresh().reserve(name);
        }
        for (const auto& name : names) {
            if (const auto other = free_value_name(m_graph, name, m_nodes.fresh())) {
                rename_source(name, *other);
            }
        }
        if (m_plan.cuts_rows) {
            cut_rows();
        }
        write_counts();
        for (std::size_t i = 0; i < m_plan.fields.size(); ++i) {
            write_field(m_plan.source.fields[i], m_plan.fields[i]);
        }
        replace_outputs();
    }

private:
    [[nodiscard]] std::size_t images() const { return static_cast<std::size_t>(m_plan.source.batch); }

    static std::string path(const std::string& name, std::size_t image) { return name + "/" + std::to_string(image); }

    // The values to pad are all of the outermost graph.
    void rename_source(const std::string& from, const std::string& to)
    {
        for (auto& f : m_plan.source.fields) {
            for (auto& value : f.values) {
                value = value == from ? to : value;
            }
        }
    }

    // Keeps the first M rows of every value.
    void cut_rows()
    {
        for (auto& f : m_plan.source.fields) {
            for (std::size_t i = 0; i < f.values.size(); ++i) {
                const auto start = m_nodes.integers({0});
                const auto end = m_nodes.integers({*m_plan.max_detections});
                f.values[i] = m_nodes.add("Slice", path(std::string(name_of(f.kind)), i) + "/first_rows",
                                          {f.values[i], start, end, start});
            }
        }
    }

    // The number of rows of each image, and the output that says so.
    void write_counts()
    {
        const auto* counted = &m_plan.source.fields.front();
        for (const auto& f : m_plan.source.fields) {
            counted = f.kind == field::scores ? &f : counted; // the smallest rows
        }
        for (std::size_t i = 0; i < images(); ++i) {
            m_rows.push_back(m_nodes.extents(path("count", i), counted->values[i], {0}));
        }
        const auto all = m_nodes.concat("count/all", m_rows, 0);
        if (m_plan.max_detections) {
            m_max = m_nodes.integers({*m_plan.max_detections});
        } else {
            m_max = m_nodes.add("ReduceMax", "count/largest", {all});
            m_nodes.set("keepdims", 1);
        }
        const auto narrow = m_nodes.add("Cast", "count/int32", {all});
        m_nodes.set("to", onnx::TensorProto::INT32);
        const auto shape = m_nodes.integers({m_plan.source.batch, 1});
        m_nodes.add("Reshape", "count/reshape", {narrow, shape}, m_plan.count_name);
    }

    void write_field(const recognised_field& source, const padded_field& f)
    {
        const std::string name(name_of(source.kind));
        auto values = source.values;
        if (source.kind == field::masks && m_plan.widens_masks) {
            widen(name, values, source, f);
        }
        const auto row = row_extents(name, values.front(), source);
        std::vector<std::string> parts;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto missing = m_nodes.add("Sub", path(name, i) + "/missing", {m_max, m_rows[i]});
            const auto shape =
                row.empty() ? missing : m_nodes.concat(path(name, i) + "/padding_shape", {missing, row}, 0);
            parts.push_back(values[i]);
            parts.push_back(m_nodes.filled(path(name, i) + "/padding", shape, f.pad_value));
        }
        const auto joined = m_nodes.concat(name + "/joined", parts, 0);
        // Reshape reads 0 as "keep this extent" and M may be 0 where it follows the batch: -1 is right for both.
        const std::vector<std::int64_t> front{m_plan.source.batch, m_plan.max_detections.value_or(-1)};
        std::string shape;
        if (known_row(source)) {
            auto all = front;
            for (const auto& extent : source.row) {
                all.push_back(*extent.size);
            }
            shape = m_nodes.integers(all);
        } else {
            shape = m_nodes.concat(name + "/shape", {m_nodes.integers(front), row}, 0);
        }
        m_nodes.add("Reshape", name + "/reshape", {joined, shape}, f.name);
    }

    static bool known_row(const recognised_field& f)
    {
        for (const auto& extent : f.row) {
            if (!extent.size) {
                return false;
            }
        }
        return true;
    }

    // The extents of one row, a constant where they are known; empty when a row is one element.
    std::string row_extents(const std::string& name, const std::string& value, const recognised_field& f)
    {
        if (f.row.empty()) {
            return "";
        }
        std::vector<std::int64_t> extents;
        std::vector<std::int64_t> axes;
        for (std::size_t d = 0; d < f.row.size(); ++d) {
            extents.push_back(f.row[d].size.value_or(0));
            axes.push_back(static_cast<std::int64_t>(d) + 1);
        }
        return known_row(f) ? m_nodes.integers(extents) : m_nodes.extents(name + "/row", value, axes);
    }

    // Pads every image's masks to the largest height, then to the largest width.
    void widen(const std::string& name, std::vector<std::string>& values, const recognised_field& source,
               const padded_field& f)
    {
        const auto rank = static_cast<std::int64_t>(source.row.size()) + 1;
        for (const std::int64_t axis : {rank - 2, rank - 1}) {
            const std::string side = name + (axis == rank - 2 ? "/height" : "/width");
            std::vector<std::string> sizes;
            for (std::size_t i = 0; i < values.size(); ++i) {
                sizes.push_back(m_nodes.extents(path(side, i), values[i], {axis}));
            }
            const auto all = m_nodes.concat(side + "/all", sizes, 0);
            const auto largest = m_nodes.add("ReduceMax", side + "/largest", {all});
            m_nodes.set("keepdims", 1);
            std::vector<std::int64_t> before;
            for (std::int64_t d = 0; d < axis; ++d) {
                before.push_back(d);
            }
            for (std::size_t i = 0; i < values.size(); ++i) {
                const auto missing = m_nodes.add("Sub", path(side, i) + "/missing", {largest, sizes[i]});
                std::vector<std::string> shape{m_nodes.extents(path(side, i) + "/before", values[i], before), missing};
                if (axis + 1 < rank) {
                    shape.push_back(m_nodes.extents(path(side, i) + "/after", values[i], {axis + 1}));
                }
                const auto margin_shape = m_nodes.concat(path(side, i) + "/margin_shape", shape, 0);
                const auto margin = m_nodes.filled(path(side, i) + "/margin", margin_shape, f.pad_value);
                values[i] = m_nodes.concat(path(side, i) + "/widened", {values[i], margin}, axis);
            }
        }
    }

    // The new outputs in front, then those of the old ones that are no detections, untouched.
    void replace_outputs()
    {
        google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> outputs;
        auto& count = *outputs.Add();
        count.set_name(m_plan.count_name);
        write_type(count, element_type::int32, {{m_plan.source.batch, ""}, {1, ""}});
        for (std::size_t i = 0; i < m_plan.fields.size(); ++i) {
            auto& info = *outputs.Add();
            info.set_name(m_plan.fields[i].name);
            write_type(info, m_plan.source.fields[i].element, m_plan.fields[i].shape);
        }
        for (const auto& name : m_plan.source.other_outputs) {
            for (auto& old : *m_graph.mutable_output()) {
                if (old.name() == name) {
                    outputs.Add()->Swap(&old);
                    break;
                }
            }
        }
        m_graph.mutable_output()->Swap(&outputs);
    }

    onnx::GraphProto& m_graph;
    pad_plan& m_plan;
    node_writer m_nodes;
    std::vector<std::string> m_rows; // n of each image, [1]
    std::string m_max;               // M, [1]
};

void record(onnx::ModelProto& model, const pad_plan& p)
{
    const auto write = [&](const char* key, const std::string& value) {
        auto& entry = *model.add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    };
    std::string fields;
    for (std::size_t i = 0; i < p.fields.size(); ++i) {
        fields += (fields.empty() ? "" : ",") + std::string(name_of(p.source.fields[i].kind)) + "=" + p.fields[i].name;
    }
    write(contract::version_key, PADBATCH_VERSION);
    write(contract::count_key, p.count_name);
    write(contract::fields_key, fields);
    write(contract::max_detections_key,
          p.max_detections ? std::to_string(*p.max_detections) : contract::max_detections_of_batch);
    write(contract::batch_key, std::to_string(p.source.batch));
}

} // namespace

void pad(onnx::ModelProto& model, const pad_plan& p)
{
    pad_plan changing = p; // values are renamed and cut as the nodes are written
    padder(*model.mutable_graph(), changing).run();
    record(model, p);
}

} // namespace padbatch::onnx_tools
