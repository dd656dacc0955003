// SPDX-License-Identifier: Apache-2.0
#include <padbatch/tensors.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

using namespace padbatch;
using padbatch::test::check_error;

namespace {

using numbers = std::vector<std::int64_t>;

template <class T>
tensor_ref tensor(std::vector<T>& values, const numbers& shape)
{
    return {values.data(), std::span<const std::int64_t>(shape)};
}
template <class T>
const_tensor_ref tensor(const std::vector<T>& values, const numbers& shape)
{
    return {values.data(), std::span<const std::int64_t>(shape)};
}

/// B = 2, M = 3.
struct model_outputs {
    std::vector<std::int32_t> counts = {2, 0};
    std::vector<float> boxes = std::vector<float>(2 * 3 * 4, 1.0F);
    std::vector<std::int64_t> labels = {7, 8, 0, 0, 0, 0};

    const_tensor_ref count_tensor = tensor(counts, {2, 1});
    const_tensor_ref box_tensor = tensor(boxes, {2, 3, 4});
    const_tensor_ref label_tensor = tensor(labels, {2, 3});
};

using read_boxes = padbatch::boxes<const float>;
using read_labels = padbatch::labels<const std::int64_t>;

void check_refused(const model_outputs& out, status_code code, std::initializer_list<const char*> texts = {})
{
    check_error(
        [&] {
            static_cast<void>(
                from_tensors<read_boxes, read_labels>(out.count_tensor, out.box_tensor, out.label_tensor));
        },
        code, texts);
}

} // namespace

TEST_CASE("tensors of a model become a batch at the same place, without an allocation")
{
    const model_outputs out;
    const padbatch::test::allocation_counter counter;
    const auto batch = from_tensors<read_boxes, read_labels>(out.count_tensor, out.box_tensor, out.label_tensor);
    const std::size_t allocations = counter.count();
    CHECK(allocations == 0);
    static_assert(std::is_same_v<decltype(batch), const padded_view<read_boxes, read_labels>>);
    CHECK(batch.size() == 2);
    CHECK(batch.capacity() == 3);
    CHECK(batch.count(0) == 2);
    CHECK(batch.count(1) == 0);
    CHECK(batch[t::boxes].data() == out.boxes.data());
    CHECK(batch.image(0)[t::labels][1] == 8);
}

TEST_CASE("memory that is not aligned to its elements is refused, unless there are none")
{
    model_outputs out;
    std::vector<char> bytes(6 * sizeof(std::int64_t) + 8);
    const void* const odd = bytes.data() + (8 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 8) % 8 + 4;
    const numbers count_shape{2, 1};
    const numbers label_shape{2, 3};
    const numbers no_counts{0};
    const numbers no_boxes{0, 3, 4};
    const numbers no_labels{0, 3};
    const auto labels_at = [](const void* data, const numbers& shape) {
        return const_tensor_ref(data, element_type::int64, std::span<const std::int64_t>(shape));
    };

    out.label_tensor = labels_at(odd, label_shape); // aligned for floats
    check_refused(out, status_code::misaligned, {"labels", "4 bytes", "multiple of 8", "int64"});
    out.count_tensor = const_tensor_ref(static_cast<const char*>(odd) + 1, element_type::int32, count_shape);
    check_refused(out, status_code::misaligned, {"counts", "1 bytes", "multiple of 4", "int32"});

    out.count_tensor = tensor(out.counts, no_counts);
    out.box_tensor = tensor(out.boxes, no_boxes);
    out.label_tensor = labels_at(odd, no_labels);
    CHECK(from_tensors<read_boxes, read_labels>(out.count_tensor, out.box_tensor, out.label_tensor).size() == 0);
}

TEST_CASE_TEMPLATE("counts are int32, int64 or float, of the shape [B] or [B, 1]", T, std::int32_t, std::int64_t, float)
{
    model_outputs out;
    const std::vector<T> counts = {3, 1};
    for (const auto& shape : {numbers{2}, numbers{2, 1}}) {
        out.count_tensor = tensor(counts, shape);
        const auto batch = from_tensors<read_boxes, read_labels>(out.count_tensor, out.box_tensor, out.label_tensor);
        CHECK(batch.count(0) == 3);
        CHECK(batch.count(1) == 1);
    }
}

