// SPDX-License-Identifier: Apache-2.0
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

/// A model whose outputs, b, l and s, are its inputs: boxes (called `first_input`), labels and scores. Nothing in it
/// limits the rows.
inline onnx::ModelProto identity_model(const std::string& first_input)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] " + first_input +
                       ", int64[n] y, float[n] z) => (float[n,4] b, int64[n] l, float[n] s) { b = Identity(" +
                       first_input + ") l = Identity(y) s = Identity(z) }");
}

} // namespace padbatch::test

#endif
