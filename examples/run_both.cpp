// Runs a detection export and the model that onnx-pad-outputs made from it on the same images, and prints the outputs
// of both and the detections of each image.
//
//     run_both EXPORT.onnx PADDED.onnx

#include "padded_model.hpp"

#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// A grey picture with a few bright boxes in it, the same on every run: 3 x height x width numbers from 0 to 1.
std::vector<float> draw_picture(std::int64_t height, std::int64_t width, unsigned seed)
{
    std::vector<float> picture(static_cast<std::size_t>(3 * height * width), 0.3F);
    std::uint32_t state = 2463534242U * (seed + 1);
    const auto below = [&](std::int64_t bound) {
        state ^= state << 13U;
        state ^= state >> 17U;
        state ^= state << 5U;
        return static_cast<std::int64_t>(state % static_cast<std::uint32_t>(bound));
    };
    for (int box = 0; box < 4; ++box) {
        const std::int64_t top = below(height / 2);
        const std::int64_t left = below(width / 2);
        const std::int64_t bottom = top + 2 + below(height / 2);
        const std::int64_t right = left + 2 + below(width / 2);
        for (std::int64_t channel = 0; channel < 3; ++channel) {
            const auto value = static_cast<float>(below(256)) / 255.0F;
            for (std::int64_t y = top; y < std::min(bottom, height); ++y) {
                const auto row = picture.begin() + (channel * height + y) * width;
                std::fill(row + left, row + std::min(right, width), value);
            }
        }
    }
    return picture;
}

std::string shape_text(const std::vector<std::int64_t>& shape)
{
    std::string text;
    for (const auto extent : shape) {
        text += (text.empty() ? "[" : ", ") + std::to_string(extent);
    }
    return text.empty() ? "[]" : text + "]";
}

// A model, its outputs' names, and what it gave.
struct model {
    Ort::Session session;
    std::vector<std::string> names;
    std::vector<Ort::Value> values;

    model(Ort::Env& env, const char* path) : session(env, path, Ort::SessionOptions{}) {}

    void run()
    {
        const Ort::AllocatorWithDefaultOptions allocator;
        const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
        std::vector<std::vector<float>> pictures;
        std::vector<Ort::Value> inputs;
        std::vector<std::string> input_names;
        for (std::size_t i = 0; i < session.GetInputCount(); ++i) {
            const auto info = session.GetInputTypeInfo(i);
            auto shape = info.GetTensorTypeAndShapeInfo().GetShape();
            for (std::size_t d = shape.size() - 2; d < shape.size(); ++d) {
                shape[d] = shape[d] < 0 ? 320 : shape[d]; // left open by the export
            }
            auto& pixels = pictures.emplace_back();
            const std::int64_t images = shape.size() == 4 ? shape[0] : 1;
            for (std::int64_t b = 0; b < images; ++b) {
                const auto picture = draw_picture(shape[shape.size() - 2], shape.back(),
                                                  static_cast<unsigned>(i) + static_cast<unsigned>(b));
                pixels.insert(pixels.end(), picture.begin(), picture.end());
            }
            inputs.push_back(
                Ort::Value::CreateTensor<float>(memory, pixels.data(), pixels.size(), shape.data(), shape.size()));
            input_names.emplace_back(session.GetInputNameAllocated(i, allocator).get());
        }
        for (std::size_t i = 0; i < session.GetOutputCount(); ++i) {
            names.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
        }
        const auto pointers = [](const std::vector<std::string>& texts) {
            std::vector<const char*> list;
            for (const auto& text : texts) {
                list.push_back(text.c_str());
            }
            return list;
        };
        values = session.Run(Ort::RunOptions{nullptr}, pointers(input_names).data(), inputs.data(), inputs.size(),
                             pointers(names).data(), names.size());
    }

    void print_outputs(const char* title) const
    {
        std::printf("%s\n", title);
        for (std::size_t i = 0; i < names.size(); ++i) {
            std::printf("  %-18s %s\n", names[i].c_str(),
                        shape_text(values[i].GetTensorTypeAndShapeInfo().GetShape()).c_str());
        }
    }

    [[nodiscard]] const Ort::Value& value(const std::string& name) const
    {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) {
            throw std::runtime_error("the model has no output called " + name);
        }
        return values[static_cast<std::size_t>(found - names.begin())];
    }
};

// The rows that are real: image b's are the first count[b] of its M.
void print_detections(const model& padded)
{
    const auto names = examples::padded_names(padded.session);
    const auto& boxes = padded.value(names.at("boxes"));
    const auto& scores = padded.value(names.at("scores"));
    const auto* count = padded.value(names.at("count")).GetTensorData<std::int32_t>();
    const auto shape = boxes.GetTensorTypeAndShapeInfo().GetShape();
    for (std::int64_t b = 0; b < shape[0]; ++b) {
        std::printf("image %lld: %d of %lld rows are real\n", static_cast<long long>(b), count[b],
                    static_cast<long long>(shape[1]));
        for (std::int64_t row = 0; row < std::min(count[b], 5); ++row) {
            const float* box = boxes.GetTensorData<float>() + (b * shape[1] + row) * 4;
            std::printf("  score %.3f  box x %.1f to %.1f, y %.1f to %.1f\n",
                        scores.GetTensorData<float>()[b * shape[1] + row], box[0], box[2], box[1], box[3]);
        }
        if (count[b] > 5) {
            std::printf("  and %d more\n", count[b] - 5);
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: run_both EXPORT.onnx PADDED.onnx\n");
        return 2;
    }
    try {
        Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "run_both");
        model loose(env, argv[1]);
        model padded(env, argv[2]);
        loose.run();
        padded.run();
        loose.print_outputs("outputs before");
        padded.print_outputs("outputs after");
        print_detections(padded);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "run_both: %s\n", e.what());
        return 1;
    }
}
