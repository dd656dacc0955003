// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_TABLES_HPP
#define PADBATCH_ONNX_TOOLS_CLI_TABLES_HPP

#include <onnx_tools/plan/pad_plan.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace padbatch::onnx_tools::cli {

/// One line of a table: an output, or what was recognised.
struct table_row {
    std::string name;
    std::string type;
    std::string shape;
    std::string bytes;
};

/// Indented lines, in columns as wide as they need to be.
[[nodiscard]] std::string table(const std::vector<table_row>& rows);

/// What a model declares about its outputs.
using value_infos = google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>;

/// The outputs as a file declares them.
[[nodiscard]] std::vector<table_row> declared_rows(const value_infos& outputs);
/// The outputs that `p` makes, the count first; `model` is the model that they are made from, before or after padding.
[[nodiscard]] std::vector<table_row> planned_rows(const onnx::ModelProto& model, const pad_plan& p);

/// `3200 B`, `61.0 MiB`.
[[nodiscard]] std::string text_of_bytes(std::int64_t bytes);

} // namespace padbatch::onnx_tools::cli

#endif
