// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_HEAD_MODELS_HPP
#define PADBATCH_TESTS_SUPPORT_HEAD_MODELS_HPP

#include <onnx_tools/recognise/detections.hpp>
#include <tests/support/parse_model.hpp>

#include <cstddef>
#include <map>
#include <string>

// Models of raw heads, with no more nodes than a test needs.
namespace padbatch::test {

/// A model that gives what is fed to it beside the images.
inline onnx::ModelProto head_model(const std::string& outputs, const std::string& nodes = "",
                                   const std::map<std::string, std::string>& metadata = {})
{
    auto inputs = outputs;
    for (std::size_t at = 0; (at = inputs.find("] ", at)) != std::string::npos; at += 3) {
        inputs.insert(at + 2, "in_");
    }
    std::string copies;
    if (nodes.empty()) {
        for (std::size_t at = 0; (at = inputs.find("in_", at)) != std::string::npos; at += 3) {
            const auto name = inputs.substr(
                at + 3, inputs.find(',', at) == std::string::npos ? std::string::npos : inputs.find(", ", at) - at - 3);
            copies += name + " = Identity(in_" + name + ") ";
        }
    }
    auto model = parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[B,3,64,64] images, " + inputs +
                             ") => (" + outputs + ") { " + copies + nodes + " }");
    for (const auto& [key, value] : metadata) {
        auto& entry = *model.add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    }
    return model;
}

inline onnx_tools::recognise_options told_head(onnx_tools::head_kind kind)
{
    onnx_tools::recognise_options options;
    options.from = onnx_tools::export_kind::raw;
    options.head.kind = kind;
    return options;
}

/// What Ultralytics' exporter writes beside a detector of three classes.
inline const std::map<std::string, std::string> of_three_classes{{"task", "detect"},
                                                                 {"names", "{0: 'a', 1: 'b', 2: 'c'}"}};

} // namespace padbatch::test

#endif
