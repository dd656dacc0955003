// SPDX-License-Identifier: Apache-2.0
#include <padbatch/adapters/eigen.hpp>
#include <padbatch/columns.hpp>
#include <padbatch/image_columns.hpp>
#include <padbatch/pad.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using test::check_error;
using test::check_status;

namespace {

using row_major_boxes = Eigen::Matrix<float, Eigen::Dynamic, 4, Eigen::RowMajor>;
using column_major_boxes = Eigen::Matrix<float, Eigen::Dynamic, 4>;

/// `[B, M, 4]` from matrices, as plainly as it can be written.
template <class Matrices>
std::vector<float> plain_pad(const Matrices& images, std::size_t capacity)
{
    std::vector<float> padded(images.size() * capacity * 4);
    for (std::size_t i = 0; i < images.size(); ++i) {
        for (Eigen::Index r = 0; r < images[i].rows(); ++r) {
            for (Eigen::Index c = 0; c < 4; ++c) {
                padded[(i * capacity + static_cast<std::size_t>(r)) * 4 + static_cast<std::size_t>(c)] =
                    images[i](r, c);
            }
        }
    }
    return padded;
}

template <class Matrices>
void check_boxes(const Matrices& images)
{
    constexpr std::size_t capacity = 9;
    padded<boxes<>> batch(images.size(), capacity);
    const status outcome = try_pad_into(batch, each(t::boxes(images)));
    REQUIRE_MESSAGE(outcome.ok(), outcome.message());
    const std::vector<float> expected = plain_pad(images, capacity);
    CHECK(std::memcmp(batch[t::boxes].data(), expected.data(), expected.size() * sizeof(float)) == 0);
    for (std::size_t i = 0; i < images.size(); ++i) {
        CHECK(batch.count(i) == static_cast<std::size_t>(images[i].rows()));
    }
}

template <class Matrix>
std::vector<Matrix> random_matrices(std::mt19937& random)
{
    std::vector<Matrix> images(random() % 5 + 1);
    for (auto& image : images) {
        image = Matrix::Random(static_cast<Eigen::Index>(random() % 10), 4);
    }
    return images;
}

/// The layout that padbatch sees boxes of type `X` in.
template <class X>
using layout_of =
    typename decltype(rows_traits<std::remove_const_t<X>>::rows(std::declval<X&>(), row_extents<4>{}))::layout_type;

static_assert(std::is_same_v<layout_of<row_major_boxes>, layout::contiguous>);
static_assert(std::is_same_v<layout_of<Eigen::Map<row_major_boxes>>, layout::contiguous>);
static_assert(std::is_same_v<layout_of<Eigen::Matrix<float, -1, -1, Eigen::RowMajor>>, layout::contiguous>);
static_assert(std::is_same_v<layout_of<Eigen::Array<float, -1, -1, Eigen::RowMajor>>, layout::contiguous>);
static_assert(std::is_same_v<layout_of<Eigen::Ref<row_major_boxes>>, layout::strided>);
static_assert(std::is_same_v<layout_of<Eigen::Map<row_major_boxes, 0, Eigen::OuterStride<4>>>, layout::contiguous>);
static_assert(std::is_same_v<layout_of<Eigen::Map<row_major_boxes, 0, Eigen::OuterStride<>>>, layout::strided>);
static_assert(std::is_same_v<layout_of<Eigen::MatrixXf>, layout::element_strided>);
static_assert(std::is_same_v<layout_of<Eigen::Transpose<Eigen::Matrix4Xf>>, layout::contiguous> ||
              std::is_same_v<layout_of<Eigen::Transpose<Eigen::Matrix4Xf>>, layout::strided>);

} // namespace

TEST_CASE("matrices and arrays of every storage order are padded like a plain loop")
{
    std::mt19937 random(1);
    for (int k = 0; k < 20; ++k) {
        check_boxes(random_matrices<Eigen::MatrixXf>(random));
        check_boxes(random_matrices<row_major_boxes>(random));
        check_boxes(random_matrices<column_major_boxes>(random));
        check_boxes(random_matrices<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(random));
        check_boxes(random_matrices<Eigen::ArrayXXf>(random));
        check_boxes(random_matrices<Eigen::Array<float, Eigen::Dynamic, 4, Eigen::RowMajor>>(random));
    }
}

