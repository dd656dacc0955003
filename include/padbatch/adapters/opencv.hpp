// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ADAPTERS_OPENCV_HPP
#define PADBATCH_ADAPTERS_OPENCV_HPP

#include <padbatch/counts.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/error.hpp>
#include <padbatch/rows.hpp>
#include <padbatch/rows_of.hpp>

#include <opencv2/core/mat.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// The depth of a `cv::Mat` with elements of `T`, such as CV_32F.
template <class T>
[[nodiscard]] consteval int mat_depth() noexcept
{
    constexpr element_type type = element_type_of<T>;
    static_assert(
        type != element_type::int64 && type != element_type::uint64 && type != element_type::uint32 &&
            type != element_type::bfloat16,
        "cv::Mat has no 64-bit integers, uint32 or bfloat16: pad the field with .as<T>() to a type that it has");
    switch (type) {
    case element_type::int8: return CV_8S;
    case element_type::uint16: return CV_16U;
    case element_type::int16: return CV_16S;
    case element_type::int32: return CV_32S;
    case element_type::float32: return CV_32F;
    case element_type::float64: return CV_64F;
    case element_type::float16: return CV_16F;
    default: return CV_8U; // uint8, bool
    }
}

[[nodiscard]] inline const char* name_of_depth(int depth) noexcept
{
    constexpr const char* names[] = {"CV_8U", "CV_8S", "CV_16U", "CV_16S", "CV_32S", "CV_32F", "CV_64F", "CV_16F"};
    return depth >= 0 && depth < 8 ? names[depth] : "another depth";
}

/// The element type of a `cv::Mat_<T>`; the elements of a plain `cv::Mat` are taken to be float.
template <class T>
T test_mat_element(const cv::Mat_<T>*);
float test_mat_element(const cv::Mat*);
template <class X>
using mat_element = decltype(test_mat_element(static_cast<const X*>(nullptr)));

/// Four numbers that can be a box.
template <class Box>
concept four_numbers = requires(const Box& box) { box[3]; };

} // namespace detail

/// A `cv::Mat` as the rows of one image, without a copy: `[n, 4]` for boxes, `[n, 1]` or `[1, n]` for scores,
/// `[n, 1, H, W]` for masks; one channel. Dynamic extents are those of the matrix. For columns of wider rows give
/// `mat.colRange(0, 4)` or `mat.col(4)`. A matrix without rows may have any columns, or be empty altogether.
///
/// A plain `cv::Mat` must have float elements, as networks return them; for other types give a `cv::Mat_<T>`.
template <std::derived_from<cv::Mat> X>
struct rows_traits<X> {
    using adapted = void;
    using element = detail::mat_element<X>;
    static_assert(padbatch::element<element>, "a matrix must have one channel, of numbers: give mat.reshape(1)");

    /// Fails with `status_code::wrong_type` for other elements or several channels, with `status_code::wrong_shape` for
    /// another rank or gaps in a row, with `status_code::row_mismatch` for other extents.
    template <class E>
    [[nodiscard]] static status check(const X& x, const E& row, const char* name) noexcept
    {
        if (is_empty(x)) {
            return {};
        }
        constexpr int depth = detail::mat_depth<element>();
        if (x.depth() != depth || x.channels() != 1) {
            return {status_code::wrong_type,
                    "{} has {} channels of {}; expected one of {} (for other types give a cv::Mat_<T>, for channels as "
                    "columns mat.reshape(1))",
                    name,
                    x.channels(),
                    detail::name_of_depth(x.depth()),
                    detail::name_of_depth(depth)};
        }
        const std::span<const int> shape(x.size.p, static_cast<std::size_t>(x.dims));
        if (E::rank == 0 ? x.dims != 2 || (shape[0] != 1 && shape[1] != 1) : shape.size() != 1 + E::rank) {
            return {status_code::wrong_shape,
                    "{} of one image has the shape {}; expected {}, one row for each detection", name, shape,
                    E::rank == 0   ? "[n, 1] or [1, n]"
                    : E::rank == 1 ? "two extents"
                                   : "[n, row...]"};
        }
        std::size_t dense = sizeof(element);
        for (std::size_t k = E::rank; k-- > 0;) {
            const std::size_t wanted = row.extent(k);
            const auto found = static_cast<std::size_t>(shape[1 + k]);
            if ((E::static_extent(k) != dynamic || wanted != 0) && wanted != found) {
                return {status_code::row_mismatch,
                        "{} of one image has the shape {}; its rows should be {} (for columns of wider rows give "
                        "mat.colRange(first, last))",
                        name, shape, row.to_array()};
            }
            if (found != 1 && x.step.p[1 + k] != dense) {
                return {status_code::wrong_shape,
                        "{} of one image has the shape {} and gaps in a row: give mat.clone()", name, shape};
            }
            dense *= found;
        }
        return {};
    }

