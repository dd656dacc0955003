// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_PLAIN_OUTPUTS_HPP
#define PADBATCH_TESTS_SUPPORT_PLAIN_OUTPUTS_HPP

#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <padbatch/float16.hpp>
#include <tests/support/plain_pad.hpp>

#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// What the options of the rewrite mean, written as plainly as possible: the loose outputs of single images go in, the
// outputs for the batch come out. Nothing of the rewrite is used except the names of the options.
namespace padbatch::test {

/// The detections of one image: the rows of each field, `[n, ...]`.
using image_rows = std::map<std::string, tensor>;

struct plain_image {
    image_rows rows;
    int height = 0;
    int width = 0;
};

namespace detail {

template <typename T>
T element_at(const tensor& t, std::size_t i)
{
    T value{};
    std::memcpy(&value, t.bytes.data() + i * sizeof(T), sizeof(T));
    return value;
}

// A double can hold every number that the models have.
inline double number_at(const tensor& t, std::size_t i)
{
    switch (t.type) {
    case onnx_number::float32: return element_at<float>(t, i);
    case onnx_number::float64: return element_at<double>(t, i);
    case onnx_number::float16: return static_cast<float>(element_at<padbatch::float16>(t, i));
    case onnx_number::int32: return element_at<std::int32_t>(t, i);
    case onnx_number::int64: return static_cast<double>(element_at<std::int64_t>(t, i));
    case onnx_number::uint8:
    case onnx_number::boolean: return element_at<std::uint8_t>(t, i);
    default: throw std::runtime_error("no number of element type " + std::to_string(t.type));
    }
}

template <typename T>
void append(tensor& t, T value)
{
    const auto* bytes = reinterpret_cast<const char*>(&value);
    t.bytes.insert(t.bytes.end(), bytes, bytes + sizeof(T));
}

inline void append_number(tensor& t, double value)
{
    switch (t.type) {
    case onnx_number::float32: return append(t, static_cast<float>(value));
    case onnx_number::float64: return append(t, value);
    case onnx_number::float16: return append(t, padbatch::float16(static_cast<float>(value)));
    case onnx_number::int32: return append(t, static_cast<std::int32_t>(value));
    case onnx_number::int64: return append(t, static_cast<std::int64_t>(value));
    case onnx_number::uint8:
    case onnx_number::boolean: return append(t, static_cast<std::uint8_t>(value));
    default: throw std::runtime_error("no number of element type " + std::to_string(t.type));
    }
}

// The number of an element type that is nearest to `value`.
inline double rounded(int type, double value)
{
    tensor t{type, {}, {}};
    append_number(t, value);
    return number_at(t, 0);
}

inline std::size_t elements_of(const tensor& t)
{
    return t.bytes.size() / element_size(t.type);
}

inline tensor converted(const tensor& from, int type)
{
    tensor to{type, from.shape, {}};
    for (std::size_t i = 0; i < elements_of(from); ++i) {
        append_number(to, number_at(from, i));
    }
    return to;
}

inline tensor picked(const tensor& from, const std::vector<std::size_t>& rows)
{
    tensor to{from.type, from.shape, {}};
    const std::size_t all = static_cast<std::size_t>(from.shape.at(0));
    const std::size_t size = all == 0 ? 0 : from.bytes.size() / all;
    for (const auto row : rows) {
        const auto begin = from.bytes.begin() + static_cast<std::ptrdiff_t>(row * size);
        to.bytes.insert(to.bytes.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
    }
    to.shape[0] = static_cast<std::int64_t>(rows.size());
    return to;
}

// x1, y1, x2, y2 in pixels -> y1, x1, y2, x2 in heights and widths, in the type of the boxes.
inline tensor normalised(const tensor& boxes, int height, int width)
{
    tensor to{boxes.type, boxes.shape, {}};
    for (std::size_t row = 0; row < static_cast<std::size_t>(boxes.shape[0]); ++row) {
        for (const std::size_t column : {1U, 0U, 3U, 2U}) {
            const double value = number_at(boxes, 4 * row + column);
            const double size = column % 2 == 1 ? height : width;
            // A quotient of two floats, rounded to double and then to float, is the float quotient.
            append_number(to, value / size);
        }
    }
    return to;
}

inline tensor thresholded(const tensor& masks, double threshold, int type)
{
    tensor to{type, masks.shape, {}};
    const double bound = rounded(masks.type, threshold);
    for (std::size_t i = 0; i < elements_of(masks); ++i) {
        append_number(to, number_at(masks, i) >= bound ? 1 : 0);
    }
    return to;
}

inline int onnx_type(element_type type)
{
    switch (type) {
    case element_type::int32: return onnx_number::int32;
    case element_type::int64: return onnx_number::int64;
    case element_type::uint8: return onnx_number::uint8;
    case element_type::boolean: return onnx_number::boolean;
    default: return onnx_number::float32;
    }
}

} // namespace detail

/// A named output.
using named_tensor = std::pair<std::string, tensor>;

/// The outputs of a padded model in its order, for at least one image. `order` is the model's fields, in its order;
/// `limit` is M if the options do not set it.
inline std::vector<named_tensor> plain_outputs(const std::vector<std::string>& order, std::vector<plain_image> images,
                                               const onnx_tools::pad_options& options, std::int64_t limit)
{
    using onnx_tools::mask_choice;
    using onnx_tools::output_layout;
    const auto layout = options.layout;
    const auto* fixed_rows = std::get_if<std::int64_t>(&options.max_detections);
    const bool of_batch = std::holds_alternative<onnx_tools::largest_of_batch>(options.max_detections);
    std::int64_t largest = 0;
    std::vector<std::int64_t> counts;
    for (auto& image : images) {
        std::vector<std::size_t> kept;
        const auto& scores = image.rows.at("scores");
        for (std::size_t row = 0; row < static_cast<std::size_t>(scores.shape[0]); ++row) {
            const double least = options.min_score ? detail::rounded(scores.type, *options.min_score)
                                                   : -std::numeric_limits<double>::infinity();
            const bool room = fixed_rows == nullptr || static_cast<std::int64_t>(kept.size()) < *fixed_rows;
            if (room && detail::number_at(scores, row) >= least) {
                kept.push_back(row);
            }
        }
        for (const auto& field : order) {
            if (field == "masks" && options.masks == mask_choice::none) {
                continue;
            }
            auto& rows = image.rows.at(field);
            rows = detail::picked(rows, kept);
            if (field == "masks" && options.mask_type && *options.mask_type != element_type::float32) {
                rows = detail::thresholded(rows, options.mask_threshold.value_or(0.5),
                                           detail::onnx_type(*options.mask_type));
            }
            const bool squeezes = options.squeeze_masks || layout == output_layout::efficientnms ||
                                  layout == output_layout::mmdeploy || layout == output_layout::tf_od;
            if (field == "masks" && squeezes && rows.shape.size() == 4) {
                rows.shape.erase(rows.shape.begin() + 1);
            }
            if (field == "boxes" && layout == output_layout::tf_od) {
                rows = detail::normalised(rows, image.height, image.width);
            }
            if (field == "labels") {
                std::optional<int> type;
                switch (layout) {
                case output_layout::torchvision: break;
                case output_layout::efficientnms:
                case output_layout::yolov7: type = onnx_number::int32; break;
                case output_layout::mmdeploy: type = onnx_number::int64; break;
                case output_layout::tf_od: type = onnx_number::float32; break;
                case output_layout::ultralytics: type = image.rows.at("boxes").type; break;
                }
                if (options.label_type) {
                    type = detail::onnx_type(*options.label_type);
                }
                rows = type ? detail::converted(rows, *type) : rows;
            }
        }
        counts.push_back(static_cast<std::int64_t>(kept.size()));
        largest = std::max(largest, counts.back());
    }

    const std::int64_t rows = of_batch ? largest : fixed_rows != nullptr ? *fixed_rows : limit;
    std::map<std::string, tensor> padded;
    for (const auto& field : order) {
        if (field == "masks" && options.masks == mask_choice::none) {
            continue;
        }
        std::vector<tensor> each;
        for (const auto& image : images) {
            each.push_back(image.rows.at(field));
        }
        const auto chosen = options.pad_values.find(*onnx_tools::field_from_name(field));
        const bool minus_one = field == "labels" && layout == output_layout::mmdeploy;
        tensor element{each.front().type, {}, {}};
        detail::append_number(element, chosen != options.pad_values.end()
                                           ? std::visit([](auto n) { return static_cast<double>(n); }, chosen->second)
                                       : minus_one ? -1
                                                   : 0);
        padded[field] = plain_pad(each, rows, element.bytes);
    }

    // Columns next to one another.
    const auto join = [&](const std::vector<std::string>& fields) {
        const auto& boxes = padded.at("boxes");
        tensor joined{boxes.type, boxes.shape, {}};
        joined.shape[2] = 3 + static_cast<std::int64_t>(fields.size());
        for (std::size_t row = 0; row < detail::elements_of(boxes) / 4; ++row) {
            for (std::size_t column = 0; column < 4; ++column) {
                detail::append_number(joined, detail::number_at(boxes, 4 * row + column));
            }
            for (std::size_t i = 1; i < fields.size(); ++i) {
                detail::append_number(joined, detail::number_at(padded.at(fields[i]), row));
            }
        }
        for (const auto& field : fields) {
            padded.erase(field);
        }
        return joined;
    };

    std::vector<named_tensor> outputs;
    const auto take = [&](const std::string& field, const std::string& name) {
        if (padded.count(field) != 0) {
            outputs.emplace_back(name, padded.at(field));
            padded.erase(field);
        }
    };
    if (layout != output_layout::mmdeploy && layout != output_layout::ultralytics) {
        const int type = options.count_type               ? detail::onnx_type(*options.count_type)
                         : layout == output_layout::tf_od ? onnx_number::float32
                                                          : onnx_number::int32;
        tensor count{type, {static_cast<std::int64_t>(images.size())}, {}};
        if (!options.flat_counts.value_or(layout == output_layout::tf_od)) {
            count.shape.push_back(1);
        }
        for (const auto value : counts) {
            detail::append_number(count, static_cast<double>(value));
        }
        outputs.emplace_back(layout == output_layout::yolov7 ? "num_dets" : "num_detections", count);
    }
    switch (layout) {
    case output_layout::torchvision: break;
    case output_layout::efficientnms:
        take("boxes", "detection_boxes");
        take("scores", "detection_scores");
        take("labels", "detection_classes");
        take("masks", "detection_masks");
        break;
    case output_layout::yolov7:
        take("boxes", "det_boxes");
        take("scores", "det_scores");
        take("labels", "det_classes");
        break;
    case output_layout::mmdeploy:
        outputs.emplace_back("dets", join({"boxes", "scores"}));
        take("labels", "labels");
        take("masks", "masks");
        break;
    case output_layout::tf_od:
        take("boxes", "detection_boxes");
        take("labels", "detection_classes");
        take("scores", "detection_scores");
        take("masks", "detection_masks");
        break;
    case output_layout::ultralytics: outputs.emplace_back("output0", join({"boxes", "scores", "labels"})); break;
    }
    for (const auto& field : order) {
        take(field, field);
    }
    return outputs;
}

} // namespace padbatch::test

#endif
