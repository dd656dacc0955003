// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/evidence.hpp>

#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// Boxes, labels and scores of one cut, with further nodes and outputs.
onnx::ModelProto detector(const std::string& nodes, const std::string& outputs)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] all_boxes, int64[n] all_labels, "
                       "float[n] all_scores, int64[k] keep) => (" +
                       outputs +
                       ") { zero = Constant<value = int64[1] {0}>() limit = Constant<value = int64[1] {7}>() "
                       "rows = Slice(keep, zero, limit, zero) b = Gather(all_boxes, rows) "
                       "l = Gather(all_labels, rows) s = Gather(all_scores, rows) " +
                       nodes + " }");
}

} // namespace

TEST_CASE("an output bears a field's name alone, numbered, and in any case")
{
    for (const std::string name : {"boxes", "Boxes", "boxes_0", "boxes.12", "BOXES1", "boxes:"}) {
        CAPTURE(name);
        CHECK(named_field(name) == field::boxes);
    }
    CHECK(named_field("keypoints_scores") == field::keypoints_scores);
    for (const std::string name : {"", "0", "my_boxes", "bbox", "boxes_of_image", "123"}) {
        CAPTURE(name);
        CHECK_FALSE(named_field(name));
    }
}

TEST_CASE("a Transpose moves rows unless they stay the first dimension")
{
    const auto model = detector("t = Transpose(b) u = Transpose<perm = [1, 0]>(b) v = Transpose<perm = [0, 1]>(b)",
                                "float[a,4] b, float[c,d] t, float[e,f] u, float[g,h] v");
    const graph_outputs outputs(model);
    CHECK_FALSE(contradicts(outputs, outputs[0], field::boxes));
    CHECK(contradicts(outputs, outputs[1], field::boxes));
    CHECK(contradicts(outputs, outputs[2], field::boxes));
    CHECK_FALSE(contradicts(outputs, outputs[3], field::boxes));
}

TEST_CASE("masks end in height and width: no Transpose moves their dimensions")
{
    const auto model =
        detector("m = Net(b) t = Transpose<perm = [0, 2, 3, 1]>(m) u = Transpose<perm = [0, 1, 2, 3]>(m)",
                 "float[a,1,h,w] m, float[c,d,e,f] t, float[g,h,i,j] u");
    const graph_outputs outputs(model);
    CHECK_FALSE(contradicts(outputs, outputs[0], field::masks));
    CHECK(contradicts(outputs, outputs[1], field::masks));
    CHECK_FALSE(contradicts(outputs, outputs[2], field::masks));
}

TEST_CASE("scores were never integers, and no mask is three pixels wide")
{
    const auto model = detector("f = Cast<to = 1>(l) h = Cast<to = 10>(s) m = Net(b)",
                                "float[a] f, float16[b] h, float[c,17,3] m, float[d] s");
    const graph_outputs outputs(model);
    CHECK(contradicts(outputs, outputs[0], field::scores));
    CHECK_FALSE(contradicts(outputs, outputs[1], field::scores));
    CHECK(contradicts(outputs, outputs[2], field::masks));
    CHECK_FALSE(contradicts(outputs, outputs[3], field::scores));
}

TEST_CASE("sizes are no labels")
{
    const auto model = detector("shape = Shape(b) c = Gather(shape, zero) d = Cast<to = 6>(c) e = Size(s) "
                                "f = Unsqueeze(e, zero) n = Add(l, shape)",
                                "int64[2] shape, int64[1] c, int32[1] d, int64[1] f, int64[a] l, int64[a] n");
    const graph_outputs outputs(model);
    for (const int size : {0, 1, 2, 3}) {
        CHECK(contradicts(outputs, outputs[size], field::labels));
    }
    CHECK_FALSE(contradicts(outputs, outputs[4], field::labels));
    CHECK_FALSE(contradicts(outputs, outputs[5], field::labels));
}

TEST_CASE("boxes are shown by the cut, by their columns, by their extent or by their name")
{
    const auto model = detector("joined = Concat<axis = 1>(x0, x1, x2, x3) stacked = Concat<axis = 0>(x0, x1, x2, x3) "
                                "x0, x1, x2, x3 = Split<axis = 1>(b) other = Net(b) boxes_1 = Net(b) wide = Net(b)",
                                "float[a,q] b, float[c,r] joined, float[d,t] stacked, float[e,u] other, "
                                "float[f,v] boxes_1, float[g,4] wide, float[h] s");
    const graph_outputs outputs(model);
    for (const int i : {0, 1, 4, 5}) {
        CAPTURE(i);
        CHECK(shows(outputs, outputs[i], field::boxes));
    }
    for (const int i : {2, 3}) {
        CAPTURE(i);
        CHECK_FALSE(shows(outputs, outputs[i], field::boxes));
    }
    CHECK(nodes_show(outputs, outputs[1], field::boxes));
    CHECK_FALSE(nodes_show(outputs, outputs[5], field::boxes));
}

TEST_CASE("the masks and keypoints of every fixture are shown, and belong to their own image")
{
    for_each_fixture([](const fixture& known, const onnx::ModelProto& model) {
        CAPTURE(known.file.filename().string());
        const graph_outputs outputs(model);
        for (int i = 0; i < outputs.size(); ++i) {
            for (std::size_t image = 0; image < known.batch; ++image) {
                for (std::size_t slot = 0; slot < known.fields.size(); ++slot) {
                    if (outputs[i].name != known.output(image, slot)) {
                        continue;
                    }
                    if (known.fields[slot] == "masks") {
                        CHECK(nodes_show(outputs, outputs[i], field::masks));
                    }
                    const auto kind = field_from_name(known.fields[slot]);
                    if (kind == field::masks || kind == field::keypoints || kind == field::keypoints_scores) {
                        for (int other = 0; other < outputs.size(); ++other) {
                            if (outputs[other].name == known.output(image, 0)) {
                                CHECK(owner_of(outputs, outputs[i]) == outputs[other].cut);
                            }
                        }
                    }
                }
            }
        }
    });
}
