// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_OPENVINO_MODEL_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_OPENVINO_MODEL_HPP

#include <tests/support/tensor.hpp>

#include <openvino/openvino.hpp>

#include <cstddef>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace padbatch::test {

/// A model's inputs: floats, in order.
struct model_input {
    std::vector<std::vector<float>> data;
    std::vector<ov::Shape> shapes;
};

/// A model in OpenVINO, on one thread of the CPU, configured so that a value depends only on the values that it is
/// computed from.
class openvino_model {
public:
    /// Throws `ov::Exception` for a model that OpenVINO does not load.
    explicit openvino_model(const std::string& model)
    {
        // Snippets, code generated for several nodes at once, differ between the body of a Loop and the graph around
        // it, and round differently: the last bits of a sum would depend on whether there is a Loop.
        m_compiled = core().compile_model(core().read_model(model, ov::Tensor()), "CPU",
                                          {ov::inference_num_threads(1),
                                           ov::num_streams(1),
                                           ov::hint::inference_precision(ov::element::f32),
                                           {"SNIPPETS_MODE", "DISABLE"}});
        m_request = m_compiled.create_infer_request();
    }

    /// The names of each output, in order.
    [[nodiscard]] std::vector<std::set<std::string>> outputs() const
    {
        std::vector<std::set<std::string>> all;
        for (const auto& output : m_compiled.outputs()) {
            all.emplace_back(output.get_names().begin(), output.get_names().end());
        }
        return all;
    }

    /// The extents of an input; -1 if the model takes any size.
    [[nodiscard]] std::vector<std::int64_t> input_shape(std::size_t i) const
    {
        std::vector<std::int64_t> shape;
        for (const auto& extent : m_compiled.input(i).get_partial_shape()) {
            shape.push_back(extent.is_static() ? extent.get_length() : -1);
        }
        return shape;
    }

    /// The outputs by name; an output with several names is listed under each. Further inputs are given by name.
    std::map<std::string, tensor> run(model_input& input, std::map<std::string, tensor> named = {})
    {
        for (auto& [name, value] : named) {
            const ov::Shape shape(value.shape.begin(), value.shape.end());
            const auto type = value.type == onnx_number::int32 ? ov::element::i32 : ov::element::f32;
            m_request.set_tensor(name, ov::Tensor(type, shape, value.bytes.data()));
        }
        for (std::size_t i = 0; i < input.data.size(); ++i) {
            m_request.set_input_tensor(i, ov::Tensor(ov::element::f32, input.shapes.at(i), input.data[i].data()));
        }
        m_request.infer();
        std::map<std::string, tensor> all;
        for (std::size_t i = 0; i < m_compiled.outputs().size(); ++i) {
            const auto value = m_request.get_output_tensor(i);
            const ov::Shape& shape = value.get_shape();
            tensor t{number_of(value.get_element_type()), {shape.begin(), shape.end()}, {}};
            t.bytes.resize(value.get_byte_size());
            if (!t.bytes.empty()) {
                std::memcpy(t.bytes.data(), value.data(), t.bytes.size());
            }
            for (const auto& name : m_compiled.output(i).get_names()) {
                all[name] = t;
            }
        }
        return all;
    }

private:
    static ov::Core& core()
    {
        static ov::Core all;
        return all;
    }

    static int number_of(ov::element::Type type)
    {
        switch (type) {
        case ov::element::Type_t::f32: return onnx_number::float32;
        case ov::element::Type_t::f64: return onnx_number::float64;
        case ov::element::Type_t::f16: return onnx_number::float16;
        case ov::element::Type_t::i32: return onnx_number::int32;
        case ov::element::Type_t::i64: return onnx_number::int64;
        case ov::element::Type_t::u8: return onnx_number::uint8;
        case ov::element::Type_t::boolean: return onnx_number::boolean;
        default: throw std::runtime_error("no test model has the element type " + type.get_type_name());
        }
    }

    ov::CompiledModel m_compiled;
    ov::InferRequest m_request;
};

} // namespace padbatch::test

#endif
