// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_PLAIN_FLAT_HPP
#define PADBATCH_TESTS_SUPPORT_PLAIN_FLAT_HPP

#include <doctest/doctest.h>
#include <onnx_tools/plan/options.hpp>

#include <tests/support/check_outputs.hpp>
#include <tests/support/flat_row.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/runtime.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

// What grouping the rows of all images by image means, written as plainly as possible.
namespace padbatch::test {

/// The corners of a box that is given by its center and size, in ONNX's element type `type`.
///
/// The graph halves the size, which is exact, then subtracts and adds in `type`, rounding once. Here both are done in
/// double and rounded to `type`: for float and float16 that gives the same bits (a double has more than twice theirs,
/// and two more), for double it is the same operation.
inline std::array<double, 4> corners_of(double cx, double cy, double w, double h, int type)
{
    using detail::rounded;
    return {rounded(type, cx - w / 2), rounded(type, cy - h / 2), rounded(type, cx + w / 2), rounded(type, cy + h / 2)};
}

/// The rows of each of `images` images, the best first, equal ones in the order of the list. Rows of other images are
/// dropped. Boxes are of `box_type`, scores of `score_type`, labels of `label_type`.
inline std::vector<plain_image> grouped(const std::vector<flat_row>& list, std::size_t images, int box_type,
                                        int score_type, int height, int width, int label_type = onnx_number::int64)
{
    std::vector<plain_image> result;
    for (std::size_t image = 0; image < images; ++image) {
        std::vector<flat_row> rows;
        for (const auto& row : list) {
            if (std::trunc(row.image) == static_cast<double>(image)) {
                rows.push_back(row);
            }
        }
        std::stable_sort(rows.begin(), rows.end(),
                         [](const flat_row& a, const flat_row& b) { return a.score > b.score; });
        const auto n = static_cast<std::int64_t>(rows.size());
        tensor boxes{box_type, {n, 4}, {}};
        tensor labels{label_type, {n}, {}};
        tensor scores{score_type, {n}, {}};
        for (const auto& row : rows) {
            for (const double corner : row.corners) {
                detail::append_number(boxes, corner);
            }
            detail::append_number(labels, row.label);
            detail::append_number(scores, row.score);
        }
        result.push_back({{{"boxes", boxes}, {"labels", labels}, {"scores", scores}}, height, width});
    }
    return result;
}

/// Names, types, extents and bytes of the outputs of a padded model for a list of rows: as `plain_outputs`, but also
/// for no images, when every output is empty and extents that only an image could tell are 0.
inline std::vector<named_tensor> plain_flat_outputs(const std::vector<flat_row>& list, std::size_t images, int box_type,
                                                    int score_type, int height, int width,
                                                    const onnx_tools::pad_options& options, std::int64_t limit,
                                                    int label_type = onnx_number::int64)
{
    const std::vector<flat_row> none;
    const auto each = images == 0 ? grouped(none, 1, box_type, score_type, height, width, label_type)
                                  : grouped(list, images, box_type, score_type, height, width, label_type);
    auto outputs = plain_outputs({"boxes", "labels", "scores"}, each, options, limit);
    if (images == 0) { // one image without rows was padded: drop it again
        for (auto& [name, value] : outputs) {
            value.shape.front() = 0;
            value.bytes.clear();
        }
    }
    return outputs;
}

struct flat_variant {
    std::string name;
    onnx_tools::pad_options options;
};

/// Every choice that a model without masks has. M is `most` unless the choice is about M; `score` is a score that some
/// rows have.
inline std::vector<flat_variant> flat_variants(std::int64_t most, double score)
{
    using onnx_tools::field;
    using onnx_tools::pad_options;
    std::vector<flat_variant> all;
    const auto add = [&](const std::string& name, const auto& change) {
        pad_options options;
        options.max_detections = most;
        change(options);
        all.push_back({name, options});
    };
    const auto of_batch = [](pad_options& o) { o.max_detections = onnx_tools::largest_of_batch{}; };
    add("all rows", [](pad_options&) {});
    add("more rows", [&](pad_options& o) { o.max_detections = most + 7; });
    add("one row", [](pad_options& o) { o.max_detections = 1; });
    add("three rows, padded with others", [](pad_options& o) {
        o.max_detections = 3;
        o.pad_values = {{field::boxes, -1.5}, {field::labels, -1}, {field::scores, -2}};
    });
    add("batch", of_batch);
    add("batch, flat counts", [&](pad_options& o) {
        of_batch(o);
        o.flat_counts = true;
        o.count_type = element_type::int64;
    });
    add("scores", [&](pad_options& o) { o.min_score = score; });
    add("scores, one row", [&](pad_options& o) {
        o.min_score = score;
        o.max_detections = 1;
        o.flat_counts = true;
        o.count_type = element_type::float32;
    });
    add("scores, batch", [&](pad_options& o) {
        of_batch(o);
        o.min_score = score;
    });
    add("no score is high enough, batch", [&](pad_options& o) {
        of_batch(o);
        o.min_score = 1;
    });
    for (const auto layout : {onnx_tools::output_layout::efficientnms, onnx_tools::output_layout::yolov7,
                              onnx_tools::output_layout::mmdeploy, onnx_tools::output_layout::tf_od,
                              onnx_tools::output_layout::ultralytics}) {
        const std::string name(onnx_tools::rules_of(layout).name);
        add("layout " + name, [&](pad_options& o) { o.layout = layout; });
        add("layout " + name + ", scores, batch, padded with -1", [&](pad_options& o) {
            of_batch(o);
            o.layout = layout;
            o.min_score = score;
            o.pad_values = {{field::boxes, -1}, {field::scores, -1}, {field::labels, -1}};
        });
    }
    add("narrow labels", [](pad_options& o) { o.label_type = element_type::int32; });
    add("float labels", [](pad_options& o) { o.label_type = element_type::float32; });
    return all;
}

} // namespace padbatch::test

#endif
