// SPDX-License-Identifier: Apache-2.0
// Every operation on each kind of batch, in one table: what it does to a batch is what it does to the rows of each
// image; all fields stay together, and the padding is as each kind promises.
#include <padbatch/detection/boxes.hpp>
#include <padbatch/detection/gather.hpp>
#include <padbatch/detection/letterbox.hpp>
#include <padbatch/detection/mask_boxes.hpp>
#include <padbatch/detection/nms.hpp>
#include <padbatch/detection/select.hpp>
#include <padbatch/detection/soft_nms.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/unpad.hpp>

#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace padbatch;

namespace {

/// One image's detections, with a number that tells rows apart and small masks, whose extents are dynamic.
struct op_image {
    std::vector<std::array<float, 4>> boxes;
    std::vector<float> scores;
    std::vector<std::int64_t> labels;
    std::vector<std::int32_t> names;
    std::vector<float> masks; // [n, 1, 2, 3]

    bool operator==(const op_image&) const = default;

    /// The rows with these numbers.
    template <class Numbers>
    [[nodiscard]] op_image only(const Numbers& kept) const
    {
        op_image result;
        for (const auto number : kept) {
            const auto j = static_cast<std::size_t>(number);
            result.boxes.push_back(boxes[j]);
            result.scores.push_back(scores[j]);
            result.labels.push_back(labels[j]);
            result.names.push_back(names[j]);
            result.masks.insert(result.masks.end(), masks.begin() + static_cast<std::ptrdiff_t>(6 * j),
                                masks.begin() + static_cast<std::ptrdiff_t>(6 * j + 6));
        }
        return result;
    }
};

using name_field = field<t::values_t, std::int32_t>;
using op_padded = padded<boxes<>, scores<>, labels<>, name_field, masks<>>;
using op_ragged = ragged<boxes<>, scores<>, labels<>, name_field, masks<>>;

constexpr std::size_t op_capacity = 70;

/// A name, the operation on rows, and the operation on a batch of any kind, with options.
template <class Rows, class Batch>
struct operation {
    const char* name;
    Rows rows;
    Batch batch;
};
template <class Rows, class Batch>
operation(const char*, Rows, Batch) -> operation<Rows, Batch>;

std::vector<op_image> random_op_images(unsigned seed, std::size_t batch)
{
    std::mt19937 random(seed);
    const auto number = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
    std::vector<op_image> images(batch);
    std::int32_t name = 0;
    for (op_image& image : images) {
        const std::size_t n = random() % 4 == 0 ? 0 : random() % 5 == 0 ? op_capacity : random() % (op_capacity + 1);
        for (std::size_t j = 0; j < n; ++j) {
            const float x = std::floor(number(0, 4)) * 50 + number(-6, 6); // the first are where the small masks are
            const float y = std::floor(number(0, 4)) * 50 + number(-6, 6);
            image.boxes.push_back({x, y, x + number(1, 60), y + number(1, 60)});
            image.scores.push_back(std::floor(number(0, 50)) / 50);
            image.labels.push_back(static_cast<std::int64_t>(random() % 3));
            image.names.push_back(++name);
            for (int k = 0; k < 6; ++k) {
                image.masks.push_back(number(0, 1));
            }
        }
    }
    return images;
}

template <class Image>
op_image image_in(const Image& image)
{
    op_image result;
    for (std::size_t j = 0; j < image.size(); ++j) {
        const auto box = image[t::boxes][j];
        result.boxes.push_back({box[0], box[1], box[2], box[3]});
        result.scores.push_back(image[t::scores][j]);
        result.labels.push_back(image[t::labels][j]);
        result.names.push_back(image[t::values][j]);
        for (std::size_t k = 0; k < 6; ++k) {
            result.masks.push_back(image[t::masks].data()[6 * j + k]);
        }
    }
    return result;
}

op_ragged ragged_of(const std::vector<op_image>& images)
{
    op_ragged batch(t::masks.shape(1, 2, 3));
    for (const op_image& image : images) {
        batch.append(t::boxes(image.boxes), t::scores(image.scores), t::labels(image.labels), t::values(image.names),
                     t::masks(image.masks, 1, 2, 3));
        batch.end_image();
    }
    return batch;
}

op_padded padded_of(const std::vector<op_image>& images)
{
    op_padded batch(images.size(), op_capacity, t::masks.shape(1, 2, 3));
    pad_into(batch, ragged_of(images), pad_values(t::labels(-1), t::boxes(0.5F), t::masks(2.0F)));
    return batch;
}

template <class Batch>
void check_images(const Batch& batch, const std::vector<op_image>& wanted)
{
    REQUIRE(batch.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        CAPTURE(i);
        CHECK(image_in(batch.image(i)) == wanted[i]);
    }
}

/// Rows [from, to) of slot i hold these values.
template <class Batch>
void check_padding(const Batch& batch, std::size_t i, std::size_t from, std::size_t to, std::int64_t label, float box,
                   float mask)
{
    bool same = true;
    const auto slot = batch.slot(i);
    for (std::size_t j = from; j < to; ++j) {
        same = same && slot[t::labels][j] == label && slot[t::boxes][j][3] == box && slot[t::scores][j] == 0 &&
               slot[t::values][j] == 0 && slot[t::masks].data()[6 * j + 5] == mask;
    }
    CHECK(same);
}

/// Backwards, on two threads.
const auto two_threads = [](std::size_t n, const auto& body) {
    const auto half = [&body](std::size_t from, std::size_t to) {
        for (std::size_t i = to; i-- > from;) {
            body(i);
        }
    };
    std::thread other(half, 0, n / 2);
    half(n / 2, n);
    other.join();
};

template <class Operation>
void check_operation(const Operation& operation)
{
    CAPTURE(operation.name);
    for (unsigned seed = 1; seed <= 4; ++seed) {
        CAPTURE(seed);
        const std::vector<op_image> images = random_op_images(seed, 3 * (seed - 1));
        std::vector<op_image> wanted;
        for (const op_image& image : images) {
            wanted.push_back(operation.rows(image));
        }

        op_padded owner = padded_of(images);
        operation.batch(owner);
        check_images(owner, wanted);
        for (std::size_t i = 0; i < images.size(); ++i) {
            check_padding(owner.view(), i, wanted[i].names.size(), op_capacity, -1, 0.5F, 2.0F);
        }
        // What the owner knows of its padding is still right: a batch of fewer rows fills no more than it must.
        const std::vector<op_image> fewer = random_op_images(seed + 100, images.size());
        pad_into(owner, ragged_of(fewer), padding::reuse, pad_values(t::labels(-1), t::boxes(0.5F), t::masks(2.0F)));
        check_images(owner, fewer);
        for (std::size_t i = 0; i < fewer.size(); ++i) {
            check_padding(owner.view(), i, fewer[i].names.size(), op_capacity, -1, 0.5F, 2.0F);
        }

        // A view: zeros in [new, old), and what was padding is not touched.
        op_padded memory = padded_of(images);
        operation.batch(memory.view());
        check_images(memory, wanted);
        for (std::size_t i = 0; i < images.size(); ++i) {
            check_padding(memory.view(), i, wanted[i].names.size(), images[i].names.size(), 0, 0, 0);
            check_padding(memory.view(), i, images[i].names.size(), op_capacity, -1, 0.5F, 2.0F);
        }

        op_ragged rows = ragged_of(images);
        operation.batch(rows);
        check_images(rows, wanted);
        std::vector<std::array<float, 4>> more(2);
        rows.append(t::boxes(more), t::scores(std::vector<float>(2)), t::labels(std::vector<std::int64_t>(2)),
                    t::values(std::vector<std::int32_t>{-1, -2}), t::masks(std::vector<float>(12), 1, 2, 3));
        rows.end_image();
        CHECK(rows.image(images.size())[t::values][1] == -2);

        // By the caller's loop, and with a workspace that has been used before: nothing is allocated.
        workspace space;
        workspace space_of_loop;
        for (int again = 0; again < 2; ++again) {
            op_padded by_loop = padded_of(images);
            op_padded in_turn = padded_of(images);
            op_ragged ragged_by_loop = ragged_of(images);
            const auto loop = [](std::size_t n, const auto& body) {
                for (std::size_t i = n; i-- > 0;) {
                    body(i);
                }
            };
            const padbatch::test::allocation_counter allocations;
            operation.batch(in_turn, space);
            operation.batch(by_loop.view(), parallel(loop), space_of_loop);
            operation.batch(ragged_by_loop, space_of_loop, parallel(loop));
            const std::size_t count = allocations.count();
            CHECK((again == 0 || count == 0));
            check_images(in_turn, wanted);
            check_images(by_loop, wanted);
            check_images(ragged_by_loop, wanted);
        }
        op_padded on_threads = padded_of(images);
        operation.batch(on_threads, parallel(two_threads));
        check_images(on_threads, wanted);
        op_ragged ragged_on_threads = ragged_of(images);
        operation.batch(ragged_on_threads, parallel(two_threads));
        check_images(ragged_on_threads, wanted);
    }
}

} // namespace

