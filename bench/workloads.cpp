// SPDX-License-Identifier: Apache-2.0
#include "workloads.hpp"

#include <algorithm>
#include <numeric>
#include <random>

namespace padbatch::bench {

std::size_t workload::output_bytes() const
{
    return images * capacity * std::accumulate(row_bytes.begin(), row_bytes.end(), std::size_t{0});
}

std::size_t workload::row_count(std::size_t batch) const
{
    return std::accumulate(counts[batch].begin(), counts[batch].end(), std::size_t{0},
                           [](std::size_t sum, std::int32_t count) { return sum + static_cast<std::size_t>(count); });
}

std::size_t workload::valid_bytes(std::size_t batch) const
{
    return row_count(batch) * std::accumulate(row_bytes.begin(), row_bytes.end(), std::size_t{0});
}

namespace {

// The same numbers on every run.
class numbers {
public:
    std::int32_t between(std::int32_t least, std::int32_t most)
    {
        return std::uniform_int_distribution<std::int32_t>(least, most)(m_engine);
    }

    // Not zero, which is the padding, and small enough for every element type.
    template <typename T>
    T value()
    {
        return static_cast<T>(1 + (m_engine() >> 8U) % 100);
    }

    template <typename T>
    std::vector<T> values(std::size_t size)
    {
        std::vector<T> all(size);
        for (auto& one : all) {
            one = value<T>();
        }
        return all;
    }

private:
    std::minstd_rand m_engine{1}; // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed)
};

// Fills in everything that does not depend on how the rows are stored.
void prepare(workload& w, const workload_size& size, std::vector<std::size_t> row_bytes, numbers& random)
{
    w.name = size.name;
    w.images = size.images;
    w.capacity = size.capacity;
    w.row_bytes = std::move(row_bytes);
    std::size_t most_bytes = 0;
    for (std::size_t batch = 0; batch < size.batches; ++batch) {
        auto& counts = w.counts.emplace_back(size.images);
        for (auto& count : counts) {
            count = random.between(size.least, size.most);
        }
        most_bytes = std::max(most_bytes, w.valid_bytes(batch));
    }
    w.packed = slab(most_bytes);
    std::memset(w.packed.data(), 1, most_bytes);
    constexpr std::size_t line = 64;
    std::vector<std::size_t> starts;
    std::size_t end = 0;
    for (std::size_t field = 0; field < w.row_bytes.size(); ++field) {
        starts.push_back(end);
        end += (w.field_bytes(field) + line - 1) / line * line;
    }
    w.output = slab(end);
    std::memset(w.output.data(), 1, end);
    for (const auto start : starts) {
        w.outputs.push_back(w.output.data() + start);
    }
}

// The first rows of each image's storage, as many as the batch has.
template <typename T>
std::vector<std::span<const T>> first_rows(const std::vector<std::vector<T>>& storage,
                                           const std::vector<std::int32_t>& counts, std::size_t row_size)
{
    std::vector<std::span<const T>> images;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        images.emplace_back(storage[i].data(), static_cast<std::size_t>(counts[i]) * row_size);
    }
    return images;
}

template <typename... Fields>
void fill(ragged_workload<Fields...>& w, const workload_size& size)
{
    numbers random;
    prepare(w, size, {Fields::bytes...}, random);
    const auto most = static_cast<std::size_t>(size.most);
    for (std::size_t i = 0; i < size.images; ++i) {
        for_each_field(w, [&](auto field) {
            using rows_type = typename ragged_workload<Fields...>::template rows_of<field()>;
            std::get<field()>(w.storage).push_back(random.values<typename rows_type::element>(most * rows_type::size));
        });
    }
    for (const auto& counts : w.counts) {
        auto& batch = w.ragged.emplace_back();
        for_each_field(w, [&](auto field) {
            using rows_type = typename ragged_workload<Fields...>::template rows_of<field()>;
            std::get<field()>(batch) = first_rows(std::get<field()>(w.storage), counts, rows_type::size);
        });
    }
}

} // namespace

template <typename Workload>
Workload make_ragged(const workload_size& size)
{
    Workload w;
    fill(w, size);
    return w;
}

template detections make_ragged(const workload_size&);
template small_masks make_ragged(const workload_size&);
template float_masks make_ragged(const workload_size&);
template byte_masks make_ragged(const workload_size&);

flat_workload make_flat(const workload_size& size)
{
    flat_workload w;
    numbers random;
    prepare(w, size, {4 * sizeof(float), sizeof(float), sizeof(std::int32_t)}, random);
    std::size_t most = 0;
    for (std::size_t batch = 0; batch < size.batches; ++batch) {
        most = std::max(most, w.row_count(batch));
    }
    w.storage = random.values<float>(most * flat_workload::columns);
    for (std::size_t batch = 0; batch < size.batches; ++batch) {
        w.flat.emplace_back(w.storage.data(), w.row_count(batch) * flat_workload::columns);
    }
    return w;
}

struct_workload make_structs(const workload_size& size)
{
    struct_workload w;
    numbers random;
    prepare(w, size, {4 * sizeof(float), sizeof(std::int32_t), sizeof(float)}, random);
    for (std::size_t i = 0; i < size.images; ++i) {
        auto& image = w.storage.emplace_back(static_cast<std::size_t>(size.most));
        for (auto& one : image) {
            one = {{random.value<float>(), random.value<float>(), random.value<float>(), random.value<float>()},
                   random.value<std::int32_t>(),
                   random.value<float>()};
        }
    }
    for (const auto& counts : w.counts) {
        w.structs.push_back(first_rows(w.storage, counts, 1));
    }
    return w;
}

} // namespace padbatch::bench
