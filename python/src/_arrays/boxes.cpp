// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arguments.hpp>
#include <_arrays/arrays.hpp>
#include <_arrays/parts.hpp>

#include <padbatch/detection/box_iou.hpp>
#include <padbatch/detection/boxes.hpp>
#include <padbatch/detection/letterbox.hpp>

#include <nanobind/stl/string.h>

#include <cstring>
#include <string>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

/// From how many numbers on the lock is given up: fewer are done in 20 us.
constexpr std::size_t many_numbers = 40000;

[[nodiscard]] array read_boxes(nb::handle given, const char* name)
{
    array boxes(given, name);
    boxes.require_type({element_type::float32});
    boxes.require_shape({-1, 4}, "[n, 4]: x1, y1, x2, y2 of each box");
    boxes.make_contiguous();
    return boxes;
}

/// New boxes of the same shape, [..., 4], changed by `change(t::boxes(...))`.
template <class Change>
[[nodiscard]] nb::object changed(nb::handle given, const Change& change)
{
    array boxes(given, "boxes");
    boxes.require_type({element_type::float32});
    if (boxes.rank() == 0 || boxes.extent(boxes.rank() - 1) != 4) {
        refuse_value("boxes is " + boxes.words() + "; expected the shape [..., 4]: four numbers of each box");
    }
    made_array result = make_array(boxes.from(), element_type::float32, boxes.tensor().shape());
    const std::size_t size = boxes.size();
    const status outcome = without_gil(size >= many_numbers, [&]() -> status {
        boxes.copy_to(result.data);
        return change(t::boxes(std::span<float>(result.as<float>(), size)));
    });
    require(outcome);
    return std::move(result.object);
}

[[nodiscard]] box_format read_format(nb::handle given, const char* name)
{
    constexpr box_format formats[] = {box_format::xyxy, box_format::xywh, box_format::cxcywh, box_format::yxyx};
    return formats[choice(given, name, {"xyxy", "xywh", "cxcywh", "yxyx"})];
}

nb::object box_convert(nb::handle boxes, nb::handle in_fmt, nb::handle out_fmt)
{
    const box_format from = read_format(in_fmt, "in_fmt");
    const box_format to = read_format(out_fmt, "out_fmt");
    return changed(boxes, [&](const auto& rows) { return try_convert_boxes(rows, from, to); });
}

nb::object clip_boxes_to_image(nb::handle boxes, nb::handle size)
{
    const image_size limit = size_of_image(size, "size");
    return changed(boxes, [&](const auto& rows) { return try_clip_boxes(rows, limit); });
}

nb::object resize_boxes_of(nb::handle boxes, nb::handle original_size, nb::handle new_size)
{
    const image_size from = size_of_image(original_size, "original_size");
    const image_size to = size_of_image(new_size, "new_size");
    return changed(boxes, [&](const auto& rows) { return try_resize_boxes(rows, from, to); });
}

nb::object normalize_boxes_of(nb::handle boxes, nb::handle size)
{
    const image_size whole = size_of_image(size, "size");
    return changed(boxes, [&](const auto& rows) { return try_normalize_boxes(rows, whole); });
}
nb::object unnormalize_boxes_of(nb::handle boxes, nb::handle size)
{
    const image_size whole = size_of_image(size, "size");
    return changed(boxes, [&](const auto& rows) { return try_unnormalize_boxes(rows, whole); });
}

nb::object scale_boxes_of(nb::handle boxes, nb::handle given_x, nb::handle given_y)
{
    const float x = float_number(given_x, "sx");
    const float y = float_number(given_y, "sy");
    return changed(boxes, [&](const auto& rows) { return try_scale_boxes(rows, x, y); });
}
nb::object shift_boxes_of(nb::handle boxes, nb::handle given_x, nb::handle given_y)
{
    const float x = float_number(given_x, "dx");
    const float y = float_number(given_y, "dy");
    return changed(boxes, [&](const auto& rows) { return try_shift_boxes(rows, x, y); });
}

