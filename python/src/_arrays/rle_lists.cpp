// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arrays.hpp>
#include <_arrays/rle_lists.hpp>

#include <nanobind/stl/string.h>

#include <limits>
#include <stdexcept>
#include <utility>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

[[nodiscard]] std::string shown(nb::handle value)
{
    std::string text = nb::cast<std::string>(nb::str(nb::repr(value)));
    constexpr std::size_t most = 80;
    return text.size() <= most ? text : text.substr(0, most) + "...";
}

/// The whole number that `value` is, or -1 (no number here is negative).
[[nodiscard]] std::int64_t count_of(nb::handle value)
{
    if (PyFloat_Check(value.ptr())) {
        return -1;
    }
    const nb::object index = nb::steal(PyNumber_Index(value.ptr()));
    if (!index.is_valid()) {
        PyErr_Clear();
        return -1;
    }
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    return overflow != 0 || number < 0 ? -1 : number;
}

} // namespace

rle_list::rle_list(nb::handle masks, const char* what) : m_what(what)
{
    if (!PySequence_Check(masks.ptr()) || PyUnicode_Check(masks.ptr()) || PyBytes_Check(masks.ptr())) {
        throw nb::type_error((std::string(what) + " is " + shown(masks) +
                              "; expected a list of dicts {\"size\": [height, width], \"counts\": ...}")
                                 .c_str());
    }
    const std::size_t n = nb::len(masks);
    m_masks.reserve(n);
    m_kept.reserve(n);
    for (const nb::handle given : masks) {
        take(given);
    }
}

void rle_list::refuse(const std::string& text) const
{
    throw nb::value_error(("mask " + std::to_string(m_masks.size()) + " of " + m_what + " " + text).c_str());
}

std::size_t rle_list::take_side(nb::handle side) const
{
    const std::int64_t number = count_of(side);
    if (number < 0) {
        refuse("has a side of " + shown(side) + "; expected \"size\": [height, width], two whole numbers");
    }
    return static_cast<std::size_t>(number);
}

void rle_list::take(nb::handle given)
{
    if (!PyDict_Check(given.ptr())) {
        refuse("is " + shown(given) + "; expected a dict {\"size\": [height, width], \"counts\": ...}");
    }
    // The dict may lose them: a side's __index__ is code of the caller's.
    const nb::object held_size = nb::borrow(PyDict_GetItemString(given.ptr(), "size"));
    const nb::object held_counts = nb::borrow(PyDict_GetItemString(given.ptr(), "counts"));
    PyObject* const size = held_size.ptr();
    PyObject* const counts = held_counts.ptr();
    if (size == nullptr || counts == nullptr) {
        refuse("is a dict without \"" + std::string(size == nullptr ? "size" : "counts") +
               "\"; expected {\"size\": [height, width], \"counts\": ...}");
    }
    if (!PySequence_Check(size) || PySequence_Size(size) != 2) {
        PyErr_Clear();
        refuse("has the size " + shown(size) + "; expected [height, width]");
    }
    mask made;
    const nb::object height = nb::steal(PySequence_GetItem(size, 0));
    const nb::object width = nb::steal(PySequence_GetItem(size, 1));
    if (!height.is_valid() || !width.is_valid()) {
        throw nb::python_error();
    }
    made.height = take_side(height);
    made.width = take_side(width);
    if (PyUnicode_Check(counts)) {
        Py_ssize_t n = 0;
        const char* const text = PyUnicode_AsUTF8AndSize(counts, &n);
        if (text == nullptr) {
            PyErr_Clear();
            refuse("has counts that are no text of COCO's: " + shown(counts));
        }
        made.is_text = true;
        made.text = {text, static_cast<std::size_t>(n)};
        m_total += made.text.size();
        m_kept.push_back(nb::borrow(counts));
    } else if (PyBytes_Check(counts)) {
        made.is_text = true;
        made.text = {PyBytes_AsString(counts), static_cast<std::size_t>(PyBytes_Size(counts))};
        m_total += made.text.size();
        m_kept.push_back(nb::borrow(counts));
    } else {
        take_numbers(made, counts);
    }
    m_masks.push_back(made);
}

