// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/process.hpp>
#include <onnx_tools/cli/run.hpp>

#include <cstdio>

int main(int argc, char** argv)
{
    padbatch::onnx_tools::cli::prepare_process();
    return padbatch::onnx_tools::cli::run(argc, argv, stdout, stderr);
}
