// SPDX-License-Identifier: Apache-2.0
// Padding of fields whose types and shapes are known at run time: rows are blocks of bytes, and the headers' kernels
// copy and fill them.
#include <_arrays/pad_rows.hpp>
#include <_arrays/parts.hpp>

#include <padbatch/row_index.hpp>

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nb = nanobind;

namespace padbatch::python {
namespace {

/// The memory of one NumPy array, held for as long as this lives.
class held_buffer {
public:
    held_buffer() = default;
    held_buffer(held_buffer&& other) noexcept : m_view(other.m_view) { other.m_view.obj = nullptr; }
    held_buffer& operator=(held_buffer&&) = delete;
    ~held_buffer()
    {
        if (m_view.obj != nullptr) {
            PyBuffer_Release(&m_view);
        }
    }

    void take(PyObject* array, bool writable)
    {
        // Without the format, which NumPy would have to write as a text for every array.
        if (PyObject_GetBuffer(array, &m_view, writable ? PyBUF_STRIDED : PyBUF_STRIDED_RO) != 0) {
            throw nb::python_error();
        }
    }

    [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(m_view.buf); }
    [[nodiscard]] std::size_t rank() const noexcept { return static_cast<std::size_t>(m_view.ndim); }
    [[nodiscard]] std::size_t extent(std::size_t k) const noexcept { return static_cast<std::size_t>(m_view.shape[k]); }
    [[nodiscard]] std::ptrdiff_t row_stride() const noexcept { return m_view.strides[0]; }
    [[nodiscard]] std::size_t element_bytes() const noexcept { return static_cast<std::size_t>(m_view.itemsize); }
    [[nodiscard]] std::size_t row_bytes() const noexcept
    {
        std::size_t bytes = element_bytes();
        for (std::size_t k = 1; k < rank(); ++k) {
            bytes *= extent(k);
        }
        return bytes;
    }
    /// Whether the elements of a row are adjacent, in row-major order.
    [[nodiscard]] bool rows_are_blocks() const noexcept
    {
        auto expected = static_cast<std::ptrdiff_t>(element_bytes());
        for (std::size_t k = rank(); k-- > 1;) {
            if (m_view.shape[k] != 1 && m_view.strides[k] != expected) {
                return false;
            }
            expected *= m_view.shape[k];
        }
        return true;
    }
    [[nodiscard]] bool same_row_shape(const held_buffer& other) const noexcept
    {
        if (rank() != other.rank()) {
            return false;
        }
        for (std::size_t k = 1; k < rank(); ++k) {
            if (extent(k) != other.extent(k)) {
                return false;
            }
        }
        return true;
    }
    /// `[n, 1, 28, 28]`, with the number for n if there is one.
    [[nodiscard]] std::string shape(bool with_rows) const
    {
        std::string text = "[";
        for (std::size_t k = 0; k < rank(); ++k) {
            text += k == 0 ? "" : ", ";
            text += k == 0 && !with_rows ? "n" : std::to_string(extent(k));
        }
        return text + "]";
    }

private:
    Py_buffer m_view{};
};

/// What is taken from NumPy once.
struct numpy_names {
    nb::object array_type = nb::module_::import_("numpy").attr("ndarray");
    nb::object empty = nb::module_::import_("numpy").attr("empty");
    nb::object zeros = nb::module_::import_("numpy").attr("zeros");
    nb::object int32 = nb::module_::import_("numpy").attr("dtype")("int32");
    nb::object dtype = nb::str("dtype");
};

[[nodiscard]] const numpy_names& numpy()
{
    static const numpy_names* const names = new numpy_names; // not destroyed: Python may be gone by then
    return *names;
}

[[nodiscard]] nb::object dtype_of(nb::handle array)
{
    PyObject* const type = PyObject_GetAttr(array.ptr(), numpy().dtype.ptr());
    if (type == nullptr) {
        throw nb::python_error();
    }
    return nb::steal(type);
}

/// One field while it is read.
struct field_input {
    std::string name;
    nb::object dtype;
    std::vector<held_buffer> arrays;
    field_rows rows;
    /// One element of padding; empty for zero.
    std::string pad_value;
};

[[noreturn]] void refuse(const std::string& text)
{
    throw nb::value_error(text.c_str());
}

[[nodiscard]] bool is_array(nb::handle x) noexcept
{
    return reinterpret_cast<PyObject*>(Py_TYPE(x.ptr())) == numpy().array_type.ptr();
}

/// Elements that are pointers to Python's objects must not be copied as bytes.
void check_type(const field_input& field)
{
    if (nb::cast<bool>(field.dtype.attr("hasobject"))) {
        throw nb::type_error((field.name + " has elements of type " + nb::cast<std::string>(nb::str(field.dtype)) +
                              "; expected numbers: make an array of one element type")
                                 .c_str());
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
        refuse(field.name + " of image " + std::to_string(image) + " is " + nb::cast<std::string>(nb::str(dtype)) +
               ", but of image 0 it is " + nb::cast<std::string>(nb::str(field.dtype)) +
               ": give all images one element type, as .astype does");
    }
    field.arrays.emplace_back();
    held_buffer& held = field.arrays.back();
    held.take(array.ptr(), false);
    if (held.rank() == 0) {
        refuse(field.name + " of image " + std::to_string(image) +
               " is a single number; expected an array with a row for each detection, such as [n] or [n, 4]");
    }
    const held_buffer& first = field.arrays.front();
    if (!held.same_row_shape(first)) {
        refuse(field.name + " of image " + std::to_string(image) + " has the shape " + held.shape(true) +
               "; expected " + first.shape(false) +
               ", as in image 0: an image without detections needs this shape too, with n = 0");
    }
    if (!held.rows_are_blocks()) {
        return false;
    }
    return true;
}

/// Reads lists of arrays, one list for each field. Returns false if some item has to be made a plain array first.
[[nodiscard]] bool read_lists(std::vector<field_input>& fields, const nb::tuple& lists,
                              std::vector<std::size_t>& counts)
{
    for (std::size_t f = 0; f < fields.size(); ++f) {
        field_input& field = fields[f];
        const nb::list images = nb::borrow<nb::list>(lists[f]);
        const std::size_t size = nb::len(images);
        if (f == 0) {
            counts.resize(size);
        } else if (size != counts.size()) {
            refuse(field.name + " has " + std::to_string(size) + " images, but " + fields[0].name + " has " +
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
                field.rows.row_bytes = field.arrays.front().row_bytes();
            } else if (n != counts[i]) {
                refuse("image " + std::to_string(i) + " has " + std::to_string(n) + " rows of " + field.name +
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

/// Reads one array for each field, with the rows of all images: those of image i begin at row offsets[i], or are the
/// ones that `index` names.
[[nodiscard]] bool read_values(std::vector<field_input>& fields, const nb::tuple& values, std::size_t total,
                               const std::vector<std::size_t>& counts, const std::int64_t* offsets,
                               const row_index* index)
{
    for (std::size_t f = 0; f < fields.size(); ++f) {
        field_input& field = fields[f];
        if (!take_array(field, values[f], 0)) {
            return false;
        }
        const held_buffer& held = field.arrays.back();
        if (held.extent(0) != total) {
            refuse(field.name + " has " + std::to_string(held.extent(0)) + " rows; expected " + std::to_string(total) +
                   (index == nullptr ? ", the last offset" : ", one for each batch index"));
        }
        field.rows.row_bytes = held.row_bytes();
        field.rows.adjacent =
            index == nullptr && held.row_stride() == static_cast<std::ptrdiff_t>(held.row_bytes());
        field.rows.images.resize(counts.size());
        for (std::size_t i = 0; i < counts.size(); ++i) {
            field.rows.images[i] = index != nullptr
                                       ? image_rows{held.data(), held.row_stride(), index->rows_of(i).data()}
                                       : image_rows{held.data() + held.row_stride() * offsets[i], held.row_stride(),
                                                    nullptr};
        }
    }
    return true;
}

/// What is to be done with the rows that were read.
struct pad_request {
    std::int64_t capacity; // -1: the largest count of the batch
    int overflow;          // 0: refuse; 1: keep the first rows; 2: keep the rows with the best scores
    nb::tuple pad_values;  // the bytes of one element for each field, or None
};

[[nodiscard]] std::size_t find_capacity(const pad_request& request, const std::vector<std::size_t>& counts)
{
    std::size_t longest = 0;
    for (const std::size_t n : counts) {
        longest = std::max(longest, n);
    }
    if (longest > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
        refuse("an image has " + std::to_string(longest) + " rows, more than an int32 count can hold");
    }
    if (request.capacity < 0) {
        return longest;
    }
    const auto capacity = static_cast<std::size_t>(request.capacity);
    if (request.overflow == 0 && longest > capacity) {
        const auto image = static_cast<std::size_t>(std::find(counts.begin(), counts.end(), longest) - counts.begin());
        refuse("image " + std::to_string(image) + " has " + std::to_string(longest) + " rows, and the capacity is " +
               std::to_string(capacity) +
               ": make it larger, or say which rows to keep with overflow='truncate' or overflow='top_scores'");
    }
    return capacity;
}

/// A new array `[B, M, row...]`; of zeros that the system provides if it is large and padded with zeros.
[[nodiscard]] nb::object make_output(const field_input& field, std::size_t batch, std::size_t capacity, bool zeros)
{
    const held_buffer& like = field.arrays.front();
    PyObject* const shape = PyTuple_New(static_cast<Py_ssize_t>(1 + like.rank()));
    if (shape == nullptr) {
        throw nb::python_error();
    }
    const nb::tuple owned = nb::steal<nb::tuple>(shape);
    for (std::size_t k = 0; k <= like.rank(); ++k) {
        const std::size_t extent = k == 0 ? batch : k == 1 ? capacity : like.extent(k - 1);
        PyTuple_SetItem(shape, static_cast<Py_ssize_t>(k), PyLong_FromSize_t(extent));
    }
    return zeros ? numpy().zeros(owned, field.dtype) : numpy().empty(owned, field.dtype);
}

constexpr std::size_t large_output = std::size_t{1} << 20; // bytes; from about here on new pages cost more than copying

/// Pads all fields into new arrays: (counts, [field, ...]).
[[nodiscard]] nb::tuple pad_fields(std::vector<field_input>& fields, const std::vector<std::size_t>& counts,
                                   const pad_request& request)
{
    const std::size_t batch = counts.size();
    const std::size_t capacity = find_capacity(request, counts);
    std::vector<std::vector<std::int32_t>> kept;
    if (request.overflow == 2) {
        const auto scores =
            std::find_if(fields.begin(), fields.end(), [](const field_input& f) { return f.name == "scores"; });
        if (scores == fields.end() || scores->arrays.front().rank() != 1) {
            refuse("overflow='top_scores' keeps the rows with the best scores, and there is no field 'scores' with one "
                   "number a row: give it, or truncate the rows");
        }
        const auto type = nb::cast<std::string>(nb::str(scores->dtype));
        if (!choose_rows(scores->rows, type, counts, capacity, kept)) {
            refuse("the scores are " + type + "; overflow='top_scores' compares float16, float32 and float64");
        }
    }

    nb::object count_array = numpy().empty(nb::int_(batch), numpy().int32);
    held_buffer count_memory;
    count_memory.take(count_array.ptr(), true);
    nb::list outputs;
    std::vector<held_buffer> memory(fields.size());
    std::vector<pad_target> targets(fields.size());
    for (std::size_t f = 0; f < fields.size(); ++f) {
        field_input& field = fields[f];
        if (const nb::object value = nb::borrow(request.pad_values[f]); !value.is_none()) {
            const nb::bytes bytes = nb::cast<nb::bytes>(value);
            field.pad_value.assign(bytes.c_str(), bytes.size());
        }
        const bool nonzero = std::any_of(field.pad_value.begin(), field.pad_value.end(), [](char c) { return c != 0; });
        const bool zeros = !nonzero && batch * capacity * field.rows.row_bytes >= large_output;
        nb::object output = make_output(field, batch, capacity, zeros);
        memory[f].take(output.ptr(), true);
        targets[f] = {memory[f].data(), zeros, nonzero ? field.pad_value : std::string()};
        outputs.append(output);
    }
    {
        const nb::gil_scoped_release released;
        for (std::size_t f = 0; f < fields.size(); ++f) {
            pad_rows(fields[f].rows, counts, capacity, kept, targets[f],
                     reinterpret_cast<std::int32_t*>(count_memory.data()));
        }
    }
    return nb::make_tuple(count_array, outputs);
}

[[nodiscard]] std::vector<field_input> named_fields(const nb::tuple& names)
{
    std::vector<field_input> fields(nb::len(names));
    for (std::size_t f = 0; f < fields.size(); ++f) {
        fields[f].name = nb::cast<std::string>(names[f]);
    }
    return fields;
}

nb::object pad_lists(const nb::tuple& names, const nb::tuple& lists, std::int64_t capacity, int overflow,
                     const nb::tuple& pad_values)
{
    std::vector<field_input> fields = named_fields(names);
    std::vector<std::size_t> counts;
    if (!read_lists(fields, lists, counts)) {
        return nb::none();
    }
    return pad_fields(fields, counts, {capacity, overflow, pad_values});
}

/// Reads addresses and shapes of contiguous memory, one list of each for a field: (an array of its type, addresses,
/// shapes, what owns the memory). Returns false if shapes do not match.
[[nodiscard]] bool read_addresses(std::vector<field_input>& fields, const nb::tuple& read,
                                  std::vector<std::size_t>& counts)
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

nb::object pad_addresses(const nb::tuple& names, const nb::tuple& read, std::int64_t capacity, int overflow,
                         const nb::tuple& pad_values)
{
    std::vector<field_input> fields = named_fields(names);
    std::vector<std::size_t> counts;
    if (!read_addresses(fields, read, counts)) {
        return nb::none();
    }
    return pad_fields(fields, counts, {capacity, overflow, pad_values});
}

/// A contiguous array of int64.
[[nodiscard]] std::span<const std::int64_t> numbers_in(const held_buffer& held) noexcept
{
    return {reinterpret_cast<const std::int64_t*>(held.data()), held.extent(0)};
}

nb::object pad_ragged(const nb::tuple& names, const nb::tuple& values, nb::handle offsets_array, std::int64_t capacity,
                      int overflow, const nb::tuple& pad_values)
{
    std::vector<field_input> fields = named_fields(names);
    held_buffer held;
    held.take(offsets_array.ptr(), false);
    const auto offsets = numbers_in(held);
    std::vector<std::size_t> counts(offsets.size() - 1);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        counts[i] = static_cast<std::size_t>(offsets[i + 1] - offsets[i]);
    }
    if (!read_values(fields, values, static_cast<std::size_t>(offsets.back()), counts, offsets.data(), nullptr)) {
        return nb::none();
    }
    return pad_fields(fields, counts, {capacity, overflow, pad_values});
}

nb::object pad_tagged(const nb::tuple& names, const nb::tuple& values, nb::handle ids_array, std::size_t batch,
                      std::int64_t capacity, int overflow, const nb::tuple& pad_values)
{
    std::vector<field_input> fields = named_fields(names);
    held_buffer held;
    held.take(ids_array.ptr(), false);
    const auto ids = numbers_in(held);
    row_index index;
    if (status outcome = index.try_build(ids, batch); !outcome.ok()) {
        refuse(outcome.message());
    }
    std::vector<std::size_t> counts(batch);
    for (std::size_t i = 0; i < batch; ++i) {
        counts[i] = index.count(i);
    }
    if (!read_values(fields, values, ids.size(), counts, nullptr, &index)) {
        return nb::none();
    }
    return pad_fields(fields, counts, {capacity, overflow, pad_values});
}

} // namespace

void add_pad(nb::module_& m)
{
    m.def("pad_lists", &pad_lists);
    m.def("pad_addresses", &pad_addresses);
    m.def("pad_ragged", &pad_ragged);
    m.def("pad_tagged", &pad_tagged);
}

} // namespace padbatch::python
