// SPDX-License-Identifier: Apache-2.0
#include <padbatch/rows_of.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

/// The data of a field as its rows, and whether they can be.
template <class Bound>
auto read(const Bound& bound)
{
    return padbatch::detail::rows_of<Bound>(bound.value, bound.row);
}
template <class Bound>
status check(const Bound& bound)
{
    const status outcome = padbatch::detail::check_rows<Bound>(bound.value, bound.row);
    CHECK(outcome.ok() == padbatch::detail::rows_are_whole<Bound>(bound.value, bound.row));
    return outcome;
}

struct box_corners {
    float x1, y1, x2, y2;
};

/// A container of another library: numbers that are apart.
struct every_second {
    const float* first;
    std::size_t size;
    bool broken = false;
};

} // namespace

template <>
struct padbatch::rows_traits<every_second> {
    using adapted = void;
    template <class E>
    static status check(const every_second& x, const E& /*row*/, const char* name) noexcept
    {
        return x.broken ? status(status_code::wrong_shape, "{} is broken", name) : status();
    }
    template <class E>
    static basic_rows<const float, E, layout::strided> rows(const every_second& x, const E& row) noexcept
    {
        return {x.first, x.size, row, {2 * sizeof(float)}};
    }
};

TEST_CASE("containers of rows and of their elements are the same rows, where they lie")
{
    std::vector<float> flat{1, 2, 3, 4, 5, 6, 7, 8};
    std::vector<std::array<float, 4>> arrays{{1, 2, 3, 4}, {5, 6, 7, 8}};
    std::vector<box_corners> structs{{1, 2, 3, 4}, {5, 6, 7, 8}};
    const rows<float, 4> given(flat.data(), 2);

    const auto holds = [](const auto& found, const void* place) {
        static_assert(std::is_same_v<std::remove_cvref_t<decltype(found)>, rows<float, 4>>);
        return found.data() == place && found.size() == 2 && found[1][0] == 5 && found[1][3] == 8;
    };
    CHECK(holds(read(t::boxes(flat)), flat.data()));
    CHECK(holds(read(t::boxes(std::span(flat))), flat.data()));
    CHECK(holds(read(t::boxes(arrays)), arrays.data()));
    CHECK(holds(read(t::boxes(structs).of<float>()), structs.data()));
    CHECK(holds(read(t::boxes(given)), flat.data()));
    for (const status& outcome : {check(t::boxes(flat)), check(t::boxes(arrays)), check(t::boxes(given)),
                                  check(t::boxes(structs).of<float>())}) {
        CHECK(outcome.ok());
    }
}

TEST_CASE("rows of a const container are const")
{
    const std::vector<float> flat(8);
    static_assert(std::is_same_v<decltype(read(t::boxes(flat))), rows<const float, 4>>);
    static_assert(std::is_same_v<decltype(read(t::boxes(std::span(flat)))), rows<const float, 4>>);
    CHECK(read(t::boxes(flat)).size() == 2);
}

TEST_CASE("rows of one number are numbers, and a type of the user's own is a row by itself")
{
    std::vector<std::int64_t> labels{3, 1, 2};
    static_assert(std::is_same_v<decltype(read(t::labels(labels))), rows<std::int64_t>>);
    CHECK(read(t::labels(labels))[2] == 2);
    std::vector<box_corners> values(3);
    static_assert(std::is_same_v<decltype(read(t::values(values))), rows<box_corners>>);
    CHECK(read(t::values(values)).size() == 3);
}

TEST_CASE("nested arrays bring their extents, flat values are given them")
{
    std::vector<std::array<std::array<float, 3>, 2>> nested(5);
    static_assert(std::is_same_v<decltype(read(t::keypoints(nested))), rows<float, 2, 3>>);
    CHECK(read(t::keypoints(nested)).size() == 5);

    std::vector<float> flat(12);
    const auto points = read(t::keypoints(flat, 2, 3));
    static_assert(std::is_same_v<std::remove_const_t<decltype(points)>, rows<float, dynamic, 3>>);
    CHECK(points.size() == 2);
    CHECK(points.row_size() == 6);
}

TEST_CASE("values that are not whole rows are refused with the numbers and the name of the field")
{
    const std::vector<float> ten(10);
    check_status(check(t::boxes(ten)), status_code::size_mismatch, {"boxes", "10 values", "4"});
    check_status(check(t::masks(ten, 1, 2, 2)), status_code::size_mismatch, {"masks", "[1, 2, 2]"});
    CHECK(check(t::masks(ten, 1, 5, 2)).ok());
}

TEST_CASE("flat values of unknown or impossible extents are refused, unless there are none")
{
    const std::vector<float> ten(10);
    const std::vector<float> none;
    check_status(check(t::masks(ten)), status_code::row_mismatch, {"masks", "unknown extents"});
    CHECK(check(t::masks(none)).ok());
    CHECK(read(t::masks(none)).empty());
    for (const std::vector<float>& values : {ten, none}) {
        check_status(check(t::masks(values, 2, std::numeric_limits<std::size_t>::max(), 2)), status_code::size_overflow,
                     {"masks"});
    }
}

TEST_CASE("a container that an adapter knows is checked and read by its trait")
{
    const float values[] = {1, 0, 2, 0, 3, 0};
    const auto scores = t::scores(every_second{values, 3});
    CHECK(check(scores).ok());
    const auto found = read(scores);
    CHECK(found.size() == 3);
    CHECK(found[2] == 3);
    check_status(check(t::scores(every_second{values, 3, true})), status_code::wrong_shape, {"scores is broken"});
}
