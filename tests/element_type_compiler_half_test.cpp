// SPDX-License-Identifier: Apache-2.0
// 16-bit floating types that the compiler itself has: those of C23, of C++23's <stdfloat>, and ARM's.
#include <padbatch/padbatch.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <type_traits>
#include <vector>
#if __has_include(<stdfloat>) && __cplusplus > 202002L
#include <stdfloat>
#endif

using namespace padbatch;

namespace {

struct two_bytes {
    std::uint16_t bits;
    explicit operator float() const { return 1; }
};
enum class small : std::uint16_t {};

static_assert(!detail::half<std::uint16_t> && !detail::half<char16_t> && !detail::half<float>);
static_assert(!detail::half<two_bytes> && !detail::half<small> && !detail::half<char[2]>);
static_assert(!element<two_bytes> && !element<small> && !element<long double>);

/// A type of the compiler means what padbatch's type with the same bits means, for all 2^16 of them.
template <class T, class Plain>
void check_half()
{
    static_assert(element<T> && element<const T>);
    static_assert(element_type_of<const T> == element_type_of<Plain>);
    int wrong = 0;
    for (unsigned bits = 0; bits < 0x10000U; ++bits) {
        const auto plain = Plain::from_bits(static_cast<std::uint16_t>(bits));
        const auto own = __builtin_bit_cast(T, plain);
        const auto same_float = [](float a, float b) {
            return __builtin_bit_cast(std::uint32_t, a) == __builtin_bit_cast(std::uint32_t, b);
        };
        const bool is_nan = static_cast<float>(plain) != static_cast<float>(plain);
        const bool same =
            same_float(convert<float>(own), convert<float>(plain)) &&
            convert<std::int32_t>(own) == convert<std::int32_t>(plain) && convert<bool>(own) == convert<bool>(plain) &&
            (is_nan || __builtin_bit_cast(std::uint16_t, convert<T>(static_cast<double>(float(plain)))) == bits);
        wrong += same ? 0 : 1;
    }
    CHECK(wrong == 0);
    CHECK(__builtin_bit_cast(std::uint16_t, convert<T>(1e9)) == Plain(1e9F).bits);
    CHECK(__builtin_bit_cast(std::uint16_t, convert<T>(std::int64_t{-3})) == Plain(-3.0F).bits);

    // Rows of it are padded as they are, filled, converted where that is asked for, and ordered as scores.
    const std::vector<std::vector<T>> sure = {{T(0.5F), T(0.75F), T(0.25F)}, {T(-1.0F)}};
    const auto kept = pad(each(t::scores(sure)), capacity::fixed(2), overflow::top_scores, pad_values(t::scores(-2)));
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(kept.image(0)[t::scores][0])>, T>);
    const auto number = [&](std::size_t k) { return static_cast<float>(kept[t::scores].data()[k]); };
    CHECK((number(0) == 0.5F && number(1) == 0.75F && number(2) == -1 && number(3) == -2));
    CHECK(kept[t::scores].ref().type() == element_type_of<Plain>);
    const auto floats = pad(each(t::scores(sure).template as<float>()));
    CHECK((floats[t::scores].data()[1] == 0.75F && floats[t::scores].data()[3] == -1));
    const std::vector<std::vector<float>> wide = {{0.5F, 3}};
    const auto narrow = pad(each(t::scores(wide).template as<T>()));
    CHECK(static_cast<float>(narrow[t::scores].data()[1]) == 3);
}

} // namespace

// (g++ 12 for ARM has the limits of the type, but only in C the type itself.)
#if defined(__FLT16_MAX__) && (defined(__x86_64__) || defined(__clang__) || __GNUC__ >= 13)
TEST_CASE("_Float16 is a float16")
{
    check_half<_Float16, float16>();
}
#endif
#if defined(__ARM_FP16_FORMAT_IEEE)
TEST_CASE("__fp16 is a float16")
{
    check_half<__fp16, float16>();
}
#endif
#if defined(__STDCPP_FLOAT16_T__)
TEST_CASE("std::float16_t is a float16")
{
    check_half<std::float16_t, float16>();
}
#endif
#if defined(__STDCPP_BFLOAT16_T__)
TEST_CASE("std::bfloat16_t is a bfloat16")
{
    check_half<std::bfloat16_t, bfloat16>();
}
#endif