    /// The rows, which can be written unless the `cv::Mat` is const; as in OpenCV, all copies of a matrix share them.
    template <class Self, class E>
    [[nodiscard]] static auto rows(Self& x, const E& row) noexcept
    {
        using T = detail::copy_const<Self, element>;
        std::size_t n = 0;
        E extents = row;
        layout::strided stride{0};
        if (!is_empty(x)) {
            const bool is_row_vector = E::rank == 0 && x.size.p[0] == 1; // [1, n]
            n = static_cast<std::size_t>(x.size.p[is_row_vector ? 1 : 0]);
            stride.row_stride = static_cast<std::ptrdiff_t>(x.step.p[is_row_vector ? 1 : 0]);
            extents = E{detail::shape_part<E::rank>(x.size.p, 1)};
        }
        return basic_rows<T, E, layout::strided>(reinterpret_cast<T*>(x.data), n, extents, stride);
    }

private:
    [[nodiscard]] static bool is_empty(const cv::Mat& x) noexcept { return x.dims == 0 || x.size.p[0] == 0; }
};

/// A `cv::Mat` as one row, such as one detection's mask, without a copy of its own: `[H, W]` for rows of `[1, H, W]`,
/// one channel; dynamic extents are those of the first matrix. It may be a part of a larger matrix.
///
/// A plain `cv::Mat` must have float elements, unless `.of<T>()` says which: `t::masks(mats).of<std::uint8_t>()`.
template <std::derived_from<cv::Mat> X>
struct row_traits<X> {
    using element = detail::mat_element<X>;

    template <class E>
    [[nodiscard]] static E extents(const X& x) noexcept
    {
        std::array<std::size_t, E::rank> all{};
        const int missing = static_cast<int>(E::rank) - x.dims; // extents of 1 that the matrix does not have
        for (int k = 0; k < static_cast<int>(E::rank); ++k) {
            const int from = k - missing;
            all[static_cast<std::size_t>(k)] = from < 0        ? 1
                                               : from < x.dims ? static_cast<std::size_t>(x.size.p[from])
                                                               : 0;
        }
        return E{all};
    }

    /// Fails with `status_code::wrong_type` for other elements or several channels, with `status_code::wrong_shape` for
    /// another rank or gaps in a matrix of more than two extents, with `status_code::row_mismatch` for other extents.
    template <class T, class E>
    [[nodiscard]] static status check(const X& x, const E& row, const char* name) noexcept
    {
        static_assert(E::rank != 0, "a matrix is no row of one number: give the matrices of an image's rows");
        constexpr int depth = detail::mat_depth<T>();
        const std::span<const int> shape(x.size.p, static_cast<std::size_t>(x.dims));
        if (x.depth() != depth || x.channels() != 1) {
            return {status_code::wrong_type,
                    "a row of {} has {} channels of {}; expected one of {} (for other types say .of<T>() or give a "
                    "cv::Mat_<T>)",
                    name,
                    x.channels(),
                    detail::name_of_depth(x.depth()),
                    detail::name_of_depth(depth)};
        }
        const bool is_vector = E::rank == 1 && x.dims == 2 && shape[0] == 1; // [1, n]
        if (!is_vector && (x.dims == 0 || shape.size() > E::rank || (x.dims > 2 && !x.isContinuous()))) {
            return {status_code::wrong_shape,
                    "a row of {} has the shape {}; expected {} (or, if it has gaps, give mat.clone())", name, shape,
                    row.to_array()};
        }
        if (is_vector ? row.extent(0) != static_cast<std::size_t>(shape[1]) : !row.same_as(extents<E>(x))) {
            return {status_code::row_mismatch, "a row of {} has the shape {}; expected {}", name, shape,
                    row.to_array()};
        }
        return {};
    }

