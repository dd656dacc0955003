// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_EXAMPLES_SESSION_HPP
#define PADBATCH_EXAMPLES_SESSION_HPP

// ONNX Runtime's part of the examples: pictures into a model, its outputs, its metadata.

#include "picture.hpp"

#include <onnxruntime_cxx_api.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace examples {

// Pictures as one tensor [B, 3, H, W].
struct image_batch {
    std::vector<float> pixels;
    std::array<std::int64_t, 4> shape{};

    explicit image_batch(const std::vector<picture>& images)
        : shape{static_cast<std::int64_t>(images.size()), 3, images.at(0).height(), images.at(0).width()}
    {
        for (const auto& image : images) {
            if (image.height() != shape[2] || image.width() != shape[3]) {
                throw std::runtime_error("the images have different sizes");
            }
            pixels.insert(pixels.end(), image.numbers().begin(), image.numbers().end());
        }
    }
};

// All outputs of a model, in its order.
struct named_outputs {
    std::vector<std::string> names;
    std::vector<Ort::Value> values;
};

inline named_outputs run(Ort::Session& session, image_batch& images)
{
    const Ort::AllocatorWithDefaultOptions allocator;
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
    const auto input = Ort::Value::CreateTensor<float>(memory, images.pixels.data(), images.pixels.size(),
                                                       images.shape.data(), images.shape.size());
    const auto input_name = session.GetInputNameAllocated(0, allocator);
    const char* const input_names[] = {input_name.get()};
    std::vector<std::string> names;
    std::vector<const char*> name_texts;
    for (std::size_t i = 0; i < session.GetOutputCount(); ++i) {
        names.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
    }
    for (const auto& name : names) {
        name_texts.push_back(name.c_str());
    }
    auto values = session.Run(Ort::RunOptions{nullptr}, input_names, &input, 1, name_texts.data(), name_texts.size());
    return {std::move(names), std::move(values)};
}

// The names of a model's classes by label, from its metadata; a label without a name has its number.
class class_names {
public:
    explicit class_names(const Ort::Session& session)
    {
        const Ort::AllocatorWithDefaultOptions allocator;
        const auto entry = session.GetModelMetadata().LookupCustomMetadataMapAllocated("classes", allocator);
        const std::string text = std::string(entry ? entry.get() : "") + ",";
        for (std::size_t begin = 0; begin < text.size() && text != ","; begin = text.find(',', begin) + 1) {
            m_names.push_back(text.substr(begin, text.find(',', begin) - begin));
        }
    }

    [[nodiscard]] std::string operator[](std::int64_t label) const
    {
        const auto known = label >= 0 && label < static_cast<std::int64_t>(m_names.size());
        return known ? m_names[static_cast<std::size_t>(label)] : "label " + std::to_string(label);
    }

private:
    std::vector<std::string> m_names;
};

} // namespace examples

#endif
