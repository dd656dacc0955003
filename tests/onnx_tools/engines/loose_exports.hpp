// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_LOOSE_EXPORTS_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_LOOSE_EXPORTS_HPP

#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/recognise/detections.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/scenes.hpp>
#include <tests/support/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>
#include <variant>
#include <vector>

// The exports that tests/data/make_loose_exports.py makes, and what their outputs hold.
namespace padbatch::test {

inline constexpr int loose_height = 64;
inline constexpr int loose_width = 80;

/// Where the numbers of a field are: output, how many columns it has, and the first that belongs to the field.
struct loose_place {
    std::string output;
    std::size_t columns = 1;
    std::size_t first = 0;
};

struct loose_export {
    std::string file;
    /// In the order of the model.
    std::vector<std::string> fields;
    std::map<std::string, loose_place> places;
    /// Further inputs of each image `[1, 2]`, and those that all images share `[1]`.
    std::string per_image{};
    std::string shared{};
    /// The limit that the graph shows; 0 for none. Its rows are then the best first.
    std::int64_t limit = 0;
    int label_type = onnx_number::int64;

    [[nodiscard]] std::string path() const
    {
        return (std::filesystem::path(PADBATCH_TESTS_DATA) / "loose" / (file + ".onnx")).string();
    }
};

inline std::vector<loose_export> loose_exports()
{
    const auto joined = [](const std::string& output) {
        return std::map<std::string, loose_place>{
            {"boxes", {output, 6, 0}}, {"scores", {output, 6, 4}}, {"labels", {output, 6, 5}}};
    };
    const auto five = [](const std::string& output) {
        return std::map<std::string, loose_place>{
            {"boxes", {output, 5, 0}}, {"scores", {output, 5, 4}}, {"labels", {"labels"}}};
    };
    const std::vector<std::string> usual{"boxes", "labels", "scores"};
    return {
        {"mmdeploy_op11", usual, five("dets")},
        {"otx_op13", usual, five("boxes")},
        {"joined_op12", usual, joined("output0")},
        {"float_labels_op16",
         usual,
         {{"boxes", {"detection_boxes", 4, 0}}, {"labels", {"detection_classes"}}, {"scores", {"detection_scores"}}},
         "",
         "",
         0,
         onnx_number::float32},
        {"scaled_op11",
         {"boxes", "scores"},
         {{"boxes", {"det_boxes", 4, 0}}, {"scores", {"det_scores"}}},
         "scale_factor",
         "gain"},
        {"torchvision_joined_op13", usual, joined("output"), "", "", 20}};
}

inline tensor float_tensor(std::vector<std::int64_t> shape, const std::vector<float>& values)
{
    tensor t{onnx_number::float32, std::move(shape), {}};
    for (const float value : values) {
        detail::append(t, value);
    }
    return t;
}

/// What belongs to an image beside its pixels: a factor for each axis that differs from image to image.
inline std::vector<float> scale_of(unsigned scene)
{
    return {0.5F + 0.25F * static_cast<float>(scene), 2.0F - 0.125F * static_cast<float>(scene)};
}

/// The inputs other than the images, for these scenes.
inline std::map<std::string, tensor> more_inputs(const loose_export& e, const std::vector<unsigned>& scenes)
{
    std::map<std::string, tensor> inputs;
    if (!e.per_image.empty()) {
        std::vector<float> all;
        for (const unsigned seed : scenes) {
            const auto own = scale_of(seed);
            all.insert(all.end(), own.begin(), own.end());
        }
        inputs[e.per_image] = float_tensor({static_cast<std::int64_t>(scenes.size()), 2}, all);
    }
    if (!e.shared.empty()) {
        inputs[e.shared] = float_tensor({1}, {0.75F});
    }
    return inputs;
}

inline std::vector<float> pixels_of(const std::vector<unsigned>& scenes)
{
    std::vector<float> all;
    for (const unsigned seed : scenes) {
        const auto own = scene(seed, loose_height, loose_width);
        all.insert(all.end(), own.begin(), own.end());
    }
    return all;
}

/// The rows of an image, out of what the export gives for it.
inline plain_image rows_of_image(const loose_export& e, const std::map<std::string, tensor>& outputs)
{
    plain_image image{{}, loose_height, loose_width};
    for (const auto& field : e.fields) {
        const auto& [output, columns, first] = e.places.at(field);
        const auto& from = outputs.at(output);
        const std::size_t width = field == "boxes" ? 4 : 1;
        const auto n = std::accumulate(from.shape.begin(), from.shape.end(), std::int64_t{1}, std::multiplies<>()) /
                       static_cast<std::int64_t>(columns);
        tensor rows{field == "labels" ? e.label_type : from.type, {n}, {}};
        if (field == "boxes") {
            rows.shape.push_back(4);
        }
        for (std::size_t row = 0; row < static_cast<std::size_t>(n); ++row) {
            for (std::size_t i = 0; i < width; ++i) {
                detail::append_number(rows, detail::number_at(from, row * columns + first + i));
            }
        }
        image.rows[field] = rows;
    }
    return image;
}

/// The rows in the order in which the padded model has them: where it cuts rows that are not the best first, they are
/// sorted. Equal ones stay in their order.
inline plain_image in_order(const loose_export& e, const plain_image& image, const onnx_tools::pad_options& options)
{
    if (e.limit != 0 || !std::holds_alternative<std::int64_t>(options.max_detections)) {
        return image;
    }
    const auto& scores = image.rows.at("scores");
    std::vector<std::size_t> order(static_cast<std::size_t>(scores.shape.front()));
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return detail::number_at(scores, a) > detail::number_at(scores, b);
    });
    auto sorted = image;
    for (auto& [field, rows] : sorted.rows) {
        rows = detail::picked(rows, order);
    }
    return sorted;
}