TEST_CASE("an operation on a batch, of any kind, is the operation on each image's rows")
{
    check_operation(operation{
        "nms",
        [](const op_image& image) { return image.only(nms(t::boxes(image.boxes), t::scores(image.scores), 0.4)); },
        [](auto&& batch, auto&&... options) { nms(batch, 0.4, options...); }});
    check_operation(operation{"nms, at_most",
                              [](const op_image& image) {
                                  return image.only(
                                      nms(t::boxes(image.boxes), t::scores(image.scores), 0.4, at_most(5)));
                              },
                              [](auto&& batch, auto&&... options) { nms(batch, 0.4, at_most(5), options...); }});
    check_operation(operation{"batched_nms",
                              [](const op_image& image) {
                                  return image.only(batched_nms(t::boxes(image.boxes), t::scores(image.scores),
                                                                t::labels(image.labels), 0.4));
                              },
                              [](auto&& batch, auto&&... options) { batched_nms(batch, 0.4, options...); }});
    check_operation(operation{
        "batched_nms, class_shift",
        [](const op_image& image) {
            return image.only(batched_nms(t::boxes(image.boxes), t::scores(image.scores), t::labels(image.labels), 0.4,
                                          class_shift(largest_coordinate)));
        },
        [](auto&& batch, auto&&... options) { batched_nms(batch, 0.4, class_shift(largest_coordinate), options...); }});
}

