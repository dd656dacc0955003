// SPDX-License-Identifier: Apache-2.0
#include <padbatch/adapters/opencv.hpp>
#include <padbatch/columns.hpp>
#include <padbatch/image_columns.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/project.hpp>
#include <padbatch/xywh.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <opencv2/core.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using test::check_error;
using test::check_status;

namespace {

struct byte_masks_t : tag<byte_masks_t, dynamic, dynamic, dynamic> {
    static constexpr char name[] = "byte_masks";
};
constexpr byte_masks_t byte_masks{};
using masks_of_bytes = field<byte_masks_t, std::uint8_t>;

/// Masks whose extents are part of the tag.
struct small_masks_t : tag<small_masks_t, 1, 6, 7> {
    static constexpr char name[] = "small_masks";
};
constexpr small_masks_t small_masks{};

/// A batch of one image of `n` random boxes.
padded<boxes<>> random_boxes(std::mt19937& random, std::size_t n)
{
    std::uniform_real_distribution<float> pixel(0, 640);
    padded<boxes<>> batch(1, n);
    batch.view().set_count(0, n);
    for (const auto box : batch.image(0)[t::boxes]) {
        box[0] = pixel(random);
        box[1] = pixel(random);
        box[2] = box[0] + pixel(random);
        box[3] = box[1] + pixel(random);
    }
    return batch;
}

} // namespace

TEST_CASE("a box is a rectangle and back")
{
    const std::array<float, 4> box{1.5F, 2, 11.5F, 22};
    const auto rect = opencv::to_rect(box);
    static_assert(std::is_same_v<decltype(rect), const cv::Rect2f>);
    CHECK(rect == cv::Rect2f(1.5F, 2, 10, 20));
    CHECK(opencv::to_box(rect) == box);
    CHECK(opencv::to_rect(std::array<int, 4>{1, 2, 4, 8}) == cv::Rect(1, 2, 3, 6));
    CHECK(opencv::to_rect(std::array<double, 4>{4, 2, 1, 8}).width == -3);
}

TEST_CASE("one image's boxes are rectangles, in a vector or in memory of the caller")
{
    std::mt19937 random(1);
    std::vector<cv::Rect2f> rects;
    std::vector<cv::Rect2d> double_rects;
    for (const std::size_t n : {5U, 0U, 1U, 40U}) {
        const auto batch = random_boxes(random, n);
        const auto rows = batch.image(0)[t::boxes];
        opencv::to_rects(rows, rects);
        opencv::to_rects(rows, double_rects);
        REQUIRE(rects.size() == n);
        REQUIRE(double_rects.size() == n);
        for (std::size_t i = 0; i < n; ++i) {
            CHECK(rects[i] == cv::Rect2f(cv::Point2f(rows[i][0], rows[i][1]), cv::Point2f(rows[i][2], rows[i][3])));
            CHECK(double_rects[i].width == static_cast<double>(rows[i][2]) - static_cast<double>(rows[i][0]));
        }
    }

    const auto batch = random_boxes(random, 3);
    std::array<cv::Rect2f, 4> memory{};
    opencv::to_rects(batch.image(0)[t::boxes], std::span<cv::Rect2f>(memory));
    CHECK(memory[2] == opencv::to_rect(batch.image(0)[t::boxes][2]));
    CHECK(memory[3] == cv::Rect2f());

    const auto room = std::span<cv::Rect2f>(memory).first(2);
    memory[0] = {};
    check_status(opencv::try_to_rects(batch.image(0)[t::boxes], room), status_code::size_mismatch,
                 {"3 boxes", "2 rectangles"});
    check_error([&] { opencv::to_rects(batch.image(0)[t::boxes], room); }, status_code::size_mismatch, {"3 boxes"});
    CHECK(memory[0] == cv::Rect2f());
}

TEST_CASE("boxes in columns of wider rows are rectangles too")
{
    const std::vector<float> flat{1, 2, 3, 5, 0.5F, 7, 5, 6, 7, 9, 0.25F, 9};
    const std::vector<int> offsets{0, 2};
    std::vector<cv::Rect2f> rects;
    opencv::to_rects(columns(flat, 6, offsets, t::boxes(cols<0, 4>)).image(0)[t::boxes], rects);
    CHECK(rects == std::vector<cv::Rect2f>{{1, 2, 2, 3}, {5, 6, 2, 3}});

    const cv::Mat_<float> matrix = (cv::Mat_<float>(1, 4) << 1, 2, 3, 5);
    opencv::to_rects(rows_traits<cv::Mat_<float>>::rows(matrix, row_extents<4>{}), rects);
    CHECK(rects == std::vector<cv::Rect2f>{{1, 2, 2, 3}});
}