TEST_CASE("maps, refs, blocks and transposes with strides are padded like a plain loop")
{
    std::mt19937 random(2);
    for (int k = 0; k < 20; ++k) {
        auto wide = random_matrices<Eigen::MatrixXf>(random);
        std::vector<Eigen::Matrix<float, Eigen::Dynamic, 7, Eigen::RowMajor>> flat(wide.size());
        std::vector<Eigen::Matrix4Xf> columns(wide.size());
        std::vector<Eigen::Ref<const Eigen::MatrixXf>> refs;
        std::vector<Eigen::Ref<const row_major_boxes>> row_refs;
        std::vector<Eigen::Map<row_major_boxes, 0, Eigen::OuterStride<>>> maps;
        std::vector<Eigen::Map<const Eigen::MatrixXf, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>> both;
        std::vector<Eigen::Transpose<Eigen::Matrix4Xf>> transposes;
        std::vector<decltype(flat[0].leftCols<4>())> blocks;
        for (std::size_t i = 0; i < wide.size(); ++i) {
            const Eigen::Index n = wide[i].rows();
            flat[i] = Eigen::Matrix<float, Eigen::Dynamic, 7, Eigen::RowMajor>::Random(n, 7);
            columns[i] = Eigen::Matrix4Xf::Random(4, n);
            refs.emplace_back(wide[i]);
            row_refs.emplace_back(flat[i].leftCols<4>());
            maps.emplace_back(n == 0 ? nullptr : flat[i].data() + 2, n, 4, Eigen::OuterStride<>(7));
            both.emplace_back(flat[i].data(), n, 4, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(2, 7));
            transposes.push_back(columns[i].transpose());
            blocks.push_back(flat[i].leftCols<4>());
        }
        check_boxes(refs);
        check_boxes(row_refs);
        check_boxes(maps);
        check_boxes(both);
        check_boxes(transposes);
        check_boxes(blocks);
    }
}

TEST_CASE("vectors are one number for each row, contiguous or not")
{
    std::vector<Eigen::VectorXf> columns{Eigen::VectorXf::Random(3), Eigen::VectorXf(), Eigen::VectorXf::Random(5)};
    std::vector<Eigen::RowVectorXf> lying{columns[0].transpose(), columns[1].transpose(), columns[2].transpose()};
    std::vector<Eigen::MatrixXf> matrices{columns[0], columns[1], columns[2]};
    Eigen::Matrix<float, Eigen::Dynamic, 6, Eigen::RowMajor> flat =
        Eigen::Matrix<float, Eigen::Dynamic, 6, Eigen::RowMajor>::Random(5, 6);
    flat.col(4) = columns[2];
    using score_column = Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<>>;
    std::vector<score_column> strided;
    for (const Eigen::Index n : {0, 2, 5}) {
        strided.emplace_back(flat.data() + 4, n, Eigen::InnerStride<>(6));
    }

    padded<scores<>> batch(3, 6);
    const auto check = [&](const auto& images) {
        const status outcome = try_pad_into(batch, each(t::scores(images)));
        REQUIRE_MESSAGE(outcome.ok(), outcome.message());
        for (std::size_t i = 0; i < 3; ++i) {
            REQUIRE(batch.count(i) == static_cast<std::size_t>(images[i].size()));
            CHECK(eigen::map(batch.image(i)[t::scores]) == Eigen::VectorXf(images[i].reshaped()));
        }
    };
    check(columns);
    check(lying);
    check(matrices);
    check(strided);
    const std::vector<decltype(flat.col(4))> blocks{flat.col(4), flat.col(4), flat.col(4)};
    check(blocks);
}

TEST_CASE("fields of an image that disagree, and labels that are converted")
{
    const std::vector<Eigen::MatrixXf> boxes_in{Eigen::MatrixXf::Random(3, 4), Eigen::MatrixXf(0, 0)};
    std::vector<Eigen::VectorXi> labels_in{Eigen::VectorXi::Constant(3, 7), Eigen::VectorXi(0)};
    padded<boxes<>, labels<>> batch;
    REQUIRE(try_pad_into(batch, each(t::boxes(boxes_in), t::labels(labels_in).as<std::int64_t>())).ok());
    CHECK(batch.capacity() == 3);
    CHECK(eigen::map(batch.image(0)[t::labels]) == Eigen::Matrix<std::int64_t, Eigen::Dynamic, 1>::Constant(3, 7));

    labels_in[0].resize(2);
    check_status(try_pad_into(batch, each(t::boxes(boxes_in), t::labels(labels_in).as<std::int64_t>())),
                 status_code::field_mismatch, {"2 rows of labels", "3 of boxes"});
}