    template <class T, class Use>
    static void pieces(const X& x, const Use& use) noexcept
    {
        if (x.isContinuous()) {
            use(reinterpret_cast<const T*>(x.data), x.total());
        } else {
            for (int y = 0; y < x.rows; ++y) {
                use(reinterpret_cast<const T*>(x.data + x.step.p[0] * static_cast<std::size_t>(y)),
                    static_cast<std::size_t>(x.cols));
            }
        }
    }
};

namespace detail {

template <class U, class Box>
[[nodiscard]] cv::Rect_<U> rect_of(const Box& box) noexcept
{
    using T = std::remove_cvref_t<decltype(box[0])>;
    static_assert(std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, int>,
                  "a rectangle is made from a box of float, double or int");
    static_assert(std::same_as<U, T> || (std::same_as<U, double> && std::same_as<T, float>),
                  "nothing is converted unless you ask for it: make a cv::Rect_ of the box's type, then "
                  "static_cast<cv::Rect> it");
    const U x = box[0];
    const U y = box[1];
    return {x, y, static_cast<U>(U{box[2]} - x), static_cast<U>(U{box[3]} - y)};
}

} // namespace detail

namespace opencv {

/// One box x1, y1, x2, y2 as a `cv::Rect2f` (or `Rect2d`, `Rect`, by its type): x, y, width, height. Width and height
/// are negative if the corners are swapped.
template <padbatch::detail::four_numbers Box>
[[nodiscard]] auto to_rect(const Box& box) noexcept
{
    return padbatch::detail::rect_of<std::remove_cvref_t<decltype(box[0])>>(box);
}

/// Writes one image's boxes as rectangles to the beginning of `rects`. They have the element type of the boxes, except
/// that float boxes may become `cv::Rect2d`. Fails, and writes nothing, with `status_code::size_mismatch` if there are
/// more boxes than rectangles.
template <class T, class Layout, class U>
[[nodiscard]] status try_to_rects(const basic_rows<T, row_extents<4>, Layout>& boxes,
                                  std::span<cv::Rect_<U>> rects) noexcept
{
    if (boxes.size() > rects.size()) {
        return {status_code::size_mismatch, "there are {} boxes, but room for {} rectangles", boxes.size(),
                rects.size()};
    }
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        rects[i] = padbatch::detail::rect_of<U>(boxes[i]);
    }
    return {};
}

/// The same into a vector, which gets the number of boxes as its size: `to_rects(image[t::boxes], rects)`.
template <class T, class Layout, class U>
void to_rects(const basic_rows<T, row_extents<4>, Layout>& boxes, std::vector<cv::Rect_<U>>& rects)
{
    rects.resize(boxes.size());
    static_cast<void>(try_to_rects(boxes, std::span<cv::Rect_<U>>(rects)));
}

/// A rectangle as a box: x, y, x + width, y + height.
template <class T>
[[nodiscard]] std::array<T, 4> to_box(const cv::Rect_<T>& rect) noexcept
{
    return {rect.x, rect.y, static_cast<T>(rect.x + rect.width), static_cast<T>(rect.y + rect.height)};
}