TEST_CASE("rectangles are written into a slot of a batch")
{
    padded<boxes<>> batch(2, 3);
    const std::vector<cv::Rect2f> rects{{1, 2, 2, 3}, {5, 6, 2, 3}};
    opencv::to_boxes(rects, batch.view().slot(1)[t::boxes]);
    batch.view().set_count(1, rects.size());
    CHECK(batch.image(1)[t::boxes][1][3] == 9);
    std::vector<cv::Rect2f> back;
    opencv::to_rects(batch.image(1)[t::boxes], back);
    CHECK(back == rects);

    const std::vector<cv::Rect2f> many(4);
    check_status(opencv::try_to_boxes(many, batch.view().slot(1)[t::boxes]), status_code::too_many_rows,
                 {"4 rectangles", "3 boxes"});
    check_error([&] { opencv::to_boxes(many, batch.view().slot(1)[t::boxes]); }, status_code::too_many_rows);
    CHECK(batch.image(1)[t::boxes][0][0] == 1);
}

TEST_CASE("masks are headers that look into the batch")
{
    padded<masks<>, masks_of_bytes> batch(2, 3, t::masks.shape(1, 4, 5), byte_masks.shape(1, 4, 5));
    batch.view().set_count(1, 2);
    std::vector<cv::Mat> mats{cv::Mat::ones(7, 7, CV_8UC1)};
    opencv::to_mats(batch.image(1)[t::masks], mats);
    REQUIRE(mats.size() == 2);
    CHECK(mats[1].type() == CV_32FC1);
    CHECK(mats[1].size() == cv::Size(5, 4));
    CHECK(mats[1].isContinuous());
    CHECK(reinterpret_cast<float*>(mats[1].data) == batch.image(1)[t::masks][1].data());
    mats[1].setTo(0.5);
    CHECK(batch.image(1)[t::masks][1](0, 3, 4) == 0.5F);

    const cv::Mat mat = opencv::to_mat(std::as_const(batch).image(1)[byte_masks][0]);
    CHECK(mat.type() == CV_8UC1);
    CHECK(static_cast<const void*>(mat.data) == static_cast<const void*>(batch.image(1)[byte_masks].data()));

    opencv::to_mats(batch.image(0)[t::masks], mats);
    CHECK(mats.empty());
}

TEST_CASE("masks that OpenCV has no matrix for are refused")
{
    padded<masks<>> batch(1, 1, t::masks.shape(3, 4, 5));
    batch.view().set_count(0, 1);
    std::vector<cv::Mat> mats(5);
    check_status(opencv::try_to_mats(batch.image(0)[t::masks], mats), status_code::wrong_shape,
                 {"[3, 4, 5]", "[1, H, W]"});
    CHECK(mats.size() == 5);
    check_error([&] { opencv::to_mats(batch.image(0)[t::masks], mats); }, status_code::wrong_shape);
    check_error([&] { (void)opencv::to_mat(batch.image(0)[t::masks][0]); }, status_code::wrong_shape);

    float one = 0;
    const std::array<std::size_t, 3> wide{1, 1, std::size_t{1} << 32};
    cv::Mat mat;
    check_status(opencv::try_to_mat(row<float, t::masks_t::row>(&one, t::masks_t::row{wide}), mat),
                 status_code::wrong_shape, {"4294967296"});
}

TEST_CASE("matrices are padded like a plain loop, whole, as columns and as views")
{
    std::mt19937 random(3);
    for (int k = 0; k < 30; ++k) {
        std::vector<cv::Mat> flat(random() % 5 + 1);
        std::vector<cv::Mat> boxes_in;
        std::vector<cv::Mat> scores_in;
        std::vector<cv::Mat_<int>> labels_in;
        std::vector<float> expected(flat.size() * 9 * 4);
        for (std::size_t i = 0; i < flat.size(); ++i) {
            const int n = static_cast<int>(random() % 10);
            flat[i] = cv::Mat(n, 6, CV_32F);
            labels_in.emplace_back(1, n);
            if (n != 0) {
                cv::randu(flat[i], 0, 100);
                labels_in.back().setTo(n);
            }
            boxes_in.push_back(n == 0 ? cv::Mat() : flat[i].colRange(1, 5));
            scores_in.push_back(flat[i].col(5));
            for (int r = 0; r < n; ++r) {
                std::memcpy(&expected[(i * 9 + static_cast<std::size_t>(r)) * 4], flat[i].ptr<float>(r) + 1, 16);
            }
        }
        padded<boxes<>, scores<>, labels<int>> batch(flat.size(), 9);
        check_status(try_pad_into(batch, each(t::boxes(boxes_in), t::scores(scores_in), t::labels(labels_in))),
                     status_code::none);
        CHECK(std::memcmp(batch[t::boxes].data(), expected.data(), expected.size() * sizeof(float)) == 0);
        for (std::size_t i = 0; i < flat.size(); ++i) {
            REQUIRE(batch.count(i) == static_cast<std::size_t>(flat[i].rows));
            for (std::size_t r = 0; r < batch.count(i); ++r) {
                CHECK(batch.image(i)[t::scores][r] == flat[i].at<float>(static_cast<int>(r), 5));
                CHECK(batch.image(i)[t::labels][r] == flat[i].rows);
            }
        }
    }
}

