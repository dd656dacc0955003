// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_CLI_PROCESS_HPP
#define PADBATCH_ONNX_TOOLS_CLI_PROCESS_HPP

namespace padbatch::onnx_tools::cli {

/// Errors have messages of their own, and nothing is written besides.
void silence_protobuf();

/// Prepares the process so that every failed write is an error that can be reported: signals that would end the process
/// are ignored, and closed standard streams are opened on files that fail as before. Silences protobuf's own log.
void prepare_process();

} // namespace padbatch::onnx_tools::cli

#endif
