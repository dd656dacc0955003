// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ERROR_HPP
#define PADBATCH_ERROR_HPP

#include <padbatch/config.hpp>
#include <padbatch/detail/message.hpp>

#if PADBATCH_EXCEPTIONS
#include <exception>
#endif

namespace padbatch::inline PADBATCH_ABI {

/// What kind of mistake a `status` or an `error` reports. The numbers are stable.
enum class status_code {
    /// No mistake.
    none = 0,
    /// A size, such as B * M * row size, does not fit the type that has to hold it.
    size_overflow = 1,
    /// A count is negative, above the capacity, or not a whole number.
    bad_count = 2,
    /// Offsets are negative, decrease, or reach beyond the rows.
    bad_offsets = 3,
    /// A span or tensor has a number of elements that differs from its shape's, or is not a multiple of a row's.
    size_mismatch = 4,
    /// The fields of one image have different numbers of rows.
    field_mismatch = 5,
    /// Rows have a different shape than expected, such as masks of two sizes in one batch.
    row_mismatch = 6,
    /// An image has more rows than the output's capacity, and the policy is `overflow::error`.
    too_many_rows = 7,
    /// A batch index or row id is NaN, fractional, out of range or out of order.
    bad_batch_index = 8,
    /// Real rows are not the first ones of their image, so that no count can describe them.
    not_a_prefix = 9,
    /// The output's memory overlaps the source's.
    overlap = 10,
    /// Memory that the host would have to read or write is on a device.
    device_memory = 11,
    /// A tensor's element type is not the one requested.
    wrong_type = 12,
    /// A tensor's rank or extents are not those requested, or its strides are not ones that the view can have.
    wrong_shape = 13,
    /// A requested output or field does not exist.
    missing_field = 14,
    /// Memory could not be allocated, or memory that the caller provided is too small.
    out_of_memory = 15,
    /// The output's batch size differs from the source's.
    batch_mismatch = 16,
    /// An argument, such as a column or a multiple, is out of range.
    bad_argument = 17,
    /// Memory does not begin at a multiple of its elements' size.
    misaligned = 18,
};

/// The outcome of a check: success, or a code and a text with the numbers in it. Never allocates.
class [[nodiscard]] status {
public:
    /// Success. (Not defaulted: that would clear the text, more bytes than some batches have.)
    status() noexcept {} // NOLINT(modernize-use-equals-default)

    /// A mistake. Each `{}` of `text` is replaced by the next argument: an integer, a double, a C string or a shape (a
    /// `std::span` or `std::array` of integers).
    template <class... Args>
    [[gnu::cold, gnu::noinline]] status(status_code code, const char* text, const Args&... args) noexcept
        : m_code(code), m_message(text, args...)
    {
    }

    [[nodiscard]] bool ok() const noexcept { return m_code == status_code::none; }
    [[nodiscard]] status_code code() const noexcept { return m_code; }
    /// What was found, what was expected and what to do, in one line; empty on success.
    [[nodiscard]] const char* message() const noexcept { return m_message.text(); }

private:
    status_code m_code = status_code::none;
    detail::message m_message;
};

#if PADBATCH_EXCEPTIONS
/// The only exception that padbatch's headers throw. `what()` gives the numbers that were wrong.
class error : public std::exception {
public:
    explicit error(const padbatch::status& why) noexcept : m_status(why) {}

    [[nodiscard]] status_code code() const noexcept { return m_status.code(); }
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

} // namespace padbatch::inline PADBATCH_ABI

#endif
