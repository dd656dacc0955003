// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_PLAIN_SELECTION_HPP
#define PADBATCH_TESTS_SUPPORT_PLAIN_SELECTION_HPP

#include <onnx_tools/recognise/detections.hpp>
#include <tests/support/flat_row.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

// What selecting detections from a raw head means, written as plainly as possible: docs/raw-heads.md in a loop.
namespace padbatch::test {

/// An anchor: its box as corners in pixels, and the score of each class.
struct plain_anchor {
    std::array<float, 4> corners{};
    std::vector<float> scores;
};

/// The intersection over union of two boxes; 0 if they do not overlap. Any two opposite corners make a box, as in ONNX.
inline float overlap(const std::array<float, 4>& first, const std::array<float, 4>& second)
{
    const auto sorted = [](const std::array<float, 4>& box) {
        return std::array<float, 4>{std::min(box[0], box[2]), std::min(box[1], box[3]), std::max(box[0], box[2]),
                                    std::max(box[1], box[3])};
    };
    const auto a = sorted(first);
    const auto b = sorted(second);
    const float width = std::min(a[2], b[2]) - std::max(a[0], b[0]);
    const float height = std::min(a[3], b[3]) - std::max(a[1], b[1]);
    if (!(width > 0) || !(height > 0)) {
        return 0;
    }
    const float both = width * height;
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}

/// The detections of one image, the best first, and the anchor of each.
struct plain_detections {
    std::vector<flat_row> rows;
    std::vector<std::size_t> anchors;
};

inline plain_detections selected(const std::vector<plain_anchor>& anchors, const onnx_tools::head_selection& how,
                                 std::size_t image)
{
    using onnx_tools::suppression;
    struct candidate {
        float score;
        std::size_t anchor;
        std::size_t label;
    };
    std::vector<candidate> candidates;
    const auto add = [&](std::size_t anchor, std::size_t label) {
        const float score = anchors[anchor].scores[label];
        const bool wanted = !how.classes || (std::find(how.classes->labels.begin(), how.classes->labels.end(),
                                                       static_cast<std::int64_t>(label)) !=
                                             how.classes->labels.end()) != how.classes->dropped;
        if (wanted && (!how.score || score > static_cast<float>(*how.score))) {
            candidates.push_back({score, anchor, label});
        }
    };
    for (std::size_t a = 0; a < anchors.size(); ++a) {
        const auto& scores = anchors[a].scores;
        if (how.multi_label) {
            for (std::size_t label = 0; label < scores.size(); ++label) {
                add(a, label);
            }
        } else if (!scores.empty()) {
            add(a, static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin()));
        }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const candidate& a, const candidate& b) { return a.score > b.score; });
    candidates.resize(std::min<std::size_t>(candidates.size(), 30000));
    plain_detections found;
    std::vector<candidate> kept;
    const auto shifted = [&](const candidate& each) {
        auto box = anchors[each.anchor].corners;
        if (how.nms == suppression::shifted && !how.class_agnostic) {
            for (auto& number : box) {
                number += static_cast<float>(each.label) * 7680.0F;
            }
        }
        return box;
    };
    for (const auto& each : candidates) {
        const bool dropped =
            how.nms != suppression::none && std::any_of(kept.begin(), kept.end(), [&](const auto& other) {
                const bool same =
                    how.nms != suppression::class_by_class || how.class_agnostic || other.label == each.label;
                return same && overlap(shifted(other), shifted(each)) > static_cast<float>(how.iou_threshold);
            });
        if (!dropped && kept.size() < static_cast<std::size_t>(how.most)) {
            kept.push_back(each);
            const auto& box = anchors[each.anchor].corners;
            found.rows.push_back({static_cast<double>(image),
                                  {box[0], box[1], box[2], box[3]},
                                  static_cast<double>(each.label),
                                  each.score});
            found.anchors.push_back(each.anchor);
        }
    }
    return found;
}

} // namespace padbatch::test

#endif
