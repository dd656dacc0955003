// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <span>
#include <string>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

struct box {
    float x1, y1, x2, y2;
};

/// A container like those that copy themselves, or insert, when they are indexed by someone who may write.
struct images_that_notice {
    std::vector<std::vector<float>> images{{1, 2}, {3}};
    int times_written = 0;

    std::size_t size() const { return images.size(); }
    auto begin() const { return images.begin(); }
    const std::vector<float>& operator[](std::size_t i) const { return images[i]; }
    std::vector<float>& operator[](std::size_t i)
    {
        ++times_written;
        return images[i];
    }
};

/// Some maps of other libraries can be indexed through const.
struct other_map : std::map<std::size_t, std::vector<float>> {
    const std::vector<float>& operator[](std::size_t key) const { return at(key); }
};
static_assert(!detail::image_container<other_map> && !detail::image_container<std::list<std::vector<float>>>);
static_assert(detail::image_container<images_that_notice>);

/// The padded values of one field of a source, M = 2.
template <class T, class Tag, class Source>
std::vector<T> two_of(const Tag& field, const Source& source)
{
    const auto owner = pad(source, capacity::fixed(2));
    static_assert(std::is_same_v<std::remove_const_t<std::remove_pointer_t<decltype(owner[field].data())>>, T>);
    return std::vector<T>(owner[field].begin(), owner[field].end());
}

/// `.as<To>()` of one value.
template <class To, class From>
To converted(From value)
{
    const std::vector<flat<From>> images{{value}};
    return two_of<To>(t::values, each(t::values(images).template as<To>()))[0];
}

