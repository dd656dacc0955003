// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_FORM_MUTATIONS_FOUND_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_FORM_MUTATIONS_FOUND_HPP

#include <tests/onnx_tools/engines/mutations_found.hpp>

#include <array>

namespace padbatch::test {

/// Mutants of exports of every form that once showed a fault.
inline constexpr std::array<found_mutation, 20> form_mutations_found{{
    {"loose/mmdeploy_op11", "columns 0 gather 4 0 1 2 3", "--max-detections 4",
     "the first of five columns was taken for the box, though a Gather had put the score there"},
    {"loose/mmdeploy_op11", "columns 0 split 4 0 1 2 3", "--max-detections 20", "the same behind a Split"},
    {"loose/joined_op12", "double 0 t1123", "--max-detections 20", "a copy of the rows was taken for a second image"},
    {"loose/scaled_op11", "double 0 t5112; double 1 t9405", "--max-detections 20",
     "the same with boxes and scores apart"},
    {"lists/lists_pt113_any_op11", "join 0 t8225 3 1 2", "--max-detections 20",
     "image, label, box and score: the box was taken to come last, since only the label was seen"},
    {"lists/super_gradients_pt113_any_op14", "",
     "--max-detections 20 --from flat --columns batch,x1,y1,x2,y2,label,score",
     "columns were taken that the nodes contradict"},
    {"other/flat_pt113_b1_op11_end2end", "cast 0 float32",
     "--max-detections 20 --from flat --columns batch,x1,y1,x2,y2,score,label",
     "the same where the widths of the parts are not known"},
    {"lists/detection_output_pt113_any_op12", "columns 0 gather 2 1 3 4 5 6 0",
     "--max-detections 20 --from flat --columns score,label,x1,y1,x2,y2,batch",
     "the list was ended at the first column, whatever it held"},
    {"other/flat_pt113_any_op12_end2end", "apart 0 squeeze 1 t2053 4 t2148 2 t2528", "--max-detections 20",
     "the images of the rows were taken for scores"},
    {"other/nms_pt113_any_op11_cxcywh", "rows first 19 0", "--max-detections 20 --from nms",
     "centers and sizes were taken for corners where rows of the selection had been taken out"},
    {"padded/ultralytics_nms_b2_op12", "columns 0 slices 4 5 0 1 2 3", "",
     "the metadata was believed after columns had been moved"},
    {"padded/yolov10_any_op13", "columns 0 slices 4 5 0 1 2 3", "", "columns that were moved were taken as joined"},
    {"padded/mmdeploy_any_op11", "columns 0 split 4 0 1 2 3", "", "the same for five columns"},
    {"padded/yolov10_any_op13", "", "--columns x1,y1,x2,y2,label,score",
     "columns were taken that the nodes contradict"},
    {"padded/rtdetr_any_op16", "", "--columns x1,y1,x2,y2,score,label", "a box was put together from two outputs"},
    {"padded/counted_any_op17", "", "--max-detections 20 --columns x1,y1,x2,y2,label,score --count-output num_dets",
     "scores of each image were taken for a list of rows with six columns"},
    {"lists/lists_pt113_any_op11", "unsqueeze 0 0", "--max-detections 20",
     "rows of all images were taken for those of one, where the output with their images had another shape"},
    {"padded/ultralytics_nms_b2_op12", "", "--columns x1,y1,x2,y2,label,score",
     "columns were taken that the metadata contradicts"},
    {"padded/yolov10_b1_op11", "apart 0 squeeze 5 t2001 1 t2554; join 1 t9575 0", "",
     "columns were taken apart and joined in another order"},
    {"other/flat_pt113_any_op12_end2end", "columns 0 gather 1 2 3 4 5 0 6; apart 0 squeeze 4 t2006 1 t2494 2 t2564",
     "--max-detections 20", "labels as floats were taken for the scores of one image"},
}};

} // namespace padbatch::test

#endif
