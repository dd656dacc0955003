// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_CHOOSE_ROWS_HPP
#define PADBATCH_DETECTION_DETAIL_CHOOSE_ROWS_HPP

#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/top_rows.hpp>
#include <padbatch/detection/conditions.hpp>
#include <padbatch/detection/detail/rows_over.hpp>
#include <padbatch/detection/detail/score_order.hpp>
#include <padbatch/error.hpp>
#include <padbatch/image.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

template <class T>
inline constexpr bool is_threshold = std::is_same_v<T, score_above> || std::is_same_v<T, score_at_least>;
template <class T>
inline constexpr bool is_label_list = false;
template <class T>
inline constexpr bool is_label_list<padbatch::label_in<T>> = true;
template <class T>
inline constexpr bool is_rows_where = false;
template <class Predicate, class... Tags>
inline constexpr bool is_rows_where<rows_where<Predicate, Tags...>> = true;
template <class T>
inline constexpr bool is_condition = is_threshold<T> || is_label_list<T> || is_rows_where<T> ||
                                     std::is_same_v<T, score_above_of_label> || std::is_same_v<T, highest_scores>;

template <class T>
inline constexpr bool needs_scores =
    is_threshold<T> || std::is_same_v<T, score_above_of_label> || std::is_same_v<T, highest_scores>;
template <class T>
inline constexpr bool needs_labels = is_label_list<T> || std::is_same_v<T, score_above_of_label>;

/// A compile error, with the reason, if the scores or the labels are not as conditions need them. `Scores` and `Labels`
/// have `value_type` and `extents_type`, or are void if there is no such field.
template <bool NeedsScores, bool NeedsLabels, class Scores, class Labels>
consteval bool can_be_chosen_from() noexcept
{
    static_assert(!NeedsScores || !std::is_void_v<Scores>, "a condition on scores needs t::scores");
    static_assert(!NeedsLabels || !std::is_void_v<Labels>, "a condition on labels needs t::labels");
    if constexpr (NeedsScores && !std::is_void_v<Scores>) {
        static_assert(std::is_same_v<typename Scores::value_type, float> && Scores::extents_type::rank == 0,
                      "a condition on scores needs float scores, one for each row");
    }
    if constexpr (NeedsLabels && !std::is_void_v<Labels>) {
        static_assert(std::is_integral_v<typename Labels::value_type> && Labels::extents_type::rank == 0,
                      "a condition on labels needs labels of one integer for each row");
    }
    return true;
}

[[nodiscard]] inline status check_threshold(float threshold, const char* name) noexcept
{
    if (!__builtin_isfinite(threshold)) {
        return {status_code::bad_argument, "the threshold of {} is {}; expected a finite number", name,
                static_cast<double>(threshold)};
    }
    return {};
}

/// Checks the values of a condition; anything else passes.
template <class Condition>
[[nodiscard]] status check_condition(const Condition& condition) noexcept
{
    if constexpr (std::is_same_v<Condition, score_above>) {
        return check_threshold(condition.threshold(), "score_above");
    } else if constexpr (std::is_same_v<Condition, score_at_least>) {
        return check_threshold(condition.threshold(), "score_at_least");
    } else if constexpr (std::is_same_v<Condition, score_above_of_label>) {
        const auto thresholds = condition.thresholds();
        for (std::size_t label = 0; label < thresholds.size(); ++label) {
            if (__builtin_isnan(thresholds[label])) {
                return {status_code::bad_argument,
                        "the threshold of label {} is NaN; expected a number, or infinity to drop the label", label};
            }
        }
    }
    return {};
}

/// The memory that a condition reads while rows are dropped.
template <class Condition>
[[nodiscard]] std::span<const std::byte> memory_of_condition(const Condition& condition) noexcept
{
    if constexpr (std::is_same_v<Condition, score_above_of_label>) {
        return std::as_bytes(condition.thresholds());
    } else if constexpr (is_label_list<Condition>) {
        return std::as_bytes(condition.labels());
    } else {
        return {};
    }
}

/// Whether a label is in a list.
template <class T>
class label_lookup {
public:
    explicit label_lookup(std::span<const T> labels) noexcept : m_labels(labels)
    {
        for (const T label : labels) {
            const auto number = static_cast<std::uint64_t>(label);
            if (number < 256) {
                m_bits[number / 64] |= std::uint64_t{1} << number % 64;
            } else {
                m_has_others = true;
            }
        }
    }

    [[nodiscard]] bool operator()(std::int64_t label) const noexcept
    {
        const auto number = static_cast<std::uint64_t>(label);
        if (number < 256) {
            return (m_bits[number / 64] >> number % 64 & 1U) != 0;
        }
        return m_has_others && is_listed(label);
    }

private:
    std::span<const T> m_labels;
    std::uint64_t m_bits[4] = {};
    bool m_has_others = false;

    [[nodiscard]] bool is_listed(std::int64_t label) const noexcept
    {
        for (const T other : m_labels) {
            if (static_cast<std::int64_t>(other) == label) {
                return true;
            }
        }
        return false;
    }
};

/// The rows of one image that have passed so far: all of them, or those in a list.
template <class Number>
class passed_rows {
public:
    /// `rows` has room for all n rows.
    passed_rows(Number* rows, std::size_t n) noexcept : m_rows(rows), m_size(n) {}

