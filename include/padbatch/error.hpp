// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ERROR_HPP
#define PADBATCH_ERROR_HPP

#include <padbatch/config.hpp>
#include <padbatch/detail/message.hpp>

#if PADBATCH_EXCEPTIONS
#include <exception>
#endif

namespace padbatch::inline PADBATCH_MODE {

/// What kind of mistake a `status` or an `error` reports. The numbers are stable.
enum class errc {
    /// No mistake.
    none = 0,
    /// A size, such as B * M * row size, does not fit the type that has to hold it.
    size_overflow = 1,
    /// A count is below zero, above the capacity, or no whole number.
    bad_count = 2,
    /// Offsets are below zero, decrease, or reach beyond the rows.
    bad_offsets = 3,
    /// A span or tensor has another number of elements than its shape asks for, or one that is no multiple of a row.
    size_mismatch = 4,
    /// The fields of one image have different numbers of rows.
    field_mismatch = 5,
    /// Rows have another shape than expected, such as masks of two sizes in one batch.
    row_mismatch = 6,
    /// An image has more rows than the output's capacity, and the policy is `overflow::error`.
    too_many_rows = 7,
    /// A batch index or row id is NaN, fractional, out of range or out of order.
    bad_batch_index = 8,
    /// Valid rows are not the first ones of their image, so that no count can describe them.
    not_a_prefix = 9,
    /// The output's memory overlaps the source's.
    overlap = 10,
    /// Memory on a device, where the host would have to read or write.
    device_memory = 11,
    /// A tensor has another element type than asked for.
    wrong_type = 12,
    /// A tensor has another rank or other extents than asked for, or strides that this view cannot have.
    wrong_shape = 13,
    /// An output or field that is asked for is not there.
    missing_field = 14,
    /// Memory could not be allocated, or memory that was handed in is too small to grow into.
    out_of_memory = 15,
    /// The output has another batch size than the source.
    batch_mismatch = 16,
    /// A number that steers the call, such as a column or a multiple, is outside of what it may be.
    bad_argument = 17,
};

/// The outcome of a check: nothing wrong, or a code and a text with the numbers in it. Never allocates.
class [[nodiscard]] status {
public:
    /// No mistake. (Not defaulted: that would clear the text, more bytes than some batches have.)
    status() noexcept {} // NOLINT(modernize-use-equals-default)

    /// A mistake. Each `{}` of `text` is replaced by the next argument: whole numbers, doubles, C strings or shapes
    /// (`std::span<const std::size_t>`).
    template <class... Args>
    [[gnu::cold, gnu::noinline]] status(errc code, const char* text, const Args&... args) noexcept
        : m_code(code), m_message(text, args...)
    {
    }

    [[nodiscard]] bool ok() const noexcept { return m_code == errc::none; }
    [[nodiscard]] errc code() const noexcept { return m_code; }
    /// What was found, what was expected and what to do, in one line; empty when there is no mistake.
    [[nodiscard]] const char* message() const noexcept { return m_message.text(); }

private:
    errc m_code = errc::none;
    detail::message m_message;
};

#if PADBATCH_EXCEPTIONS
/// The only exception that padbatch's headers throw. `what()` names the numbers that were wrong.
class error : public std::exception {
public:
    explicit error(const padbatch::status& why) noexcept : m_status(why) {}

    [[nodiscard]] errc code() const noexcept { return m_status.code(); }
    [[nodiscard]] const char* what() const noexcept override { return m_status.message(); }
    [[nodiscard]] const padbatch::status& status() const noexcept { return m_status; }

private:
    padbatch::status m_status;
};

namespace detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void raise(const status& why)
{
    throw error(why);
}

inline void require(const status& outcome)
{
    if (!outcome.ok()) [[unlikely]] {
        raise(outcome);
    }
}

} // namespace detail
#endif

} // namespace padbatch::inline PADBATCH_MODE

#endif
