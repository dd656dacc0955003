#ifndef PADBATCH_TESTS_SUPPORT_PARSE_MODEL_HPP
#define PADBATCH_TESTS_SUPPORT_PARSE_MODEL_HPP

#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

#include <stdexcept>
#include <string>

namespace padbatch::test {

/// The model that a text in ONNX's own textual syntax describes, such as
/// `<ir_version: 7, opset_import: ["" : 13]> g (float[n,4] x) => (float[n,4] y) { y = Identity(x) }`.
inline onnx::ModelProto parse_model(const std::string& text)
{
    onnx::ModelProto model;
    const auto status = onnx::OnnxParser::Parse(model, text.c_str());
    if (!status.IsOK()) {
        throw std::runtime_error("the test's model text does not parse: " + status.ErrorMessage());
    }
    return model;
}

} // namespace padbatch::test

#endif
