// SPDX-License-Identifier: Apache-2.0
#include <_arrays/mask_arrays.hpp>
#include <_arrays/parts.hpp>
#include <_arrays/rle_lists.hpp>

#include <padbatch/detection/rle.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

/// The masks of a list, all of one size.
[[nodiscard]] run_lengths read(const rle_list& list)
{
    run_lengths runs;
    std::size_t failed = 0;
    const status outcome = without_gil(list.is_long(), [&] { return list.try_append_all_to(runs, failed); });
    if (!outcome.ok()) {
        list.refuse(failed, outcome);
    }
    return runs;
}

/// Calls `measure(i, runs)` for each mask of a list, which may have several sizes; `runs` has one mask.
template <class Measure>
void for_each_mask(const rle_list& list, const Measure& measure)
{
    std::size_t i = 0;
    const status outcome = without_gil(list.is_long(), [&] {
        run_lengths runs;
        for (; i < list.size(); ++i) {
            runs.clear();
            if (status appended = list.try_append_to(runs, i); !appended.ok()) {
                return appended;
            }
            measure(i, runs[0]);
        }
        return status();
    });
    if (!outcome.ok()) {
        list.refuse(i, outcome);
    }
}

[[nodiscard]] nb::list encode(nb::handle given, int form)
{
    const mask_array masks(given, "masks", {element_type::boolean, element_type::uint8});
    run_lengths runs;
    without_gil(masks.size() >= long_work, [&] {
        if (masks.type() == element_type::uint8) {
            rle_encode(runs, masks.masks<std::uint8_t>());
        } else {
            rle_encode(runs, masks.masks<bool>());
        }
    });
    return to_list(runs, static_cast<rle_form>(form));
}

[[nodiscard]] nb::list encode_regions(nb::handle given_masks, nb::handle given_boxes, nb::handle given_size,
                                      float threshold, int form)
{
    const mask_array regions(given_masks, "masks", {element_type::float32});
    const box_array boxes(given_boxes, "boxes", regions.count(), "masks");
    const mask_size size = image_size_of(given_size);
    run_lengths runs;
    without_gil(regions.count() * size.height >= long_work / size.width, [&] {
        rle_encode_regions(runs, boxes.boxes(), regions.masks<float>(), size.height, size.width,
                           mask_threshold(threshold));
    });
    return to_list(runs, static_cast<rle_form>(form));
}

/// Pixels of uint8, or of bool.
[[nodiscard]] nb::object decode(nb::handle masks, bool as_bool)
{
    const rle_list list(masks, "rles");
    if (list.size() == 0) {
        refuse_value("rles has no masks, and so no size; expected one or more");
    }
    const run_lengths runs = read(list);
    const made_array full = make_array(library::numpy, as_bool ? element_type::boolean : element_type::uint8,
                                       {runs.size(), runs.height(), runs.width()});
    const std::size_t pixels = runs.size() * runs.height() * runs.width();
    without_gil(pixels >= long_work, [&] {
        rle_decode(t::masks(std::span(full.as<std::uint8_t>(), pixels), 1, runs.height(), runs.width()), runs);
    });
    return full.object;
}

[[nodiscard]] nb::list merge(nb::handle masks, bool intersect, int form)
{
    const rle_list list(masks, "rles");
    const run_lengths runs = read(list);
    run_lengths merged;
    without_gil(runs.counts().size() >= long_counts,
                [&] { rle_merge(merged, runs, intersect ? rle_intersection : rle_union); });
    return to_list(merged, static_cast<rle_form>(form));
}

[[nodiscard]] nb::object areas(nb::handle masks)
{
    const rle_list list(masks, "rles");
    const made_array pixels = make_array(library::numpy, element_type::int64, {list.size()});
    auto* const to = pixels.as<std::int64_t>();
    for_each_mask(
        list, [to](std::size_t i, const run_length_view& mask) { to[i] = static_cast<std::int64_t>(rle_area(mask)); });
    return pixels.object;
}

[[nodiscard]] nb::object boxes(nb::handle masks)
{
    const rle_list list(masks, "rles");
    const made_array made = make_array(library::numpy, element_type::float64, {list.size(), 4});
    auto* const to = made.as<double>();
    for_each_mask(list, [to](std::size_t i, const run_length_view& mask) {
        std::size_t k = 4 * i;
        for (const std::uint32_t number : rle_box(mask)) {
            to[k++] = number;
        }
    });
    return made.object;
}

/// Which truths are crowds; empty for None.
[[nodiscard]] std::vector<std::uint8_t> crowds_in(nb::handle given, std::size_t truths)
{
    std::vector<std::uint8_t> crowds;
    if (given.is_none()) {
        return crowds;
    }
    array flags(given, "pyiscrowd");
    flags.require_shape({static_cast<std::int64_t>(truths)}, "[G], 0 or 1 for each truth");
    flags.make_int64();
    for (const std::int64_t flag : flags.values<std::int64_t>()) {
        if (flag != 0 && flag != 1) {
            refuse_value("pyiscrowd has the value " + std::to_string(flag) + "; expected 0 or 1 for each truth");
        }
        crowds.push_back(static_cast<std::uint8_t>(flag));
    }
    return crowds;
}

[[nodiscard]] nb::object iou(nb::handle detections, nb::handle truths, nb::handle given_crowds)
{
    const rle_list detection_list(detections, "detections");
    const rle_list truth_list(truths, "truths");
    const std::vector<std::uint8_t> crowds = crowds_in(given_crowds, truth_list.size());
    const run_lengths found = read(detection_list);
    const run_lengths true_masks = read(truth_list);
    const made_array matrix = make_array(library::numpy, element_type::float64, {found.size(), true_masks.size()});
    without_gil(true,
                [&] { rle_iou({matrix.as<double>(), found.size() * true_masks.size()}, found, true_masks, crowds); });
    return matrix.object;
}

} // namespace

void add_rle(nb::module_& m)
{
    m.def("rle_encode", &encode);
    m.def("rle_encode_regions", &encode_regions);
    m.def("rle_decode", &decode);
    m.def("rle_merge", &merge);
    m.def("rle_areas", &areas);
    m.def("rle_boxes", &boxes);
    m.def("rle_iou", &iou, nb::arg("detections"), nb::arg("truths"), nb::arg("pyiscrowd").none());
}

} // namespace padbatch::python
