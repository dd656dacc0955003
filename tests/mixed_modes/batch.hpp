// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_MIXED_MODES_BATCH_HPP
#define PADBATCH_TESTS_MIXED_MODES_BATCH_HPP

#include <cstddef>
#include <cstdint>

// What all kinds of object file work on. They call the same templates of padbatch with the same types, so that one
// would end up with another's functions if they had the same names.
namespace mixed_modes {

inline constexpr std::size_t images = 2;
inline constexpr std::size_t capacity = 3;

struct batch {
    float boxes[images * capacity * 4] = {};
    std::int64_t labels[images * capacity] = {};
    std::int32_t counts[images] = {};
};

/// Ragged rows: image 0 has one of the four, image 1 the others.
struct rows {
    float boxes[4 * 4] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    std::int64_t labels[4] = {1, 2, 3, 4};
    std::int64_t offsets[images + 1] = {0, 1, 4};
};

/// Whether the code behind it was compiled with exceptions.
bool first_has_exceptions();
bool second_has_exceptions();

/// The address of one of padbatch's inline functions.
using function = void (*)();
function first_function();
function second_function();
function other_version_function();

/// Pads; returns the number of the error's code, 0 for none.
int pad_and_catch(batch& output, const rows& input);
int pad_and_check(batch& output, const rows& input);
int pad_in_other_version(batch& output, const rows& input);

/// Makes a view of a batch whose counts may be wrong; returns the number of the error's code, 0 for none.
int view_and_catch(batch& output, std::size_t with_capacity);
int view_and_check(batch& output, std::size_t with_capacity);

/// Appends all rows to an owner, and again as many as make a size overflow; returns the number of the error's code.
int grow_and_catch(const rows& input);
int grow_and_check(const rows& input);

} // namespace mixed_modes

#endif