TEST_CASE("soft suppression and cropping do to a batch, of any kind, what they do to each image's rows")
{
    check_operation(
        operation{"soft_nms",
                  [](const op_image& image) {
                      row_numbers kept;
                      std::vector<float> left(image.scores.size());
                      soft_nms(kept, t::scores(left), t::boxes(image.boxes), t::scores(image.scores),
                               soft_nms_linear(0.3), 0.05F);
                      op_image result = image.only(kept);
                      result.scores.assign(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(kept.size()));
                      return result;
                  },
                  [](auto&& batch, auto&&... options) { soft_nms(batch, soft_nms_linear(0.3), 0.05F, options...); }});
    check_operation(operation{"crop_masks",
                              [](op_image image) {
                                  crop_masks(t::masks(image.masks, 1, 2, 3), t::boxes(image.boxes));
                                  return image;
                              },
                              [](auto&& batch, auto&&... options) { crop_masks(batch, options...); }});
}

TEST_CASE("choosing and sorting on a batch, of any kind, is choosing and sorting of each image's rows")
{
    const std::vector<std::int64_t> listed{0, 2};
    check_operation(operation{"select_rows",
                              [&](const op_image& image) {
                                  return image.only(select_rows(t::scores(image.scores), t::labels(image.labels),
                                                                score_at_least(0.4F), label_in(listed)));
                              },
                              [&](auto&& batch, auto&&... options) {
                                  select_rows(batch, score_at_least(0.4F), label_in(listed), options...);
                              }});
    check_operation(operation{
        "select_rows, highest_scores",
        [](const op_image& image) { return image.only(select_rows(t::scores(image.scores), highest_scores(7))); },
        [](auto&& batch, auto&&... options) { select_rows(batch, highest_scores(7), options...); }});
    check_operation(operation{"sort_by_score",
                              [](const op_image& image) { return image.only(sort_by_score(t::scores(image.scores))); },
                              [](auto&& batch, auto&&... options) { sort_by_score(batch, options...); }});
}

TEST_CASE("keep_listed keeps, of a batch of any kind, the rows that lists name")
{
    check_operation(operation{
        "keep_listed",
        [](const op_image& image) { return image.only(nms(t::boxes(image.boxes), t::scores(image.scores), 0.4)); },
        [](auto&& batch, auto&&... options) {
            static std::vector<row_numbers> lists; // not an allocation of the operation
            static workspace space;
            lists.resize(std::max(batch.size(), lists.size()));
            for (std::size_t i = 0; i < batch.size(); ++i) {
                const auto image = batch.image(i);
                nms(lists[i], t::boxes(image[t::boxes]), t::scores(image[t::scores]), 0.4, space);
            }
            keep_listed(batch, std::span(lists).first(batch.size()), options...);
        }});
}

TEST_CASE("operations on boxes do to a batch, of any kind, what they do to each image's boxes")
{
    check_operation(
        operation{"remove_small_boxes",
                  [](const op_image& image) { return image.only(remove_small_boxes(t::boxes(image.boxes), 20)); },
                  [](auto&& batch, auto&&... options) { remove_small_boxes(batch, 20, options...); }});
    check_operation(
        operation{"clip_boxes",
                  [](op_image image) {
                      clip_boxes(t::boxes(image.boxes), {90, 120});
                      return image;
                  },
                  [](auto&& batch, auto&&... options) { clip_boxes(batch, image_size{90, 120}, options...); }});
    check_operation(operation{"convert_boxes",
                              [](op_image image) {
                                  convert_boxes(t::boxes(image.boxes), box_format::xyxy, box_format::cxcywh);
                                  return image;
                              },
                              [](auto&& batch, auto&&... options) {
                                  convert_boxes(batch, box_format::xyxy, box_format::cxcywh, options...);
                              }});
    const letterbox fitted({480, 640}, {320, 320});
    check_operation(operation{"unletterbox_boxes",
                              [&](op_image image) {
                                  unletterbox_boxes(t::boxes(image.boxes), fitted);
                                  return image;
                              },
                              [&](auto&& batch, auto&&... options) { unletterbox_boxes(batch, fitted, options...); }});
}

