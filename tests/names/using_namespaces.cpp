// SPDX-License-Identifier: Apache-2.0
// No public name is one of the standard library's or of <sys/select.h>, so that a program may have all of them in
// scope. public_names.py checks that, name by name, and that every name of the headers is used here.
#include <bits/stdc++.h>
#include <sys/select.h>

#include <padbatch/detection/decode.hpp>
#include <padbatch/detection/rle.hpp>
#include <padbatch/padbatch.hpp>

#include <doctest/doctest.h>

using namespace std;
using namespace padbatch;

namespace {

struct detection {
    float corners[4];
    int64_t label;
    float score;
};

using image_boxes = vector<std::array<float, 4>>;

const vector<image_boxes> found_boxes{{{1, 2, 3, 4}, {5, 6, 7, 8}}, {}};
const vector<vector<float>> found_scores{{0.5F, 0.75F}, {}};

template <source S>
size_t images_of(const S& from)
{
    return from.size();
}

/// A type that no container of another library is, so that naming the traits changes nothing.
struct not_adapted {};

} // namespace

TEST_CASE("with both namespaces in scope, the standard's algorithms mean what they meant")
{
    vector<float> v(4), w(4);
    fill(v.begin(), v.end(), 0.5F);
    copy(v.begin(), v.end(), w.begin());
    CHECK(equal(v.begin(), v.end(), w.begin()));
    CHECK(count(w.begin(), w.end(), 0.5F) == 4);
    vector<float> both(8);
    merge(v.begin(), v.end(), w.begin(), w.end(), both.begin());
    CHECK(accumulate(both.begin(), both.end(), 0.0F) == 4.0F);
    CHECK(clamp(3, 0, 2) == 2);
    CHECK(size(both) == 8);
    CHECK(data(both) == both.data());
    CHECK_FALSE(empty(both));
    CHECK(errc() == errc{});
    fd_set none;
    FD_ZERO(&none);
    timeval now{0, 0};
    CHECK(select(0, &none, nullptr, nullptr, &now) == 0);

    // And where argument-dependent lookup finds padbatch's namespaces.
    auto batch = pad(each(t::boxes(found_boxes), t::scores(found_scores)));
    auto sure = batch.image(0)[t::scores];
    vector<float> out(2);
    copy(sure.begin(), sure.end(), out.begin());
    fill(sure.begin(), sure.end(), 0.25F);
    CHECK(count(sure.begin(), sure.end(), 0.25F) == 2);
    CHECK(out == found_scores[0]);
    vector<decltype(batch.image(0))> kept(3, batch.image(0));
    fill(kept.begin(), kept.end(), batch.image(1));
    CHECK(kept[2].empty());
    swap(kept[0], kept[1]);
    CHECK(max(size_t{1}, batch.size()) == 2);
}

