// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arrays.hpp>
#include <_arrays/parts.hpp>

#include <padbatch/detection/nms.hpp>

#include <cstring>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

nb::object nms_of(nb::handle given_boxes, nb::handle given_scores, double iou_threshold)
{
    array boxes(given_boxes, "boxes");
    array scores(given_scores, "scores");
    boxes.require_type({element_type::float32});
    boxes.require_shape({-1, 4}, "[n, 4]: x1, y1, x2, y2 of each box");
    scores.require_type({element_type::float32});
    scores.require_shape({-1}, "[n]: a score for each box");
    boxes.make_contiguous();
    scores.make_contiguous();
    static thread_local workspace space;
    static thread_local row_numbers kept;
    const status outcome = without_gil(scores.size() > 300, [&] {
        return try_nms(kept, t::boxes(boxes.values<float>()), t::scores(scores.values<float>()), iou_threshold, space);
    });
    require(outcome);
    made_array result = make_array(boxes.from(), element_type::int64, {kept.size()});
    if (!kept.empty()) {
        std::memcpy(result.data, kept.data(), kept.size() * sizeof(std::int64_t));
    }
    return result.object;
}

} // namespace

void add_nms(nb::module_& m)
{
    m.def("nms", &nms_of, nb::arg("boxes"), nb::arg("scores"), nb::arg("iou_threshold"));
}

} // namespace padbatch::python
