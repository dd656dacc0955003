// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arrays.hpp>
#include <_arrays/pad_input.hpp>

#include <nanobind/stl/string.h>

namespace nb = nanobind;

namespace padbatch::python {

const padding_numpy& numpy()
{
    static const padding_numpy* names = nullptr; // made as numpy_parts are
    if (names == nullptr) {
        names = new padding_numpy; // not destroyed: Python may be gone by then
    }
    return *names;
}

namespace {

[[nodiscard]] nb::object dtype_of(nb::handle array)
{
    PyObject* const type = PyObject_GetAttr(array.ptr(), numpy().dtype.ptr());
    if (type == nullptr) {
        throw nb::python_error();
    }
    return nb::steal(type);
}

[[nodiscard]] bool is_array(nb::handle x) noexcept
{
    return reinterpret_cast<PyObject*>(Py_TYPE(x.ptr())) == numpy().array_type.ptr();
}

/// Elements that are pointers to Python's objects must not be copied as bytes.
void check_type(const field_input& field)
{
    if (nb::cast<bool>(field.dtype.attr("hasobject"))) {
        refuse_type(field.name + " has elements of type " + nb::cast<std::string>(nb::str(field.dtype)) +
                    "; expected numbers: make an array of one element type");
    }
}

/// Takes the rows of one image. Returns false for what has to be made a plain array first.
[[nodiscard]] bool take_array(field_input& field, nb::handle array, std::size_t image)
{
    if (!is_array(array)) {
        return false;
    }
    nb::object dtype = dtype_of(array);
    if (!field.dtype.is_valid()) {
        field.dtype = dtype;
        check_type(field);
    } else if (!dtype.is(field.dtype) && !dtype.equal(field.dtype)) {
        refuse_value(field.name + " of image " + std::to_string(image) + " is " +
                     nb::cast<std::string>(nb::str(dtype)) + ", but of image 0 it is " +
                     nb::cast<std::string>(nb::str(field.dtype)) +
                     ": give all images one element type, as .astype does");
    }
    field.arrays.emplace_back();
    held_buffer& held = field.arrays.back();
    held.take(array, false);
    if (held.rank() == 0) {
        refuse_value(field.name + " of image " + std::to_string(image) +
                     " is a single number; expected an array with a row for each detection, such as [n] or [n, 4]");
    }
    const held_buffer& first = field.arrays.front();
    if (!held.same_row_shape(first)) {
        refuse_value(field.name + " of image " + std::to_string(image) + " has the shape " + held.shape(true) +
                     "; expected " + first.shape(false) +
                     ", as in image 0: an image without detections needs this shape too, with n = 0");
    }
    if (!held.rows_are_blocks()) {
        return false;
    }
    return true;
}

} // namespace

bool read_lists(std::vector<field_input>& fields, const nb::tuple& lists, std::vector<std::size_t>& counts)
{
    for (std::size_t f = 0; f < fields.size(); ++f) {
        field_input& field = fields[f];
        const nb::list images = nb::borrow<nb::list>(lists[f]);
        const std::size_t size = nb::len(images);
        if (f == 0) {
            counts.resize(size);
        } else if (size != counts.size()) {
            refuse_value(field.name + " has " + std::to_string(size) + " images, but " + fields[0].name + " has " +
                         std::to_string(counts.size()) + ": give every field an array for each image");
        }
        field.arrays.reserve(size);
        field.rows.images.resize(size);
        for (std::size_t i = 0; i < size; ++i) {
            if (!take_array(field, images[i], i)) {
                return false;
            }
            const held_buffer& held = field.arrays.back();
            const std::size_t n = held.extent(0);
            if (f == 0) {
                counts[i] = n;
            } else if (n != counts[i]) {
                refuse_value("image " + std::to_string(i) + " has " + std::to_string(n) + " rows of " + field.name +
                             ", but " + std::to_string(counts[i]) + " of " + fields[0].name +
                             ": every field of an image has a row for each detection");
            }
            field.rows.images[i] = {held.data(), held.row_stride(), nullptr};
            field.rows.adjacent =
                field.rows.adjacent && (n < 2 || held.row_stride() == static_cast<std::ptrdiff_t>(held.row_bytes()));
        }
        if (size != 0) {
            field.rows.row_bytes = field.arrays.front().row_bytes();
        }
    }
    return true;
}

bool read_values(std::vector<field_input>& fields, const nb::tuple& values, std::size_t total,
                 const std::vector<std::size_t>& counts, const std::int64_t* offsets, const row_index* index)
{
    for (std::size_t f = 0; f < fields.size(); ++f) {
        field_input& field = fields[f];
        if (!take_array(field, values[f], 0)) {
            return false;
        }
        const held_buffer& held = field.arrays.back();
        if (held.extent(0) != total) {
            refuse_value(field.name + " has " + std::to_string(held.extent(0)) + " rows; expected " +
                         std::to_string(total) +
                         (index == nullptr ? ", the last offset" : ", one for each batch index"));
        }
        field.rows.row_bytes = held.row_bytes();
        field.rows.adjacent = index == nullptr && held.row_stride() == static_cast<std::ptrdiff_t>(held.row_bytes());
        field.rows.images.resize(counts.size());
        for (std::size_t i = 0; i < counts.size(); ++i) {
            field.rows.images[i] =
                index != nullptr ? image_rows{held.data(), held.row_stride(), index->rows_of(i).data()}
                                 : image_rows{held.data() + held.row_stride() * offsets[i], held.row_stride(), nullptr};
        }
    }
    return true;
}

bool read_addresses(std::vector<field_input>& fields, const nb::tuple& read, std::vector<std::size_t>& counts)
{
    for (std::size_t f = 0; f < fields.size(); ++f) {
        field_input& field = fields[f];
        const nb::tuple parts = nb::borrow<nb::tuple>(read[f]);
        if (!take_array(field, parts[0], 0)) {
            return false;
        }
        const held_buffer& like = field.arrays.front();
        const nb::list addresses = nb::borrow<nb::list>(parts[1]);
        const nb::list shapes = nb::borrow<nb::list>(parts[2]);
        const std::size_t size = nb::len(addresses);
        if (f == 0) {
            counts.resize(size);
        } else if (size != counts.size()) {
            return false;
        }
        field.rows.row_bytes = like.row_bytes();
        field.rows.images.resize(size);
        for (std::size_t i = 0; i < size; ++i) {
            const nb::tuple shape = nb::borrow<nb::tuple>(shapes[i]);
            bool matches = nb::len(shape) == like.rank();
            for (std::size_t k = 1; matches && k < like.rank(); ++k) {
                matches = nb::cast<std::size_t>(shape[k]) == like.extent(k);
            }
            if (!matches) {
                return false;
            }
            const auto n = nb::cast<std::size_t>(shape[0]);
            if (f == 0) {
                counts[i] = n;
            } else if (n != counts[i]) {
                return false;
            }
            const auto* const data = static_cast<const std::byte*>(PyLong_AsVoidPtr(nb::handle(addresses[i]).ptr()));
            if (data == nullptr && n * field.rows.row_bytes != 0) {
                PyErr_Clear();
                return false;
            }
            field.rows.images[i] = {data, static_cast<std::ptrdiff_t>(field.rows.row_bytes), nullptr};
        }
    }
    return true;
}

} // namespace padbatch::python
