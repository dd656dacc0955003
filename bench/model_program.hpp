// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_BENCH_MODEL_PROGRAM_HPP
#define PADBATCH_BENCH_MODEL_PROGRAM_HPP

#include <tests/support/scenes.hpp>

#include <onnxruntime_cxx_api.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace padbatch::bench {

inline Ort::Env& environment()
{
    static Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "padbatch");
    return env;
}

// A model in ONNX Runtime, with inputs that stay the same.
class program {
public:
    // On as many threads as there are cores, unless `threads` says otherwise.
    explicit program(const std::string& path, int threads = 0)
    {
        Ort::SessionOptions options;
        options.SetIntraOpNumThreads(threads);
        options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
        // Spinning threads would take the cores from other sessions.
        options.AddConfigEntry("session.intra_op.allow_spinning", "0");
        m_session = Ort::Session(environment(), path.c_str(), options);
        const Ort::AllocatorWithDefaultOptions allocator;
        for (std::size_t i = 0; i < m_session.GetOutputCount(); ++i) {
            m_outputs.emplace_back(m_session.GetOutputNameAllocated(i, allocator).get());
        }
    }

    // Bytes of the model's i-th input, in the order of the file.
    void set_input(const std::vector<std::int64_t>& shape, ONNXTensorElementDataType type, std::size_t element_size)
    {
        std::size_t bytes = element_size;
        for (const auto extent : shape) {
            bytes *= static_cast<std::size_t>(extent);
        }
        const Ort::AllocatorWithDefaultOptions allocator;
        m_inputs.emplace_back(m_session.GetInputNameAllocated(m_inputs.size(), allocator).get());
        m_data.emplace_back(bytes);
        const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
        m_values.push_back(
            Ort::Value::CreateTensor(memory, m_data.back().data(), bytes, shape.data(), shape.size(), type));
    }

    // Images, [B, 3, H, W], as the model's only input: the scene with which bench/export_models.py set the score
    // threshold, in which a model finds about ten rows.
    void set_scenes(const std::vector<std::int64_t>& shape)
    {
        set_input(shape, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, sizeof(float));
        const auto pixels = padbatch::test::scene(1, static_cast<int>(shape[2]), static_cast<int>(shape[3]));
        for (std::int64_t image = 0; image < shape[0]; ++image) {
            std::memcpy(m_data.back().data() + static_cast<std::size_t>(image) * pixels.size() * sizeof(float),
                        pixels.data(), pixels.size() * sizeof(float));
        }
    }

    [[nodiscard]] const Ort::Session& session() const { return m_session; }

    [[nodiscard]] std::vector<std::int64_t> input_shape() const
    {
        const auto info = m_session.GetInputTypeInfo(0);
        return info.GetTensorTypeAndShapeInfo().GetShape();
    }

    std::vector<char>& input_data() { return m_data.back(); }

    std::vector<Ort::Value> run()
    {
        std::vector<const char*> inputs;
        std::vector<const char*> outputs;
        for (const auto& name : m_inputs) {
            inputs.push_back(name.c_str());
        }
        for (const auto& name : m_outputs) {
            outputs.push_back(name.c_str());
        }
        return m_session.Run(Ort::RunOptions{nullptr}, inputs.data(), m_values.data(), m_values.size(), outputs.data(),
                             outputs.size());
    }

private:
    Ort::Session m_session{nullptr};
    std::vector<std::string> m_inputs;
    std::vector<std::string> m_outputs;
    std::vector<std::vector<char>> m_data;
    std::vector<Ort::Value> m_values;
};

/// The most resident memory that this process has had. getrusage would not do: it starts from what the process held
/// before it became this program.
inline double peak_resident_megabytes()
{
    std::ifstream status("/proc/self/status");
    std::string word;
    double kilobytes = 0;
    while (status >> word) {
        if (word == "VmHWM:") {
            status >> kilobytes;
        }
    }
    return kilobytes / 1024;
}

/// Runs a command and returns the number that it prints.
inline double megabytes_printed_by(std::vector<std::string> command)
{
    std::vector<char*> arguments;
    for (auto& argument : command) {
        arguments.push_back(argument.data());
    }
    arguments.push_back(nullptr);
    int ends[2];
    if (::pipe(ends) != 0) {
        throw std::runtime_error("no pipe");
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    std::string text(64, '\0');
    const auto size = ::read(ends[0], text.data(), text.size());
    ::close(ends[0]);
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0 || size <= 0) {
        throw std::runtime_error("the process that measures memory failed");
    }
    return std::strtod(text.c_str(), nullptr);
}

} // namespace padbatch::bench

#endif
