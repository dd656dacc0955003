// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_SMALL_DETECTOR_HPP
#define PADBATCH_TESTS_SUPPORT_SMALL_DETECTOR_HPP

#include <tests/support/parse_model.hpp>

#include <string>

namespace padbatch::test {

/// What a small detector is made with.
struct detector_parts {
    int images = 2;
    int opset = 13;
    std::string limit = "7"; ///< the end of the Slice that cuts the kept rows
    std::string more_nodes;
};

/// The last nodes of a detection model, as torchvision's exports have them, on inputs in place of a network. The
/// outputs are `b0, l0, s0, b1, l1, s1, ...`: boxes, labels and scores, image by image.
inline onnx::ModelProto small_detector(const detector_parts& parts = {})
{
    std::string inputs = "float[n,4] all_boxes, int64[n] all_labels, float[n] all_scores";
    std::string outputs;
    std::string nodes = "zero = Constant <value = int64[1] {0}> ()\n"
                        "limit = Constant <value = int64[1] {" +
                        parts.limit + "}> ()\n";
    for (int image = 0; image < parts.images; ++image) {
        const auto i = std::to_string(image);
        inputs += ", int64[k" + i + "] keep" + i;
        outputs += std::string(image == 0 ? "" : ", ") + "float[m" + i + ",4] b" + i + ", int64[m" + i + "] l" + i +
                   ", float[m" + i + "] s" + i;
        nodes += "rows" + i + " = Slice(keep" + i + ", zero, limit, zero)\n";
        nodes += "b" + i + " = Gather(all_boxes, rows" + i + ")\n";
        nodes += "l" + i + " = Gather(all_labels, rows" + i + ")\n";
        nodes += "s" + i + " = Gather(all_scores, rows" + i + ")\n";
    }
    return parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(parts.opset) + "]> detector (" +
                       inputs + ") => (" + outputs + ") {\n" + nodes + parts.more_nodes + "}");
}

} // namespace padbatch::test

#endif
