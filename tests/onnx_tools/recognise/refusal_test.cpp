// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/refusal.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// Two images of boxes, labels and scores.
const onnx::ModelProto& model()
{
    static const auto made = small_detector();
    return made;
}

const graph_outputs& outputs()
{
    static const graph_outputs found(model());
    return found;
}

reading read(int first, int images)
{
    return {first, images, output_order::by_image, {field::boxes, field::labels, field::scores}};
}

std::string message_of(void (*refuse)())
{
    try {
        refuse();
    } catch (const tool_error& e) {
        return e.what();
    }
    return "";
}

bool has(const std::string& text, const std::string& words)
{
    return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("a refusal names the families that are known, or the outputs at hand")
{
    check_failure(failure::refused, {"Mask", "RetinaNet", "SSDlite320"}, [] { refuse_without_outputs(); });
    check_failure(failure::refused, {"'b0'", "'s1'", "`fields`"}, [] { refuse_unrecognised(outputs()); });
}

TEST_CASE("a refusal of a part says what is left over, and what to say to pad the part alone")
{
    check_failure(failure::refused, {"6", "1 x (boxes, labels, scores)", "'b1'", "'l1'", "'s1'", "`batch` 1"},
                  [] { refuse_incomplete(outputs(), read(0, 1)); });
    CHECK_FALSE(has(message_of([] { refuse_incomplete(outputs(), read(0, 1)); }), "'b0'"));
    // `fields` cannot speak of outputs that are not the first.
    const auto later = message_of([] { refuse_incomplete(outputs(), read(3, 1)); });
    CHECK(has(later, "'b0'"));
    CHECK_FALSE(has(later, "'b1'"));
    CHECK_FALSE(has(later, "`fields`"));
}

TEST_CASE("a refusal says that a field always has as many rows as the example that the model was exported with")
{
    const auto model_with = [](const std::string& rows) {
        return parse_model(
            "<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] all_boxes, float[n,5,3] all_points, "
            "float[n] all_scores, int64[n] kept) => (float[m,4] boxes, float[m] scores, float[" +
            rows +
            ",5,3] keypoints) { zero = Constant<value = int64[1] {0}>() limit = Constant<value = int64[1] "
            "{7}>() three = Constant<value = int64[3] {0, 1, 2}>() rows = Slice(kept, zero, limit, zero) "
            "boxes = Gather(all_boxes, rows) scores = Gather(all_scores, rows) p = Gather(all_points, "
            "rows) keypoints = Gather(p, three) }");
    };
    check_failure(failure::refused,
                  {"'keypoints' (float32 [3, 5, 3])", "that many rows however many detections there are",
                   "(dynamo=False)", "`fields` boxes,scores `batch` 1"},
                  [&] { (void)recognise(model_with("3")); });
    CHECK_NOTHROW((void)recognise(model_with("m")));
}

TEST_CASE("a refusal of an ambiguity names both readings")
{
    auto by_pairs = read(0, 3);
    by_pairs.fields = {field::boxes, field::scores};
    check_failure(failure::refused,
                  {"2 x (boxes, labels, scores)", "3 x (boxes, scores)", "'l0'", "`fields`", "`order`"},
                  [&] { refuse_ambiguous(outputs(), read(0, 2), by_pairs); });
}

TEST_CASE("a refusal of options says what the outputs are without them")
{
    recognise_options options;
    options.batch = 5;
    check_failure(failure::usage, {"5", "2 images of boxes, labels, scores", "'b0'", "`batch`"},
                  [&] { refuse_options(outputs(), options, read(0, 2)); });
    options.batch.reset();
    options.order = output_order::by_field;
    check_failure(failure::usage, {"field by field", "image by image", "`order`"},
                  [&] { refuse_options(outputs(), options, read(0, 2)); });
    try { // one image is in no order
        refuse_options(outputs(), options, read(0, 1));
    } catch (const tool_error& e) {
        CHECK(has(e.what(), "1 image of"));
        CHECK_FALSE(has(e.what(), "image by image"));
    }
}
