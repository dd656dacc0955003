// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arrays.hpp>
#include <_arrays/libraries.hpp>

#include <string>
#include <utility>

namespace nb = nanobind;

namespace padbatch::python {

numpy_parts::numpy_parts()
{
    const nb::module_ numpy = nb::module_::import_("numpy");
    ndarray = numpy.attr("ndarray");
    empty = numpy.attr("empty");
    zeros = numpy.attr("zeros");
    for (std::size_t k = 0; k < type_count; ++k) {
        const auto type = static_cast<element_type>(k);
        if (type != element_type::bfloat16) {
            types[k] = numpy.attr("dtype")(name_of(type));
        }
    }
}

const numpy_parts& numpy_parts::get()
{
    // Not made where it is declared: a thread that waits for that holds the interpreter's lock, which the one that
    // makes it may have given up, since it runs Python's code.
    static const numpy_parts* parts = nullptr;
    if (parts == nullptr) {
        parts = new numpy_parts; // outlives the interpreter
    }
    return *parts;
}

bool is_masked(nb::handle array)
{
    // NumPy imports this when it is used.
    PyObject* const module = PyDict_GetItemString(PyImport_GetModuleDict(), "numpy.ma");
    const nb::object type = module == nullptr ? nb::object() : nb::getattr(module, "MaskedArray", nb::object());
    return type.is_valid() && PyObject_TypeCheck(array.ptr(), reinterpret_cast<PyTypeObject*>(type.ptr())) != 0;
}

torch_parts::torch_parts(nb::handle torch)
{
    tensor = torch.attr("Tensor");
    strided = torch.attr("strided");
    empty = torch.attr("empty");
    zeros = torch.attr("zeros");
    for (std::size_t k = 0; k < type_count; ++k) {
        types[k] = nb::getattr(torch, name_of(static_cast<element_type>(k)), nb::object());
    }
    names = nb::make_tuple("dtype", "device");
    cpu = nb::str("cpu");
    const std::pair<nb::object*, const char*> attributes[] = {
        {&dtype, "dtype"},   {&shape, "shape"},   {&stride, "stride"},           {&layout, "layout"},
        {&is_cpu, "is_cpu"}, {&is_neg, "is_neg"}, {&resolve_neg, "resolve_neg"}, {&data_ptr, "data_ptr"}};
    for (const auto& [attribute, name] : attributes) {
        *attribute = nb::steal(PyUnicode_InternFromString(name));
    }
}

const torch_parts* torch_parts::get()
{
    static const torch_parts* parts = nullptr;
    if (parts == nullptr) {
        PyObject* const modules = PyImport_GetModuleDict();
        PyObject* const torch = PyDict_GetItemString(modules, "torch");
        if (torch == nullptr) {
            return nullptr;
        }
        try {
            parts = new torch_parts(torch); // outlives the interpreter
        } catch (nb::python_error&) {
            return nullptr; // another thread is importing it
        }
    }
    return parts;
}

nb::object get(nb::handle of, const nb::object& name)
{
    PyObject* const found = PyObject_GetAttr(of.ptr(), name.ptr());
    if (found == nullptr) {
        nb::raise_python_error();
    }
    return nb::steal(found);
}
nb::object call(nb::handle of, const nb::object& name)
{
    PyObject* const found = PyObject_CallNoArgs(get(of, name).ptr());
    if (found == nullptr) {
        nb::raise_python_error();
    }
    return nb::steal(found);
}

made_array make_array(library where, element_type type, std::span<const std::int64_t> shape, memory_content content)
{
    nb::object extents = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(shape.size())));
    for (std::size_t k = 0; k < shape.size(); ++k) {
        PyTuple_SetItem(extents.ptr(), static_cast<Py_ssize_t>(k), PyLong_FromLongLong(shape[k]));
    }
    const auto number = static_cast<std::size_t>(type);
    const bool zeros = content == memory_content::zeros;
    if (where == library::numpy) {
        const numpy_parts& numpy = numpy_parts::get();
        if (!numpy.types[number].is_valid()) {
            refuse_type(std::string("NumPy has no arrays of ") + name_of(type) + ": give a torch tensor, or float32");
        }
        PyObject* const arguments[] = {extents.ptr(), numpy.types[number].ptr()};
        nb::object made =
            nb::steal(PyObject_Vectorcall((zeros ? numpy.zeros : numpy.empty).ptr(), arguments, 2, nullptr));
        Py_buffer buffer{};
        if (!made.is_valid() || PyObject_GetBuffer(made.ptr(), &buffer, PyBUF_WRITABLE) != 0) {
            nb::raise_python_error();
        }
        void* const data = buffer.buf;
        PyBuffer_Release(&buffer);
        return {std::move(made), data};
    }
    const torch_parts& torch = *torch_parts::get();
    if (!torch.types[number].is_valid()) {
        refuse_type(std::string("this version of torch has no tensors of ") + name_of(type) + ": give a NumPy array");
    }
    PyObject* const arguments[] = {extents.ptr(), torch.types[number].ptr(), torch.cpu.ptr()};
    nb::object made =
        nb::steal(PyObject_Vectorcall((zeros ? torch.zeros : torch.empty).ptr(), arguments, 1, torch.names.ptr()));
    if (!made.is_valid()) {
        nb::raise_python_error();
    }
    void* const data = PyLong_AsVoidPtr(call(made, torch.data_ptr).ptr());
    return {std::move(made), data};
}

} // namespace padbatch::python
