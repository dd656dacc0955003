// SPDX-License-Identifier: Apache-2.0
// What docs/headers.md says that threads may do at the same time, compiled with ThreadSanitizer, which ends the program
// with an error if two of them touch the same memory, whether or not they happened to get in each other's way.
#include <padbatch/padbatch.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <thread>
#include <vector>

using namespace padbatch;

namespace {

constexpr std::size_t threads = 4;

/// Calls `work(k)` in thread k, for all of them. Returns whether all calls returned true.
template <class Work>
bool all_threads(const Work& work)
{
    std::vector<char> results(threads);
    std::vector<std::thread> running;
    for (std::size_t k = 0; k < threads; ++k) {
        running.emplace_back([&results, &work, k] { results[k] = work(k) ? 1 : 0; });
    }
    for (std::thread& thread : running) {
        thread.join();
    }
    bool all = true;
    for (const char result : results) {
        all = all && result != 0;
    }
    return all;
}

bool failed = false;

void expect(const char* what, bool good)
{
    if (!good) {
        std::printf("failed: %s\n", what);
        failed = true;
    }
}

/// Images with 0, 1, 2, ... rows; row j of image i is i * 10 + j.
struct detections {
    std::vector<std::vector<std::array<float, 4>>> boxes;
    std::vector<std::vector<float>> scores;

