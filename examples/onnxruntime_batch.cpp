// SPDX-License-Identifier: Apache-2.0
// Runs a model that onnx-pad-outputs wrote, and goes through what it found in each image.
//
//     onnxruntime_batch PADDED.onnx
//
// The model is examples/data/shapes_b3.onnx, padded: it finds circles (1), squares (2) and triangles (3) in three
// images.

#include <padbatch/adapters/onnxruntime.hpp>

#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr int height = 192;
constexpr int width = 256;

// Colours the pixels of one image that are `inside`.
template <class Inside>
void paint(std::vector<float>& pixels, int image, int channel, const Inside& inside)
{
    for (int c = 0; c < 3; ++c) {
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                if (inside(x, y)) {
                    const int pixel = ((image * 3 + c) * height + y) * width + x;
                    pixels[static_cast<std::size_t>(pixel)] = c == channel ? 0.9F : 0.2F;
                }
            }
        }
    }
}

// Three images [3, 3, 192, 256]: nothing, a blue disc, and a green square beside a red disc.
std::vector<float> paint_images()
{
    std::vector<float> pixels(std::size_t{3} * 3 * height * width, 0.8F);
    paint(pixels, 1, 2, [](int x, int y) { return (x - 60) * (x - 60) + (y - 56) * (y - 56) < 900; });
    paint(pixels, 2, 1, [](int x, int y) { return x > 150 && x < 210 && y > 60 && y < 120; });
    paint(pixels, 2, 0, [](int x, int y) { return (x - 70) * (x - 70) + (y - 120) * (y - 120) < 1600; });
    return pixels;
}

} // namespace

int main(int, char** argv)
{
    using namespace padbatch;
    const Ort::Env env(ORT_LOGGING_LEVEL_ERROR);
    Ort::Session session(env, argv[1], Ort::SessionOptions{});
    const onnxruntime::contract model(session);

    std::vector<float> pixels = paint_images();
    const std::int64_t shape[] = {3, 3, height, width};
    const auto input = onnxruntime::value(tensor_ref(pixels.data(), std::span<const std::int64_t>(shape)));
    const char* const input_name = "images";
    const auto names = model.output_names();
    const auto outputs = session.Run({}, &input_name, &input, 1, names.data(), names.size());

    const auto batch = onnxruntime::detections<boxes<const float>, labels<const std::int64_t>, scores<const float>,
                                               masks<const float>>(model, outputs);
    for (std::size_t i = 0; i < batch.size(); ++i) {
        std::printf("image %zu: %zu of %zu rows are real\n", i, batch.count(i), batch.capacity());
        for (const auto& [box, label, score, mask] : batch.image(i)) {
            const float center = mask(0, (box[1] + box[3]) / 2, (box[0] + box[2]) / 2);
            std::printf("  class %d, score %.1f, x %.0f to %.0f, y %.0f to %.0f, mask %.1f at the center\n",
                        static_cast<int>(label), score, box[0], box[2], box[1], box[3], center);
        }
    }
}
