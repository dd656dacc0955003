// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_CLI_COMMAND_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_CLI_COMMAND_HPP

#include <tests/support/run_command.hpp>
#include <tests/support/temporary_folder.hpp>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/value_types.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace padbatch::test {

inline const std::string data = PADBATCH_TESTS_DATA "/";
inline const std::string one_image = data + "mask_rcnn_tv029_b1_tensor_op17.onnx"; // 10 rows
inline const std::string two_images = data + "mask_rcnn_tv029_b2_list_op18.onnx";  // 100 rows

inline bool has(const std::string& text, const std::string& words)
{
    return text.find(words) != std::string::npos;
}

// Runs the command, which must succeed and leave standard output empty, and returns its standard error.
inline std::string padded(std::vector<std::string> arguments, const std::string& in, const std::string& out)
{
    arguments.insert(arguments.end(), {in, out});
    const auto result = run_command(arguments);
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(result.out.empty());
    REQUIRE(std::filesystem::exists(out));
    return result.err;
}

// The file that the command writes with these options.
inline std::string padded_bytes(const std::vector<std::string>& options, const std::string& in)
{
    const temporary_folder folder;
    padded(options, in, folder.file("out.onnx"));
    return read_file(folder.file("out.onnx"));
}

// The outputs of a file with their shapes, such as `boxes [2, 100, 4]`.
inline std::vector<std::string> outputs_of(const std::string& file)
{
    std::vector<std::string> outputs;
    const auto model = padbatch::onnx_tools::load_model(file);
    for (const auto& output : model.graph().output()) {
        std::string shape;
        for (const auto& extent : output.type().tensor_type().shape().dim()) {
            shape += (shape.empty() ? "" : ", ") +
                     (extent.has_dim_value() ? std::to_string(extent.dim_value()) : extent.dim_param());
        }
        outputs.push_back(output.name() + " [" + shape + "]");
    }
    return outputs;
}

// The element types of the outputs of a file, by name.
inline std::map<std::string, std::string> types_of(const std::string& file)
{
    std::map<std::string, std::string> types;
    const auto model = padbatch::onnx_tools::load_model(file);
    for (const auto& output : model.graph().output()) {
        const auto element = padbatch::onnx_tools::declared_type(output).element;
        types[output.name()] = element ? std::string(name_of(*element)) : "none";
    }
    return types;
}

inline std::map<std::string, std::string> metadata_of(const std::string& file)
{
    std::map<std::string, std::string> entries;
    const auto model = padbatch::onnx_tools::load_model(file);
    for (const auto& entry : model.metadata_props()) {
        entries[entry.key()] = entry.value();
    }
    return entries;
}

} // namespace padbatch::test

#endif