    explicit detections(std::size_t images)
    {
        for (std::size_t i = 0; i < images; ++i) {
            boxes.emplace_back();
            scores.emplace_back();
            for (std::size_t j = 0; j < i; ++j) {
                const auto value = static_cast<float>(i * 10 + j);
                boxes[i].push_back({value, value, value, value});
                scores[i].push_back(value);
            }
        }
    }
    auto source() const { return each(t::boxes(boxes), t::scores(scores)); }
};

/// Whether slot i holds the `n` rows of image `image`, and `pad` behind them.
template <class Batch>
bool slot_is(const Batch& batch, std::size_t i, std::size_t image, std::size_t n, float pad)
{
    bool same = batch.count(i) == n;
    for (std::size_t j = 0; j < batch.capacity(); ++j) {
        const float expected = j < n ? static_cast<float>(image * 10 + j) : pad;
        same = same && batch[t::scores](i, j) == expected && batch[t::boxes](i, j)[3] == expected;
    }
    return same;
}

/// Writes image `image` into slot i, and finishes the slot.
template <class Output, class... Options>
bool produce(Output& output, std::size_t i, std::size_t image, std::size_t n, const Options&... options)
{
    const auto slot = output.slot(i);
    for (std::size_t j = 0; j < n; ++j) {
        const auto value = static_cast<float>(image * 10 + j);
        for (float& corner : slot[t::boxes][j]) {
            corner = value;
        }
        slot[t::scores][j] = value;
    }
    return try_finish_slot(output, i, n, options...).ok();
}

void owners_of_their_own()
{
    const detections given(5);
    expect("each thread pads into its own owner", all_threads([&](std::size_t k) {
               padded<boxes<>, scores<>> batch(5, 6);
               workspace space;
               bool good = true;
               for (int times = 0; times < 3; ++times) {
                   pad_into(batch, given.source(), padding::reuse, overflow::top_scores, space);
                   good = good && slot_is(batch, k, k, k, 0);
               }
               return good;
           }));
}

void reading_one_batch()
{
    const detections given(6);
    const auto source = given.source();
    const auto batch = pad(source);
    const auto loose = to_ragged(batch);
    const std::vector<float> flat = {2, 0.5F, 0, 0.25F, 2, 0.75F}; // image, score
    const row_index index(flat, 2, col<0>, 3);
    const auto by_index = tagged_columns(index, flat, 2, t::scores(col<1>));
    expect("all threads read one batch, one source and one index", all_threads([&](std::size_t /*k*/) {
               float sum = 0;
               for (auto image : batch) {
                   for (auto [box, score] : image) {
                       sum += box[0] + score;
                   }
               }
               const auto again = pad(loose.view());
               const auto picked = pad(by_index);
               std::vector<std::int64_t> offsets(7);
               to_offsets(batch.counts(), offsets);
               bool good = sum > 0 && again.count(5) == 5 && picked.count(2) == 2 && offsets[6] == 15;
               for (std::size_t i = 0; i < 6; ++i) {
                   good = good && slot_is(again, i, i, i, 0);
               }
               return good;
           }));
}

void slots_of_one_owner()
{
    padded<boxes<>, scores<>> owner(threads * 2, 7);
    const detections given(threads * 2);
    pad_into(owner, given.source());
    for (int times = 0; times < 3; ++times) {
        expect("each thread finishes slots of one owner", all_threads([&](std::size_t k) {
                   return produce(owner, k, k, 3, pad_values(t::boxes(-1), t::scores(-1))) &&
                          produce(owner, k + threads, k, 7) && slot_is(owner, k, k, 3, -1) &&
                          slot_is(owner, k + threads, k, 7, 0);
               }));
        pad_into(owner, given.source(), padding::reuse);
        for (std::size_t i = 0; i < owner.size(); ++i) {
            expect("then the next batch is padded right", slot_is(owner, i, i, i, 0));
        }
    }
}

/// Slots of a few bytes, one behind the other, with counts of each type.
template <class Count>
void slots_of_one_view()
{
    constexpr std::size_t capacity = 3;
    std::vector<Count> counts(threads * 8, Count{1});
    std::vector<std::uint8_t> memory(counts.size() * capacity, 9);
    const auto output = padded_output(counts, capacity, t::values(memory));
    expect("each thread finishes slots of one view", all_threads([&](std::size_t k) {
               bool good = true;
               for (std::size_t i = k; i < output.size(); i += threads) {
                   output.slot(i)[t::values][0] = static_cast<std::uint8_t>(i);
                   good = good && try_finish_slot(output, i, i % 2).ok() && output.count(i) == i % 2;
               }
               return good;
           }));
    bool good = true;
    for (std::size_t i = 0; i < output.size(); ++i) {
        good = good && memory[i * capacity] == (i % 2 == 0 ? 0 : i) && memory[i * capacity + 2] == 0;
    }
    expect("and no slot is written by another", good);
}

void windows_of_one_output()
{
    constexpr std::size_t images = 3;
    constexpr std::size_t capacity = 5;
    const detections given(images);
    std::vector<std::int32_t> counts(threads * images);
    std::vector<float> all_boxes(counts.size() * capacity * 4);
    std::vector<float> all_scores(counts.size() * capacity);
    expect("each thread pads into some images of one output", all_threads([&](std::size_t k) {
               const std::span own_counts = std::span(counts).subspan(k * images, images);
               const std::span own_boxes =
                   std::span(all_boxes).subspan(k * images * capacity * 4, images * capacity * 4);
               const std::span own_scores = std::span(all_scores).subspan(k * images * capacity, images * capacity);
               const auto output = padded_output(own_counts, capacity, t::boxes(own_boxes), t::scores(own_scores));
               return pad_into(output, given.source()).rows() == 3 && slot_is(output, 2, 2, 2, 0);
           }));
    const padded_view whole(counts, capacity, t::boxes(all_boxes), t::scores(all_scores));
    for (std::size_t i = 0; i < whole.size(); ++i) {
        expect("and together they are the batch", slot_is(whole, i, i % images, i % images, 0));
    }
}

/// An operation in place, whose images are done by all threads.
void images_of_one_operation()
{
    const detections found(12);
    const auto loop = [](std::size_t n, const auto& body) {
        expect("all threads are done", all_threads([&](std::size_t k) {
                   for (std::size_t i = k; i < n; i += threads) {
                       body(i);
                   }
                   return true;
               }));
    };
    const auto given = each(t::boxes(found.boxes), t::scores(found.scores));
    padded<boxes<>, scores<>> owner = pad(given);
    padded<boxes<>, scores<>> memory = pad(given);
    ragged<boxes<>, scores<>> rows = to_ragged(pad(given));
    workspace space;
    nms(owner, 0.5, parallel(loop), space);
    nms(memory.view(), 0.5, parallel(loop), space);
    nms(rows, 0.5, parallel(loop), space);
    shift_boxes(rows, 1, 1, parallel(loop));
    bool same = true;
    for (std::size_t i = 0; i < owner.size(); ++i) {
        const std::size_t n = nms(t::boxes(found.boxes[i]), t::scores(found.scores[i]), 0.5).size();
        same = same && owner.count(i) == n && memory.count(i) == n && rows.count(i) == n;
    }
    expect("and each image has the rows that it would have had", same);
}

void refusals()
{
    expect("each thread gets its own refusal", all_threads([&](std::size_t k) {
               std::vector<std::int32_t> counts(1, static_cast<std::int32_t>(k) + 10);
               const status outcome = counts_view::check(counts, 5);
               return outcome.code() == status_code::bad_count && outcome.message()[0] != '\0';
           }));
}

} // namespace

int main()
{
    owners_of_their_own();
    reading_one_batch();
    slots_of_one_owner();
    slots_of_one_view<std::int32_t>();
    slots_of_one_view<std::int64_t>();
    slots_of_one_view<float>();
    windows_of_one_output();
    images_of_one_operation();
    refusals();
    return failed ? 1 : 0;
}
