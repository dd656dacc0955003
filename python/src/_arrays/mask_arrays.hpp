// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_ARRAYS_MASK_ARRAYS_HPP
#define PADBATCH_PYTHON_ARRAYS_MASK_ARRAYS_HPP

#include <_arrays/arguments.hpp>
#include <_arrays/arrays.hpp>

#include <padbatch/fields.hpp>

#include <cstddef>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>

/// Masks and boxes among a function's arguments.
namespace padbatch::python {

/// Masks of one size, contiguous: `[n, H, W]`, or `[n, 1, H, W]` as models give them.
class mask_array : public array {
public:
    mask_array(nanobind::handle given, const char* name, std::initializer_list<element_type> types) : array(given, name)
    {
        require_type(types);
        if (!(rank() == 3 || (rank() == 4 && extent(1) == 1))) {
            refuse_value(std::string(name) + " is " + words() +
                         "; expected masks of one size, [n, H, W] or [n, 1, H, W]");
        }
        if (count() != 0 && (height() == 0 || width() == 0)) {
            refuse_value(std::string(name) + " is " + words() + "; expected masks of 1 pixel or more");
        }
        make_contiguous();
    }

    [[nodiscard]] std::size_t count() const noexcept { return extent(0); }
    [[nodiscard]] std::size_t height() const noexcept { return extent(rank() - 2); }
    [[nodiscard]] std::size_t width() const noexcept { return extent(rank() - 1); }
    [[nodiscard]] bool has_channel() const noexcept { return rank() == 4; }

    template <class T>
    [[nodiscard]] auto masks() const noexcept
    {
        return t::masks(values<T>(), 1, height(), width());
    }
};

/// Boxes `[n, 4]`, contiguous, one for each of `n` masks or detections.
class box_array : public array {
public:
    box_array(nanobind::handle given, const char* name, std::size_t n, const char* of) : array(given, name)
    {
        require_type({element_type::float32});
        require_shape({-1, 4}, "[n, 4]: x1, y1, x2, y2 of each box");
        if (extent(0) != n) {
            refuse_value(std::string(name) + " has " + std::to_string(extent(0)) + " rows, but there are " +
                         std::to_string(n) + " " + of + "; expected a box for each: take those of the same image");
        }
        make_contiguous();
    }

    [[nodiscard]] auto boxes() const noexcept { return t::boxes(values<float>()); }
};

/// The size of an image.
struct mask_size {
    std::size_t height;
    std::size_t width;
};
/// The size that `given` is: (height, width), whole numbers from 1 to 2^31 - 1. TypeError or ValueError for anything
/// else.
[[nodiscard]] inline mask_size image_size_of(nanobind::handle given)
{
    const image_size size = size_of_image(given, "image_size");
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (size.height < 1 || size.width < 1 || size.height > most || size.width > most) {
        refuse_value("image_size is (" + std::to_string(size.height) + ", " + std::to_string(size.width) +
                     "); expected a height and a width from 1 to 2^31 - 1 pixels");
    }
    return {static_cast<std::size_t>(size.height), static_cast<std::size_t>(size.width)};
}

/// From this many bytes on, masks are worth giving up the interpreter's lock for.
inline constexpr std::size_t long_work = 65536;

} // namespace padbatch::python

#endif