TEST_CASE("an operation on a padded view fills what it drops with the pad values that are given")
{
    const std::vector<op_image> images = random_op_images(9, 5);
    op_padded memory = padded_of(images);
    nms(memory.view(), 0.4, pad_values(t::labels(7), t::masks(3.0F)));
    for (std::size_t i = 0; i < images.size(); ++i) {
        check_padding(memory.view(), i, memory.count(i), images[i].names.size(), 7, 0, 3.0F);
        check_padding(memory.view(), i, images[i].names.size(), op_capacity, -1, 0.5F, 2.0F);
    }
    op_padded same = padded_of(images);
    const status outcome = try_nms(same.view(), 0.4, pad_values(t::labels(0.5)));
    CHECK(outcome.code() == status_code::bad_argument);
    check_images(same, images);
}

TEST_CASE("slots whose padding an owner cannot trust stay so when rows are dropped")
{
    const std::vector<op_image> images = random_op_images(3, 6);
    op_padded owner = padded_of(images);
    for (std::size_t i = 0; i < owner.size(); ++i) { // a producer of its own, which leaves garbage behind its rows
        const auto slot = owner.slot(i);
        for (std::size_t j = owner.count(i); j < op_capacity; ++j) {
            slot[t::labels].data()[j] = 99;
        }
    }
    nms(owner, 0.4);
    const std::vector<op_image> fewer = random_op_images(4, 6);
    pad_into(owner, ragged_of(fewer), padding::reuse, pad_values(t::labels(-1), t::boxes(0.5F), t::masks(2.0F)));
    for (std::size_t i = 0; i < fewer.size(); ++i) {
        check_padding(owner.view(), i, fewer[i].names.size(), op_capacity, -1, 0.5F, 2.0F);
    }
}

TEST_CASE("a batch is whole, image by image, if the caller's loop throws")
{
    const std::vector<op_image> images = random_op_images(5, 6);
    const auto loop = [](std::size_t n, const auto& body) {
        for (std::size_t i = 0; i < n; i += 2) {
            body(i);
        }
        throw std::runtime_error("half done");
    };
    op_ragged rows = ragged_of(images);
    CHECK_THROWS_AS(nms(rows, 0.4, parallel(loop)), std::runtime_error);
    op_padded owner = padded_of(images);
    CHECK_THROWS_AS(nms(owner, 0.4, parallel(loop)), std::runtime_error);
    for (std::size_t i = 0; i < images.size(); ++i) {
        const op_image wanted =
            i % 2 != 0 ? images[i] : images[i].only(nms(t::boxes(images[i].boxes), t::scores(images[i].scores), 0.4));
        CHECK(image_in(rows.image(i)) == wanted);
        CHECK(image_in(owner.image(i)) == wanted);
    }
}

TEST_CASE("lists in the memory of what is written are refused")
{
    const std::vector<op_image> images = random_op_images(6, 4);
    op_ragged rows = ragged_of(images);
    CHECK(try_select_rows(rows, label_in(rows[t::labels].flat())).code() == status_code::overlap);
    CHECK(try_select_rows(rows, label_in(rows.offsets())).code() == status_code::overlap);
    CHECK(try_gather_rows(rows, rows, std::vector<row_numbers>(4)).code() == status_code::overlap);
    std::vector<std::int64_t> counts{2, 1};
    std::vector<std::int64_t> labels{1, 2, 3, 0};
    const padded_view view(counts, 2, t::labels(labels));
    CHECK(try_select_rows(view, label_in(counts)).code() == status_code::overlap);
    row_numbers kept;
    REQUIRE(kept.try_resize(2).ok());
    CHECK(try_select_rows(kept, t::labels(labels), label_in(kept)).code() == status_code::overlap);
    CHECK(try_select_rows(kept, t::labels(kept), label_in(labels)).code() == status_code::overlap);
    check_images(rows, images);
    select_rows(view, label_in(std::vector<std::int64_t>{2, 3}));
    CHECK((view.count(0) == 1 && labels[0] == 2 && view.count(1) == 1));
}
