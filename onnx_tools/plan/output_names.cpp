// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/output_names.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/utf8.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace padbatch::onnx_tools {

void require_free_names(const onnx::GraphProto& graph, const pad_plan& p)
{
    std::set<std::string> used;
    const auto& others = p.source.other_outputs;
    std::vector<std::string> of_inputs;
    std::vector<std::string> of_outputs;
    std::string remedy; // for all of them, since one would only lead to the next
    const auto require = [&](const std::string& key, const std::string& name) {
        const std::string how = "`rename` " + key + "=NAME";
        if (name.empty() || name.find(',') != std::string::npos || !is_plain_text(name)) {
            misused("`rename` " + key + "=" + shown(name) + " does not give a usable name",
                    "a name in UTF-8 that is not empty and contains no commas or control characters",
                    "choose another name: " + how);
        }
        if (!used.insert(name).second) {
            misused("two outputs would be called " + quoted(name), "names that differ", "choose another name: " + how);
        }
        const bool is_input = std::any_of(graph.input().begin(), graph.input().end(),
                                          [&](const auto& input) { return input.name() == name; });
        if (is_input || std::find(others.begin(), others.end(), name) != others.end()) {
            (is_input ? of_inputs : of_outputs).push_back(name);
            remedy += (remedy.empty() ? "choose another name: " : " ") + how;
        }
    };
    if (p.count) {
        require(contract::default_count_name, p.count->name);
    }
    for (const auto& output : p.outputs) {
        require(std::string(name_of(p.fields[output.fields.front()].kind)), output.name);
    }
    if (!remedy.empty()) {
        const bool inputs = !of_inputs.empty();
        const auto& taken = inputs ? of_inputs : of_outputs;
        throw tool_error(failure::refused,
                         {std::string("the model has ") + (inputs ? "an input" : "another output") + " called " +
                              joined(taken, " or ", quoted) + ", the name of a padded output",
                          "names that no input and no other output has", remedy});
    }
}

} // namespace padbatch::onnx_tools
