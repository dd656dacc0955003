// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/run_lengths.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

TEST_CASE("run lengths of many masks are one list, which keeps its memory")
{
    run_lengths list;
    CHECK((list.empty() && list.height() == 0 && list.counts().empty()));
    list.reserve(4, 16);
    const std::vector<std::uint32_t> first{2, 4};
    const std::vector<std::uint32_t> second{0, 6};
    list.append({first, 2, 3});
    list.append({second, 2, 3});
    CHECK((list.size() == 2 && list.height() == 2 && list.width() == 3 && list.counts().size() == 4));
    CHECK((list[1].counts[1] == 6 && list[0].counts.size() == 2));
    std::size_t masks = 0;
    for (const run_length_view mask : list) {
        masks += mask.counts.size() == 2 ? 1 : 0;
    }
    CHECK(masks == 2);
    const std::uint32_t* const memory = list.counts().data();
    list.clear();
    list.append({second, 3, 2}); // another size
    CHECK((list.counts().data() == memory && list.width() == 2));
    run_lengths taken = std::move(list);
    CHECK((taken[0].counts[1] == 6 && list.empty())); // NOLINT(bugprone-use-after-move): it has no masks
    list.append({first, 2, 3});
    taken = std::move(list);                                          // nothing of what it held is left anywhere
    CHECK((taken.size() == 1 && taken.width() == 3 && list.empty())); // NOLINT(bugprone-use-after-move)
}

TEST_CASE("a list of run lengths refuses what is no mask, or one of another size, and stays as it is")
{
    run_lengths list;
    const std::vector<std::uint32_t> counts{2, 4};
    list.append({counts, 2, 3});
    check_status(list.try_append({counts, 2, 2}), status_code::size_mismatch, {"add up to 6", "expected 4"});
    check_status(list.try_append({counts, 3, 2}), status_code::row_mismatch, {"masks of 3 x 2", "masks of 2 x 3"});
    check_status(list.try_append({counts, 0, 3}), status_code::bad_argument, {"0 x 3"});
    check_status(list.try_append({counts, std::size_t{1} << 20, std::size_t{1} << 20}), status_code::size_overflow);
    check_status(list.try_append(list[0]), status_code::overlap, {"copy them first"});
    CHECK((list.size() == 1 && list[0].counts[0] == 2));
}