TEST_CASE("a matrix with another number of columns than the field is refused with the numbers")
{
    std::vector<Eigen::MatrixXf> images{Eigen::MatrixXf::Random(3, 4), Eigen::MatrixXf::Random(2, 5)};
    padded<boxes<>> batch(2, 4);
    batch[t::boxes].data()[0] = 42;
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::row_mismatch,
                 {"boxes is a matrix of 2 x 5", "[4] is 4 columns"});
    CHECK(batch[t::boxes].data()[0] == 42);

    images[1].resize(4, 2); // transposed by mistake
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::row_mismatch, {"4 x 2", ".transpose()"});
    images[1].resize(0, 7); // no rows: the columns do not matter
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::none);

    padded<scores<>> scores_out(2, 4);
    check_status(try_pad_into(scores_out, each(t::scores(images))), status_code::row_mismatch, {"scores", "3 x 4"});
}

TEST_CASE("rows of higher rank lie in the columns of row-major matrices")
{
    using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    std::vector<matrix> images{matrix::Random(2, 6), matrix(0, 0), matrix::Random(1, 6)};
    padded<masks<>> batch(3, 2, t::masks.shape(1, 2, 3));
    REQUIRE(try_pad_into(batch, each(t::masks(images, 1, 2, 3))).ok());
    const auto rows = batch.image(0)[t::masks];
    CHECK(eigen::map(rows) == images[0]);
    CHECK(eigen::map(rows[1]).rows() == 2);
    CHECK(eigen::map(rows[1]).cols() == 3);
    CHECK(eigen::map(rows[1])(1, 2) == images[0](1, 5));
    CHECK(eigen::map(rows[1]).data() == rows[1].data());

    check_status(try_pad_into(batch, each(t::masks(images))), status_code::row_mismatch, {"t::masks(x, 1, 28, 28)"});
    check_status(try_pad_into(batch, each(t::masks(images, 1, 2, 2))), status_code::row_mismatch,
                 {"2 x 6", "[1, 2, 2]"});

    // Of rank 1, the extent is the matrix's.
    padded<keypoints_scores<>> points;
    REQUIRE(try_pad_into(points, each(t::keypoints_scores(images))).ok());
    CHECK(points[t::keypoints_scores].shape() == std::array<std::int64_t, 3>{3, 2, 6});
    CHECK(eigen::map(points.image(2)[t::keypoints_scores]) == images[2]);
}

TEST_CASE("maps look at the batch's own memory and are const where it is")
{
    padded<boxes<>, scores<>> batch(2, 3);
    batch.view().set_count(1, 2);
    const auto image = batch.image(1);
    auto boxes_map = eigen::map(image[t::boxes]);
    auto scores_map = eigen::map(image[t::scores]);
    static_assert(std::is_same_v<decltype(boxes_map), Eigen::Map<row_major_boxes>>);
    static_assert(std::is_same_v<decltype(scores_map), Eigen::Map<Eigen::VectorXf>>);
    CHECK(boxes_map.data() == image[t::boxes].data());
    CHECK(boxes_map.rows() == 2);
    boxes_map.setRandom();
    CHECK(image[t::boxes][1][2] == boxes_map(1, 2));

    const auto read_only = std::as_const(batch).image(1);
    auto const_map = eigen::map(read_only[t::boxes]);
    static_assert(std::is_same_v<decltype(const_map), Eigen::Map<const row_major_boxes>>);
    static_assert(noexcept(eigen::map(read_only[t::boxes])));
    CHECK(const_map.data() == boxes_map.data());
    CHECK(eigen::map(batch.image(0)[t::boxes]).rows() == 0);
}

TEST_CASE("rows at a distance are maps with strides")
{
    const std::vector<float> flat{1, 2, 3, 4, 0.5F, 7, 5, 6, 7, 8, 0.25F, 9};
    const std::vector<int> offsets{0, 2};
    const auto source = columns(flat, 6, offsets, t::boxes(cols<0, 4>), t::scores(col<4>));
    const auto image = source.image(0);
    auto boxes_map = eigen::map(image[t::boxes]);
    auto scores_map = eigen::map(image[t::scores]);
    static_assert(std::is_same_v<decltype(boxes_map), Eigen::Map<const row_major_boxes, 0, Eigen::OuterStride<>>>);
    static_assert(std::is_same_v<decltype(scores_map), Eigen::Map<const Eigen::VectorXf, 0, Eigen::InnerStride<>>>);
    CHECK(boxes_map.data() == flat.data());
    CHECK(boxes_map(1, 3) == 8);
    CHECK(scores_map(1) == 0.25F);

    const column_major_boxes matrix = column_major_boxes::Random(3, 4);
    const auto rows = rows_traits<column_major_boxes>::rows(matrix, row_extents<4>{});
    CHECK(eigen::map(rows) == matrix);
    CHECK(eigen::map(rows).data() == matrix.data());
}

