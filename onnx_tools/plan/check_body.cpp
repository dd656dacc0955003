// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/check_body.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/wording.hpp>

#include <set>
#include <string>

namespace padbatch::onnx_tools {
namespace {

// protobuf reads messages nested 100 deep. A subgraph is three messages deeper than its graph, and the extents of a
// value are five deeper than theirs.
constexpr int deepest_nesting = (100 - 1 - 5) / 3;

class body_checker {
public:
    explicit body_checker(const onnx::ModelProto& model)
    {
        for (const auto& opset : model.opset_import()) {
            m_imported.insert(opset.domain());
        }
    }

    void check(const onnx::GraphProto& graph, int nesting)
    {
        if (nesting > deepest_nesting) {
            throw tool_error(failure::refused,
                             {"`dynamic_batch`: the model has subgraphs nested " + std::to_string(nesting - 1) +
                                  " deep, and would have one level more",
                              "at most " + std::to_string(deepest_nesting) + ", which protobuf can read",
                              "leave `dynamic_batch` out"});
        }
        for (const auto& node : graph.node()) {
            const auto& domain = node.domain();
            if (!domain.empty() && domain != "ai.onnx" && m_imported.count(domain) == 0) {
                throw tool_error(
                    failure::refused,
                    {"`dynamic_batch`: " + describe(node) + " is an operator of the domain " + quoted(domain) +
                         ", which the model does not import",
                     "an opset_import for every domain; without it, runtimes take no node in a Loop's body",
                     "add it to the model's opset_import, or leave `dynamic_batch` out"});
            }
            for_each_subgraph(node, [&](const onnx::GraphProto& sub) { check(sub, nesting + 1); });
        }
    }

private:
    std::set<std::string> m_imported;
};

} // namespace

void check_body(const onnx::ModelProto& model)
{
    body_checker(model).check(model.graph(), 1);
}

} // namespace padbatch::onnx_tools
