// SPDX-License-Identifier: Apache-2.0
// Operations on boxes as C functions, for boxes_peers.py, which compiles this file. Those that work in place get a copy
// first, since torchvision's return new boxes.
#include <padbatch/detection/box_iou.hpp>
#include <padbatch/detection/boxes.hpp>

#include <cstring>
#include <span>

using namespace padbatch;

namespace {

std::span<float> copied(float* out, const float* boxes, std::size_t n)
{
    std::memcpy(out, boxes, 4 * n * sizeof(float));
    return {out, 4 * n};
}

} // namespace

extern "C" {

void boxes_convert(float* out, const float* boxes, std::size_t n, int from, int to)
{
    convert_boxes(t::boxes(copied(out, boxes, n)), static_cast<box_format>(from), static_cast<box_format>(to));
}
void boxes_clip(float* out, const float* boxes, std::size_t n)
{
    clip_boxes(t::boxes(copied(out, boxes, n)), {480, 640});
}
void boxes_resize(float* out, const float* boxes, std::size_t n)
{
    resize_boxes(t::boxes(copied(out, boxes, n)), {480, 640}, {800, 1067});
}
std::size_t boxes_small(std::int64_t* out, const float* boxes, std::size_t n)
{
    static row_numbers kept;
    remove_small_boxes(kept, t::boxes(std::span(boxes, 4 * n)), 30);
    if (!kept.empty()) {
        std::memcpy(out, kept.data(), kept.size() * sizeof(std::int64_t));
    }
    return kept.size();
}
void boxes_areas(float* out, const float* boxes, std::size_t n)
{
    box_areas(std::span(out, n), t::boxes(std::span(boxes, 4 * n)));
}
void boxes_iou(float* out, const float* a, std::size_t n, const float* b, std::size_t m)
{
    box_iou(std::span(out, n * m), t::boxes(std::span(a, 4 * n)), t::boxes(std::span(b, 4 * m)));
}
void boxes_giou(float* out, const float* a, std::size_t n, const float* b, std::size_t m)
{
    box_giou(std::span(out, n * m), t::boxes(std::span(a, 4 * n)), t::boxes(std::span(b, 4 * m)));
}

} // extern "C"