TEST_CASE("tensors that may be written become a batch that may be written, counts too")
{
    model_outputs out;
    const auto batch = from_tensors<padbatch::boxes<>, padbatch::labels<>>(
        tensor(out.counts, {2, 1}), tensor(out.boxes, {2, 3, 4}), tensor(out.labels, {2, 3}));
    static_assert(decltype(batch)::is_writable);
    batch.set_count(1, 3);
    batch.slot(1)[t::labels][2] = 5;
    CHECK(out.counts[1] == 3);
    CHECK(out.labels[5] == 5);
}

TEST_CASE("rows of any rank take their extents from the tensor")
{
    const std::vector<std::int32_t> counts = {1};
    const std::vector<std::uint8_t> masks(2 * 28 * 14);
    const auto batch =
        from_tensors<padbatch::masks<const std::uint8_t>>(tensor(counts, {1}), tensor(masks, {1, 2, 1, 28, 14}));
    CHECK(batch.image(0)[t::masks][0].extent(1) == 28);
    CHECK(batch.image(0)[t::masks][0].extent(2) == 14);
    CHECK(batch[t::masks].shape() == std::array<std::int64_t, 5>{1, 2, 1, 28, 14});

    check_error(
        [&] {
            static_cast<void>(from_tensors<padbatch::masks<const std::uint8_t, 1, 28, 28>>(
                tensor(counts, {1}), tensor(masks, {1, 2, 1, 28, 14})));
        },
        status_code::wrong_shape, {"masks", "[1, 2, 1, 28, 14]"});
}

TEST_CASE("a tensor of another type is refused by name")
{
    model_outputs out;
    const std::vector<double> doubles(24);
    out.box_tensor = tensor(doubles, {2, 3, 4});
    check_refused(out, status_code::wrong_type, {"boxes", "float64", "float32"});

    model_outputs other;
    const std::vector<std::uint8_t> bytes = {1, 1};
    other.count_tensor = tensor(bytes, {2});
    check_refused(other, status_code::wrong_type, {"counts", "uint8", "int32"});
}

TEST_CASE("a tensor of another shape is refused with the shape in the text")
{
    for (const auto& shape : {numbers{2, 4, 3}, numbers{3, 2, 4}, numbers{6, 4}, numbers{2, 3, 2, 2}, numbers{24}}) {
        model_outputs out;
        out.box_tensor = tensor(out.boxes, shape);
        check_refused(out, status_code::wrong_shape);
    }
    model_outputs other_capacity;
    other_capacity.label_tensor = tensor(other_capacity.labels, {2, 2});
    check_refused(other_capacity, status_code::wrong_shape, {"labels", "[2, 2]", "[2, 3]"});

    for (const auto& shape : {numbers{}, numbers{1, 2}, numbers{2, 1, 1}, numbers{2, 2}, numbers(9, 1)}) {
        model_outputs out;
        out.count_tensor = tensor(out.counts, shape);
        check_refused(out, status_code::wrong_shape, {"counts", "[B] or [B, 1]"});
    }
    model_outputs other_batch;
    other_batch.count_tensor = tensor(other_batch.counts, {1});
    check_refused(other_batch, status_code::wrong_shape, {"boxes", "[2, 3, 4]", "[1, 3]"});
}

TEST_CASE("extents below zero are a wrong shape")
{
    model_outputs out;
    out.count_tensor = tensor(out.counts, {-2});
    out.box_tensor = tensor(out.boxes, {-2, 3, 4});
    out.label_tensor = tensor(out.labels, {-2, 3});
    check_refused(out, status_code::wrong_shape);

    model_outputs capacity;
    capacity.box_tensor = tensor(capacity.boxes, {2, -3, 4});
    capacity.label_tensor = tensor(capacity.labels, {2, -3});
    check_refused(capacity, status_code::wrong_shape, {"[2, -3, 4]"});
}