[[nodiscard]] const letterbox& read_letterbox(nb::handle given)
{
    if (!nb::isinstance<letterbox>(given)) {
        refuse_type("letterbox is " + std::string(nb::repr(given).c_str()) + "; expected a padbatch.ops.Letterbox");
    }
    return *nb::inst_ptr<letterbox>(given);
}
nb::object letterbox_boxes_of(nb::handle boxes, nb::handle given)
{
    const letterbox lb = read_letterbox(given);
    return changed(boxes, [&](const auto& rows) { return try_letterbox_boxes(rows, lb); });
}
nb::object unletterbox_boxes_of(nb::handle boxes, nb::handle given)
{
    const letterbox lb = read_letterbox(given);
    return changed(boxes, [&](const auto& rows) { return try_unletterbox_boxes(rows, lb); });
}

nb::object box_area(nb::handle given)
{
    const array boxes = read_boxes(given, "boxes");
    const std::size_t n = boxes.extent(0);
    made_array result = make_array(boxes.from(), element_type::float32, {n});
    const std::span<float> to(result.as<float>(), n);
    require(
        without_gil(boxes.size() >= many_numbers, [&] { return try_box_areas(to, t::boxes(boxes.values<float>())); }));
    return std::move(result.object);
}

/// A matrix [n, m] of n boxes with m boxes.
template <class Measure>
[[nodiscard]] nb::object pairs(nb::handle first, nb::handle second, const Measure& measure)
{
    const array a = read_boxes(first, "boxes1");
    const array b = read_boxes(second, "boxes2");
    const std::size_t n = a.extent(0);
    const std::size_t m = b.extent(0);
    made_array result = make_array(a.from(), element_type::float32, {n, m});
    const std::span<float> to(result.as<float>(), n * m);
    require(without_gil(n * m >= many_numbers,
                        [&] { return measure(to, t::boxes(a.values<float>()), t::boxes(b.values<float>())); }));
    return std::move(result.object);
}

nb::object box_iou_of(nb::handle boxes1, nb::handle boxes2)
{
    return pairs(boxes1, boxes2, [](const auto& to, const auto& a, const auto& b) { return try_box_iou(to, a, b); });
}
nb::object generalized_box_iou(nb::handle boxes1, nb::handle boxes2)
{
    return pairs(boxes1, boxes2, [](const auto& to, const auto& a, const auto& b) { return try_box_giou(to, a, b); });
}

/// The numbers of the boxes that `choose(kept, boxes)` puts into `kept`.
template <class Choose>
[[nodiscard]] nb::object numbers_of(nb::handle given, const Choose& choose)
{
    const array boxes = read_boxes(given, "boxes");
    row_numbers kept;
    require(without_gil(boxes.size() >= many_numbers, [&] { return choose(kept, t::boxes(boxes.values<float>())); }));
    made_array result = make_array(boxes.from(), element_type::int64, {kept.size()});
    if (!kept.empty()) {
        std::memcpy(result.data, kept.data(), kept.size() * sizeof(std::int64_t));
    }
    return std::move(result.object);
}

nb::object remove_small_boxes_of(nb::handle boxes, nb::handle min_size)
{
    const float least = float_number(min_size, "min_size");
    return numbers_of(boxes,
                      [&](row_numbers& kept, const auto& rows) { return try_remove_small_boxes(kept, rows, least); });
}
nb::object remove_degenerate_boxes_of(nb::handle boxes)
{
    return numbers_of(boxes,
                      [](row_numbers& kept, const auto& rows) { return try_remove_degenerate_boxes(kept, rows); });
}

void make_letterbox(letterbox* to, nb::handle given_source, nb::handle given_target, bool scaleup, bool auto_pad,
                    nb::handle given_stride, bool side_ratios)
{
    const image_size source = size_of_image(given_source, "source");
    const image_size target = size_of_image(given_target, "target");
    const std::int64_t stride = whole_number(given_stride, "stride");
    letterbox_options options;
    options.scaleup = scaleup;
    options.auto_pad = auto_pad;
    options.stride = static_cast<std::size_t>(stride < 0 ? 0 : stride); // refused below
    options.side_ratios = side_ratios;
    new (to) letterbox(source, target, options);
}

