// SPDX-License-Identifier: Apache-2.0
#include <_arrays/mask_arrays.hpp>
#include <_arrays/parts.hpp>

#include <padbatch/detection/mask_boxes.hpp>
#include <padbatch/detection/masks.hpp>

#include <nanobind/ndarray.h>

#include <memory>
#include <type_traits>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

/// Calls `paste(options...)`: a threshold is for masks of bytes.
template <class T, class Paste>
void with_threshold(float threshold, const Paste& paste)
{
    if constexpr (std::is_same_v<T, float>) {
        paste();
    } else {
        paste(mask_threshold(threshold));
    }
}

/// New masks, `[n, H, W]` or `[n, 1, H, W]`. Only what is inside the boxes is touched; the system zeroes the rest when
/// it is read.
template <class T>
[[nodiscard]] nb::object paste_new(const mask_array& regions, const box_array& boxes, const mask_size& size,
                                   float threshold)
{
    auto full = std::make_unique<padded<masks<T>>>();
    const auto image = [&](std::size_t /*number*/) { return image_of(boxes.boxes(), regions.masks<float>()); };
    without_gil(regions.count() * size.height >= long_work / size.width, [&] {
        with_threshold<T>(threshold, [&](const auto&... options) {
            *full = paste_masks<T>(generated(1, image), size.height, size.width, options...);
        });
    });
    T* const data = full->image(0)[t::masks].data();
    const nb::capsule owner(full.get(), [](void* kept) noexcept { delete static_cast<padded<masks<T>>*>(kept); });
    static_cast<void>(full.release());
    const std::size_t shape[] = {regions.count(), 1, size.height, size.width};
    const std::size_t flat[] = {regions.count(), size.height, size.width};
    nb::object made = regions.has_channel() ? nb::cast(nb::ndarray<nb::numpy, T>(data, 4, shape, owner))
                                            : nb::cast(nb::ndarray<nb::numpy, T>(data, 3, flat, owner));
    return regions.from() == library::torch ? nb::module_::import_("torch").attr("from_numpy")(made) : made;
}

/// Masks of the caller's, `[n, H, W]` or `[n, 1, H, W]`, that are written over.
template <class T>
void paste_into(const mask_array& full, const mask_array& regions, const box_array& boxes, float threshold)
{
    auto* const data = const_cast<T*>(full.values<T>().data()); // it was checked that they may be written
    without_gil(full.size() >= long_work, [&] {
        with_threshold<T>(threshold, [&](const auto&... options) {
            paste_masks(t::masks(std::span(data, full.size()), 1, full.height(), full.width()), boxes.boxes(),
                        regions.masks<float>(), options...);
        });
    });
}

/// What `paste_masks` in Python calls, with the masks' type as a number: 0 is float32, 1 uint8, 2 bool.
[[nodiscard]] nb::object paste(nb::handle given_masks, nb::handle given_boxes, nb::handle given_size, int type,
                               float threshold)
{
    const mask_array regions(given_masks, "masks", {element_type::float32});
    const box_array boxes(given_boxes, "boxes", regions.count(), "masks");
    const mask_size size = image_size_of(given_size);
    return type == 0   ? paste_new<float>(regions, boxes, size, threshold)
           : type == 1 ? paste_new<std::uint8_t>(regions, boxes, size, threshold)
                       : paste_new<bool>(regions, boxes, size, threshold);
}

/// Where the elements of a NumPy array or a tensor are.
[[nodiscard]] const void* address_of(nb::handle given, library from)
{
    const nb::object address = from == library::torch ? nb::object(given.attr("data_ptr")())
                                                      : nb::object(given.attr("__array_interface__")["data"][0]);
    return PyLong_AsVoidPtr(address.ptr());
}

/// Refuses memory that cannot be written, or is not what `out` reads: a copy would be written instead.
void require_output(const array& out, nb::handle given)
{
    const bool writable =
        out.from() == library::torch ||
        nb::cast<bool>(nb::getattr(nb::getattr(given, "flags", nb::none()), "writeable", nb::bool_(false)));
    if (!writable) {
        refuse_value("out cannot be written; expected a NumPy array or a tensor of your own: make one with empty");
    }
    const bool is_copy = out.size() != 0 && out.tensor().data() != address_of(given, out.from());
    if (is_copy || !out.tensor().is_contiguous()) {
        refuse_value("out is " + out.words() +
                     " with gaps, in another order or not aligned; expected row-major order: make one with empty");
    }
}

void paste_out(nb::handle given_masks, nb::handle given_boxes, nb::handle given_out, nb::handle given_size,
               float threshold)
{
    const mask_array regions(given_masks, "masks", {element_type::float32});
    const box_array boxes(given_boxes, "boxes", regions.count(), "masks");
    const mask_size size = image_size_of(given_size);
    {
        const array out(given_out, "out");
        require_output(out, given_out);
    }
    const mask_array full(given_out, "out", {element_type::float32, element_type::uint8, element_type::boolean});
    if (full.has_channel() != regions.has_channel() || full.count() != regions.count() ||
        full.height() != size.height || full.width() != size.width) {
        refuse_value("out is " + full.words() + "; expected [" + std::to_string(regions.count()) +
                     (regions.has_channel() ? ", 1, " : ", ") + std::to_string(size.height) + ", " +
                     std::to_string(size.width) + "]");
    }
    switch (full.type()) {
    case element_type::float32: return paste_into<float>(full, regions, boxes, threshold);
    case element_type::uint8: return paste_into<std::uint8_t>(full, regions, boxes, threshold);
    default: return paste_into<bool>(full, regions, boxes, threshold);
    }
}

/// Calls `measure(masks)` with the masks as what they are.
template <class Measure>
void measure_masks(const mask_array& masks, const Measure& measure)
{
    without_gil(masks.size() >= long_work, [&] {
        switch (masks.type()) {
        case element_type::float32: return measure(masks.masks<float>());
        case element_type::uint8: return measure(masks.masks<std::uint8_t>());
        default: return measure(masks.masks<bool>());
        }
    });
}

[[nodiscard]] nb::object boxes_around(nb::handle given)
{
    const mask_array masks(given, "masks", {element_type::boolean, element_type::uint8, element_type::float32});
    const made_array boxes = make_array(masks.from(), element_type::float32, {masks.count(), 4});
    measure_masks(masks, [&](const auto& each) {
        mask_to_boxes(t::boxes(std::span(boxes.as<float>(), 4 * masks.count())), each);
    });
    return boxes.object;
}

[[nodiscard]] nb::object areas(nb::handle given)
{
    const mask_array masks(given, "masks", {element_type::boolean, element_type::uint8, element_type::float32});
    const made_array pixels = make_array(masks.from(), element_type::int64, {masks.count()});
    measure_masks(masks, [&](const auto& each) {
        mask_areas(t::values(std::span(pixels.as<std::int64_t>(), masks.count())), each);
    });
    return pixels.object;
}

} // namespace

void add_masks(nb::module_& m)
{
    m.def("paste_masks", &paste);
    m.def("paste_masks_out", &paste_out);
    m.def("masks_to_boxes", &boxes_around, nb::arg("masks"));
    m.def("mask_areas", &areas, nb::arg("masks"));
}

} // namespace padbatch::python
