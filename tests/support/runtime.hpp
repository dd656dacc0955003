// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_RUNTIME_HPP
#define PADBATCH_TESTS_SUPPORT_RUNTIME_HPP

#include <tests/support/tensor.hpp>

#include <onnxruntime_cxx_api.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace padbatch::test {

/// A model in ONNX Runtime, on one thread of the CPU.
class model_session {
public:
    model_session(const std::string& model, GraphOptimizationLevel level, const std::string& save_as = "",
                  OrtLoggingLevel logged = ORT_LOGGING_LEVEL_ERROR)
    {
        Ort::SessionOptions options;
        options.SetIntraOpNumThreads(1);
        options.SetGraphOptimizationLevel(level);
        options.SetLogSeverityLevel(logged);
        if (!save_as.empty()) {
            options.SetOptimizedModelFilePath(save_as.c_str());
        }
        m_session = Ort::Session(environment(), model.data(), model.size(), options);
        const Ort::AllocatorWithDefaultOptions allocator;
        for (std::size_t i = 0; i < m_session.GetInputCount(); ++i) {
            m_inputs.emplace_back(m_session.GetInputNameAllocated(i, allocator).get());
            const auto info = m_session.GetInputTypeInfo(i);
            m_input_shapes.push_back(info.GetTensorTypeAndShapeInfo().GetShape());
            m_input_types.push_back(info.GetTensorTypeAndShapeInfo().GetElementType());
        }
        for (std::size_t i = 0; i < m_session.GetOutputCount(); ++i) {
            m_outputs.emplace_back(m_session.GetOutputNameAllocated(i, allocator).get());
        }
    }

    [[nodiscard]] const std::vector<std::string>& outputs() const { return m_outputs; }
    /// The shapes of the inputs, with -1 for an extent that the model leaves open.
    [[nodiscard]] const std::vector<std::vector<std::int64_t>>& input_shapes() const { return m_input_shapes; }

    /// The names of the inputs that every run must have.
    [[nodiscard]] const std::vector<std::string>& inputs() const { return m_inputs; }

    /// The outputs by name, for inputs in the model's order (float, or int64 that is converted), and others by
    /// name.
    std::map<std::string, tensor> run(std::vector<std::vector<float>>& images,
                                      const std::vector<std::vector<std::int64_t>>& shapes,
                                      std::map<std::string, tensor> named = {})
    {
        const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
        std::vector<Ort::Value> values;
        std::vector<std::vector<std::int64_t>> integers;
        integers.reserve(images.size());
        std::vector<const char*> input_names;
        for (std::size_t i = 0; i < images.size(); ++i) {
            if (m_input_types.at(i) == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64) {
                integers.emplace_back(images[i].begin(), images[i].end());
                values.push_back(Ort::Value::CreateTensor<std::int64_t>(
                    memory, integers.back().data(), integers.back().size(), shapes[i].data(), shapes[i].size()));
            } else {
                values.push_back(Ort::Value::CreateTensor<float>(memory, images[i].data(), images[i].size(),
                                                                 shapes[i].data(), shapes[i].size()));
            }
            input_names.push_back(m_inputs.at(i).c_str());
        }
        for (auto& [name, value] : named) {
            values.push_back(Ort::Value::CreateTensor(memory, value.bytes.data(), value.bytes.size(),
                                                      value.shape.data(), value.shape.size(),
                                                      static_cast<ONNXTensorElementDataType>(value.type)));
            input_names.push_back(name.c_str());
        }
        std::vector<const char*> output_names;
        for (const auto& name : m_outputs) {
            output_names.push_back(name.c_str());
        }
        const auto results = m_session.Run(Ort::RunOptions{nullptr}, input_names.data(), values.data(), values.size(),
                                           output_names.data(), output_names.size());
        std::map<std::string, tensor> outputs;
        for (std::size_t i = 0; i < results.size(); ++i) {
            const auto info = results[i].GetTensorTypeAndShapeInfo();
            tensor t{info.GetElementType(), info.GetShape(), {}};
            t.bytes.resize(info.GetElementCount() * element_size(t.type));
            if (!t.bytes.empty()) {
                std::memcpy(t.bytes.data(), results[i].GetTensorRawData(), t.bytes.size());
            }
            outputs.emplace(m_outputs[i], std::move(t));
        }
        return outputs;
    }

private:
    static Ort::Env& environment()
    {
        static Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "padbatch");
        return env;
    }

    Ort::Session m_session{nullptr};
    std::vector<std::string> m_inputs;
    std::vector<std::string> m_outputs;
    std::vector<std::vector<std::int64_t>> m_input_shapes;
    std::vector<ONNXTensorElementDataType> m_input_types;
};

} // namespace padbatch::test

#endif