/// Writes rectangles as boxes to the first rows of `boxes`, such as `batch.slot(i)[t::boxes]`. Fails, and writes
/// nothing, with `status_code::too_many_rows` if there are more rectangles than rows.
template <padbatch::detail::contiguous_values Rects, class T>
[[nodiscard]] status try_to_boxes(const Rects& rects, const basic_rows<T, row_extents<4>>& boxes) noexcept
{
    using rect = std::remove_cv_t<padbatch::detail::value_of<const Rects>>;
    static_assert(std::same_as<rect, cv::Rect_<T>>,
                  "nothing is converted unless you ask for it: float boxes are made from cv::Rect2f, double from "
                  "cv::Rect2d");
    const std::size_t n = rects.size();
    if (n > boxes.size()) {
        return {status_code::too_many_rows, "there are {} rectangles, but room for {} boxes", n, boxes.size()};
    }
    for (std::size_t i = 0; i < n; ++i) {
        const auto box = to_box(rects.data()[i]);
        for (std::size_t k = 0; k < 4; ++k) {
            boxes[i][k] = box[k];
        }
    }
    return {};
}

/// Makes `mat` a header of one mask, `[1, H, W]`, without a copy: H x W, CV_32FC1 for float, CV_8UC1 for uint8 and
/// bool. It refers to the batch, which has to outlive it. Even a read-only mask can be written through it, since OpenCV
/// has no const elements. Fails with `status_code::wrong_shape` if there are several planes (`[C, H, W]`), or more rows
/// or columns than an int can hold.
template <class T, std::size_t C, std::size_t H, std::size_t W>
[[nodiscard]] status try_to_mat(const row<T, row_extents<C, H, W>>& mask, cv::Mat& mat)
{
    static_assert(C == 1 || C == dynamic, "a mask must be one plane, [1, H, W]");
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
    if (mask.extent(0) != 1 || mask.extent(1) > most || mask.extent(2) > most) {
        return {status_code::wrong_shape, "a mask has the shape {}; expected [1, H, W]", mask.extents().to_array()};
    }
    mat = cv::Mat(static_cast<int>(mask.extent(1)), static_cast<int>(mask.extent(2)),
                  CV_MAKETYPE(padbatch::detail::mat_depth<T>(), 1),
                  const_cast<void*>(static_cast<const void*>(mask.data())));
    return {};
}

/// Makes `mats` headers of one image's masks; see `try_to_mat`. A failure leaves it unchanged.
template <class T, std::size_t C, std::size_t H, std::size_t W, class Layout>
[[nodiscard]] status try_to_mats(const basic_rows<T, row_extents<C, H, W>, Layout>& masks, std::vector<cv::Mat>& mats)
{
    if (!masks.empty()) {
        cv::Mat first;
        if (status outcome = try_to_mat(masks[0], first); !outcome.ok()) {
            return outcome;
        }
    }
    mats.resize(masks.size());
    for (std::size_t i = 0; i < masks.size(); ++i) {
        static_cast<void>(try_to_mat(masks[i], mats[i]));
    }
    return {};
}

#if PADBATCH_EXCEPTIONS
/// The throwing form of `try_to_rects`.
template <class T, class Layout, class U>
void to_rects(const basic_rows<T, row_extents<4>, Layout>& boxes, std::span<cv::Rect_<U>> rects)
{
    padbatch::detail::require(try_to_rects(boxes, rects));
}

/// The throwing form of `try_to_boxes`.
template <padbatch::detail::contiguous_values Rects, class T>
void to_boxes(const Rects& rects, const basic_rows<T, row_extents<4>>& boxes)
{
    padbatch::detail::require(try_to_boxes(rects, boxes));
}

/// The throwing form of `try_to_mat`: `to_mat(image[t::masks][k])`.
template <class T, class E>
[[nodiscard]] cv::Mat to_mat(const row<T, E>& mask)
{
    cv::Mat mat;
    padbatch::detail::require(try_to_mat(mask, mat));
    return mat;
}

/// The throwing form of `try_to_mats`: `to_mats(image[t::masks], mats)`.
template <class T, class E, class Layout>
void to_mats(const basic_rows<T, E, Layout>& masks, std::vector<cv::Mat>& mats)
{
    padbatch::detail::require(try_to_mats(masks, mats));
}
#endif

} // namespace opencv

} // namespace padbatch::inline PADBATCH_ABI

#endif
