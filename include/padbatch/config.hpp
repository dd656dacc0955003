// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_CONFIG_HPP
#define PADBATCH_CONFIG_HPP

/// 1 where this translation unit is compiled with exceptions, 0 where it is not (`-fno-exceptions`). Without them the
/// throwing forms are not declared; `try_...`, `check` and the `unchecked` forms are there in both modes.
#if defined(__cpp_exceptions)
#define PADBATCH_EXCEPTIONS 1
#else
#define PADBATCH_EXCEPTIONS 0
#endif

// Object files of both modes may be linked into one program. The linker keeps one copy of an inline function, and one
// without unwind tables in the place of one that throws ends the program; so each mode has names of its own.
#if PADBATCH_EXCEPTIONS && defined(__cpp_rtti)
#define PADBATCH_MODE throwing
#elif PADBATCH_EXCEPTIONS // the table of the exception's class has no type in it, which a dynamic_cast elsewhere needs
#define PADBATCH_MODE throwing_without_rtti
#else
#define PADBATCH_MODE no_exceptions
#endif

namespace padbatch::inline PADBATCH_MODE {

/// Names the form of a function or constructor that validates nothing: `pad_into(unchecked, output, source)`. What the
/// checked form would refuse is undefined behaviour there.
struct unchecked_t {
    explicit unchecked_t() = default;
};
inline constexpr unchecked_t unchecked{};

} // namespace padbatch::inline PADBATCH_MODE

#endif