/// The rows with these labels.
inline plain_image with_labels(const plain_image& image, const onnx_tools::class_choice& classes)
{
    std::vector<std::size_t> kept;
    const auto& labels = image.rows.at("labels");
    for (std::size_t row = 0; row < static_cast<std::size_t>(labels.shape.front()); ++row) {
        const auto label = static_cast<std::int64_t>(detail::number_at(labels, row));
        const bool named = std::count(classes.labels.begin(), classes.labels.end(), label) != 0;
        if (named != classes.dropped) {
            kept.push_back(row);
        }
    }
    auto chosen = image;
    for (auto& [field, rows] : chosen.rows) {
        rows = detail::picked(rows, kept);
    }
    return chosen;
}

/// The outputs of the padded model for these images. For none, an output is empty.
inline std::vector<named_tensor> expected_of(const loose_export& e, const std::vector<plain_image>& images,
                                             const onnx_tools::pad_options& options)
{
    std::vector<plain_image> all;
    for (const auto& image : images) {
        all.push_back(in_order(e, options.classes ? with_labels(image, *options.classes) : image, options));
    }
    const auto set = options.settings.find(onnx_tools::parameter::detections_per_img);
    const auto limit = set != options.settings.end() ? std::get<std::int64_t>(set->second) : e.limit;
    if (set != options.settings.end()) { // fewer of the best
        for (auto& image : all) {
            std::vector<std::size_t> kept(
                static_cast<std::size_t>(std::min(limit, image.rows.at("scores").shape.front())));
            std::iota(kept.begin(), kept.end(), std::size_t{0});
            for (auto& [field, rows] : image.rows) {
                rows = detail::picked(rows, kept);
            }
        }
    }
    const bool none = all.empty();
    if (none) {
        all.push_back(images.empty() ? plain_image{} : images.front());
        for (const auto& field : e.fields) {
            const int type = field == "labels" ? e.label_type : onnx_number::float32;
            all.front().rows[field] = {
                type, field == "boxes" ? std::vector<std::int64_t>{0, 4} : std::vector<std::int64_t>{0}, {}};
        }
    }
    auto outputs = plain_outputs(e.fields, all, options, limit);
    for (auto& [name, value] : outputs) {
        if (none) {
            value.shape.front() = 0;
            value.bytes.clear();
        }
    }
    return outputs;
}

} // namespace padbatch::test

#endif
