// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arguments.hpp>
#include <_arrays/arrays.hpp>
#include <_arrays/parts.hpp>

#include <padbatch/detection/decode.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

/// What Python's `Head` says, read once for many calls. Its labels are kept here.
class described_head {
public:
    /// Takes the fields of a `Head`, which has checked what they are.
    explicit described_head(nb::handle from) : m_only(labels_in(from, "only")), m_without(labels_in(from, "without"))
    {
        m_head.classes = field<std::size_t>(from, "classes");
        m_head.anchors = field<std::size_t>(from, "anchors");
        m_head.anchors_last = field<bool>(from, "anchors_last");
        m_head.objectness = field<bool>(from, "objectness");
        m_head.boxes = static_cast<box_format>(choice(from.attr("boxes"), "boxes", {"xyxy", "xywh", "cxcywh", "yxyx"}));
        m_head.scores =
            static_cast<head_scores>(choice(from.attr("scores"), "scores", {"plain", "sigmoid", "softmax"}));
        m_head.last_is_none = field<bool>(from, "last_is_none");
        m_head.coefficients = field<std::size_t>(from, "coefficients");
        m_head.points = field<std::size_t>(from, "points");
        m_head.point_numbers = field<std::size_t>(from, "point_numbers");
        m_head.normalized = field<bool>(from, "normalized");
        m_head.height = field<std::size_t>(from, "height");
        m_head.width = field<std::size_t>(from, "width");
        std::size_t k = 0;
        for (const nb::handle stride : from.attr("strides")) {
            m_head.strides.at(k++) = nb::cast<std::size_t>(stride);
        }
        detection_selection& selection = m_head.selection;
        selection.score_above = float_number(from.attr("score_above"), "score_above");
        selection.iou_above = float_number(from.attr("iou_above"), "iou_above");
        selection.at_most = field<std::size_t>(from, "at_most");
        selection.suppression = static_cast<head_suppression>(
            choice(from.attr("suppression"), "suppression", {"shifted", "class_by_class", "all_together", "none"}));
        selection.every_class = field<bool>(from, "every_class");
        selection.only = m_only;
        selection.without = m_without;
    }
    described_head(const described_head&) = delete;
    described_head& operator=(const described_head&) = delete;
    ~described_head() = default;

    [[nodiscard]] const detector_head& head() const noexcept { return m_head; }

private:
    using labels_list = std::vector<std::int64_t>;

    labels_list m_only;
    labels_list m_without;
    detector_head m_head;

    template <class T>
    [[nodiscard]] static T field(nb::handle from, const char* name)
    {
        return nb::cast<T>(from.attr(name));
    }
    [[nodiscard]] static labels_list labels_in(nb::handle from, const char* name)
    {
        labels_list labels;
        for (const nb::handle label : from.attr(name)) {
            labels.push_back(nb::cast<std::int64_t>(label));
        }
        return labels;
    }
};

/// A new array with the rows of one image.
template <class Rows>
[[nodiscard]] nb::object copied(const Rows& rows, library where)
{
    using T = std::remove_const_t<typename Rows::value_type>;
    std::array<std::int64_t, const_tensor_ref::max_rank> shape{static_cast<std::int64_t>(rows.size())};
    std::size_t rank = 1;
    for (const std::size_t extent : rows.extents().to_array()) {
        shape[rank++] = static_cast<std::int64_t>(extent);
    }
    made_array made = make_array(where, element_type_of<T>, {shape.data(), rank});
    if (const std::size_t bytes = rows.size() * rows.row_size() * sizeof(T); bytes != 0) {
        std::memcpy(made.data, rows.data(), bytes);
    }
    return std::move(made.object);
}

/// Decodes; returns a list with a tuple of arrays for each image.
template <class... Fields>
[[nodiscard]] nb::list decoded(const detector_head& head, const head_output& output, std::size_t numbers, library where)
{
    static thread_local workspace space;
    ragged<Fields...> found;
    require(without_gil(numbers >= 50000, [&] { return try_decode_head(found, head, output, space); }));
    nb::list images;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto image = std::as_const(found).image(i);
        images.append(nb::make_tuple(copied(image[typename Fields::tag{}], where)...));
    }
    return images;
}

using box_field = boxes<>;
using score_field = scores<>;
using label_field = labels<std::int64_t>;
using coefficient_field = mask_coefficients<>;
using point_field = keypoints<>;

/// `given` has all columns, or, if `given_scores` is not None, only the boxes.
[[nodiscard]] nb::list decode(nb::handle given, nb::handle given_scores, const described_head& described)
{
    const array all(given, given_scores.is_none() ? "output" : "boxes");
    std::optional<array> others;
    if (!given_scores.is_none()) {
        others.emplace(given_scores, "scores");
    }
    const detector_head& head = described.head();
    const head_output output = others ? head_output(all.tensor(), others->tensor()) : head_output(all.tensor());
    const std::size_t numbers = others ? others->size() : all.size();
    if (head.coefficients != 0 && head.points != 0) {
        return decoded<box_field, score_field, label_field, coefficient_field, point_field>(head, output, numbers,
                                                                                            all.from());
    }
    if (head.coefficients != 0) {
        return decoded<box_field, score_field, label_field, coefficient_field>(head, output, numbers, all.from());
    }
    if (head.points != 0) {
        return decoded<box_field, score_field, label_field, point_field>(head, output, numbers, all.from());
    }
    return decoded<box_field, score_field, label_field>(head, output, numbers, all.from());
}

} // namespace

void add_decode(nb::module_& m)
{
    nb::class_<described_head>(m, "DescribedHead", "A `padbatch.ops.heads.Head`, as `decode_head` reads it.")
        .def(nb::init<nb::handle>(), nb::arg("head"));
    m.def("decode_head", &decode, any("output"), any("scores"), nb::arg("head"));
}

} // namespace padbatch::python