void rle_list::take_numbers(mask& into, nb::handle counts)
{
    if (!PySequence_Check(counts.ptr())) {
        refuse("has the counts " + shown(counts) +
               "; expected the compressed string as str or bytes, or a list of numbers");
    }
    into.first = m_numbers.size();
    for (const nb::handle each : counts) {
        const std::int64_t number = count_of(each);
        if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) {
            refuse("has " + shown(each) +
                   " among its counts; expected whole numbers from 0 to 2^32 - 1 (polygons are no "
                   "run lengths: pycocotools' frPyObjects makes these of them)");
        }
        m_numbers.push_back(static_cast<std::uint32_t>(number));
    }
    into.count = m_numbers.size() - into.first;
    m_total += into.count;
}

status rle_list::try_append_to(run_lengths& runs, std::size_t i) const noexcept
{
    const mask& each = m_masks[i];
    if (each.is_text) {
        return try_rle_from_string(runs, each.text, each.height, each.width);
    }
    return runs.try_append({{m_numbers.data() + each.first, each.count}, each.height, each.width});
}

status rle_list::try_append_all_to(run_lengths& runs, std::size_t& failed) const noexcept
{
    for (std::size_t i = 0; i < m_masks.size(); ++i) {
        if (status outcome = try_append_to(runs, i); !outcome.ok()) {
            failed = i;
            return outcome;
        }
    }
    return {};
}

void rle_list::refuse(std::size_t i, const status& why) const
{
    if (why.code() == status_code::out_of_memory) {
        throw std::bad_alloc();
    }
    const mask& each = m_masks[i];
    if (i > 0 && (each.height != m_masks[0].height || each.width != m_masks[0].width) &&
        why.code() == status_code::row_mismatch) {
        throw nb::value_error(("mask " + std::to_string(i) + " of " + m_what + " has the size [" +
                               std::to_string(each.height) + ", " + std::to_string(each.width) + "], but the first [" +
                               std::to_string(m_masks[0].height) + ", " + std::to_string(m_masks[0].width) +
                               "]; expected masks of one size: take those of one "
                               "image at a time")
                                  .c_str());
    }
    throw nb::value_error(("mask " + std::to_string(i) + " of " + m_what + " is no mask: " + why.message()).c_str());
}

nb::list to_list(const run_lengths& runs, rle_form form)
{
    std::string text;
    std::vector<std::size_t> ends;
    if (form != rle_form::numbers) {
        without_gil(runs.counts().size() >= long_counts, [&] {
            ends.reserve(runs.size());
            std::size_t characters = 0;
            for (const run_length_view mask : runs) {
                characters += rle_string_size(mask);
                ends.push_back(characters);
            }
            text.resize(characters);
            std::size_t begin = 0;
            for (const run_length_view mask : runs) {
                begin += rle_to_string(std::span(text).subspan(begin), mask);
            }
        });
    }
    const nb::str size_key("size");
    const nb::str counts_key("counts");
    nb::list made;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::size_t begin = i == 0 ? 0 : form == rle_form::numbers ? 0 : ends[i - 1];
        nb::list size;
        size.append(runs.height());
        size.append(runs.width());
        nb::dict mask;
        mask[size_key] = std::move(size);
        if (form == rle_form::text) {
            mask[counts_key] = nb::str(text.data() + begin, ends[i] - begin);
        } else if (form == rle_form::bytes) {
            mask[counts_key] = nb::bytes(text.data() + begin, ends[i] - begin);
        } else {
            nb::list counts;
            for (const std::uint32_t count : runs[i].counts) {
                counts.append(count);
            }
            mask[counts_key] = std::move(counts);
        }
        made.append(std::move(mask));
    }
    return made;
}

} // namespace padbatch::python
