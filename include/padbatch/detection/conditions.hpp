// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_CONDITIONS_HPP
#define PADBATCH_DETECTION_CONDITIONS_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/fields.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

/// Conditions on rows, for `select_rows`. They refer to the lists that they are given, which must live as long: a
/// temporary will do within the call only.
namespace padbatch::inline PADBATCH_ABI {

/// Rows whose score is over a threshold: `score > threshold`. The threshold is finite. NaN is not over it.
class score_above {
public:
    constexpr explicit score_above(float threshold) noexcept : m_threshold(threshold) {}

    [[nodiscard]] constexpr float threshold() const noexcept { return m_threshold; }

private:
    float m_threshold;
};

/// Rows whose score reaches a threshold: `score >= threshold`. The threshold is finite. NaN does not reach it.
class score_at_least {
public:
    constexpr explicit score_at_least(float threshold) noexcept : m_threshold(threshold) {}

    [[nodiscard]] constexpr float threshold() const noexcept { return m_threshold; }

private:
    float m_threshold;
};

/// Rows whose score is over the threshold of their label: `score > thresholds[label]`. Labels outside of the list,
/// below 0 or from its size on, are dropped, and so is NaN. Thresholds are not NaN; infinity drops a class.
class score_above_of_label {
public:
    explicit score_above_of_label(std::span<const float> thresholds) noexcept : m_thresholds(thresholds) {}

    [[nodiscard]] std::span<const float> thresholds() const noexcept { return m_thresholds; }

private:
    std::span<const float> m_thresholds;
};

/// Rows whose label is in a list, a contiguous container of integers; both are compared as int64. Labels from 0 to 255
/// are looked up in a table of bits; others are compared with the list one by one.
template <class T>
class label_in {
    static_assert(std::is_integral_v<T>, "label_in takes a list of integers");

public:
    template <detail::contiguous_values List>
    explicit label_in(const List& labels) noexcept : m_labels(labels.data(), labels.size())
    {
    }

    [[nodiscard]] std::span<const T> labels() const noexcept { return m_labels; }

private:
    std::span<const T> m_labels;
};
template <detail::contiguous_values List>
label_in(const List&) -> label_in<std::remove_const_t<detail::value_of<const List>>>;

/// The k rows with the highest scores, in the order in which they are. Of equal scores the earlier row is taken first,
/// and NaN is below every number. Of several conditions this is the last one: the best of the rows that pass the
/// others.
class highest_scores {
public:
    constexpr explicit highest_scores(std::size_t rows) noexcept : m_rows(rows) {}

    [[nodiscard]] constexpr std::size_t rows() const noexcept { return m_rows; }

private:
    std::size_t m_rows;
};

/// Rows for which a function returns true; it must not throw, and is called once for each row that passed the
/// conditions before it. It takes the image and the number of a row, or the values of the fields that are named:
///
///     rows_where([](const auto& image, std::size_t j) { return image[t::boxes][j][0] > 10; })
///     rows_where([](std::span<const float, 4> box, float score) { return box[0] > 10 * score; }, t::boxes, t::scores)
template <class Predicate, class... Tags>
class rows_where {
public:
    constexpr explicit rows_where(const Predicate& predicate, const Tags&... /*fields*/) noexcept
        : m_predicate(predicate)
    {
        static_assert((field_tag<Tags> && ...), "behind the function stand fields, such as t::boxes, t::scores");
    }

    /// Whether row j of an image is kept.
    template <class Image>
    [[nodiscard]] bool keeps(const Image& image, std::size_t j) const noexcept
    {
        if constexpr (sizeof...(Tags) == 0) {
            return static_cast<bool>(m_predicate(image, j));
        } else {
            return static_cast<bool>(m_predicate(image[Tags{}][j]...));
        }
    }

private:
    Predicate m_predicate;
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
