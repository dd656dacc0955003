// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_RANDOM_BATCH_HPP
#define PADBATCH_TESTS_SUPPORT_RANDOM_BATCH_HPP

#include "plain_batch.hpp"

#include <cstddef>
#include <cstring>
#include <random>
#include <type_traits>
#include <vector>

/// Random numbers that are the same in each run.
class dice {
public:
    explicit dice(unsigned seed) : m_engine(seed) {}

    /// 0 to n - 1.
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(m_engine() % n); }
    bool once_in(std::size_t n) { return below(n) == 0; }

    /// Any bit pattern; true or false for bool.
    template <class T>
    T value()
    {
        if constexpr (std::is_same_v<T, bool>) {
            return once_in(2);
        } else {
            unsigned char bytes[sizeof(T)];
            for (unsigned char& b : bytes) {
                b = static_cast<unsigned char>(m_engine());
            }
            T result;
            std::memcpy(static_cast<void*>(&result), bytes, sizeof(T));
            return result;
        }
    }

    /// A count for each image, 0 to `most`; both ends are frequent.
    std::vector<std::size_t> counts(std::size_t batch, std::size_t most)
    {
        std::vector<std::size_t> all(batch);
        for (std::size_t& n : all) {
            n = once_in(4) ? 0 : once_in(4) ? most : below(most + 1);
        }
        return all;
    }

    /// Rows of `row` values each; every image at an address that is `shift` bytes beyond one aligned to 16.
    template <class T>
    plain_batch<T> batch(const std::vector<std::size_t>& counts, std::size_t row, std::size_t shift = 0)
    {
        plain_batch<T> result{row, counts, {}};
        for (const std::size_t n : counts) {
            flat<T> values(n * row, shift);
            for (std::size_t k = 0; k < values.size(); ++k) {
                values.set(k, value<T>());
            }
            result.images.push_back(std::move(values));
        }
        return result;
    }

private:
    std::mt19937 m_engine;
};

#endif
