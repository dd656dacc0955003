// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/row_nodes.hpp>

#include <utility>

namespace padbatch::onnx_tools {

row_nodes::row_nodes(const onnx::ModelProto& model)
    : m_fresh(model.graph()), m_nodes(m_graph, m_fresh, standard_opset(model))
{
}

std::string row_nodes::without_front(const std::string& value, int count)
{
    auto result = value;
    for (int i = 0; i < count; ++i) {
        result = m_nodes.squeeze("rows/list", result, 0);
    }
    return result;
}

std::string row_nodes::column(const std::string& name, const std::string& rows, std::int64_t which)
{
    return m_nodes.gather(name, rows, m_nodes.integer(which), 1);
}

std::string row_nodes::whole(const std::string& name, const std::string& value)
{
    return m_nodes.cast(name, value, element_type::int64);
}

std::string row_nodes::images_by_counts(const std::string& rows, const std::string& counts, const std::string& images)
{
    const auto batch = m_nodes.extents("counts/batch", images, {0});
    const auto given = m_nodes.add("Reshape", "counts", {whole("counts/whole", counts), batch}); // or the run fails
    const auto count = m_nodes.extents("rows", rows, {0});
    const auto one_more = m_nodes.add("Add", "rows/one_more", {count, m_nodes.integers({1})});
    // A negative number becomes more than there are rows, so that the sum is too.
    const auto negative = m_nodes.add("Less", "counts/negative", {given, m_nodes.integer(0)});
    const auto sound = m_nodes.add("Where", "counts/sound", {negative, one_more, given});
    const auto ends = m_nodes.add("CumSum", "counts/ends", {sound, m_nodes.integer(0)});
    // Where the images' rows begin and the last one's end; there is a 0 at least, since not all runtimes sum over
    // nothing. In the same way there is one place more than there are rows, and no extent of 0, which Reshape copies.
    const auto borders = m_nodes.concat("counts/borders", {m_nodes.integers({0}), ends}, 0);
    const auto last = m_nodes.gather("counts/sum", borders, m_nodes.integers({-1}), 0);
    const auto all = m_nodes.add("Range", "rows/places",
                                 {m_nodes.integer(0), m_nodes.squeeze("rows/end", one_more, 0), m_nodes.integer(1)});
    const auto expected = m_nodes.add("Add", "counts/one_more", {last, m_nodes.integers({1})});
    const auto places = m_nodes.add("Reshape", "rows/counted", {all, expected}); // fails if there are more or fewer
    const auto ahead = m_nodes.add("Less", "image/ahead", {places, m_nodes.unsqueeze("counts/column", borders, 1)});
    const auto passed = m_nodes.cast("image/passed", m_nodes.add("Not", "image/behind", {ahead}), element_type::int64);
    const auto from_one = m_nodes.sum("image/from_one", passed, 0);
    const auto image =
        m_nodes.first("image/counted", m_nodes.add("Sub", "image/all", {from_one, m_nodes.integer(1)}), count, 0);
    // OpenVINO does not check a Reshape: there, no row has an image then.
    const auto fit = m_nodes.add("Equal", "counts/fit", {last, count});
    return m_nodes.add("Where", "image/or_unknown", {fit, image, m_nodes.integer(-1)});
}

std::string row_nodes::as_float(const std::string& name, const std::string& list)
{
    return m_nodes.cast(name + "/float", list, element_type::float32); // the types that Less takes differ by engine
}

void row_nodes::require(const std::string& condition)
{
    m_condition = m_condition.empty() ? condition : m_nodes.add("And", "rows/and", {m_condition, condition});
}

void row_nodes::require_not_negative(const std::string& name, const std::string& list)
{
    const auto numbers = as_float(name, list);
    const auto zero = m_nodes.cast(name + "/zero", m_nodes.integer(0), element_type::float32);
    require(m_nodes.add("Not", name + "/not_negative", {m_nodes.add("Less", name + "/negative", {numbers, zero})}));
}

void row_nodes::require_positive(const std::string& name, const std::string& list)
{
    const auto numbers = as_float(name, list);
    const auto zero = m_nodes.cast(name + "/zero", m_nodes.integer(0), element_type::float32);
    require(m_nodes.add("Greater", name + "/positive", {numbers, zero}));
}

void row_nodes::require_in_front_of_negative(const std::string& name, const std::string& list)
{
    const auto numbers = as_float(name, list);
    const auto zero = m_nodes.cast(name + "/zero", m_nodes.integer(0), element_type::float32);
    const auto ends =
        m_nodes.cast(name + "/ends", m_nodes.add("Less", name + "/negative", {numbers, zero}), element_type::int64);
    const auto passed = m_nodes.add("CumSum", name + "/ends_so_far", {ends, m_nodes.integer(0)});
    require(m_nodes.add("Equal", name + "/in_front", {passed, m_nodes.integer(0)}));
}

std::string row_nodes::image_if_detection(const std::string& rows, const std::string& image)
{
    if (m_condition.empty()) {
        return image;
    }
    // As many as there are rows, or the run fails: a condition may come from another list.
    const auto condition =
        m_nodes.add("Reshape", "rows/are_detections", {m_condition, m_nodes.extents("rows", rows, {0})});
    return m_nodes.add("Where", "image/or_none", {condition, image, m_nodes.integer(-1)});
}

rearranged_outputs row_nodes::finish(const onnx::ModelProto& model, const std::set<std::string>& taken,
                                     const std::vector<onnx::ValueInfoProto>& values) &&
{
    rearranged_outputs to;
    to.nodes.assign(m_graph.node().begin(), m_graph.node().end());
    to.outputs = values;
    for (const auto& output : model.graph().output()) {
        if (taken.count(output.name()) == 0) {
            to.outputs.push_back(output);
        }
    }
    return to;
}

} // namespace padbatch::onnx_tools
