// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/graph_outputs.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/field.hpp>

#include <set>
#include <utility>

namespace padbatch::onnx_tools {

std::vector<typed_value> typed_outputs(const onnx::ModelProto& model, const graph_index& index)
{
    rank_finder ranks(index);
    std::vector<typed_value> outputs;
    for (const auto& info : model.graph().output()) {
        typed_value output{info.name(), declared_type(info)};
        if (output.type.element && !output.type.rank) {
            output.type.rank = ranks.rank_of(output.name);
        }
        outputs.push_back(std::move(output));
    }
    return outputs;
}

graph_outputs::graph_outputs(const onnx::ModelProto& model) : m_index(model.graph()), m_cuts_above(m_index)
{
    std::set<std::string> seen;
    for (auto& value : typed_outputs(model, m_index)) {
        if (!seen.insert(value.name).second) {
            throw tool_error(failure::refused, {"the model lists its output " + quoted(value.name) + " twice",
                                                "output names that differ", "export the model again"});
        }
        output o;
        static_cast<typed_value&>(o) = std::move(value);
        o.bound = bound_of(m_index, o.name);
        o.nearest = cuts_above(o.name).empty() ? nullptr : nearest_cut(m_index, o.name).node;
        m_cuts.insert(o.bound.cut);
        m_rows_vary =
            m_rows_vary || (fits(field::boxes, o.type) && !o.type.shape.empty() && !o.type.shape.front().size);
        m_all.push_back(std::move(o));
    }
    m_cuts.erase(nullptr);
    for (auto& o : m_all) {
        o.cut = o.bound.cut != nullptr ? o.bound.cut : m_cuts.count(o.nearest) != 0 ? o.nearest : nullptr;
    }
}

std::string graph_outputs::text() const
{
    return list_of(std::vector<typed_value>(m_all.begin(), m_all.end()));
}

} // namespace padbatch::onnx_tools
