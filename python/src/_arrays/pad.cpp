// SPDX-License-Identifier: Apache-2.0
// Padding of fields whose types and shapes are known at run time: rows are blocks of bytes, and the headers' kernels
// copy and fill them.
#include <_arrays/arrays.hpp>
#include <_arrays/pad_input.hpp>
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
#include <vector>

namespace nb = nanobind;

namespace padbatch::python {
namespace {

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
        refuse_value("an image has " + std::to_string(longest) + " rows, more than an int32 count can hold");
    }
    if (request.capacity < 0) {
        return longest;
    }
    const auto capacity = static_cast<std::size_t>(request.capacity);
    if (request.overflow == 0 && longest > capacity) {
        const auto image = static_cast<std::size_t>(std::find(counts.begin(), counts.end(), longest) - counts.begin());
        refuse_value("image " + std::to_string(image) + " has " + std::to_string(longest) +
                     " rows, and the capacity is " + std::to_string(capacity) +
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

/// Bytes from which on a new output is taken as zeroed pages, of which only those with rows are touched.
constexpr std::size_t large_output = std::size_t{1} << 20;
/// Bytes that take about 20 us to write.
constexpr std::size_t long_work = std::size_t{1} << 17;

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
            refuse_value(
                "overflow='top_scores' keeps the rows with the best scores, and there is no field 'scores' with one "
                "number a row: give it, or truncate the rows");
        }
        const auto type = nb::cast<std::string>(nb::str(scores->dtype));
        if (!choose_rows(scores->rows, type, counts, capacity, kept)) {
            refuse_value("the scores are " + type + "; overflow='top_scores' compares float16, float32 and float64");
        }
    }

    nb::object count_array = numpy().empty(nb::int_(batch), numpy().int32);
    held_buffer count_memory;
    count_memory.take(count_array, true);
    nb::list outputs;
    std::size_t bytes = 0;
    std::vector<held_buffer> memory(fields.size());
    std::vector<pad_target> targets(fields.size());
    for (std::size_t f = 0; f < fields.size(); ++f) {
        field_input& field = fields[f];
        if (const nb::object value = nb::borrow(request.pad_values[f]); !value.is_none()) {
            const nb::bytes element = nb::cast<nb::bytes>(value);
            field.pad_value.assign(element.c_str(), element.size());
        }
        const bool nonzero = std::any_of(field.pad_value.begin(), field.pad_value.end(), [](char c) { return c != 0; });
        const std::size_t field_bytes = batch * capacity * field.rows.row_bytes;
        const bool zeros = !nonzero && field_bytes >= large_output;
        bytes += field_bytes;
        nb::object output = make_output(field, batch, capacity, zeros);
        memory[f].take(output, true);
        targets[f] = {memory[f].data(), zeros, nonzero ? field.pad_value : std::string()};
        outputs.append(output);
    }
    without_gil(bytes >= long_work, [&] {
        for (std::size_t f = 0; f < fields.size(); ++f) {
            pad_rows(fields[f].rows, counts, capacity, kept, targets[f],
                     reinterpret_cast<std::int32_t*>(count_memory.data()));
        }
    });
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
    held.take(offsets_array, false);
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
    held.take(ids_array, false);
    const auto ids = numbers_in(held);
    row_index index;
    if (status outcome = index.try_build(ids, batch); !outcome.ok()) {
        refuse_value(outcome.message());
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
