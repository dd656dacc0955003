// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_ARRAYS_ARGUMENTS_HPP
#define PADBATCH_PYTHON_ARRAYS_ARGUMENTS_HPP

#include <padbatch/detection/at_most.hpp>
#include <padbatch/detection/image_size.hpp>

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

/// Arguments that are not arrays. Each function takes what Python was given and the argument's name, and throws a
/// TypeError with both if it is of another kind.
namespace padbatch::python {

/// An argument of any kind, None too: the function itself says what it expects.
[[nodiscard]] inline auto any(const char* name)
{
    return nanobind::arg(name).none();
}

/// A number: a float, an int, a scalar of NumPy, a tensor of one number.
[[nodiscard]] double number(nanobind::handle given, const char* name);

/// A number that is used as a float; ValueError if it is finite, but not as a float.
[[nodiscard]] float float_number(nanobind::handle given, const char* name);

/// A whole number: an int, or what has `__index__`.
[[nodiscard]] std::int64_t whole_number(nanobind::handle given, const char* name);

/// How many rows at most: a whole number from 0 on, or None for all of them.
[[nodiscard]] at_most row_limit(nanobind::handle given, const char* name);

/// The size of an image: height and width, two whole numbers.
[[nodiscard]] image_size size_of_image(nanobind::handle given, const char* name);

/// A string's number in a list; ValueError, with the list, if it is not in it.
[[nodiscard]] std::size_t choice(nanobind::handle given, const char* name, std::initializer_list<const char*> choices);

} // namespace padbatch::python

#endif