TEST_CASE("matrices of four extents are masks")
{
    const std::array<int, 4> shape{2, 1, 3, 5};
    std::vector<cv::Mat_<std::uint8_t>> masks_in{cv::Mat_<std::uint8_t>(4, shape.data()), cv::Mat_<std::uint8_t>()};
    masks_in[0].setTo(7);
    padded<masks<std::uint8_t>> batch;
    check_status(try_pad_into(batch, each(t::masks(masks_in))), status_code::none);
    CHECK(batch[t::masks].shape() == std::array<std::int64_t, 5>{2, 2, 1, 3, 5});
    CHECK(batch.image(0)[t::masks][1](0, 2, 4) == 7);
    check_status(try_pad_into(batch, each(t::masks(masks_in, 1, 3, 4))), status_code::row_mismatch,
                 {"[2, 1, 3, 5]", "[1, 3, 4]"});

    const std::array<cv::Range, 4> part{cv::Range::all(), cv::Range::all(), cv::Range::all(), cv::Range(0, 4)};
    masks_in[0] = masks_in[0](part.data());
    check_status(try_pad_into(batch, each(t::masks(masks_in))), status_code::wrong_shape, {"[2, 1, 3, 4]", "clone()"});
}

TEST_CASE("matrices that are no rows of the field are refused with the numbers")
{
    std::vector<cv::Mat> images{cv::Mat::ones(2, 4, CV_32F), cv::Mat::ones(3, 6, CV_32F)};
    padded<boxes<>> batch(2, 4);
    batch[t::boxes].data()[0] = 42;
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::row_mismatch, {"[3, 6]", "[4]", "colRange"});
    images[1] = cv::Mat::ones(3, 4, CV_64F);
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::wrong_type, {"CV_64F", "CV_32F"});
    images[1] = cv::Mat::ones(3, 1, CV_32FC4);
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::wrong_type, {"4 channels", "reshape(1)"});
    images[1] = images[1].reshape(1);
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::none);
    CHECK(batch.count(1) == 3);
    const std::array<int, 3> three{1, 3, 4};
    images[1] = cv::Mat(3, three.data(), CV_32F);
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::wrong_shape, {"[1, 3, 4]", "two extents"});
    images[1] = cv::Mat::ones(3, 2, CV_32F);
    padded<scores<>> scores_out;
    check_status(try_pad_into(scores_out, each(t::scores(images))), status_code::wrong_shape,
                 {"[2, 4]", "[n, 1] or [1, n]"});
}

TEST_CASE("a matrix for each detection's mask, parts of larger ones included, is padded like a plain loop")
{
    std::mt19937 random(5);
    cv::Mat large(40, 50, CV_8U);
    cv::randu(large, 0, 255);
    for (int k = 0; k < 20; ++k) {
        std::vector<std::vector<cv::Mat>> masks_in(random() % 4 + 1);
        std::vector<std::vector<cv::Mat_<std::uint8_t>>> typed(masks_in.size());
        std::vector<std::uint8_t> expected(masks_in.size() * 5 * 6 * 7);
        for (std::size_t i = 0; i < masks_in.size(); ++i) {
            for (std::size_t j = 0; j < random() % 6; ++j) {
                const cv::Rect part(static_cast<int>(random() % 43), static_cast<int>(random() % 34), 7, 6);
                masks_in[i].push_back(random() % 2 == 0 ? large(part) : large(part).clone());
                typed[i].emplace_back(masks_in[i].back());
                for (int y = 0; y < 6; ++y) {
                    std::memcpy(&expected[((i * 5 + j) * 6 + static_cast<std::size_t>(y)) * 7],
                                masks_in[i].back().ptr(y), 7);
                }
            }
        }
        padded<masks<std::uint8_t>> batch(masks_in.size(), 5, t::masks.shape(1, 6, 7));
        check_status(try_pad_into(batch, each(t::masks(masks_in).of<std::uint8_t>())), status_code::none);
        CHECK(std::memcmp(batch[t::masks].data(), expected.data(), expected.size()) == 0);
        padded<masks<std::uint8_t, 1, 6, 7>> fixed_size(masks_in.size(), 5);
        check_status(try_pad_into(fixed_size, each(t::masks(typed))), status_code::none);
        CHECK(std::memcmp(fixed_size[t::masks].data(), expected.data(), expected.size()) == 0);
        padded<field<small_masks_t, std::uint8_t>> fixed_tag(masks_in.size(), 5);
        check_status(try_pad_into(fixed_tag, each(small_masks(typed))), status_code::none);
        CHECK(std::memcmp(fixed_tag[small_masks].data(), expected.data(), expected.size()) == 0);
        padded<masks<>> floats(masks_in.size(), 5, t::masks.shape(1, 6, 7));
        check_status(try_pad_into(floats, each(t::masks(typed).as<float>())), status_code::none);
        for (std::size_t e = 0; e < expected.size(); ++e) {
            REQUIRE(floats[t::masks].data()[e] == static_cast<float>(expected[e]));
        }
    }
}

