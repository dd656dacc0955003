// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch;

// Random batches of one field, of every element type and many row shapes, given in every way that rows can lie in
// memory, padded into guarded memory and into owners. All comparisons are of bytes, with no tolerance.

namespace {

template <std::size_t... E>
struct blob_t : tag<blob_t<E...>, E...> {
    static constexpr char name[] = "blob";
};

/// A row type of an odd size.
struct record {
    unsigned char bytes[13];
};

template <class T, std::size_t... E>
struct shaped {
    using field_type = field<blob_t<E...>, T>;
    using extents_type = row_extents<E...>;
    static constexpr std::size_t rank = sizeof...(E);

    /// Dynamic extents get small random values.
    static std::array<std::size_t, rank + 1> random_extents(dice& random)
    {
        std::array<std::size_t, rank + 1> all{E..., 0};
        for (std::size_t k = 0; k < rank; ++k) {
            all[k] = all[k] == dynamic ? random.below(7) + (random.once_in(8) ? 0 : 1) : all[k];
        }
        return all;
    }
};

template <class Case>
class trial {
public:
    using field_type = typename Case::field_type;
    using T = typename field_type::value_type;
    using E = typename Case::extents_type;
    static constexpr std::size_t rank = Case::rank;
    static constexpr typename field_type::tag tag{};

    explicit trial(dice& random) : m_random(random), m_extents(Case::random_extents(random))
    {
        const std::size_t batch = random.once_in(8) ? 0 : 1 + random.below(6);
        const std::size_t most = random.once_in(8) ? 0 : random.below(20);
        m_from = random.batch<T>(random.counts(batch, most), extents_of().size(), random.below(4));
        m_before = m_from;
        m_capacity = m_from.largest() + (random.once_in(3) ? 0 : random.below(9));
    }

    /// Values of this field, with the extents of a row.
    template <class X>
    auto named(X&& x) const
    {
        return with_extents(std::forward<X>(x), std::make_index_sequence<rank>());
    }
    E extents_of() const { return E{std::span<const std::size_t, rank>(m_extents.data(), rank)}; }
    plain_batch<T>& from() { return m_from; }
    dice& random() { return m_random; }
    std::size_t batch() const { return m_from.images.size(); }

    /// Pads a source into a view.
    template <class Source>
    void check(const char* name, const Source& source)
    {
        report(name, fault_in_view(source));
    }

    /// Pads a source into fresh memory.
    template <class Source>
    void check_owner(const char* name, const Source& source)
    {
        const auto owner = pad(source, capacity::fixed(m_capacity));
        const bool right = same_bytes(owner[tag], padded_plainly(m_from, m_capacity, T{}));
        report(name, right && counts_are(owner.counts()) ? "" : "another batch in the owner");
    }

private:
    dice& m_random;
    std::array<std::size_t, rank + 1> m_extents;
    plain_batch<T> m_from{};
    plain_batch<T> m_before{};
    std::size_t m_capacity = 0;

    template <class X, std::size_t... K>
    auto with_extents(X&& x, std::index_sequence<K...>) const
    {
        return tag(std::forward<X>(x), m_extents[K]...);
    }

    /// What is wrong after padding; empty when all is right. (One check for all, since each one costs compile time.)
    template <class Source>
    const char* fault_in_view(const Source& source)
    {
        const T value = m_random.once_in(3) ? T{} : m_random.value<T>();
        const auto pad_value = pad_values(tag(value));
        guarded<T> memory(batch() * m_capacity * m_from.row, m_random.below(64));
        guarded<std::int32_t> counts(batch());
        const padded_view<field_type> output(unchecked, counts, m_capacity, named(memory.span()));
        if (source.size() != batch() || !check_pad_into(output, source, pad_value).ok()) {
            return "the check refuses it";
        }
        if (!memory.untouched() || !counts.untouched()) {
            return "the check wrote something";
        }
        const pad_result result = pad_into(output, source, pad_value);
        return !same_bytes(memory.bytes(), padded_plainly(m_from, m_capacity, value)) ? "other bytes"
               : !memory.intact() || !counts.intact()                                 ? "bytes outside of the output"
               : !counts_are(output.counts())                                         ? "other counts"
               : result.rows() != m_from.total() || result.dropped() != 0             ? "another result"
               : !(m_from == m_before)                                                ? "a source that was changed"
                                                                                      : "";
    }

    void report(const char* name, const char* fault) const
    {
        CAPTURE(m_capacity);
        CAPTURE(batch());
        CHECK(std::string(name) + ": " + fault == std::string(name) + ": ");
    }

