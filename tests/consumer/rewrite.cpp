// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/rewrite.hpp>

int main(int argc, char** argv)
{
    using namespace padbatch::onnx_tools;
    if (argc != 3) {
        return 2;
    }
    auto model = load_model(argv[1]);
    rewrite(model);
    save_model(model, argv[2], {true, argv[1]});
    return 0;
}
