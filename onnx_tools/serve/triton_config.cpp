// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/serve/triton_config.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/utf8.hpp>

#include <climits>

namespace padbatch::onnx_tools {
namespace {

// A text as protobuf's text format quotes it.
std::string in_text_format(const std::string& text)
{
    std::string escaped = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            escaped += {'\\', c};
        } else if (byte >= ' ' && byte < 0x7f) {
            escaped += c;
        } else {
            const auto octal = [](int digit) { return static_cast<char>('0' + (digit & 7)); };
            escaped += {'\\', octal(byte >> 6), octal(byte >> 3), octal(byte)};
        }
    }
    return escaped + "\"";
}

// Triton's name for an element type; null if it has none.
const char* triton_type(int data_type)
{
    switch (data_type) {
    case onnx::TensorProto::BOOL: return "TYPE_BOOL";
    case onnx::TensorProto::UINT8: return "TYPE_UINT8";
    case onnx::TensorProto::UINT16: return "TYPE_UINT16";
    case onnx::TensorProto::UINT32: return "TYPE_UINT32";
    case onnx::TensorProto::UINT64: return "TYPE_UINT64";
    case onnx::TensorProto::INT8: return "TYPE_INT8";
    case onnx::TensorProto::INT16: return "TYPE_INT16";
    case onnx::TensorProto::INT32: return "TYPE_INT32";
    case onnx::TensorProto::INT64: return "TYPE_INT64";
    case onnx::TensorProto::FLOAT16: return "TYPE_FP16";
    case onnx::TensorProto::FLOAT: return "TYPE_FP32";
    case onnx::TensorProto::DOUBLE: return "TYPE_FP64";
    case onnx::TensorProto::BFLOAT16: return "TYPE_BF16";
    case onnx::TensorProto::STRING: return "TYPE_STRING";
    default: return nullptr;
    }
}

// `[ 2, 4 ]`, or `[ ]`
std::string text_of(const std::vector<std::int64_t>& dims)
{
    const auto list = joined(dims, ", ", [](std::int64_t dim) { return std::to_string(dim); });
    return dims.empty() ? "[ ]" : "[ " + list + " ]";
}

class config_writer {
public:
    config_writer(const onnx::ModelProto& model, const triton_options& options)
        : m_index(model.graph()), m_ranks(m_index), m_options(options),
          m_max_batch_size(joins_requests(model) ? options.max_batch_size : 0)
    {
    }

    std::string text()
    {
        std::vector<std::string> inputs;
        for (const auto* input : m_index.required_inputs()) {
            inputs.push_back(tensor(*input, true));
        }
        std::vector<std::string> outputs;
        for (const auto& output : m_index.graph().output()) {
            outputs.push_back(tensor(output, false));
        }
        return "name: " + in_text_format(m_options.model_name) +
               "\nbackend: \"onnxruntime\"\nmax_batch_size: " + std::to_string(m_max_batch_size) + "\n" +
               list("input", inputs) + list("output", outputs) + (m_max_batch_size > 0 ? "dynamic_batching { }\n" : "");
    }

private:
    [[noreturn]] static void cannot_serve(const std::string& what, const std::string& remedy)
    {
        throw tool_error(failure::refused, {what, "tensors that Triton can serve", remedy});
    }

    static std::string list(const std::string& name, const std::vector<std::string>& tensors)
    {
        if (tensors.empty()) {
            return "";
        }
        std::string text = name + " [\n";
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            text += tensors[i] + (i + 1 < tensors.size() ? ",\n" : "\n");
        }
        return text + "]\n";
    }

    // All extents of a tensor, with -1 for open ones.
    std::vector<std::int64_t> extents(const onnx::ValueInfoProto& info, const std::string& what)
    {
        const auto type = declared_type(info);
        const auto rank = type.rank ? type.rank : m_ranks.rank_of(info.name());
        if (!rank) {
            cannot_serve(what + " declares no shape",
                         "declare it: onnx.shape_inference.infer_shapes in Python finds most shapes");
        }
        std::vector<std::int64_t> dims(static_cast<std::size_t>(*rank), -1);
        for (std::size_t d = 0; d < type.shape.size(); ++d) {
            dims[d] = type.shape[d].size.value_or(-1);
            if (dims[d] == 0) {
                cannot_serve(what + " is always empty: it has an extent of 0", "leave it out of the model");
            }
        }
        return dims;
    }

    std::string tensor(const onnx::ValueInfoProto& info, bool is_input)
    {
        const std::string what = std::string(is_input ? "the input " : "the output ") + quoted(info.name());
        if (!info.type().has_tensor_type()) {
            cannot_serve(what + " is not a tensor, or declares no type",
                         "leave it out of the model, or declare its type");
        }
        const int data_type = info.type().tensor_type().elem_type();
        const char* type = triton_type(data_type);
        if (type == nullptr) {
            cannot_serve(what + " is " + onnx_type_name(data_type) + ", which Triton has no name for",
                         "cast it to another type in the model");
        }
        auto dims = extents(info, what);
        std::string reshape;
        if (m_max_batch_size > 0) {
            dims.erase(dims.begin());
        }
        // Triton wants at least one dimension. One number for each image is reshaped; a single number is only possible
        // as an output.
        if (dims.empty()) {
            if (m_max_batch_size > 0) {
                reshape = "    reshape { shape: [ ] }\n";
            } else if (is_input) {
                cannot_serve(what + " is a single number without dimensions", "give it one dimension in the model");
            }
            dims.push_back(1);
        }
        return "  {\n    name: " + in_text_format(info.name()) + "\n    data_type: " + type +
               "\n    dims: " + text_of(dims) + "\n" + reshape + "  }";
    }

    graph_index m_index;
    rank_finder m_ranks;
    const triton_options& m_options;
    std::int64_t m_max_batch_size;
};

} // namespace

void require_sensible(const triton_options& options)
{
    const auto& name = options.model_name;
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos || !is_plain_text(name)) {
        throw tool_error(failure::usage, {quoted(name) + " is not a valid name for a model",
                                          "a name that a folder in the repository can have: not empty, UTF-8, without "
                                          "'/' or control characters, and not beginning with '.'",
                                          "give another `model_name`, such as maskrcnn"});
    }
    if (options.max_batch_size < 0 || options.max_batch_size > INT_MAX) {
        throw tool_error(failure::usage,
                         {"`max_batch_size` is " + std::to_string(options.max_batch_size),
                          "a number from 0 to " + std::to_string(INT_MAX), "give another `max_batch_size`"});
    }
}

std::string triton_config(const onnx::ModelProto& model, const triton_options& options)
{
    require_sensible(options);
    return config_writer(model, options).text();
}

} // namespace padbatch::onnx_tools
