// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_CONFIG_HPP
#define PADBATCH_CONFIG_HPP

#include <padbatch/version.hpp>

/// 1 where this translation unit is compiled with exceptions, 0 where it is not (`-fno-exceptions`). Without them the
/// throwing forms are not declared; `try_...`, `check` and the `unchecked` forms exist in both modes.
#if defined(__cpp_exceptions)
#define PADBATCH_EXCEPTIONS 1
#else
#define PADBATCH_EXCEPTIONS 0
#endif

#define PADBATCH_DETAIL_ABI_(major, minor, mode) v##major##_##minor##_##mode
#define PADBATCH_DETAIL_ABI(major, minor, mode) PADBATCH_DETAIL_ABI_(major, minor, mode)

// The inline namespace of all names, such as `v0_2_throwing`. The linker keeps one copy of each inline function, so
// object files that mean different code by one name must not meet in a program. They differ
// - in the version: two libraries of a program may have been built with different releases of padbatch, whose functions
//   and types share names but not contents;
// - in the mode: a copy without unwind tables, kept in the place of one that throws, ends the program.
#if PADBATCH_EXCEPTIONS && defined(__cpp_rtti)
#define PADBATCH_ABI PADBATCH_DETAIL_ABI(PADBATCH_VERSION_MAJOR, PADBATCH_VERSION_MINOR, throwing)
#elif PADBATCH_EXCEPTIONS // without RTTI an exception's table has no type in it, which a dynamic_cast elsewhere needs
#define PADBATCH_ABI PADBATCH_DETAIL_ABI(PADBATCH_VERSION_MAJOR, PADBATCH_VERSION_MINOR, throwing_without_rtti)
#else
#define PADBATCH_ABI PADBATCH_DETAIL_ABI(PADBATCH_VERSION_MAJOR, PADBATCH_VERSION_MINOR, no_exceptions)
#endif

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// Whether a target with pointers and sizes of these many bytes can be used.
[[nodiscard]] consteval bool is_64_bit(unsigned long pointer_bytes, unsigned long size_bytes) noexcept
{
    return pointer_bytes == 8 && size_bytes == 8;
}
static_assert(is_64_bit(sizeof(void*), sizeof(decltype(sizeof(int)))),
              "padbatch is for 64-bit targets only: sizes of tensors are counted in 64 bits");

} // namespace detail

/// Selects the form of a function or constructor that validates nothing: `pad_into(unchecked, output, source)`. Input
/// that the checked form would refuse is undefined behaviour there.
struct unchecked_t {
    explicit unchecked_t() = default;
};
inline constexpr unchecked_t unchecked{};

} // namespace padbatch::inline PADBATCH_ABI

#endif
