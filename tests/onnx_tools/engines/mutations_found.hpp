// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_MUTATIONS_FOUND_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_MUTATIONS_FOUND_HPP

#include <array>
#include <string_view>

namespace padbatch::test {

/// A mutant that once showed a fault, in the smallest form that showed it.
struct found_mutation {
    std::string_view fixture;
    std::string_view steps;
    std::string_view options;
    std::string_view what;
};

inline constexpr std::array<found_mutation, 50> mutations_found{{
    {"mask_rcnn_tv014_b2_list_op11", "order 0 1 2 7 4 5 6 3", "",
     "the masks of two images, exchanged: as many rows in all, and every row of masks shifted"},
    {"mask_rcnn_tv014_b2_tensor_op16", "order 0 1 2 7 4 5 6 3", "", "the masks of two images of one size, exchanged"},
    {"mask_rcnn_tv029_b2_list_op16_field", "drop 2,3; order 0 1 2 3 5 4", "",
     "the masks of two images, exchanged, in a model without labels, field by field"},
    {"mask_rcnn_tv014_b2_tensor_op16", "order 0 1 7 3 4 5 6 2; order 0 1 2 7 4 5 6 3", "",
     "a hint took the masks of the other image"},
    {"mask_rcnn_tv029_b1_tensor_op17", "squeeze 3 1", "", "masks [n, H, W] were refused"},
    {"mask_rcnn_tv029_b1_tensor_op17", "squeeze 3 1; unshape", "", "masks [n, H, W] of unknown shape were refused"},
    {"mask_rcnn_tv029_b1_tensor_op17", "transpose 3 1 3 0 2", "--min-score 0.4",
     "masks [1, W, n, H] were cut along the wrong axis"},
    {"mask_rcnn_tv014_b2_tensor_op16", "drop 4,5,6,7", "--dynamic-batch",
     "the loop took one image, and the graph splits it into two"},
    {"mask_rcnn_tv029_b2_tensor_op17_onnxruntime", "drop 0,1,2,3; double 0 t7781",
     "--masks roi --fields boxes,labels,scores,masks --batch 1",
     "nodes without a reader kept what was removed with the masks"},
    {"mask_rcnn_tv029_b2_tensor_op17_onnxruntime", "order 0 5 2 3 4 1 6 7; drop 0,2,3,5", "--masks none",
     "nodes without a reader kept what was removed with the masks"},
    {"mask_rcnn_tv014_b1_list_op12", "cast 1 float16", "", "a hint called labels of floats scores"},
    {"mask_rcnn_tv029_b2_list_op18", "order 4 5 6 7 0 1 2 3", "",
     "the images were in the order of the outputs, not of the input"},
    {"keypoint_rcnn_tv014_b2_list_op13_field", "order 0 1 2 3 4 5 7 6 8 9", "",
     "the keypoints of two images, exchanged"},
    {"keypoint_rcnn_tv014_b2_list_op13_field", "order 0 1 2 3 4 5 6 7 9 8", "",
     "the scores of keypoints of two images, exchanged"},
    {"keypoint_rcnn_tv014_b2_list_op13_field", "order 6 7 8 9 0 1 2 3 4 5", "",
     "fields crosswise: the scores of keypoints were taken for boxes"},
    {"keypoint_rcnn_tv014_b2_list_op13_field", "transpose 6 1 0 2", "--min-score 0.6",
     "keypoints [K, n, 3] of one image: rows with high scores were picked of K"},
    {"keypoint_rcnn_tv014_b2_tensor_op11", "order 0 1 2 8 4 5 6 7 3 9", "",
     "the keypoints of two images, exchanged, image by image"},
    {"keypoint_rcnn_tv014_b2_tensor_op11", "order 8 1 2 3 4 5 6 7 0 9", "", "a hint named the fields crosswise"},
    {"keypoint_rcnn_tv014_b2_tensor_op11", "unsqueeze 4,9 1", "", "scores of keypoints [n, 1, K] were taken for masks"},
    {"keypoint_rcnn_tv014_b1_tensor_op13", "double 3 t4423", "", "keypoints that are there twice were taken for masks"},
    {"keypoint_rcnn_tv014_b1_tensor_op13", "unsqueeze 3 1", "", "a hint called keypoints [n, 1, K, 3] masks"},
    {"keypoint_rcnn_tv014_b1_tensor_op13", "order 3 4 0 1 2; double 1 t7189", "--to tf-od",
     "a hint called the scores of keypoints boxes"},
    {"keypoint_rcnn_tv029_b3_tensor_op17_field", "order 0 1 2 3 4 5 6 7 8 10 9 11 12 13 14", "",
     "the keypoints of two of three images, exchanged"},
    {"keypoint_rcnn_tv029_b3_tensor_op17_field", "cast 9,10,11 bool", "", "a hint called keypoints of bool masks"},
    {"keypoint_rcnn_tv029_b1_list_op20_half", "transpose 3 2 1 0", "", "keypoints [3, K, n] of three rows"},
    {"keypoint_rcnn_tv029_b1_list_op20_half", "transpose 3 1 2 0", "--max-detections batch",
     "keypoints [K, 3, n] of as many rows as keypoints"},
    {"faster_rcnn_tv014_b2_list_op11", "cast 1,4 float64", "", "a hint called labels of floats scores"},
    {"faster_rcnn_tv029_b1_list_op13", "cast 1 float32", "", "a hint called labels of floats scores"},
    {"faster_rcnn_tv029_b1_tensor_op16", "cycle 95799", "", "a graph with a cycle was accepted"},
    {"fcos_tv029_b2_list_op17", "transpose 0 1 0", "", "boxes [4, n] of four rows"},
    {"retinanet_tv029_b1_tensor_op18_features", "transpose 0 1 0", "", "boxes [4, n] of four rows"},
    {"retinanet_tv014_b1_list_op16", "cast 2 float64; drop 1", "", "labels of floats were taken for scores"},
    {"retinanet_tv029_b2_list_op11", "hide 1,4 reshape; drop 2,5; order 2 1 0 3", "--max-detections 300",
     "the boxes of two images, exchanged, where a node hid where the scores come from"},
    {"ssd300_tv029_b1_tensor_op12_onnxruntime", "shuffle 258972", "--dynamic-batch",
     "the body of the loop was not sorted"},
    {"mask_rcnn_tv029_b1_tensor_op17", "repeat 1", "--max-detections batch",
     "twice as many labels as boxes were padded to more rows"},
    {"mask_rcnn_tv029_b1_tensor_op17", "repeat 2", "--max-detections batch",
     "twice as many scores as boxes made rows out of padding"},
    {"mask_rcnn_tv029_b1_tensor_op17", "repeat 1", "--dynamic-batch",
     "twice as many labels as boxes, with one image alone"},
    {"keypoint_rcnn_tv014_b2_list_op13_field", "unsqueeze 0,1 2", "",
     "boxes [n, 4, 1] were taken for masks, and the scores of keypoints for boxes"},
    {"faster_rcnn_tv029_b4_list_op20_field",
     "transpose 8,9,10,11 0; transpose 4,5,6,7 0; order 6 11 1 10 7 8 5 4 9 3 0 2", "",
     "a hint put together fields of several images"},
    {"faster_rcnn_tv014_b1_tensor_op14_boxes_scores",
     "hide 1 reshape; further count 2 keypoints_scores; rename 0 t1403 1 t2748 2 t3731", "",
     "the number of rows was taken for the label of one row"},
    {"faster_rcnn_tv029_b2_tensor_op18_features", "drop 3,4,5", "--dynamic-batch --masks roi",
     "the loop took one image, and a graph that declares any number splits it into two"},
    {"keypoint_rcnn_tv014_b2_tensor_op11", "double 6 keypoints_0; order 5 6 7 8 9 10 0 1 2 3 4",
     "--mask-type uint8 --mask-threshold 0.25", "hints named one taken name after the other"},
    {"ssdlite320_tv029_b1_tensor_op20_double", "unsqueeze 2 1; repeat 1", "--max-detections 7",
     "labels [n, 1] stayed as they were, where no output was known to be bound by the cut"},
    {"keypoint_rcnn_tv014_b1_tensor_op13", "double 3 masks", "", "a copy of the keypoints was taken for masks"},
    {"fcos_tv029_b1_list_op14_onnxsim", "rename 2 keypoints; transpose 1 0", "--dynamic-batch",
     "a hint left an output as it is, which a Loop cannot stack"},
    {"mask_rcnn_tv029_b2_list_op18", "cast 3,7 uint8", "--mask-threshold 0.25",
     "a hint wanted a type for masks that are no probabilities"},
    {"retinanet_tv029_b1_tensor_op18_features", "transpose 2 0; hide 1 concat", "--masks roi",
     "features were taken for masks where no cut is known to bound rows"},
    {"mask_rcnn_tv029_b2_list_op18", "transpose 3,7 0 2 3 1", "",
     "masks [n, H, W, 1] of different sizes were joined where one image had none"},
    {"retinanet_tv029_b2_list_op11", "order 3 4 5 0 1 2", "--dynamic-batch --to tf-od",
     "boxes were divided by the size of the other image"},
    {"ssd300_tv014_b2_list_op11", "order 3 4 5 0 1 2", "--to tf-od",
     "the same, in a graph that has the sizes as constants"},
}};

} // namespace padbatch::test

#endif
