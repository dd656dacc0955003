// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_SIMD_HPP
#define PADBATCH_DETAIL_SIMD_HPP

#include <padbatch/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

// Everything between the dispatch and the innermost store is inlined into one function for each instruction set: only
// there may the compiler use its registers. GCC refuses to inline a function *with* a target attribute into one
// without, so only the outermost function has the attribute, and everything below it is plain and always inlined. (But
// not where nothing is optimised: there it only makes code large, slow to compile and hard to step through.)
#if defined(__GNUC__) && defined(__OPTIMIZE__)
#define PADBATCH_DETAIL_INLINE __attribute__((always_inline)) inline
#define PADBATCH_DETAIL_INLINE_LAMBDA __attribute__((always_inline))
#else
#define PADBATCH_DETAIL_INLINE inline
#define PADBATCH_DETAIL_INLINE_LAMBDA
#endif

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define PADBATCH_DETAIL_HAS_AVX2 1
#else
#define PADBATCH_DETAIL_HAS_AVX2 0
#endif

namespace padbatch::inline PADBATCH_ABI::detail {

/// Keeps the compiler from replacing a loop of stores by a call of memset or memcpy: the loops here are for slots that
/// are too small for a call.
template <class T>
PADBATCH_DETAIL_INLINE void keep_loop(T*& pointer) noexcept
{
#if defined(__GNUC__)
    __asm__("" : "+r"(pointer));
#else
    (void)pointer;
#endif
}

/// `Width` bytes in a register, loaded from and stored to any address.
///
/// A type with reduced alignment loses that attribute when it is a template argument, in practice silently; hence one
/// class for each width, made by a macro, that names the type itself. Vectors are never passed by value: without -mavx2
/// that changes the calling convention (-Wpsabi). And there is no arithmetic: GCC splits operations that the baseline
/// lacks into pieces before it inlines.
template <std::size_t Width>
struct block;

#if defined(__GNUC__)
#define PADBATCH_DETAIL_BLOCK(WIDTH, ...)                                                                              \
    template <>                                                                                                        \
    struct block<WIDTH> {                                                                                              \
        typedef __VA_ARGS__ value __attribute__((aligned(1), may_alias));                                              \
        value m_value;                                                                                                 \
        PADBATCH_DETAIL_INLINE void load(const std::byte* from) noexcept                                               \
        {                                                                                                              \
            m_value = *reinterpret_cast<const value*>(from);                                                           \
        }                                                                                                              \
        PADBATCH_DETAIL_INLINE void store(std::byte* to) const noexcept { *reinterpret_cast<value*>(to) = m_value; }   \
    }

PADBATCH_DETAIL_BLOCK(1, unsigned char);
PADBATCH_DETAIL_BLOCK(2, std::uint16_t);
PADBATCH_DETAIL_BLOCK(4, std::uint32_t);
PADBATCH_DETAIL_BLOCK(8, std::uint64_t);
PADBATCH_DETAIL_BLOCK(16, unsigned char __attribute__((vector_size(16))));
PADBATCH_DETAIL_BLOCK(32, unsigned char __attribute__((vector_size(32))));
#undef PADBATCH_DETAIL_BLOCK
#else
template <std::size_t Width>
struct block {
    unsigned char m_value[Width];
    void load(const std::byte* from) noexcept { std::memcpy(m_value, from, Width); }
    void store(std::byte* to) const noexcept { std::memcpy(to, m_value, Width); }
};
#endif

/// Copies `Width` bytes from `from + offset` to `to + offset`.
template <std::size_t Width>
PADBATCH_DETAIL_INLINE void move_block(std::byte* to, const std::byte* from) noexcept
{
    block<Width> bytes;
    bytes.load(from);
    bytes.store(to);
}

/// The width as a type, so that a generic lambda can take it.
template <std::size_t Width>
struct width_constant {
    static constexpr std::size_t value = Width;
};

#if PADBATCH_DETAIL_HAS_AVX2
template <class Work>
__attribute__((target("avx2"))) void run_avx2(Work& work)
{
    work(width_constant<32>{});
}
#endif

/// Calls `work(width_constant<W>{})` with the widest block that this processor is good at, from a function that is
/// compiled for it. Used once for each call of the library, not for each slot. `work` is a lambda with
/// PADBATCH_DETAIL_INLINE_LAMBDA behind its parameters.
///
/// 64-byte blocks are left out on purpose: measured on Sapphire Rapids, they gain nothing for small slots; large slots
/// go to libc or past the cache; and older processors lower their clock.
template <class Work>
PADBATCH_DETAIL_INLINE void with_widest_block(Work&& work)
{
#if PADBATCH_DETAIL_HAS_AVX2
    if (__builtin_cpu_supports("avx2")) {
        run_avx2(work);
        return;
    }
#endif
    work(width_constant<16>{});
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
