// SPDX-License-Identifier: Apache-2.0
#include <_rewrite/failures.hpp>

#include <onnx_tools/utf8.hpp>

namespace nb = nanobind;

namespace padbatch::python {
namespace {

const char* name_of(onnx_tools::failure kind)
{
    using onnx_tools::failure;
    switch (kind) {
    case failure::usage: return "usage";
    case failure::io: return "io";
    case failure::not_onnx: return "not_onnx";
    case failure::refused: return "refused";
    case failure::internal: break;
    }
    return "internal";
}

} // namespace

nb::object text(std::string_view text)
{
    PyObject* const made = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
    if (made == nullptr) {
        throw nb::python_error();
    }
    return nb::steal(made);
}

nb::object error_for(const onnx_tools::tool_error& failure)
{
    const auto& parts = failure.parts();
    return nb::module_::import_("padbatch._errors")
        .attr("from_rewrite")(text(onnx_tools::printable(parts.found)), text(onnx_tools::printable(parts.expected)),
                              text(onnx_tools::printable(parts.remedy)), name_of(failure.kind()));
}

void raise(const onnx_tools::tool_error& failure)
{
    const nb::object error = error_for(failure);
    PyErr_SetObject(error.type().ptr(), error.ptr());
    throw nb::python_error();
}

} // namespace padbatch::python