    [[nodiscard]] std::size_t size() const noexcept { return m_size; }

    /// The rows whose scores pass: the first condition.
    template <bool OrEqual, class Scores>
    void keep_over(const Scores& scores, float threshold) noexcept
    {
        m_size = rows_over<OrEqual>(scores, threshold, m_rows);
        m_all = false;
    }

    /// Keeps the rows that pass a test, without a branch.
    template <class Test>
    void keep(const Test& test) noexcept
    {
        std::size_t m = 0;
        if (m_all) {
            for (std::size_t j = 0; j < m_size; ++j) {
                m_rows[m] = static_cast<Number>(j);
                m += test(j) ? 1U : 0U;
            }
        } else {
            for (std::size_t k = 0; k < m_size; ++k) {
                const Number row = m_rows[k];
                m_rows[m] = row;
                m += test(static_cast<std::size_t>(row)) ? 1U : 0U;
            }
        }
        m_size = m;
        m_all = false;
    }

    /// Keeps the `most` rows with the highest scores. `keys` has room for all rows.
    template <class Scores>
    void keep_highest(const Scores& scores, std::size_t most, std::uint32_t* keys) noexcept
    {
        if (most == 0 || most >= m_size) {
            m_size = most == 0 ? 0 : m_size;
            return;
        }
        list_all();
        for (std::size_t k = 0; k < m_size; ++k) {
            keys[k] = key_at_row(scores, m_rows[k]);
        }
        const std::uint32_t lowest = largest(keys, m_size, most);
        std::size_t equal = most; // how many rows with the lowest key there is room for
        for (std::size_t k = 0; k < m_size; ++k) {
            equal -= keys[k] > lowest ? 1U : 0U;
        }
        keep([&](std::size_t row) {
            const std::uint32_t key = key_at_row(scores, static_cast<Number>(row));
            const bool at_limit = key == lowest && equal != 0;
            equal -= at_limit ? 1U : 0U;
            return key > lowest || at_limit;
        });
    }

    /// Writes the numbers, if all rows have passed.
    void list_all() noexcept
    {
        if (m_all) {
            for (std::size_t j = 0; j < m_size; ++j) {
                m_rows[j] = static_cast<Number>(j);
            }
        }
        m_all = false;
    }

private:
    Number* m_rows;
    std::size_t m_size;
    bool m_all = true;

    template <class Scores>
    [[nodiscard]] static std::uint32_t key_at_row(const Scores& scores, Number row) noexcept
    {
        return key_of(float_at(scores, static_cast<std::size_t>(row)));
    }
};

/// Keeps the rows of an image that pass the condition that is taken first; passes over others.
template <class Image, class Number, class Condition>
void keep_first(passed_rows<Number>& rows, const Image& image, const Condition& condition) noexcept
{
    if constexpr (is_threshold<Condition>) {
        rows.template keep_over<std::is_same_v<Condition, score_at_least>>(image[t::scores], condition.threshold());
    }
}

/// The same for the condition that is taken last.
template <class Image, class Number, class Condition>
void keep_last(passed_rows<Number>& rows, const Image& image, const Condition& condition, std::byte* scratch) noexcept
{
    if constexpr (std::is_same_v<Condition, highest_scores>) {
        rows.keep_highest(image[t::scores], condition.rows(), reinterpret_cast<std::uint32_t*>(scratch));
    } else {
        static_cast<void>(scratch);
    }
}

/// The same for the others.
template <class Image, class Number, class Condition>
void keep_passing(passed_rows<Number>& rows, const Image& image, const Condition& condition) noexcept
{
    if constexpr (is_label_list<Condition>) {
        const auto labels = image[t::labels];
        const label_lookup listed(condition.labels());
        rows.keep([&](std::size_t j) { return listed(integer_at(labels, j)); });
    } else if constexpr (std::is_same_v<Condition, score_above_of_label>) {
        const auto labels = image[t::labels];
        const auto scores = image[t::scores];
        const auto thresholds = condition.thresholds();
        rows.keep([&](std::size_t j) {
            const auto label = static_cast<std::uint64_t>(integer_at(labels, j));
            return label < thresholds.size() && float_at(scores, j) > thresholds[label];
        });
    } else if constexpr (is_rows_where<Condition>) {
        rows.keep([&](std::size_t j) { return condition.keeps(image, j); });
    }
}

/// The bytes of scratch that the conditions among `Arguments` need for n rows.
template <class... Arguments>
[[nodiscard]] constexpr std::size_t choose_scratch_bytes(std::size_t n) noexcept
{
    return (std::is_same_v<Arguments, highest_scores> || ...) ? n * sizeof(std::uint32_t) : 0;
}

/// Writes the numbers of the rows that pass all conditions, ascending, to `rows`, which has room for all, and returns
/// how many. Arguments that are no conditions are passed over.
template <class Image, class Number, class... Arguments>
[[nodiscard]] std::size_t choose_rows(const Image& image, Number* rows, std::byte* scratch,
                                      const Arguments&... arguments) noexcept
{
    passed_rows<Number> passed(rows, image.size());
    (keep_first(passed, image, arguments), ...);
    (keep_passing(passed, image, arguments), ...);
    (keep_last(passed, image, arguments, scratch), ...);
    passed.list_all();
    return passed.size();
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