[[nodiscard]] nb::tuple height_and_width(const image_size& size)
{
    return nb::make_tuple(size.height, size.width);
}

[[nodiscard]] std::string words_of(const letterbox& lb)
{
    const auto size = [](const image_size& of) {
        return "(" + std::to_string(of.height) + ", " + std::to_string(of.width) + ")";
    };
    return "<Letterbox of " + size(lb.source()) + " in " + size(lb.size()) + ": resized to " + size(lb.resized()) +
           ", " + std::to_string(lb.left()) + " left, " + std::to_string(lb.top()) + " above>";
}

} // namespace

void add_boxes(nb::module_& m)
{
    m.def("box_convert", &box_convert, any("boxes"), any("in_fmt"), any("out_fmt"));
    m.def("clip_boxes_to_image", &clip_boxes_to_image, any("boxes"), any("size"));
    m.def("resize_boxes", &resize_boxes_of, any("boxes"), any("original_size"), any("new_size"));
    m.def("normalize_boxes", &normalize_boxes_of, any("boxes"), any("size"));
    m.def("unnormalize_boxes", &unnormalize_boxes_of, any("boxes"), any("size"));
    m.def("scale_boxes", &scale_boxes_of, any("boxes"), any("sx"), any("sy"));
    m.def("shift_boxes", &shift_boxes_of, any("boxes"), any("dx"), any("dy"));
    m.def("box_area", &box_area, any("boxes"));
    m.def("box_iou", &box_iou_of, any("boxes1"), any("boxes2"));
    m.def("generalized_box_iou", &generalized_box_iou, any("boxes1"), any("boxes2"));
    m.def("remove_small_boxes", &remove_small_boxes_of, any("boxes"), any("min_size"));
    m.def("remove_degenerate_boxes", &remove_degenerate_boxes_of, any("boxes"));

    nb::class_<letterbox> lb(
        m, "Letterbox",
        "How an image of the size `source`, (height, width), is fitted into a model's input of the size `target`, as\n"
        "Ultralytics' `LetterBox` does: resized by one ratio until it fits, the rest is padding on both sides.\n\n"
        "r = min(target / source) of the two sides, at most 1 unless `scaleup`; resized = round(side * r), halves to\n"
        "even, at least 1; d / 2 pixels of padding on each side, the odd one right or below. With `auto_pad` the "
        "image\n"
        "is padded to the next multiple of `stride` only. With `side_ratios`, boxes are scaled by resized / source of\n"
        "each side in place of r. Immutable. ValueError for sides that are not from 1 to 2^31 - 1 pixels.");
    lb.def("__init__", &make_letterbox, any("source"), any("target"), nb::kw_only(), nb::arg("scaleup") = true,
           nb::arg("auto_pad") = false, nb::arg("stride") = 32, nb::arg("side_ratios") = false);
    const auto size = [&lb](const char* name, const auto& get, const char* doc) {
        lb.def_prop_ro(name, [get](const letterbox& self) { return height_and_width(get(self)); }, doc);
    };
    size("source", [](const letterbox& self) { return self.source(); }, "The image's (height, width).");
    size("resized", [](const letterbox& self) { return self.resized(); }, "Its (height, width) after it was resized.");
    size("size", [](const letterbox& self) { return self.size(); }, "(height, width) with the padding.");
    lb.def_prop_ro("left", &letterbox::left, "Pixels of padding on the left.");
    lb.def_prop_ro("top", &letterbox::top, "Pixels of padding above.");
    lb.def_prop_ro("right", &letterbox::right, "Pixels of padding on the right.");
    lb.def_prop_ro("bottom", &letterbox::bottom, "Pixels of padding below.");
    lb.def_prop_ro("gain_x", &letterbox::gain_x, "What x is multiplied by.");
    lb.def_prop_ro("gain_y", &letterbox::gain_y, "What y is multiplied by.");
    lb.def("__repr__", &words_of);
    m.def("letterbox_boxes", &letterbox_boxes_of, any("boxes"), any("letterbox"));
    m.def("unletterbox_boxes", &unletterbox_boxes_of, any("boxes"), any("letterbox"));
}

} // namespace padbatch::python