TEST_CASE("rows whose distance is no multiple of an element are refused")
{
    alignas(4) std::array<std::byte, 32> bytes{};
    const basic_rows<const float, row_extents<4>, layout::strided> rows(reinterpret_cast<const float*>(bytes.data()), 1,
                                                                        {}, {18});
    check_status(eigen::check_map(rows), status_code::wrong_shape, {"18 bytes apart", "multiples of 4"});
    check_error([&] { (void)eigen::map(rows); }, status_code::wrong_shape, {"18 bytes apart"});
}

TEST_CASE("16-bit numbers are Eigen's there and padbatch's here")
{
    using half_boxes = Eigen::Matrix<Eigen::half, Eigen::Dynamic, 4, Eigen::RowMajor>;
    std::vector<half_boxes> images{half_boxes::Constant(2, 4, Eigen::half(0.5F))};
    padded<boxes<float16>> batch;
    REQUIRE(try_pad_into(batch, each(t::boxes(images))).ok());
    CHECK(float(batch.image(0)[t::boxes][1][3]) == 0.5F);
    CHECK(eigen::map(batch.image(0)[t::boxes]) == images[0]);

    const std::vector<Eigen::Matrix<Eigen::bfloat16, Eigen::Dynamic, 1>> brain{
        Eigen::Matrix<Eigen::bfloat16, Eigen::Dynamic, 1>::Constant(3, Eigen::bfloat16(-2.0F))};
    padded<scores<bfloat16>> brain_batch;
    REQUIRE(try_pad_into(brain_batch, each(t::scores(brain))).ok());
    CHECK(eigen::map(brain_batch.image(0)[t::scores]) == brain[0]);
}

TEST_CASE("matrices are memory for a batch, where they are row-major")
{
    row_major_boxes memory = row_major_boxes::Random(6, 4);
    std::vector<std::int32_t> counts(2);
    padded_view batch(counts, 3, t::boxes(memory));
    const std::vector<column_major_boxes> images{column_major_boxes::Random(3, 4), column_major_boxes::Random(1, 4)};
    pad_into(batch, each(t::boxes(images)));
    CHECK(batch[t::boxes].data() == memory.data());
    CHECK(counts == std::vector<std::int32_t>{3, 1});
    CHECK(memory.topRows(3) == images[0]);
    CHECK(memory.row(3) == images[1].row(0));
    CHECK(memory.bottomRows(2).isZero());

    check_status(decltype(batch)::check(counts, 4, t::boxes(memory)), status_code::size_mismatch, {"6 rows"});
}

TEST_CASE("columns of a matrix for each image are fields, whichever way it is stored")
{
    const auto check = [](const auto& images) {
        const auto batch = pad(columns(images, 6, t::boxes(cols<1, 4>), t::scores(col<5>)), capacity::fixed(4));
        for (std::size_t i = 0; i < images.size(); ++i) {
            REQUIRE(batch.count(i) == static_cast<std::size_t>(images[i].rows()));
            for (std::size_t j = 0; j < batch.count(i); ++j) {
                const auto row = static_cast<Eigen::Index>(j);
                CHECK(batch[t::scores](i, j) == images[i](row, 5));
                for (Eigen::Index k = 0; k < 4; ++k) {
                    CHECK(batch[t::boxes](i, j)[static_cast<std::size_t>(k)] == images[i](row, k + 1));
                }
            }
        }
    };
    check(std::vector<Eigen::MatrixXf>{Eigen::MatrixXf::Random(3, 6), Eigen::MatrixXf(0, 6),
                                       Eigen::MatrixXf::Random(1, 6)});
    using row_major = Eigen::Matrix<float, Eigen::Dynamic, 6, Eigen::RowMajor>;
    check(std::vector<row_major>{row_major::Random(4, 6), row_major::Random(2, 6)});
}
