// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arguments.hpp>
#include <_arrays/arrays.hpp>

#include <cmath>
#include <limits>
#include <string>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

[[noreturn]] void refuse(nb::handle given, const char* name, const char* expected)
{
    PyErr_Clear();
    refuse_type(name + (" is " + std::string(nb::repr(given).c_str())) + "; expected " + expected);
}

/// An int, as int64; false with no exception set if it is none.
[[nodiscard]] bool read_whole(nb::handle given, std::int64_t& value)
{
    const nb::object index = nb::steal(PyNumber_Index(given.ptr()));
    if (!index.is_valid()) {
        PyErr_Clear();
        return false;
    }
    int over = 0;
    value = PyLong_AsLongLongAndOverflow(index.ptr(), &over);
    if (over != 0) {
        value = over > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
    }
    return true;
}

} // namespace

double number(nb::handle given, const char* name)
{
    const double value = PyFloat_AsDouble(given.ptr());
    if (value == -1 && PyErr_Occurred() != nullptr) {
        refuse(given, name, "a number");
    }
    return value;
}

float float_number(nb::handle given, const char* name)
{
    const double value = number(given, name);
    if (std::isfinite(value) && std::fabs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
        refuse_value(name + (" is " + std::string(nb::repr(given).c_str())) +
                     "; expected a number that float32 can hold");
    }
    return static_cast<float>(value);
}

std::int64_t whole_number(nb::handle given, const char* name)
{
    std::int64_t value = 0;
    if (!read_whole(given, value)) {
        refuse(given, name, "a whole number");
    }
    return value;
}

at_most row_limit(nb::handle given, const char* name)
{
    if (given.is_none()) {
        return at_most(std::numeric_limits<std::size_t>::max());
    }
    const std::int64_t rows = whole_number(given, name);
    if (rows < 0) {
        refuse_value(name + (" is " + std::to_string(rows)) + "; expected 0 or more rows, or None for all of them");
    }
    return at_most(static_cast<std::size_t>(rows));
}

image_size size_of_image(nb::handle given, const char* name)
{
    std::int64_t sides[2] = {};
    bool fits = PySequence_Check(given.ptr()) != 0 && PySequence_Size(given.ptr()) == 2;
    for (Py_ssize_t k = 0; fits && k < 2; ++k) {
        const nb::object side = nb::steal(PySequence_GetItem(given.ptr(), k));
        fits = side.is_valid() && read_whole(side, sides[k]);
    }
    if (!fits) {
        refuse(given, name, "(height, width), two whole numbers of pixels");
    }
    for (const std::int64_t side : sides) {
        if (side < 0) {
            refuse_value(name + (" is " + std::string(nb::repr(given).c_str())) +
                         "; expected a height and a width of 0 or more pixels");
        }
    }
    return {sides[0], sides[1]};
}

std::size_t choice(nb::handle given, const char* name, std::initializer_list<const char*> choices)
{
    std::string expected;
    std::size_t number = 0;
    for (const char* const one : choices) {
        if (PyUnicode_Check(given.ptr()) && PyUnicode_CompareWithASCIIString(given.ptr(), one) == 0) {
            return number;
        }
        expected += (expected.empty() ? "'" : ", '") + std::string(one) + "'";
        ++number;
    }
    refuse_value(name + (" is " + std::string(nb::repr(given).c_str())) + "; expected one of " + expected);
}

} // namespace padbatch::python