TEST_CASE("with both namespaces in scope, names of fields and rows can be used")
{
    static_assert(field_tag<t::boxes_t> && element<float> && !is_bound<int>);
    static_assert(count_element<float> && !offset_element<float> && counted<counts_view>);
    static_assert(is_same_v<boxes<>, field<t::boxes_t, float, row_extents<4>>>);
    static_assert(is_same_v<labels<>::value_type, int64_t> && is_same_v<scores<>::value_type, float>);
    static_assert(is_same_v<masks<>::extents_type, row_extents<dynamic, dynamic, dynamic>>);
    static_assert(is_same_v<keypoints<>::extents_type, row_extents<dynamic, 3>>);
    static_assert(is_same_v<keypoints_scores<>::extents_type, row_extents<dynamic>>);
    static_assert(is_same_v<mask_coefficients<>::extents_type, row_extents<dynamic>>);
    static_assert(is_same_v<row_shape<t::masks_t>::tag, t::masks_t>);
    static_assert(is_base_of_v<tag<t::labels_t>, t::labels_t>);
    static_assert(is_same_v<decltype(cols<1, 4>), const columns_t<1, 4>> && col<2>.first == 2);
    static_assert(is_empty_v<unchecked_t> && is_empty_v<ends_with_minus_one_t> && is_empty_v<rows_traits<not_adapted>>);
    static_assert(is_empty_v<row_traits<not_adapted>>);

    float memory_of_rows[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const rows<float, 4> two(memory_of_rows, 2);
    const basic_rows<const float, row_extents<4>> same = two;
    const strided_rows<float, 2> first_halves(memory_of_rows, 2, {}, layout::strided{16});
    const row<float, row_extents<2, 4>> whole(memory_of_rows, {});
    const strided_row<float, 2> ends(memory_of_rows, 2, 28);
    CHECK(same[1][0] + first_halves[1][1] + whole(1, 3) + ends[1] == 5 + 6 + 8 + 8);
    const tagged_rows<t::boxes_t, rows<float, 4>> named{two};
    CHECK(image_view(named).size() == 2);
    const made_image whole_image = image_of(t::boxes(two));
    CHECK(whole_image.is_whole);
    const bound<t::boxes_t, rows<float, 4>> held{two, {}};
    CHECK(held.value.size() == 2);
    const member_list<float detection::*, 1> members{{&detection::score}};
    CHECK(members.members[0] == &detection::score);

    const element_type type = element_type_of<float16>;
    CHECK(string(name_of(type)) == "float16");
    CHECK(size_of(type) == sizeof(bfloat16));
    CHECK(is_floating(type));
    CHECK(convert<int>(2.5F) == 2);
    const std::array<int64_t, 2> shape{2, 3};
    int64_t elements = 0;
    CHECK(try_element_count(shape, elements).ok());
    CHECK(element_count(shape) == elements);
    CHECK(contract::count_key[0] == 'p');
}

TEST_CASE("with both namespaces in scope, counts, offsets, ids and masks can be used")
{
    const vector<int32_t> n{2, 0, 1};
    const counts_view counts(n, 2);
    vector<int64_t> offsets(4), ids(3);
    vector<uint8_t> mask(6);
    vector<int32_t> again(3);
    to_offsets(counts, offsets);
    to_row_ids(counts, ids);
    to_mask(counts, 2, mask);
    to_counts(offsets_view(offsets, 3), again);
    CHECK(again == n);
    CHECK(try_to_counts(row_ids_view(ids, 3), again).ok());
    CHECK(try_to_counts(mask_view(mask, 3, 2), again).ok());
    CHECK(try_to_offsets(counts, offsets).ok());
    CHECK(try_to_row_ids(counts, ids).ok());
    CHECK(try_to_mask(counts, 2, mask).ok());
    CHECK(row_offsets(n).size() == 4);

    const vector<float> sure{0.5F, 0.25F, 0, 0, 0.75F, 0};
    const vector<int64_t> labels_or_end{1, 2, -1, -1, 3, -1};
    count_scores(sure, 2, again);
    count_ids(labels_or_end, 2, again);
    count_rows(sure, 2, [](float score) { return score > 0; }, again);
    CHECK(again == n);
    CHECK(try_count_scores(sure, 2, again).ok());
    CHECK(try_count_ids(labels_or_end, 2, again).ok());
    CHECK(try_count_rows(sure, 2, [](float score) { return score > 0; }, again).ok());
}

TEST_CASE("with both namespaces in scope, sources can be made and padded")
{
    const each_source by_field = each(t::boxes(found_boxes), t::scores(found_scores));
    workspace space;
    padded<boxes<>, scores<>> owner(2, 2);
    pad_result result = pad_into(owner, by_field, overflow::truncate, capacity::fixed(2), padding::reuse, space,
                                 pad_values(t::scores(-1)));
    CHECK(result.rows() == 2);
    static_assert(is_same_v<decltype(pad_values()), pad_values_t<>>);
    status outcome = try_pad_into(owner, by_field);
    CHECK(outcome.ok());

    vector<int32_t> n(2);
    vector<float> memory_of_scores(4);
    const auto output = padded_output(n, 2, t::scores(memory_of_scores));
    CHECK(check_pad_into(output, by_field).ok());
    CHECK(pad_into(unchecked, output, by_field) == 2);
    finish_slot(output, 0, 1);
    CHECK(try_finish_slot(output, 9, 1).code() == status_code::batch_mismatch);
    CHECK_THROWS_AS(finish_slot(output, 9, 1), error);

    const vector<vector<detection>> structs{{{{1, 2, 3, 4}, 7, 0.5F}}, {}};
    const project_source by_member = project(structs, t::boxes(&detection::corners), t::scores(&detection::score));
    const generated_source by_number =
        generated(2, [](size_t i) { return image_of(t::boxes(found_boxes[i]), t::scores(found_scores[i])); });
    const vector<float> six{1, 2, 3, 4, 0.5F, 7};
    const vector<int64_t> offsets{0, 1, 1};
    const vector<int32_t> one{1, 0};
    const column_source by_column = columns(six, 6, offsets, t::boxes(cols<0, 4>));
    const vector<float> twelve(12);
    CHECK(check_columns(six, 6, offsets, t::boxes(cols<0, 4>)).ok());
    CHECK(check_padded_columns(twelve, 6, one, 1, t::boxes(cols<0, 4>)).ok());
    const vector<float> ids{1, -1};
    const row_index index(ids, 2, ends_with_minus_one);
    const vector<float> two_scores{0.5F, 0};
    CHECK(check_tagged(index, t::scores(two_scores)).ok());
    CHECK(check_tagged_columns(index, two_scores, 1, t::scores(col<0>)).ok());
    const tagged_source by_index = tagged(index, t::scores(two_scores));
    CHECK(images_of(by_member) + images_of(by_number) + images_of(by_column) + images_of(by_index) == 8);
    CHECK(images_of(padded_columns(twelve, 6, one, 1, t::boxes(cols<0, 4>))) == 2);
    CHECK(images_of(tagged_columns(index, two_scores, 1, t::scores(col<0>))) == 2);
    CHECK(pad(by_number).count(0) == 2);
    const vector<vector<float>> flat{{1, 2, 3, 4}, {}};
    const image_columns_source by_image = columns(flat, 2, t::scores(col<1>));
    CHECK(by_image.count(0) == 2);
    const xywh_boxes<const vector<vector<float>>&> rects = xywh(flat);
    const auto source_of_rects = each(t::boxes(rects));
    const item_rows corners = source_of_rects.image(0)[t::boxes];
    CHECK(corners[0] == xywh_to_corners(std::array{1.0F, 2.0F, 3.0F, 4.0F}));
}

TEST_CASE("with both namespaces in scope, batches can be read, unpadded and made from tensors")
{
    vector<int32_t> n{1};
    vector<float> corners{10, 10, 50, 80};
    const vector<float> regions(28 * 28, 0.9F);
    const padded_view view = unpad(n, 1, t::boxes(corners), t::masks(regions, 1, 28, 28));
    CHECK(paste_masks<uint8_t>(view, 100, 120, mask_threshold(0.5F)).count(0) == 1);
    padded<masks<float>> full(1, 1, t::masks.shape(1, 100, 120));
    CHECK(try_paste_masks(full, view).ok());

    ragged<boxes<>> loose;
    unpad_into(loose, view);
    unpad_append(loose, view);
    CHECK(try_unpad_append(loose, view).ok());
    CHECK(to_ragged(view).size() + loose.size() == 4);
    CHECK(try_unpad_into(loose, view).ok());
    const ragged_view loose_view = loose.view();
    CHECK(loose_view.count(0) == 1);

    const std::array<int64_t, 3> shape{1, 1, 4};
    const std::array<int64_t, 1> count_shape{1};
    const tensor_ref tensor(corners.data(), shape);
    const const_tensor_ref counts(n.data(), count_shape);
    const basic_tensor_ref<const void> read_only = tensor;
    CHECK(read_only.device() == device::host);
    padded_view<boxes<const float>> read;
    CHECK(try_from_tensors(read, counts, tensor).ok());
    const padded_field field_of_boxes = from_tensors<boxes<const float>>(counts, tensor)[t::boxes];
    CHECK(field_of_boxes.data() == corners.data());
    const memory block = memory::allocate(64);
    CHECK(block.bytes() == 64);
}

TEST_CASE("with both namespaces in scope, detections can be suppressed")
{
    const vector<std::array<float, 4>> corners{{0, 0, 10, 10}, {1, 1, 10, 10}};
    const vector<float> sure{0.5F, 0.75F};
    const vector<int64_t> classes{1, 2};
    row_numbers kept = nms(t::boxes(corners), t::scores(sure), 0.5, at_most(5));
    CHECK((kept.size() == 1 && kept[0] == 1));
    CHECK(batched_nms(t::boxes(corners), t::scores(sure), t::labels(classes), 0.5).size() == 2);
    CHECK(try_nms(kept, t::boxes(corners), t::scores(sure), 0.5).ok());
    CHECK(try_batched_nms(kept, t::boxes(corners), t::scores(sure), t::labels(classes), 0.5,
                          class_shift(largest_coordinate))
              .ok());
    static_assert(is_empty_v<largest_coordinate_t>);
    auto batch = pad(each(t::boxes(found_boxes), t::scores(found_scores)));
    const auto loop = [](size_t n, const auto& body) {
        for (size_t i = 0; i < n; ++i) {
            body(i);
        }
    };
    nms(batch, 0.5, parallel(loop));
    vector<float> left(2);
    soft_nms(kept, t::scores(left), t::boxes(corners), t::scores(sure), soft_nms_linear(0.5), 0.1F);
    CHECK(try_soft_nms(kept, t::scores(left), t::boxes(corners), t::scores(sure), soft_nms_gaussian(0.5), 0.1F).ok());
    CHECK(batch.count(0) == 2);
    static_assert(is_same_v<decltype(parallel(loop)), parallel_t<decltype(loop)&>>);
}

TEST_CASE("with both namespaces in scope, boxes can be changed and compared")
{
    vector<std::array<float, 4>> corners{{0, 0, 10, 10}, {1, 1, 30, 10}};
    const auto x = t::boxes(corners);
    const image_size size{20, 20};
    clip_boxes(x, size);
    convert_boxes(x, box_format::xyxy, box_format::xywh);
    convert_boxes(x, box_format::xywh, box_format::xyxy);
    normalize_boxes(x, size);
    unnormalize_boxes(x, size);
    scale_boxes(x, 2, 2);
    shift_boxes(x, 1, 1);
    resize_boxes(x, size, {40, 40});
    const letterbox fitted(size, {40, 40}, letterbox_options());
    letterbox_boxes(x, fitted);
    unletterbox_boxes(x, fitted);
    CHECK(try_clip_boxes(x, size).ok());
    CHECK(try_convert_boxes(x, box_format::xyxy, box_format::xyxy).ok());
    CHECK((try_normalize_boxes(x, size).ok() && try_unnormalize_boxes(x, size).ok()));
    CHECK((try_scale_boxes(x, 1, 1).ok() && try_shift_boxes(x, 0, 0).ok()));
    CHECK(try_resize_boxes(x, size, size).ok());
    CHECK((try_letterbox_boxes(x, fitted).ok() && try_unletterbox_boxes(x, fitted).ok()));
    CHECK((remove_small_boxes(x, 1).size() == 2 && remove_degenerate_boxes(x).size() == 2));
    row_numbers kept;
    CHECK((try_remove_small_boxes(kept, x, 1).ok() && try_remove_degenerate_boxes(kept, x).ok()));
    vector<float> matrix(4), each_area(2);
    box_iou(matrix, x, x);
    CHECK(matrix[0] == 1);
    box_giou(matrix, x, x);
    box_areas(each_area, x);
    CHECK((try_box_iou(matrix, x, x).ok() && try_box_giou(matrix, x, x).ok() && try_box_areas(each_area, x).ok()));
}

TEST_CASE("with both namespaces in scope, rows can be chosen and gathered")
{
    const vector<float> sure{0.5F, 0.75F};
    const vector<int64_t> classes{1, 2};
    const vector<float> thresholds{0, 0.25F, 0.9F};
    row_numbers kept =
        select_rows(t::scores(sure), t::labels(classes), score_above(0.25F), label_in(classes), highest_scores(5),
                    score_above_of_label(thresholds), rows_where([](float score) { return score < 1; }, t::scores));
    CHECK((kept.size() == 1 && kept[0] == 0));
    CHECK(try_select_rows(kept, t::scores(sure), score_at_least(0.75F)).ok());
    CHECK(sort_by_score(t::scores(sure))[0] == 1);
    CHECK(try_sort_by_score(kept, t::scores(sure)).ok());
    vector<float> out(2);
    gather_rows_into(t::scores(out), kept, t::scores(sure));
    CHECK((out[0] == 0.75F && try_gather_rows_into(t::scores(out), kept, t::scores(sure)).ok()));
    auto batch = pad(each(t::boxes(found_boxes), t::scores(found_scores)));
    vector<vector<int32_t>> lists{{1}, {}};
    auto some = gather_rows(batch, lists);
    CHECK((some.count(0) == 1 && try_gather_rows(some, batch, lists).ok()));
    keep_listed(batch, lists);
    lists[0][0] = 0;
    CHECK((batch.count(0) == 1 && try_keep_listed(batch, lists).ok()));
}

TEST_CASE("with both namespaces in scope, masks can be packed, measured and made of prototypes")
{
    vector<float> pixels(2 * 4 * 9, 1);
    const auto full = t::masks(pixels, 1, 4, 9);
    vector<uint8_t> bits(2 * 4 * 2), bytes(2 * 4 * 9);
    pack_masks(t::masks(bits, 1, 4, 2), full);
    CHECK((bits[0] == 255 && bits[1] == 128 && try_pack_masks(t::masks(bits, 1, 4, 2), full).ok()));
    unpack_masks(t::masks(bytes, 1, 4, 9), t::masks(bits, 1, 4, 2));
    CHECK(try_unpack_masks(t::masks(bytes, 1, 4, 9), t::masks(bits, 1, 4, 2)).ok());
    threshold_masks(t::masks(bytes, 1, 4, 9), full);
    CHECK((bytes[0] == 1 && try_threshold_masks(t::masks(bytes, 1, 4, 9), full).ok()));
    vector<std::array<float, 4>> corners(2);
    vector<int64_t> each_area(2);
    mask_to_boxes(t::boxes(corners), full);
    mask_areas(t::values(each_area), full);
    CHECK((corners[1][2] == 8 && each_area[0] == 36));
    CHECK((try_mask_to_boxes(t::boxes(corners), full).ok() && try_mask_areas(t::values(each_area), full).ok()));
    crop_masks(full, t::boxes(corners));
    CHECK((pixels[8] == 0 && try_crop_masks(full, t::boxes(corners)).ok()));
    const vector<float> coefficients(2 * 3, 1), planes(3 * 2 * 2, 1);
    const auto c = t::mask_coefficients(coefficients, 3);
    const auto p = t::prototypes(planes, 3, 2, 2);
    prototype_masks(t::masks(bytes, 1, 4, 9), c, p, t::boxes(corners));
    prototype_masks_native(t::masks(bytes, 1, 4, 9), c, p, t::boxes(corners));
    CHECK(try_prototype_masks(t::masks(bytes, 1, 4, 9), c, p, t::boxes(corners)).ok());
    CHECK(try_prototype_masks_native(t::masks(bytes, 1, 4, 9), c, p, t::boxes(corners)).ok());
}

TEST_CASE("with both namespaces in scope, run lengths can be made, compared and written")
{
    vector<uint8_t> bytes(2 * 4 * 8, 1), bits(2 * 4, 255);
    const auto full = t::masks(bytes, 1, 4, 8);
    run_lengths runs, other;
    rle_encode(runs, full);
    rle_encode_bits(runs, 8, t::masks(bits, 1, 4, 1));
    const run_length_view one = runs[0];
    CHECK((runs.size() == 4 && rle_area(one) == 32 && rle_box(one)[2] == 8));
    CHECK((try_rle_encode(other, full).ok() && try_rle_encode_bits(other, 8, t::masks(bits, 1, 4, 1)).ok()));
    const vector<std::array<float, 4>> corners{{0, 0, 8, 4}};
    const vector<float> regions(28 * 28, 1);
    rle_encode_regions(other, t::boxes(corners), t::masks(regions, 1, 28, 28), 4, 8);
    CHECK(try_rle_encode_regions(other, t::boxes(corners), t::masks(regions, 1, 28, 28), 4, 8).ok());
    other.clear();
    const rle_rule rule = rle_union;
    rle_merge(other, runs, rule);
    CHECK(try_rle_merge(other, runs, rle_intersection).ok());
    vector<double> matrix(8);
    rle_iou(matrix, other, runs);
    CHECK((matrix[0] == 1 && try_rle_iou(matrix, other, runs).ok()));
    vector<char> text(rle_string_size(one));
    size_t size_of_text = rle_to_string(text, one);
    CHECK(try_rle_to_string(text, size_of_text, one).ok());
    rle_from_string(other, string_view(text.data(), text.size()), 4, 8);
    CHECK(try_rle_from_string(other, text, 4, 8).ok());
    vector<uint8_t> again(4 * 4 * 8);
    rle_decode(t::masks(again, 1, 4, 8), runs);
    CHECK((again[0] == 1 && try_rle_decode(t::masks(again, 1, 4, 8), runs).ok()));
}

TEST_CASE("with both namespaces in scope, raw heads can be decoded")
{
    detector_head head = heads::yolov8(2);
    head.selection = detection_selection{.score_above = 0.5F, .suppression = head_suppression::none};
    head.scores = head_scores::plain;
    CHECK((most_head_candidates == 30000 && head_class_shift == 7680 && every_head_score < 0));
    const vector<float> numbers(6 * 10, 1);
    const std::array<int64_t, 3> shape{1, 6, 10};
    const const_tensor_ref tensor(numbers.data(), shape);
    padded<boxes<>, scores<>> found(1, 4);
    decode_head(found, head, head_output(tensor));
    CHECK((found.count(0) == 4 && try_decode_head(found, head, tensor).ok()));
}
