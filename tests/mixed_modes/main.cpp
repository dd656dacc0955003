// SPDX-License-Identifier: Apache-2.0
#include "batch.hpp"

#include <cstdio>
#include <cstring>

// Object files that were compiled with and without exceptions, and with another version of the headers, in one program:
// each keeps its own padbatch, so that what is thrown in one is caught there, and all do the same. Returns the number
// of promises that were broken.

namespace {

int broken = 0;

void check(bool holds, const char* promise)
{
    if (!holds) {
        std::printf("broken: %s\n", promise);
        ++broken;
    }
}

} // namespace

int main()
{
    constexpr int bad_count = 2; // padbatch::status_code, whose numbers are stable
    constexpr int size_overflow = 1;
    constexpr int size_mismatch = 4;
    constexpr int too_many_rows = 7;

    check(mixed_modes::first_has_exceptions() && !mixed_modes::second_has_exceptions(), "the program has both modes");

    check(mixed_modes::first_function() != mixed_modes::second_function(), "each mode has functions of its own");
    check(mixed_modes::first_function() != mixed_modes::other_version_function(), "so has each version");

    const mixed_modes::rows input;
    mixed_modes::batch caught;
    mixed_modes::batch checked;
    mixed_modes::batch other;
    check(mixed_modes::pad_and_catch(caught, input) == 0, "padding works with exceptions");
    check(mixed_modes::pad_and_check(checked, input) == 0, "padding works without exceptions");
    check(mixed_modes::pad_in_other_version(other, input) == 0, "padding works in another version");
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the bytes are what is compared
    check(std::memcmp(&caught, &checked, sizeof caught) == 0, "both modes write the same bytes");
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
    check(std::memcmp(&caught, &other, sizeof caught) == 0, "both versions write the same bytes");
    check(caught.counts[0] == 1 && caught.counts[1] == 3 && caught.boxes[12] == 4, "they write what they should");

    mixed_modes::rows too_many;
    too_many.offsets[1] = 0;
    check(mixed_modes::pad_and_catch(caught, too_many) == too_many_rows, "an error is thrown and caught");
    check(mixed_modes::pad_and_check(checked, too_many) == too_many_rows, "the same error is a status");
    check(mixed_modes::pad_in_other_version(other, too_many) == too_many_rows, "each version catches its own error");

    check(mixed_modes::view_and_catch(caught, 4) == size_mismatch, "a wrong size is thrown and caught");
    check(mixed_modes::view_and_check(checked, 4) == size_mismatch, "a wrong size is a status");
    caught.counts[1] = checked.counts[1] = 4;
    check(mixed_modes::view_and_catch(caught, 3) == bad_count, "a wrong count is thrown and caught");
    check(mixed_modes::view_and_check(checked, 3) == bad_count, "a wrong count is a status");

    check(mixed_modes::grow_and_catch(input) == size_overflow, "growing too far is thrown and caught");
    check(mixed_modes::grow_and_check(input) == size_overflow, "growing too far is a status");
    return broken;
}
