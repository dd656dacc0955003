// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/output_names.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/utf8.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <set>
#include <string>

namespace padbatch::onnx_tools {

void require_free_names(const onnx::GraphProto& graph, const pad_plan& p)
{
    std::set<std::string> used;
    const auto& others = p.source.other_outputs;
    const auto require = [&](const std::string& key, const std::string& name) {
        const std::string how = "choose another name: `rename` " + key + "=NAME";
        if (name.empty() || name.find(',') != std::string::npos || !is_plain_text(name)) {
            misused("`rename` " + key + "=" + shown(name) + " does not give a usable name",
                    "a name in UTF-8 that is not empty and contains no commas or control characters", how);
        }
        if (!used.insert(name).second) {
            misused("two outputs would be called " + quoted(name), "names that differ", how);
        }
        for (const auto& input : graph.input()) {
            if (input.name() == name) {
                throw tool_error(failure::refused,
                                 {"the model has an input called " + quoted(name) + ", the name of a padded output",
                                  "a name that no input has", how});
            }
        }
        if (std::find(others.begin(), others.end(), name) != others.end()) {
            throw tool_error(failure::refused,
                             {"the model has another output called " + quoted(name) + ", the name of a padded output",
                              "a name that no other output has", how});
        }
    };
    if (p.count) {
        require(contract::default_count_name, p.count->name);
    }
    for (const auto& output : p.outputs) {
        require(std::string(name_of(p.fields[output.fields.front()].kind)), output.name);
    }
}

} // namespace padbatch::onnx_tools
