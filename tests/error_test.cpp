// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/error.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

using padbatch::status;
using padbatch::status_code;

static_assert(std::is_nothrow_copy_constructible_v<status>);
static_assert(std::is_nothrow_copy_assignable_v<status>);
static_assert(std::is_trivially_destructible_v<status>);
static_assert(std::is_nothrow_copy_constructible_v<padbatch::error>);
static_assert(std::is_base_of_v<std::exception, padbatch::error>);

TEST_CASE("a status that was made without a code is no mistake and has no text")
{
    const status fine;
    CHECK(fine.ok());
    CHECK(fine.code() == status_code::none);
    CHECK(std::string_view(fine.message()).empty());
}

TEST_CASE("the numbers of the codes stay as they are")
{
    const status_code codes[] = {status_code::none,          status_code::size_overflow,  status_code::bad_count,
                                 status_code::bad_offsets,   status_code::size_mismatch,  status_code::field_mismatch,
                                 status_code::row_mismatch,  status_code::too_many_rows,  status_code::bad_batch_index,
                                 status_code::not_a_prefix,  status_code::overlap,        status_code::device_memory,
                                 status_code::wrong_type,    status_code::wrong_shape,    status_code::missing_field,
                                 status_code::out_of_memory, status_code::batch_mismatch, status_code::bad_argument,
                                 status_code::misaligned};
    for (int number = 0; number < 18; ++number) {
        CHECK(static_cast<int>(codes[number]) == number);
    }
}

TEST_CASE("a status puts each argument in the place of one pair of braces")
{
    const std::size_t shape[] = {2, 100, 4};
    const std::int64_t negative[] = {-1, 4};
    const status wrong(status_code::bad_count, "{} of {}: {}, {}, {}, {} and {}.", "boxes", -7, std::uint8_t{200}, 2.5F,
                       std::span<const std::size_t>(shape), std::span<const std::int64_t>(negative),
                       std::numeric_limits<double>::quiet_NaN());
    CHECK_FALSE(wrong.ok());
    CHECK(wrong.code() == status_code::bad_count);
    CHECK(std::string_view(wrong.message()) == "boxes of -7: 200, 2.5, [2, 100, 4], [-1, 4] and nan.");
}

TEST_CASE("the widest numbers are written out in full")
{
    const status wrong(status_code::size_overflow, "{} {} {}", std::numeric_limits<std::int64_t>::lowest(),
                       std::numeric_limits<std::uint64_t>::max(), 16777217.0);
    CHECK(std::string_view(wrong.message()) == "-9223372036854775808 18446744073709551615 16777217");
}

TEST_CASE("braces in an argument are text, and an argument without a place is left out")
{
    CHECK(std::string_view(status(status_code::overlap, "<{}> <{}>", "{}", 1).message()) == "<{}> <1>");
    CHECK(std::string_view(status(status_code::overlap, "nothing", 1, "two").message()) == "nothing");
    CHECK(std::string_view(status(status_code::overlap, "<{}>", std::span<const std::size_t>()).message()) == "<[]>");
}

TEST_CASE("a text that is too long is cut off, and ends in a zero")
{
    const std::string long_text(1000, 'x');
    const std::string whole = std::string("begins with ") + long_text;
    const status cut(status_code::wrong_shape, "begins with {} and {}", long_text.c_str(), 12);
    const status copy = cut; // NOLINT(performance-unnecessary-copy-initialization)
    const std::string found = cut.message();
    CHECK(copy.message() == found);
    CHECK(found.size() >= 255);
    CHECK(found.size() < sizeof(status));
    CHECK(found == whole.substr(0, found.size()));

    const std::string long_pattern(2000, 'y');
    const std::string of_pattern = status(status_code::wrong_shape, long_pattern.c_str()).message();
    CHECK(of_pattern == long_pattern.substr(0, found.size()));
}

TEST_CASE("copies of a status and of an error keep the code and a text of their own")
{
    status copy;
    {
        const status first(status_code::not_a_prefix, "row {}", 3);
        copy = first;
    }
    CHECK(copy.code() == status_code::not_a_prefix);
    CHECK(std::string_view(copy.message()) == "row 3");

    const status& same = copy;
    copy = same;
    CHECK(std::string_view(copy.message()) == "row 3");

    const padbatch::error thrown(copy);
    const padbatch::error copied(thrown); // NOLINT(performance-unnecessary-copy-initialization)
    copy = status();
    CHECK(std::string_view(copy.message()).empty());
    CHECK(copied.code() == status_code::not_a_prefix);
    CHECK(std::string_view(copied.what()) == "row 3");
    CHECK(copied.what() != thrown.what());
    CHECK(std::string_view(copied.status().message()) == "row 3");
}

TEST_CASE("an error is caught as std::exception, with the text of its status")
{
    try {
        padbatch::detail::require(status(status_code::bad_argument, "column {}", 9));
        FAIL("no error");
    } catch (const std::exception& e) {
        CHECK(std::string_view(e.what()) == "column 9");
    }
    CHECK_NOTHROW(padbatch::detail::require(status()));
}

TEST_CASE("making, copying and dropping a status allocates nothing")
{
    const std::size_t shape[] = {2, 100, 4};
    const padbatch::test::allocation_counter counter;
    const status wrong(status_code::bad_count, "{} {} {} {}", "boxes", -7, 2.5, std::span<const std::size_t>(shape));
    const status copy = wrong; // NOLINT(performance-unnecessary-copy-initialization)
    const std::size_t allocations = counter.count();
    CHECK(allocations == 0);
    CHECK(std::string_view(copy.message()) == "boxes -7 2.5 [2, 100, 4]");
}

TEST_CASE("of several checks the first that fails counts, and those behind it are not made")
{
    using padbatch::detail::first_failure;
    int made = 0;
    const auto fine = [&] {
        ++made;
        return status();
    };
    const auto wrong = [&] {
        ++made;
        return status(status_code::bad_count, "check {} fails", made);
    };
    CHECK(first_failure().ok());
    CHECK(first_failure(fine, fine, fine).ok());
    CHECK(made == 3);
    made = 0;
    padbatch::test::check_status(first_failure(fine, wrong, wrong, fine), status_code::bad_count, {"check 2 fails"});
    CHECK(made == 2);
}
