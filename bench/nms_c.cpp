// SPDX-License-Identifier: Apache-2.0
// nms as C functions, for nms_peers.py, which compiles this file.
#include <padbatch/detection/nms.hpp>

#include <span>

using namespace padbatch;

extern "C" std::int64_t padbatch_nms(const float* boxes, const float* scores, const std::int64_t* labels, std::size_t n,
                                     double threshold, std::int64_t* kept)
{
    static workspace space;
    static row_numbers numbers;
    if (labels == nullptr) {
        nms(numbers, t::boxes(std::span(boxes, 4 * n)), t::scores(std::span(scores, n)), threshold, space);
    } else {
        batched_nms(numbers, t::boxes(std::span(boxes, 4 * n)), t::scores(std::span(scores, n)),
                    t::labels(std::span(labels, n)), threshold, space);
    }
    for (std::size_t j = 0; j < numbers.size(); ++j) {
        kept[j] = numbers[j];
    }
    return static_cast<std::int64_t>(numbers.size());
}
