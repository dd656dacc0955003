// SPDX-License-Identifier: Apache-2.0
#include <_arrays/mask_arrays.hpp>
#include <_arrays/parts.hpp>

#include <padbatch/detection/prototypes.hpp>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

template <class T>
[[nodiscard]] nb::object masks_from(const array& prototypes, const array& coefficients, const box_array& boxes,
                                    const mask_size& size, bool native)
{
    const made_array made =
        make_array(coefficients.from(), element_type_of<T>, {coefficients.extent(0), size.height, size.width});
    const std::span pixels(made.as<T>(), coefficients.extent(0) * size.height * size.width);
    without_gil(true, [&] {
        const auto full = t::masks(pixels, 1, size.height, size.width);
        const auto rows = t::mask_coefficients(coefficients.values<float>(), coefficients.extent(1));
        const auto planes =
            t::prototypes(prototypes.values<float>(), prototypes.extent(0), prototypes.extent(1), prototypes.extent(2));
        if (native) {
            prototype_masks_native(full, rows, planes, boxes.boxes());
        } else {
            prototype_masks(full, rows, planes, boxes.boxes());
        }
    });
    return made.object;
}

/// The masks' type is a number: 0 is float32, 1 uint8, 2 bool.
[[nodiscard]] nb::object masks_of_prototypes(nb::handle given_prototypes, nb::handle given_coefficients,
                                             nb::handle given_boxes, nb::handle given_size, int type, bool native)
{
    array prototypes(given_prototypes, "prototypes");
    prototypes.require_type({element_type::float32});
    prototypes.require_shape({-1, -1, -1}, "[P, h, w], those of one image");
    prototypes.make_contiguous();
    array coefficients(given_coefficients, "coefficients");
    coefficients.require_type({element_type::float32});
    coefficients.require_shape({-1, prototypes.tensor().shape()[0]},
                               "[n, P], a coefficient of each prototype for each detection");
    coefficients.make_contiguous();
    const box_array boxes(given_boxes, "boxes", coefficients.extent(0), "rows of coefficients");
    const mask_size size = image_size_of(given_size);
    return type == 0   ? masks_from<float>(prototypes, coefficients, boxes, size, native)
           : type == 1 ? masks_from<std::uint8_t>(prototypes, coefficients, boxes, size, native)
                       : masks_from<bool>(prototypes, coefficients, boxes, size, native);
}

} // namespace

void add_prototypes(nb::module_& m)
{
    m.def("prototype_masks", &masks_of_prototypes);
}

} // namespace padbatch::python
