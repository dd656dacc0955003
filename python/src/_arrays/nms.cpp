// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arguments.hpp>
#include <_arrays/arrays.hpp>
#include <_arrays/parts.hpp>

#include <padbatch/detection/nms.hpp>
#include <padbatch/detection/soft_nms.hpp>

#include <cstring>
#include <utility>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

/// Memory of a call. Each thread keeps its own for the next call, as long as it is small; a call takes it away, since
/// it makes arrays, and these may run Python's code (finalizers, modes of torch) that calls again.
struct scratch {
    workspace space;
    row_numbers kept;
    memory left; // scores, of soft_nms
};

/// From how many boxes on the lock is given up: fewer are done in 20 us.
constexpr std::size_t many_boxes = 300;

/// `work(scratch)` gives a status.
template <class Work>
void run(std::size_t n, const Work& work)
{
    constexpr std::size_t most_kept = std::size_t{1} << 16; // some 5 MB
    if (n <= most_kept) {
        static thread_local scratch kept;
        scratch own = std::move(kept);
        require(work(own));
        kept = std::move(own);
    } else {
        scratch own;
        require(work(own));
    }
}

void check_boxes_and_scores(array& boxes, array& scores)
{
    boxes.require_type({element_type::float32});
    boxes.require_shape({-1, 4}, "[n, 4]: x1, y1, x2, y2 of each box");
    scores.require_type({element_type::float32});
    scores.require_shape({-1}, "[n]: a score for each box");
    boxes.make_contiguous();
    scores.make_contiguous();
}

template <class T>
[[nodiscard]] nb::object copied(library where, element_type type, const T* values, std::size_t n)
{
    made_array result = make_array(where, type, {n});
    if (n != 0) {
        std::memcpy(result.data, values, n * sizeof(T));
    }
    return std::move(result.object);
}
[[nodiscard]] nb::object numbers_of(library where, const row_numbers& kept)
{
    return copied(where, element_type::int64, kept.data(), kept.size());
}

nb::object nms_of(nb::handle given_boxes, nb::handle given_scores, nb::handle given_threshold, nb::handle given_limit)
{
    array boxes(given_boxes, "boxes");
    array scores(given_scores, "scores");
    const double threshold = number(given_threshold, "iou_threshold");
    const at_most most = row_limit(given_limit, "at_most");
    check_boxes_and_scores(boxes, scores);
    const std::size_t n = scores.size();
    nb::object result;
    run(n, [&](scratch& memory) {
        status outcome = without_gil(n >= many_boxes, [&] {
            return try_nms(memory.kept, t::boxes(boxes.values<float>()), t::scores(scores.values<float>()), threshold,
                           most, memory.space);
        });
        if (outcome.ok()) {
            result = numbers_of(boxes.from(), memory.kept);
        }
        return outcome;
    });
    return result;
}

nb::object batched_nms_of(nb::handle given_boxes, nb::handle given_scores, nb::handle given_labels,
                          nb::handle given_threshold, nb::handle given_definition, nb::handle given_limit)
{
    array boxes(given_boxes, "boxes");
    array scores(given_scores, "scores");
    array labels(given_labels, "idxs");
    const double threshold = number(given_threshold, "iou_threshold");
    const at_most most = row_limit(given_limit, "at_most");
    check_boxes_and_scores(boxes, scores);
    labels.require_shape({-1}, "[n]: a class for each box");
    labels.make_int64();
    const std::size_t n = scores.size();

    // Torchvision's rule: the way of the coordinates for up to 4000 numbers.
    bool apart = boxes.size() > 4000;
    class_shift shift(largest_coordinate);
    if (PyUnicode_Check(given_definition.ptr()) || PyNumber_Check(given_definition.ptr()) == 0) {
        const std::size_t definition =
            choice(given_definition, "definition", {"torchvision", "per_class", "coordinate_trick"});
        apart = definition == 1 || (definition == 0 && apart);
    } else {
        apart = false;
        shift = class_shift(float_number(given_definition, "definition"));
    }
    nb::object result;
    run(n, [&](scratch& memory) {
        status outcome = without_gil(n >= many_boxes, [&] {
            const auto box_rows = t::boxes(boxes.values<float>());
            const auto score_rows = t::scores(scores.values<float>());
            const auto label_rows = t::labels(labels.values<std::int64_t>());
            return apart ? try_batched_nms(memory.kept, box_rows, score_rows, label_rows, threshold, most, memory.space)
                         : try_batched_nms(memory.kept, box_rows, score_rows, label_rows, threshold, shift, most,
                                           memory.space);
        });
        if (outcome.ok()) {
            result = numbers_of(boxes.from(), memory.kept);
        }
        return outcome;
    });
    return result;
}

nb::object soft_nms_of(nb::handle given_boxes, nb::handle given_scores, nb::handle given_threshold,
                       nb::handle given_sigma, nb::handle given_floor, nb::handle given_limit)
{
    array boxes(given_boxes, "boxes");
    array scores(given_scores, "scores");
    const bool gaussian = given_threshold.is_none();
    const double decay = gaussian ? number(given_sigma, "sigma") : number(given_threshold, "iou_threshold");
    const float floor = float_number(given_floor, "score_floor");
    const at_most most = row_limit(given_limit, "at_most");
    check_boxes_and_scores(boxes, scores);
    const std::size_t n = scores.size();
    nb::object result;
    run(n, [&](scratch& memory) {
        if (memory.left.bytes() < n * sizeof(float)) {
            memory.left = padbatch::memory::allocate(n * sizeof(float));
            if (memory.left.data() == nullptr) {
                return status(status_code::out_of_memory, "not enough memory for {} scores", n);
            }
        }
        const std::span<float> left(static_cast<float*>(memory.left.data()), n);
        status outcome = without_gil(n >= many_boxes, [&] {
            const auto box_rows = t::boxes(boxes.values<float>());
            const auto score_rows = t::scores(scores.values<float>());
            return gaussian ? try_soft_nms(memory.kept, t::scores(left), box_rows, score_rows, soft_nms_gaussian(decay),
                                           floor, most, memory.space)
                            : try_soft_nms(memory.kept, t::scores(left), box_rows, score_rows, soft_nms_linear(decay),
                                           floor, most, memory.space);
        });
        if (outcome.ok()) {
            result = nb::make_tuple(numbers_of(boxes.from(), memory.kept),
                                    copied(boxes.from(), element_type::float32, left.data(), memory.kept.size()));
        }
        return outcome;
    });
    return result;
}

} // namespace

void add_nms(nb::module_& m)
{
    m.def("nms", &nms_of, any("boxes"), any("scores"), any("iou_threshold"), any("at_most"));
    m.def("batched_nms", &batched_nms_of, any("boxes"), any("scores"), any("idxs"), any("iou_threshold"),
          any("definition"), any("at_most"));
    m.def("soft_nms", &soft_nms_of, any("boxes"), any("scores"), any("iou_threshold"), any("sigma"), any("score_floor"),
          any("at_most"));
}

} // namespace padbatch::python
