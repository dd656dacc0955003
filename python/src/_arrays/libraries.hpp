// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_ARRAYS_LIBRARIES_HPP
#define PADBATCH_PYTHON_ARRAYS_LIBRARIES_HPP

#include <padbatch/element_type.hpp>

#include <nanobind/nanobind.h>

#include <cstddef>

/// NumPy and torch, as far as arrays need them.
namespace padbatch::python {

inline constexpr std::size_t type_count = static_cast<std::size_t>(element_type::boolean) + 1;

/// What is needed of NumPy.
struct numpy_parts {
    nanobind::object ndarray, empty, zeros;
    nanobind::object types[type_count]; // null for bfloat16

    numpy_parts();
    /// Looked up once; outlives the interpreter.
    static const numpy_parts& get();
};

/// Whether an array of a subclass of NumPy's is a masked one.
[[nodiscard]] bool is_masked(nanobind::handle array);

/// What is needed of torch.
struct torch_parts {
    nanobind::object tensor, strided, empty, zeros;
    nanobind::object types[type_count]; // null for what this version does not have
    nanobind::object names, cpu;        // of the keywords of empty and zeros: dtype, device
    nanobind::object dtype, shape, stride, layout, is_cpu, is_neg, resolve_neg, data_ptr; // names of attributes

    explicit torch_parts(nanobind::handle torch);
    /// Null if the program has not imported torch; then there are no tensors.
    static const torch_parts* get();
};

/// An object's attribute, by a name that was made before.
[[nodiscard]] nanobind::object get(nanobind::handle of, const nanobind::object& name);
/// Calls a method without arguments.
[[nodiscard]] nanobind::object call(nanobind::handle of, const nanobind::object& name);

} // namespace padbatch::python

#endif