TEST_CASE("matrices that are no mask of the batch are refused with the numbers")
{
    std::vector<std::vector<cv::Mat>> masks_in = {{cv::Mat::ones(3, 4, CV_32F), cv::Mat::ones(4, 3, CV_32F)}};
    padded<masks<>> batch;
    check_status(try_pad_into(batch, each(t::masks(masks_in))), status_code::row_mismatch, {"[4, 3]", "[1, 3, 4]"});
    masks_in[0][1] = cv::Mat::ones(3, 4, CV_8U);
    check_status(try_pad_into(batch, each(t::masks(masks_in))), status_code::wrong_type,
                 {"CV_8U", "CV_32F", ".of<T>()"});
    masks_in[0][1] = cv::Mat::ones(3, 4, CV_32FC2);
    check_status(try_pad_into(batch, each(t::masks(masks_in))), status_code::wrong_type, {"2 channels"});
    masks_in[0][1] = cv::Mat();
    check_status(try_pad_into(batch, each(t::masks(masks_in))), status_code::wrong_type, {"CV_8U"});
    std::vector<std::vector<cv::Mat_<float>>> empty = {{cv::Mat_<float>(3, 4, 1.0F), cv::Mat_<float>()}};
    check_status(try_pad_into(batch, each(t::masks(empty))), status_code::wrong_shape, {"[1, 3, 4]"});
    CHECK(batch.size() == 0);

    // In the output's own memory.
    padded<masks<>> own(1, 1, t::masks.shape(1, 3, 4));
    const std::vector<std::vector<cv::Mat>> inside = {{cv::Mat(3, 4, CV_32F, own[t::masks].data())}};
    check_status(try_pad_into(own, each(t::masks(inside))), status_code::overlap);
}

TEST_CASE("structs with a rectangle and a mask, rectangles alone, and matrices of rows image by image")
{
    struct detection {
        cv::Rect2f box;
        cv::Mat mask;
        float score;
    };
    const std::vector<std::vector<detection>> images = {
        {{{1, 2, 3, 4}, cv::Mat::ones(2, 3, CV_32F) * 0.5, 0.25F}, {{5, 6, 7, 8}, cv::Mat::ones(2, 3, CV_32F), 0.75F}}};
    padded<boxes<>, masks<>, scores<>> batch(1, 1);
    check_status(try_pad_into(batch,
                              project(images, t::boxes([](const detection& d) { return opencv::to_box(d.box); }),
                                      t::masks(&detection::mask), t::scores(&detection::score)),
                              overflow::top_scores),
                 status_code::none);
    CHECK(batch.image(0)[t::boxes][0][3] == 14);
    CHECK(batch.image(0)[t::masks][0](0, 1, 2) == 1);

    const std::vector<std::vector<cv::Rect>> rects = {{{1, 2, 3, 4}}, {}};
    padded<boxes<>> corners(2, 1);
    check_status(try_pad_into(corners, each(t::boxes(xywh(rects)).as<float>())), status_code::none);
    CHECK(opencv::to_rect(corners.image(0)[t::boxes][0]) == cv::Rect2f(1, 2, 3, 4));

    const std::vector<cv::Mat> rows = {cv::Mat::ones(2, 6, CV_32F) * 3, cv::Mat()};
    const auto source = columns(rows, 6, t::boxes(cols<0, 4>), t::scores(col<4>));
    padded<boxes<>, scores<>> from_rows(2, 2);
    check_status(try_pad_into(from_rows, source), status_code::none);
    CHECK((from_rows.count(0) == 2 && from_rows.count(1) == 0 && from_rows.image(0)[t::scores][1] == 3));
    check_status(try_pad_into(from_rows, columns(rows, 5, t::boxes(cols<0, 4>), t::scores(col<4>))),
                 status_code::row_mismatch, {"[2, 6]"});
}
