// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/pad/pad.hpp>

int main(int argc, char** argv)
{
    if (argc != 3) {
        return 2;
    }
    auto model = padbatch::onnx_tools::load_model(argv[1]);
    padbatch::onnx_tools::pad(model, padbatch::onnx_tools::plan(model, padbatch::onnx_tools::recognise(model)));
    padbatch::onnx_tools::save_model(model, argv[2], {true, argv[1]});
    return 0;
}