std::string why_refused(const auto& source)
{
    try {
        (void)pad(source);
    } catch (const error& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST_CASE("each takes vectors, arrays and spans of rows or of their elements, all for the same batch")
{
    const std::vector<float> expected{1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 7, 8, 9, 10, 11, 12};
    const std::vector<std::vector<std::array<float, 4>>> arrays{{{1, 2, 3, 4}}, {{5, 6, 7, 8}, {9, 10, 11, 12}}};
    CHECK(two_of<float>(t::boxes, each(t::boxes(arrays))) == expected);

    const std::vector<std::vector<float>> values{{1, 2, 3, 4}, {5, 6, 7, 8, 9, 10, 11, 12}};
    CHECK(two_of<float>(t::boxes, each(t::boxes(values))) == expected);

    const std::array<std::span<const float>, 2> spans{values[0], values[1]};
    CHECK(two_of<float>(t::boxes, each(t::boxes(spans))) == expected);
    CHECK(two_of<float>(t::boxes, each(t::boxes(std::span(spans)))) == expected);

    const std::vector<std::vector<box>> structs{{{1, 2, 3, 4}}, {{5, 6, 7, 8}, {9, 10, 11, 12}}};
    CHECK(two_of<float>(t::boxes, each(t::boxes(structs).of<float>())) == expected);

    const std::vector<rows<const float, 4>> views{{values[0].data(), 1}, {values[1].data(), 2}};
    CHECK(two_of<float>(t::boxes, each(t::boxes(views))) == expected);

    // Temporaries are held.
    const auto held = each(t::boxes(std::vector<std::vector<float>>(values)));
    CHECK(two_of<float>(t::boxes, held) == expected);
}

TEST_CASE("each takes a deque")
{
    const std::deque<std::vector<float>> values{{1, 2, 3, 4}, {5, 6, 7, 8, 9, 10, 11, 12}};
    CHECK(two_of<float>(t::boxes, each(t::boxes(values))) ==
          std::vector<float>{1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("containers of images are only read")
{
    images_that_notice images;
    const auto source = each(t::values(images), t::scores(images));
    CHECK(two_of<float>(t::scores, source) == std::vector<float>{1, 2, 3, 0});
    CHECK(source.image(1)[t::values][0] == 3);
    CHECK(source.check(0).ok());
    padded<scores<>> owner(2, 2);
    pad_into(owner, images);
    CHECK(owner.count(0) == 2);
    CHECK(images.times_written == 0);
}

TEST_CASE("rows of several extents are nested arrays, or flat values with the extents")
{
    using mask = std::array<std::array<std::array<std::uint8_t, 2>, 2>, 1>;
    const std::vector<std::vector<mask>> nested{{mask{{{{{1, 2}, {3, 4}}}}}}, {}};
    const std::vector<std::vector<std::uint8_t>> values{{1, 2, 3, 4}, {}};
    const std::vector<std::uint8_t> expected{1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    CHECK(two_of<std::uint8_t>(t::masks, each(t::masks(nested))) == expected);
    CHECK(two_of<std::uint8_t>(t::masks, each(t::masks(values, 1, 2, 2))) == expected);
    const auto owner = pad(each(t::masks(values, 1, 2, 2)), capacity::fixed(2));
    CHECK(owner[t::masks].shape() == std::array<std::int64_t, 5>{2, 2, 1, 2, 2});
}

TEST_CASE("values that are no whole number of rows are refused with the numbers")
{
    const std::vector<std::vector<float>> boxes{{1, 2, 3, 4}, {1, 2, 3, 4, 5}};
    const std::string why = why_refused(each(t::boxes(boxes)));
    CHECK(why.find("5 values") != std::string::npos);
    CHECK(why.find('4') != std::string::npos);
    const std::vector<std::vector<float>> masks{{1, 2, 3, 4}};
    CHECK(why_refused(each(t::masks(masks))).find("extents") != std::string::npos); // none were given
    CHECK(why_refused(each(t::masks(masks, 1, 3, 1))).find("[1, 3, 1]") != std::string::npos);
}

TEST_CASE("what .as<T>() converts is rounded, cut and saturated like convert, and NaN becomes 0")
{
    CHECK(converted<std::int32_t>(2.9F) == 2);
    CHECK(converted<std::int32_t>(-2.9F) == -2);
    CHECK(converted<std::int32_t>(3e9F) == std::numeric_limits<std::int32_t>::max());
    CHECK(converted<std::int32_t>(-3e9F) == std::numeric_limits<std::int32_t>::min());
    CHECK(converted<std::int32_t>(std::numeric_limits<float>::quiet_NaN()) == 0);
    CHECK(converted<std::int32_t>(std::numeric_limits<float>::infinity()) == std::numeric_limits<std::int32_t>::max());
    CHECK(converted<std::int64_t>(0x1p63) == std::numeric_limits<std::int64_t>::max());
    CHECK(converted<std::int64_t>(-0x1p63) == std::numeric_limits<std::int64_t>::min());
    CHECK(converted<std::uint8_t>(255.9F) == 255);
    CHECK(converted<std::uint8_t>(256.0F) == 255);
    CHECK(converted<std::uint8_t>(-0.9F) == 0);
    CHECK(converted<std::uint8_t>(-7.0F) == 0);
    CHECK(converted<std::int8_t>(std::int64_t{-129}) == -128);
    CHECK(converted<std::int8_t>(std::uint64_t{200}) == 127);
    CHECK(converted<std::int32_t>(std::int64_t{1} << 40) == std::numeric_limits<std::int32_t>::max());
    CHECK(converted<std::uint64_t>(std::int8_t{-1}) == 0);
    CHECK(converted<float>(std::int64_t{16777217}) == 16777216.0F); // rounds to nearest, ties to even
    CHECK(converted<bool>(0.25F) == true);
    CHECK(converted<bool>(-0.0F) == false);
    CHECK(converted<float>(true) == 1.0F);
    CHECK(float(converted<float16>(65504.0F)) == 65504.0F);
    CHECK(std::isinf(float(converted<float16>(1e6F))));
    CHECK(converted<std::int32_t>(float16(-3.5F)) == -3);
    CHECK(float(converted<bfloat16>(float16(1.5F))) == 1.5F);
    CHECK(std::isnan(float(converted<float16>(std::numeric_limits<double>::quiet_NaN()))));
}

TEST_CASE("conversion happens in every layout: flat values, arrays, strided and column-major rows")
{
    const std::vector<double> values{1.5, 2.5, 300, -1, 4, 5, 6, std::nan("")};
    const std::vector<std::uint8_t> by_rows{1, 2, 255, 0, 4, 5, 6, 0};
    const std::vector<std::uint8_t> by_columns{1, 255, 4, 6, 2, 0, 5, 0};
    const std::vector<std::vector<double>> flat_images{values};
    CHECK(two_of<std::uint8_t>(t::boxes, each(t::boxes(flat_images).as<std::uint8_t>())) == by_rows);
    const std::vector<std::vector<std::array<double, 4>>> arrays{{{1.5, 2.5, 300, -1}, {4, 5, 6, std::nan("")}}};
    CHECK(two_of<std::uint8_t>(t::boxes, each(t::boxes(arrays).as<std::uint8_t>())) == by_rows);
    using column_major = basic_rows<const double, row_extents<4>, layout::element_strided>;
    const std::vector<column_major> transposed{
        column_major(values.data(), 2, {}, layout::element_strided{sizeof(double), 2 * sizeof(double)})};
    CHECK(two_of<std::uint8_t>(t::boxes, each(t::boxes(transposed).as<std::uint8_t>())) == by_columns);
    const std::vector<strided_rows<const double>> every_second{
        strided_rows<const double>(values.data(), 2, {}, layout::strided{2 * sizeof(double)})};
    CHECK(two_of<std::uint8_t>(t::values, each(t::values(every_second).as<std::uint8_t>())) ==
          std::vector<std::uint8_t>{1, 255});
}

TEST_CASE("rows are chosen by score before they are converted")
{
    // As integers all but one are equal; as doubles they are not.
    const std::vector<std::vector<double>> scores{{0.1, 0.9, 1.5, 0.3, 0.8}};
    const auto best = [&](const auto& source) {
        const auto owner = pad(source, capacity::fixed(2), overflow::top_scores);
        const auto all = owner[t::labels];
        return std::vector<std::int64_t>(all.begin(), all.end());
    };
    const std::vector<std::vector<std::int64_t>> labels{{0, 1, 2, 3, 4}};
    CHECK(best(each(t::labels(labels), t::scores(scores))) == std::vector<std::int64_t>{1, 2});
    CHECK(best(each(t::labels(labels), t::scores(scores).as<float>())) == std::vector<std::int64_t>{1, 2});
    CHECK(best(each(t::labels(labels), t::scores(scores).as<float16>())) == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("batches of views and owners are sources: ragged, padded, and what was padded from them")
{
    const std::vector<float> values{9, 1, 2, 3, 4, 5};
    const std::vector<std::int32_t> offsets{1, 3, 3, 6};
    const auto view = ragged_view(offsets, t::scores(values));
    const std::vector<float> expected{1, 2, 0, 0, 0, 0, 3, 4, 5};
    const auto from_view = pad(view);
    CHECK(same_bytes(from_view[t::scores], expected));

    ragged<scores<>> owner;
    owner.append(t::scores(std::span(values).subspan(1, 2)));
    owner.end_image();
    owner.end_image();
    owner.append(t::scores(std::span(values).subspan(3, 1)));
    owner.append(t::scores(std::span(values).subspan(4, 2)));
    owner.end_image();
    CHECK(same_bytes(field_bytes(pad(owner), t::scores), expected));
    CHECK(same_bytes(field_bytes(pad(owner.view()), t::scores), expected));

    CHECK(same_bytes(field_bytes(pad(from_view.view()), t::scores), expected));
    CHECK(same_bytes(field_bytes(pad(from_view.view(), capacity::fixed(4)), t::scores),
                     std::vector<float>{1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 5, 0}));
    // Of a padded batch, only the real rows are read.
    const std::vector<float> dirty{1, 2, 7, 8, 8, 8, 3, 4, 5};
    const std::vector<float> counts{2, 0, 3};
    CHECK(same_bytes(field_bytes(pad(unpad(counts, 3, t::scores(dirty))), t::scores), expected));
    // An owner is one as well.
    CHECK(same_bytes(field_bytes(pad(from_view), t::scores), expected));
}

TEST_CASE("a function gives the rows of each image, as views of whatever it likes")
{
    std::vector<float> scores(10);
    std::vector<std::int32_t> labels(10);
    for (std::size_t j = 0; j < 10; ++j) {
        scores[j] = static_cast<float>(j) / 10;
        labels[j] = static_cast<std::int32_t>(j);
    }
    const auto source = generated(4, [&](std::size_t i) {
        return image_of(t::labels(std::span(labels).first(i)), t::scores(std::span(scores).last(i)));
    });
    const auto owner = pad(source);
    CHECK(owner.capacity() == 3);
    CHECK(same_bytes(owner[t::labels], std::vector<std::int32_t>{0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2}));
    CHECK(same_bytes(owner[t::scores], std::vector<float>{0, 0, 0, 0.9F, 0, 0, 0.8F, 0.9F, 0, 0.7F, 0.8F, 0.9F}));

    const auto uneven = generated(2, [&](std::size_t i) {
        return image_of(t::labels(std::span(labels).first(2)), t::scores(std::span(scores).first(2 - i)));
    });
    const std::string why = why_refused(uneven);
    CHECK(why.find("image 1 has 1 rows of scores") != std::string::npos);
}

TEST_CASE("images and rows of a source are gone through like those of a batch")
{
    const std::vector<std::vector<box>> boxes{{{1, 2, 3, 4}}, {}};
    const std::vector<std::vector<float>> scores{{0.5F}, {}};
    const auto source = each(t::boxes(boxes).of<float>(), t::scores(scores));
    std::size_t images = 0;
    for (const auto image : source) {
        for (const auto [corners, score] : image) {
            CHECK(corners[2] == 3);
            CHECK(score == 0.5F);
        }
        ++images;
    }
    CHECK(images == 2);
}

TEST_CASE("a batch of no images is padded to one of no images")
{
    const std::vector<std::vector<std::array<float, 4>>> none;
    const auto owner = pad(each(t::boxes(none)));
    CHECK(owner.size() == 0);
    CHECK(owner[t::boxes].shape() == std::array<std::int64_t, 3>{0, 0, 4});
    CHECK(pad(ragged<boxes<>>()).size() == 0);
    const auto fixed = pad(each(t::boxes(none)), capacity::fixed(7));
    CHECK(fixed[t::boxes].shape() == std::array<std::int64_t, 3>{0, 7, 4});
    std::vector<float> memory;
    std::vector<std::int32_t> counts;
    CHECK(pad_into(padded_view(counts, 3, t::boxes(memory)), none).rows() == 0);
}

TEST_CASE("rows are read wherever they are: only the first images of a batch have any, or only the last")
{
    for (const std::size_t first : {std::size_t{0}, std::size_t{3}}) {
        std::vector<std::vector<float>> masks(4);
        masks[first] = {1, 2, 3, 4, 5, 6};
        const auto owner = pad(each(t::masks(masks, 1, 2, 3)));
        CHECK(owner.capacity() == 1);
        CHECK(owner.image(first)[t::masks][0](0, 1, 2) == 6);
        CHECK(owner.count(3 - first) == 0);
    }
}

TEST_CASE("a function whose data are no whole rows is refused, and none of its rows is read")
{
    const std::vector<float> six(6, 1);
    const auto source = generated(2, [&](std::size_t) { return image_of(t::boxes(six)); });
    padded<boxes<>> output(2, 3);
    check_status(try_pad_into(output, source), status_code::size_mismatch, {"image 0"});
}
