// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_ARRAYS_PAD_INPUT_HPP
#define PADBATCH_PYTHON_ARRAYS_PAD_INPUT_HPP

#include <_arrays/pad_rows.hpp>

#include <padbatch/row_index.hpp>

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// How `pad` reads its fields. The functions return false for what has to be made a plain array first: what is no NumPy
/// array, and rows whose elements are not side by side. They are called for thousands of arrays, so that they do less
/// for each than `array` of arrays.hpp does.
namespace padbatch::python {

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

    /// Asks for the memory, without the format of its elements, which NumPy would write as a text for each array.
    void take(nanobind::handle array, bool writable)
    {
        if (PyObject_GetBuffer(array.ptr(), &m_view, writable ? PyBUF_STRIDED : PyBUF_STRIDED_RO) != 0) {
            throw nanobind::python_error();
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
struct padding_numpy {
    nanobind::object array_type = nanobind::module_::import_("numpy").attr("ndarray");
    nanobind::object empty = nanobind::module_::import_("numpy").attr("empty");
    nanobind::object zeros = nanobind::module_::import_("numpy").attr("zeros");
    nanobind::object int32 = nanobind::module_::import_("numpy").attr("dtype")("int32");
    nanobind::object dtype = nanobind::str("dtype");
};

[[nodiscard]] const padding_numpy& numpy();

/// One field while it is read.
struct field_input {
    std::string name;
    nanobind::object dtype;
    std::vector<held_buffer> arrays;
    field_rows rows;
    /// One element of padding; empty for zero.
    std::string pad_value;
};

/// Reads lists of arrays, one list for each field. Throws if images, rows, types or shapes do not match.
[[nodiscard]] bool read_lists(std::vector<field_input>& fields, const nanobind::tuple& lists,
                              std::vector<std::size_t>& counts);

/// Reads one array for each field, with the rows of all images: those of image i begin at row offsets[i], or are the
/// ones that `index` names.
[[nodiscard]] bool read_values(std::vector<field_input>& fields, const nanobind::tuple& values, std::size_t total,
                               const std::vector<std::size_t>& counts, const std::int64_t* offsets,
                               const row_index* index);

/// Reads addresses and shapes of contiguous memory, one list of each for a field: (an array of its type, addresses,
/// shapes, what owns the memory). Returns false if shapes do not match.
[[nodiscard]] bool read_addresses(std::vector<field_input>& fields, const nanobind::tuple& read,
                                  std::vector<std::size_t>& counts);

} // namespace padbatch::python

#endif
