// SPDX-License-Identifier: Apache-2.0
// Runs in OpenVINO a model that onnx-pad-outputs wrote, and goes through what it found in each image.
//
//     openvino_batch PADDED.onnx

#include <padbatch/adapters/openvino.hpp>

#include <openvino/openvino.hpp>

#include <cstdint>
#include <cstdio>
#include <vector>

int main(int, char** argv)
{
    using namespace padbatch;
    ov::Core core;
    const auto network = core.read_model(argv[1]);
    const openvino::contract model(*network); // read before compiling, which drops the metadata
    auto request =
        core.compile_model(network, "CPU", ov::hint::inference_precision(ov::element::f32)).create_infer_request();

    // A batch of images with stripes, of a different width in each image.
    ov::Tensor images(ov::element::f32, network->input().get_shape());
    const std::size_t size = images.get_size() / *model.batch();
    for (std::size_t i = 0; i < images.get_size(); ++i) {
        images.data<float>()[i] = i / (7 + 6 * (i / size)) % 3 == 0 ? 0.9F : 0.2F;
    }
    request.set_input_tensor(images);
    request.infer();

    const auto batch =
        openvino::detections<boxes<const float>, labels<const std::int64_t>, scores<const float>>(model, request);
    for (std::size_t i = 0; i < batch.size(); ++i) {
        std::printf("image %zu: %zu of %zu rows are real\n", i, batch.count(i), batch.capacity());
        for (const auto [box, label, score] : batch.image(i).first(batch.count(i) < 3 ? batch.count(i) : 3)) {
            std::printf("  class %d  %.2f  x %.0f to %.0f, y %.0f to %.0f\n", static_cast<int>(label), score, box[0],
                        box[2], box[1], box[3]);
        }
    }
}