TEST_CASE("a tensor with gaps is refused, for the counts too")
{
    model_outputs out;
    const numbers shape = {2, 3, 4};
    const numbers strides = {12, 1, 3};
    out.box_tensor = const_tensor_ref(out.boxes.data(), element_type::float32, std::span<const std::int64_t>(shape),
                                      std::span<const std::int64_t>(strides));
    check_refused(out, status_code::wrong_shape, {"boxes", "[12, 1, 3]", "row-major"});

    model_outputs other;
    const numbers count_shape = {2};
    const numbers count_strides = {2};
    other.count_tensor =
        const_tensor_ref(other.counts.data(), element_type::int32, std::span<const std::int64_t>(count_shape),
                         std::span<const std::int64_t>(count_strides));
    check_refused(other, status_code::wrong_shape, {"counts", "[2]"});
}

TEST_CASE("memory of a device is refused, for the counts too")
{
    const numbers shape = {2, 3, 4};
    model_outputs out;
    out.box_tensor =
        const_tensor_ref(out.boxes.data(), element_type::float32, std::span<const std::int64_t>(shape), device::cuda);
    check_refused(out, status_code::device_memory, {"boxes"});

    const numbers count_shape = {2};
    model_outputs other;
    other.count_tensor = const_tensor_ref(other.counts.data(), element_type::int32,
                                          std::span<const std::int64_t>(count_shape), device::other);
    check_refused(other, status_code::device_memory, {"counts"});
}

TEST_CASE("a null pointer is refused where there should be elements")
{
    const numbers shape = {2, 3, 4};
    model_outputs out;
    out.box_tensor = const_tensor_ref(nullptr, element_type::float32, std::span<const std::int64_t>(shape));
    check_refused(out, status_code::size_mismatch, {"boxes", "null"});

    const numbers count_shape = {2};
    model_outputs other;
    other.count_tensor = const_tensor_ref(nullptr, element_type::int32, std::span<const std::int64_t>(count_shape));
    check_refused(other, status_code::size_mismatch, {"counts", "null"});
}

TEST_CASE("counts out of range are refused, and the view stays as it is")
{
    const model_outputs good;
    padded_view<read_boxes, read_labels> view;
    REQUIRE(try_from_tensors(view, good.count_tensor, good.box_tensor, good.label_tensor).ok());

    model_outputs bad;
    bad.counts[1] = 4;
    padbatch::test::check_status(try_from_tensors(view, bad.count_tensor, bad.box_tensor, bad.label_tensor),
                                 status_code::bad_count, {"image 1", "4", "3"});
    const std::vector<float> fractions = {0.5F, 1};
    padbatch::test::check_status(try_from_tensors(view, tensor(fractions, {2}), good.box_tensor, good.label_tensor),
                                 status_code::bad_count, {"0.5"});
    const std::vector<std::int64_t> negative = {0, -1};
    padbatch::test::check_status(try_from_tensors(view, tensor(negative, {2}), good.box_tensor, good.label_tensor),
                                 status_code::bad_count, {"-1"});
    CHECK(view[t::boxes].data() == good.boxes.data());
    CHECK(view.count(0) == 2);
}

TEST_CASE("a batch of no images and one of no rows are batches")
{
    const std::vector<std::int32_t> counts;
    const std::vector<float> boxes;
    CHECK(from_tensors<read_boxes>(tensor(counts, {0, 1}), tensor(boxes, {0, 100, 4})).size() == 0);
    const std::vector<std::int32_t> zeros = {0, 0};
    const auto empty = from_tensors<read_boxes>(tensor(zeros, {2}), tensor(boxes, {2, 0, 4}));
    CHECK(empty.size() == 2);
    CHECK(empty.capacity() == 0);
    CHECK(empty.image(1).empty());
}

TEST_CASE("a view's field is a tensor again, of the same memory and shape")
{
    const model_outputs out;
    const auto batch = from_tensors<read_boxes, read_labels>(out.count_tensor, out.box_tensor, out.label_tensor);
    const const_tensor_ref again = batch[t::boxes].ref();
    CHECK(again.data() == out.boxes.data());
    CHECK(again.type() == element_type::float32);
    CHECK(again.rank() == 3);
    CHECK(again.shape()[1] == 3);
    CHECK(from_tensors<read_boxes>(out.count_tensor, again)[t::boxes].data() == out.boxes.data());
}
