// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arrays.hpp>
#include <_arrays/parts.hpp>

#include <padbatch/detection/decode.hpp>

#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

using labels_list = std::vector<std::int64_t>;

template <class T>
[[nodiscard]] T number(nb::handle head, const char* name)
{
    return nb::cast<T>(head.attr(name));
}

[[nodiscard]] labels_list labels_in(nb::handle head, const char* name)
{
    labels_list labels;
    for (const nb::handle label : head.attr(name)) {
        labels.push_back(nb::cast<std::int64_t>(label));
    }
    return labels;
}

/// The head that Python's `Head` describes; what is no number is its own affair. Labels are referred to.
[[nodiscard]] detector_head head_of(nb::handle from, int boxes, int scores, int suppression, const labels_list& only,
                                    const labels_list& without)
{
    detector_head head;
    head.classes = number<std::size_t>(from, "classes");
    head.anchors = number<std::size_t>(from, "anchors");
    head.anchors_last = number<bool>(from, "anchors_last");
    head.objectness = number<bool>(from, "objectness");
    head.boxes = static_cast<box_format>(boxes);
    head.scores = static_cast<head_scores>(scores);
    head.last_is_none = number<bool>(from, "last_is_none");
    head.coefficients = number<std::size_t>(from, "coefficients");
    head.points = number<std::size_t>(from, "points");
    head.point_numbers = number<std::size_t>(from, "point_numbers");
    head.normalized = number<bool>(from, "normalized");
    head.height = number<std::size_t>(from, "height");
    head.width = number<std::size_t>(from, "width");
    std::size_t k = 0;
    for (const nb::handle stride : from.attr("strides")) {
        if (k == head.strides.size()) {
            throw nb::value_error("a head has more than 8 strides; expected at most 8");
        }
        head.strides[k++] = nb::cast<std::size_t>(stride);
    }
    head.selection.score_above = number<float>(from, "score_above");
    head.selection.iou_above = number<float>(from, "iou_above");
    head.selection.at_most = number<std::size_t>(from, "at_most");
    head.selection.suppression = static_cast<head_suppression>(suppression);
    head.selection.every_class = number<bool>(from, "every_class");
    head.selection.only = only;
    head.selection.without = without;
    return head;
}

using label_field = labels<std::int64_t>;

/// Decodes into a batch of these fields, and gives its offsets and fields, arrays that share its memory.
template <class... Fields>
[[nodiscard]] nb::list decoded(const detector_head& head, const head_output& output, library where)
{
    using batch = ragged<Fields...>;
    auto found = std::make_unique<batch>();
    {
        const nb::gil_scoped_release unlocked;
        decode_head(*found, head, output);
    }
    const nb::capsule owner(found.get(), [](void* pointer) noexcept { delete static_cast<batch*>(pointer); });
    batch& kept = *found.release();
    nb::list arrays;
    arrays.append(nb::ndarray<nb::numpy, const std::int64_t>(kept.offsets().data(), {kept.offsets().size()}, owner));
    const auto add = [&](const auto& rows) {
        using T = typename std::remove_cvref_t<decltype(rows)>::value_type;
        std::size_t shape[3] = {rows.size()};
        std::size_t rank = 1;
        for (const std::size_t extent : rows.extents().to_array()) {
            shape[rank++] = extent;
        }
        nb::object made = nb::cast(nb::ndarray<nb::numpy, T>(rows.data(), rank, shape, owner));
        arrays.append(where == library::torch ? nb::module_::import_("torch").attr("from_numpy")(made) : made);
    };
    (add(kept[typename Fields::tag{}]), ...);
    return arrays;
}

[[nodiscard]] nb::list decode(nb::handle given, nb::handle given_scores, nb::handle described, int boxes,
                              int activation, int suppression)
{
    const array all(given, given_scores.is_none() ? "output" : "boxes");
    std::optional<array> scores;
    if (!given_scores.is_none()) {
        scores.emplace(given_scores, "scores");
    }
    const labels_list only = labels_in(described, "only");
    const labels_list without = labels_in(described, "without");
    const detector_head head = head_of(described, boxes, activation, suppression, only, without);
    const head_output output = scores ? head_output(all.tensor(), scores->tensor()) : head_output(all.tensor());
    if (head.coefficients != 0 && head.points != 0) {
        return decoded<padbatch::boxes<>, padbatch::scores<>, label_field, mask_coefficients<>, keypoints<>>(
            head, output, all.from());
    }
    if (head.coefficients != 0) {
        return decoded<padbatch::boxes<>, padbatch::scores<>, label_field, mask_coefficients<>>(head, output,
                                                                                                all.from());
    }
    if (head.points != 0) {
        return decoded<padbatch::boxes<>, padbatch::scores<>, label_field, keypoints<>>(head, output, all.from());
    }
    return decoded<padbatch::boxes<>, padbatch::scores<>, label_field>(head, output, all.from());
}

} // namespace

void add_decode(nb::module_& m)
{
    m.def("decode_head", &decode, nb::arg("all"), nb::arg("scores").none(), nb::arg("head"), nb::arg("boxes"),
          nb::arg("activation"), nb::arg("suppression"));
}

} // namespace padbatch::python
