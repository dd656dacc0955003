// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_CHOSEN_ROWS_HPP
#define PADBATCH_TESTS_SUPPORT_CHOSEN_ROWS_HPP

#include <tests/support/plain_outputs.hpp>
#include <tests/support/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

// What callers of a padded model choose in a run, and what that means for the rows of an image, as plainly as possible.
namespace padbatch::test {

struct run_choice {
    float min_score = 0;
    std::int32_t max_detections = 0;
};

/// A tensor of these numbers, `[n]`, or `[n, 1]` for each of n images.
template <typename T>
tensor numbers_tensor(int type, const std::vector<T>& values, bool per_image)
{
    tensor t{type, {static_cast<std::int64_t>(values.size())}, {}};
    if (per_image) {
        t.shape.push_back(1);
    }
    t.bytes.resize(values.size() * sizeof(T));
    if (!values.empty()) {
        std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
    }
    return t;
}

/// The inputs by which `choices` are made, one for each image or one for all.
inline std::map<std::string, tensor> choosing(const std::vector<run_choice>& choices, bool per_image)
{
    std::vector<float> scores;
    std::vector<std::int32_t> rows;
    for (const auto& choice : choices) {
        scores.push_back(choice.min_score);
        rows.push_back(choice.max_detections);
    }
    return {{"min_score", numbers_tensor(onnx_number::float32, scores, per_image)},
            {"max_detections", numbers_tensor(onnx_number::int32, rows, per_image)}};
}

/// The first rows of an image, as many as are chosen, of those with scores that are high enough. The best come first.
inline plain_image chosen_rows(plain_image image, const std::vector<std::string>& fields, const run_choice& choice)
{
    const auto& scores = image.rows.at("scores");
    std::vector<std::size_t> kept;
    for (std::size_t row = 0; row < detail::elements_of(scores); ++row) {
        const bool high =
            choice.min_score <= 0 ||
            detail::number_at(scores, row) >= detail::rounded(scores.type, static_cast<double>(choice.min_score));
        if (high && static_cast<std::int64_t>(kept.size()) < choice.max_detections) {
            kept.push_back(row);
        }
    }
    for (const auto& field : fields) {
        image.rows.at(field) = detail::picked(image.rows.at(field), kept);
    }
    return image;
}

} // namespace padbatch::test

#endif
