// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_PROCESS_HPP
#define PADBATCH_ONNX_TOOLS_CLI_PROCESS_HPP

namespace padbatch::onnx_tools::cli {

/// Makes a process one in which every failure to write is an error that can be told: signals that would end it are
/// ignored, and standard streams that are closed are opened on files that fail as before. Silences protobuf's own log.
void prepare_process();

} // namespace padbatch::onnx_tools::cli

#endif
