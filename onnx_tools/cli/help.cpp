// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/help.hpp>

namespace padbatch::onnx_tools::cli {

const char* const help = R"(Usage: onnx-pad-outputs [OPTIONS] IN.onnx OUT.onnx
       onnx-pad-outputs [OPTIONS] --triton-repository DIR --model-name NAME IN.onnx
       onnx-pad-outputs --inspect [--json] [OPTIONS] IN.onnx

Rewrites a torchvision detection model that was exported to ONNX (Faster, Mask or Keypoint R-CNN,
RetinaNet, FCOS, SSD). The separate outputs of each image become one output per field for the whole
batch, padded to one shape. num_detections, int32 [B, 1], says how many rows of each image are real.
IN is not changed.

What comes out:
  --max-detections N|batch   Pad every image to N rows, which becomes the model's limit: the best N
                             are computed, and no others. The default is the limit that the model
                             has. `batch` pads to the largest count in the batch.
  --min-score S              Drop rows whose score is below S.
  --classes L,L,...          Keep rows of these labels only: the best of them, up to the limit.
  --exclude-classes L,L,...  Drop rows of these labels.
  --set NAME=VALUE           Set a parameter of the model, as if it had been exported so:
                             detections_per_img, score_thresh, nms_thresh, rpn_pre_nms_top_n,
                             rpn_post_nms_top_n, rpn_nms_thresh, rpn_score_thresh or
                             topk_candidates. --inspect lists those of IN. Can be repeated.
  --pad-value FIELD=VALUE    Fill the padding of FIELD with VALUE instead of 0. Can be repeated.
  --rename FIELD=NAME        Name the output of FIELD, or num_detections. Can be repeated.

What callers choose in each run:
  --expose NAME[=DEFAULT]    Add an input, min_score (float32 [1]) or max_detections (int32 [1]).
                             With a DEFAULT it may be left out, in ONNX Runtime only. Can be
                             repeated.
  --expose-per-image NAME    With --dynamic-batch: the same for each image, [batch, 1]. Can be
                             repeated.

A FIELD is one of boxes, labels, scores, masks, keypoints, keypoints_scores, mask_coefficients.

Masks:
  --masks full|roi|none      full (the default): pasted into the image. roi: as the mask head makes
                             them, for the region of each box, to be pasted where they are used.
                             none: no masks.
  --mask-type float|uint8|bool   float: the probabilities. uint8 and bool: 1 where they are at least
                             the threshold.
  --mask-threshold T         The threshold; the default is 0.5.
  --squeeze-masks            Write masks as [B, M, H, W] instead of [B, M, 1, H, W].

Batch:
  --dynamic-batch            Turn an export of one image into a model of any number of images.
  --per-image-input NAME     With --dynamic-batch: the input NAME belongs to each image. Without
                             this, inputs do whose first extent is 1, unless they have fewer than
                             two dimensions. Can be repeated.
  --shared-input NAME        With --dynamic-batch: all images share the input NAME. Can be repeated.

Layout:
  --to NAME                  Name, order and shape the outputs as a consumer expects them:
                             torchvision (the default), efficientnms, yolov7, mmdeploy, tf-od or
                             ultralytics. (--layout is another name of this option.)
  --count-type TYPE          The type of num_detections: int32, int64 or float32.
  --count-shape B|Bx1        The shape of num_detections: [B] or [B, 1].
  --label-type TYPE          The type of the labels: int32, int64 or float32.

Serving:
  --triton-repository DIR    Instead of OUT, write a model for Triton Inference Server into its
                             model repository DIR.
  --model-name NAME          The model's name on the server.
  --max-batch-size N         How many images the server may put together; the default is 8, and 0
                             turns batching off.

When recognition fails, or you know better:
  --fields boxes,labels,...  The fields of one image, in the order of the outputs.
  --batch B                  The number of images.
  --order image|field        Whether the outputs go image by image (boxes, labels, scores of the
                             first image, then of the next) or field by field (the boxes of all
                             images, then the labels of all, and so on).
  --from FORM                What IN outputs; auto (the default) is what its nodes prove, or else
                             fields (also called torchvision): tensors for each image, joined or
                             not. flat: the rows of all images in one list, each with its image.
                             nms: what a NonMaxSuppression selects from boxes and scores. padded:
                             rows that are padded already. raw: boxes and class scores of every
                             anchor, from which nothing is selected yet.
  --columns x1,y1,...        The columns of joined rows, or of the boxes that nms selects from:
                             names from batch, x1, y1, x2, y2, cx, cy, w, h, label and score.
  --batch-index NAME         With flat: the output that says which image each row belongs to.
  --count-output NAME        With flat or padded: the output with the number of rows of each image.
  --box-format FORMAT        What the boxes are: xyxy, xywh (corner and size), cxcywh or yxyx.
  --normalized               The boxes are fractions of the input's width and height. They come out
                             in pixels. (Also spelled --normalised.)

Raw heads, from which detections are selected first:
  --head KIND                yolo, yolo-seg, yolo-pose, yolo-objectness, yolo-objectness-seg,
                             boxes-scores or detr.
  --min-score S, --conf S    Select detections with a score above S. The default is 0.25, and none
                             with detr.
  --iou-threshold T          Drop boxes that overlap more than T with a better one; default 0.7.
  --max-detections N, --max-det N   Select the best N of each image; the default is 300.
  --nms HOW                  What keeps classes apart: shifted (the default, boxes moved by class),
                             class-by-class, or none (nothing is dropped; the default with detr).
  --class-agnostic           Boxes of all classes drop one another.
  --multi-label              Every class of an anchor that scores enough is a detection.
  --num-classes N            How many classes there are, where columns do not tell.
  --keypoints KxD            K keypoints of D numbers, with yolo-pose.
  --strides S,S,...|none     With yolo-objectness: boxes are offsets from grids of these strides, as
                             YOLOX exports them; none: they are in pixels.
  --scores HOW               What makes scores of the numbers: sigmoid, softmax or none.
  --image-size HxW           The size that boxes are fractions of, if not that of the input.

The command:
  --inspect                  Show what is recognised in IN, what the rewrite would do, and what a
                             server would stumble over. Write nothing.
  --json                     With --inspect: print JSON.
  --force                    Replace OUT, or the model in DIR, if it exists.
  --quiet                    Print errors only, and rows that are always padding.
  --version                  Print the version.
  -h, --help                 Print this help.

Examples:
  onnx-pad-outputs maskrcnn.onnx padded.onnx
  onnx-pad-outputs --inspect maskrcnn.onnx
  onnx-pad-outputs --max-detections 20 --pad-value labels=-1 maskrcnn.onnx padded.onnx
  onnx-pad-outputs --dynamic-batch --masks roi one-image.onnx any-number.onnx

Exit codes: 0 done; 1 internal error, or out of memory; 2 wrong usage; 3 a file cannot be read or
written; 4 IN is not an ONNX model; 5 IN is a model that this command does not rewrite.
)";

} // namespace padbatch::onnx_tools::cli
