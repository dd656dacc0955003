// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_PLAIN_BATCH_HPP
#define PADBATCH_TESTS_SUPPORT_PLAIN_BATCH_HPP

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <span>
#include <vector>

/// Contiguous values of any trivially copyable type, even bool, at an address `shift` bytes beyond one aligned to 16.
template <class T>
class flat {
public:
    flat() = default;
    explicit flat(std::size_t size, std::size_t shift = 0)
        : m_bytes(size * sizeof(T) + shift), m_size(size), m_shift(shift)
    {
    }
    flat(std::initializer_list<T> values) : flat(values.size())
    {
        for (std::size_t k = 0; k < m_size; ++k) {
            set(k, values.begin()[k]);
        }
    }

    T* data() { return reinterpret_cast<T*>(m_bytes.data() + m_shift); }
    const T* data() const { return reinterpret_cast<const T*>(m_bytes.data() + m_shift); }
    std::size_t size() const { return m_size; }
    T* begin() { return data(); }
    T* end() { return data() + m_size; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + m_size; }
    std::span<const std::byte> bytes() const { return {m_bytes.data() + m_shift, m_size * sizeof(T)}; }

    T get(std::size_t k) const
    {
        T value;
        std::memcpy(static_cast<void*>(&value), m_bytes.data() + m_shift + k * sizeof(T), sizeof(T));
        return value;
    }
    void set(std::size_t k, const T& value)
    {
        std::memcpy(m_bytes.data() + m_shift + k * sizeof(T), static_cast<const void*>(&value), sizeof(T));
    }
    bool operator==(const flat& other) const { return m_bytes == other.m_bytes; }

private:
    std::vector<std::byte> m_bytes;
    std::size_t m_size = 0;
    std::size_t m_shift = 0;
};

/// One field of a batch as the tests see it: `row` values a row, image by image.
template <class T>
struct plain_batch {
    std::size_t row;
    std::vector<std::size_t> counts;
    std::vector<flat<T>> images;

    std::size_t total() const
    {
        std::size_t sum = 0;
        for (const std::size_t n : counts) {
            sum += n;
        }
        return sum;
    }
    std::size_t largest() const
    {
        std::size_t most = 0;
        for (const std::size_t n : counts) {
            most = n > most ? n : most;
        }
        return most;
    }
    /// All rows one after the other, after `before` rows of something else.
    flat<T> concatenated(std::size_t before = 0, std::size_t shift = 0) const
    {
        flat<T> all((before + total()) * row, shift);
        std::size_t k = before * row;
        for (const flat<T>& image : images) {
            for (std::size_t j = 0; j < image.size(); ++j) {
                all.set(k++, image.get(j));
            }
        }
        return all;
    }
    bool operator==(const plain_batch&) const = default;
};

/// What padding means, as the plainest possible loop: the bytes of `[B, M, row]`, and the first M rows of images that
/// have more.
template <class T>
std::vector<std::byte> padded_plainly(const plain_batch<T>& from, std::size_t capacity, const T& pad_value)
{
    std::vector<std::byte> all;
    for (std::size_t i = 0; i < from.images.size(); ++i) {
        for (std::size_t j = 0; j < capacity; ++j) {
            for (std::size_t k = 0; k < from.row; ++k) {
                const T value = j < from.counts[i] ? from.images[i].get(j * from.row + k) : pad_value;
                const std::byte* const bytes = reinterpret_cast<const std::byte*>(&value);
                all.insert(all.end(), bytes, bytes + sizeof(T));
            }
        }
    }
    return all;
}

/// The bytes of anything with `data()` and `size()`, or of an array.
template <class R>
std::span<const std::byte> bytes_of(const R& values)
{
    return {reinterpret_cast<const std::byte*>(std::data(values)), std::size(values) * sizeof(*std::data(values))};
}

/// A copy of one field of a batch, as bytes, so that it outlives the batch.
std::vector<std::byte> field_bytes(const auto& batch, const auto& field)
{
    const auto values = batch[field];
    const auto bytes = bytes_of(values);
    return {bytes.begin(), bytes.end()};
}

/// Whether two ranges hold the same bytes.
template <class A, class B>
bool same_bytes(const A& a, const B& b)
{
    const auto bytes_a = bytes_of(a);
    const auto bytes_b = bytes_of(b);
    return bytes_a.size() == bytes_b.size() &&
           (bytes_a.empty() || std::memcmp(bytes_a.data(), bytes_b.data(), bytes_a.size()) == 0);
}

#endif