    bool counts_are(const counts_view& counts) const
    {
        bool same = counts.size() == batch();
        for (std::size_t i = 0; same && i < batch(); ++i) {
            same = counts[i] == m_from.counts[i];
        }
        return same;
    }
};

template <class Case>
void check_containers(trial<Case>& t)
{
    t.check("each of flat values", each(t.named(t.from().images)));
}

template <class Case>
void check_ragged(trial<Case>& t)
{
    const std::size_t before = t.random().below(3);
    const auto values = t.from().concatenated(before, t.random().below(4));
    std::vector<std::int64_t> offsets{static_cast<std::int64_t>(before)};
    for (const std::size_t n : t.from().counts) {
        offsets.push_back(offsets.back() + static_cast<std::int64_t>(n));
    }
    const auto ragged = ragged_view(offsets, t.named(values));
    t.check("a ragged view", ragged);
    t.check_owner("a ragged view", ragged);
}

template <class Case>
void check_padded(trial<Case>& t)
{
    using T = typename trial<Case>::T;
    const std::size_t slot = t.from().largest() + t.random().below(3);
    flat<T> values(t.batch() * slot * t.from().row, t.random().below(4));
    for (std::size_t i = 0; i < t.batch(); ++i) {
        for (std::size_t k = 0; k < slot * t.from().row; ++k) {
            const auto& image = t.from().images[i];
            values.set(i * slot * t.from().row + k, k < image.size() ? image.get(k) : t.random().template value<T>());
        }
    }
    const std::vector<float> counts(t.from().counts.begin(), t.from().counts.end());
    t.check("a padded view", padded_view(counts, slot, t.named(std::as_const(values))));
}

/// Rows at a distance, rows in any order.
template <class Case>
void check_apart(trial<Case>& t)
{
    using T = typename trial<Case>::T;
    using E = typename trial<Case>::E;
    const std::size_t row_bytes = t.from().row * sizeof(T);
    const std::size_t stride = row_bytes + t.random().below(5);
    std::vector<std::vector<std::byte>> memory;
    std::vector<std::vector<std::byte>> mixed;
    std::vector<std::vector<std::int32_t>> orders;
    for (std::size_t i = 0; i < t.batch(); ++i) {
        const std::size_t n = t.from().counts[i];
        memory.emplace_back(n * stride + 1);
        mixed.emplace_back(n * stride + 1);
        std::vector<std::int32_t> order(n);
        for (std::size_t j = 0; j < n; ++j) {
            const std::size_t other = t.random().below(j + 1);
            order[j] = order[other];
            order[other] = static_cast<std::int32_t>(j);
        }
        for (std::size_t j = 0; j < n && row_bytes != 0; ++j) {
            const std::byte* const row = t.from().images[i].bytes().data() + j * row_bytes;
            std::memcpy(memory[i].data() + j * stride, row, row_bytes);
            std::memcpy(mixed[i].data() + static_cast<std::size_t>(order[j]) * stride, row, row_bytes);
        }
        orders.push_back(std::move(order));
    }
    std::vector<basic_rows<const T, E, layout::strided>> strided;
    std::vector<basic_rows<const T, E, layout::indexed>> indexed;
    const auto distance = static_cast<std::ptrdiff_t>(stride);
    for (std::size_t i = 0; i < t.batch(); ++i) {
        const std::size_t n = t.from().counts[i];
        strided.emplace_back(reinterpret_cast<const T*>(memory[i].data()), n, t.extents_of(),
                             layout::strided{distance});
        indexed.emplace_back(reinterpret_cast<const T*>(mixed[i].data()), n, t.extents_of(),
                             layout::indexed{distance, orders[i].data()});
    }
    t.check("strided rows", each(t.named(strided)));
    t.check("indexed rows", each(t.named(indexed)));
}

/// The elements of a row apart: column-major matrices.
template <class Case>
void check_column_major(trial<Case>& t)
{
    using T = typename trial<Case>::T;
    using E = typename trial<Case>::E;
    if constexpr (E::rank == 1) {
        std::vector<flat<T>> matrices;
        std::vector<basic_rows<const T, E, layout::element_strided>> rows;
        for (std::size_t i = 0; i < t.batch(); ++i) {
            const std::size_t n = t.from().counts[i];
            flat<T> matrix(n * t.from().row);
            for (std::size_t k = 0; k < matrix.size(); ++k) {
                matrix.set(k % t.from().row * n + k / t.from().row, t.from().images[i].get(k));
            }
            matrices.push_back(std::move(matrix));
        }
        for (std::size_t i = 0; i < t.batch(); ++i) {
            const std::size_t n = t.from().counts[i];
            rows.emplace_back(std::as_const(matrices[i]).data(), n, t.extents_of(),
                              layout::element_strided{sizeof(T), static_cast<std::ptrdiff_t>(n * sizeof(T))});
        }
        t.check("element-strided rows", each(t.named(rows)));
    }
}

} // namespace

TEST_CASE_TEMPLATE("random batches are padded to the bytes that a plain loop gives, for every type and shape of rows",
                   Case, shaped<double>, shaped<std::int32_t, 2, 3>, shaped<std::int64_t>, shaped<std::int8_t, 7>,
                   shaped<bool, 5>, shaped<float16, 3>, shaped<bfloat16>, shaped<std::uint8_t, 199>,
                   shaped<std::uint16_t, dynamic, 3>)
{
    dice random(17);
    for (int k = 0; k < 25; ++k) {
        trial<Case> t(random);
        if (t.extents_of().size() != 0) { // flat rows of no values have no number
            check_containers(t);
        }
    }
}

TEST_CASE_TEMPLATE("random batches are padded to the bytes that a plain loop gives, however their rows lie", Case,
                   shaped<float, 4>, shaped<record>, shaped<std::uint8_t, 1, dynamic, dynamic>,
                   shaped<std::int16_t, dynamic>)
{
    dice random(18);
    for (int k = 0; k < 25; ++k) {
        trial<Case> t(random);
        if (t.extents_of().size() != 0) {
            check_containers(t);
            check_ragged(t);
            check_padded(t);
        }
        check_apart(t);
        check_column_major(t);
    }
}
