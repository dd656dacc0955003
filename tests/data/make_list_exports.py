#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports small detectors to ONNX that give the rows of all images in the ways of several exporters, for the tests.

    lists             boxes, scores, classes and images gathered one by one after NonMaxSuppression, as people write it
    counted_lists     the same with the number of rows of each image
    super_gradients   [n, 7] with the score before the class
    paddle            [n, 6], class and score first, and the number of rows of each image; some classes are -1
    paddle_rcnn       the same for one image, with the row that PaddleDetection appends on export, and counts
    detection_output  [1, 1, n, 7], as OpenVINO's DetectionOutput: the list ends where the image is -1
    tiny_yolov3       the node's indices as int32 [1, n, 3], as in the ONNX model zoo

They are made with Debian 12's torch 1.13; the row counts in the manifest are PyTorch's.

    /usr/bin/python3 make_list_exports.py [--out FOLDER]
"""

import argparse
import dataclasses
import pathlib
import sys

sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import torch  # noqa: E402

from exports import quiet, write_manifest  # noqa: E402
from make_other_exports import HEIGHT, HERE, WIDTH, Detector, Fixture, batch_of, tune  # noqa: E402

CANDIDATES = 12  # of each image, before the threshold, for "paddle"


@dataclasses.dataclass
class ListFixture(Fixture):
    form: str = ""
    names: tuple = ()  # of the outputs
    inputs: tuple = ("images",)

    def __post_init__(self):
        self.per_class = True
        super().__post_init__()
        self.file = "%s_pt113_%s_op%d.onnx" % (self.form, "b%d" % self.batch if self.batch else "any", self.opset)
        self.runs = [run for run in self.runs if len(run) != 1 or self.batch == 1 or run == [1]]


class Lists(Detector):
    """The rows of all images, in the form that the fixture names."""

    def parts(self, images):
        boxes, scores = self.boxes_and_scores(self.features(images))
        boxes = boxes @ self.to_corners
        if self.fixture.form == "tiny_yolov3":
            boxes = boxes[..., [1, 0, 3, 2]]
        return boxes, scores.transpose(1, 2)

    def picked(self, images):
        boxes, scores = self.parts(images)
        image, category, box = self.suppress(boxes, scores).unbind(1)
        return image, boxes[image, box], category, scores[image, category, box]

    def candidates(self, images, scale):
        """The best boxes of each image [B, 12, 6], and which of them are rows."""
        boxes, scores = self.parts(images)
        boxes = boxes / scale.flip(1).repeat(1, 2).unsqueeze(1)  # scale_y, scale_x
        best, category = scores.max(1)
        score, place = best.topk(CANDIDATES, 1)
        boxes = boxes.gather(1, place.unsqueeze(2).repeat(1, 1, 4))
        label = category.gather(1, place).float()
        label = torch.where(boxes[..., 2] > 30, label, -torch.ones_like(label))
        return torch.cat([label.unsqueeze(2), score.unsqueeze(2), boxes], 2), score > self.threshold

    def forward(self, images, scale=None):
        form = self.fixture.form
        if form == "tiny_yolov3":
            boxes, scores = self.parts(images)
            return boxes, scores, self.suppress(boxes, scores).int().unsqueeze(0)
        if form == "paddle":
            rows, keep = self.candidates(images, scale)
            return rows[keep], keep.int().sum(1).int()
        image, boxes, category, score = self.picked(images)
        if form == "lists":
            return image, boxes, score, category
        if form == "counted_lists":
            own = torch.arange(images.shape[0]).unsqueeze(1) == image.unsqueeze(0)
            return boxes, score, category.float(), own.long().sum(1)
        columns = [image.unsqueeze(1).float(), boxes, score.unsqueeze(1), category.unsqueeze(1).float()]
        if form == "super_gradients":
            return torch.cat(columns, 1)
        if form == "detection_output":
            size = torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT], dtype=torch.float32)
            rows = torch.cat([columns[0], columns[3], columns[2], boxes / size], 1)
            end = torch.tensor([[-1.0] + [0.0] * 6, [0.0, 1.0, 0.9, 0.1, 0.2, 0.3, 0.4]])
            return torch.cat([rows, end], 0).unsqueeze(0).unsqueeze(0)
        # As PaddleDetection's BBoxPostProcess writes it for ONNX: one row more, and the scale of the first image.
        rows = torch.cat([columns[3], columns[2], boxes], 1)
        rows = torch.cat([rows, torch.tensor([[0.0, 0.0, 0.0, 0.0, 1.0, 1.0]])], 0)
        count = torch._shape_as_tensor(boxes)[0:1].int() + 1
        boxes = rows[:, 2:] / torch.stack([scale[0][1], scale[0][0], scale[0][1], scale[0][0]]).unsqueeze(0)
        real = (boxes[:, 2:3] - boxes[:, 0:1] > 20) | (boxes[:, 2:3] <= 1)
        label = torch.where(real, rows[:, 0:1], -torch.ones_like(rows[:, 0:1]))
        return torch.cat([label, rows[:, 1:2], boxes], 1), count

    def rows(self, images):
        """Image, class and score of every row; for `tune`."""
        if self.fixture.form == "paddle":
            rows, keep = self.candidates(images, torch.ones(len(images), 2))
            return keep.nonzero()[:, 0], rows[keep][:, 0].long().clamp(0), rows[keep][:, 1]
        image, _, category, score = self.picked(images)
        return image, category, score


def fixture(form, opset, *names, **more):
    inputs = ("image", "scale_factor") if form.startswith("paddle") else ("images",)
    return ListFixture("flat", opset, form=form, names=names, inputs=inputs, limit=more.pop("limit", 4),
                       full=form != "paddle", **more)


FIXTURES = [
    fixture("lists", 11, "det_batch", "det_boxes", "det_scores", "det_classes"),
    fixture("counted_lists", 13, "boxes", "scores", "classes", "num_dets"),
    fixture("super_gradients", 14, "graph2_flat_predictions"),
    fixture("paddle", 11, "multiclass_nms3_0.tmp_0", "multiclass_nms3_0.tmp_2", limit=CANDIDATES),
    fixture("paddle_rcnn", 13, "concat_9.tmp_0", "tmp_43", batch=1),
    fixture("detection_output", 12, "detection_out"),
    fixture("tiny_yolov3", 11, "yolonms_layer_1", "yolonms_layer_1:1", "yolonms_layer_1:2", batch=1),
]


def counts_of(model, scenes):
    """How many rows each image has, those that are no detections left out."""
    if not scenes:
        return []
    images = torch.from_numpy(batch_of(scenes))
    if model.fixture.form == "paddle":
        rows, keep = model.candidates(images, torch.ones(len(images), 2))
        image, label = keep.nonzero()[:, 0], rows[keep][:, 0]
        return np.bincount(image[label >= 0].numpy(), minlength=len(scenes)).tolist()
    if model.fixture.form == "paddle_rcnn":
        rows, _ = model(images, torch.ones(1, 2))
        return [int(((rows[:, 0] >= 0) & (rows[:, 1] > 0)).sum())]
    return np.bincount(model.rows(images)[0].numpy(), minlength=len(scenes)).tolist()


def export(made, folder):
    torch.manual_seed(40 + made.opset)
    model = Lists(made).eval()
    tune(model, made)
    batch = made.batch or 3
    arguments = [torch.from_numpy(batch_of(range(1, 1 + batch)))]
    axes = {made.inputs[0]: {0: "batch"}}
    if len(made.inputs) > 1:
        arguments.append(torch.ones(batch, 2))
        axes["scale_factor"] = {0: "batch"}
    if made.batch:
        axes = {}
    per_image = {"num_dets", "multiclass_nms3_0.tmp_2", "tmp_43", "yolonms_layer_1", "yolonms_layer_1:1"}
    for name in made.names:
        row = {"detection_out": 2, "yolonms_layer_1:2": 1}.get(name, 0)
        if name not in per_image:
            axes[name] = {row: "rows"}
        elif not made.batch:
            axes[name] = {0: "batch"}
    torch.onnx.export(model, tuple(arguments), str(folder / made.file), opset_version=made.opset,
                      input_names=list(made.inputs), output_names=list(made.names), dynamic_axes=axes)
    runs = [{"scenes": scenes, "counts": counts_of(model, scenes)} for scenes in made.runs]
    return {"file": made.file, "form": made.form, "batch": made.batch or None, "image_size": [HEIGHT, WIDTH],
            "inputs": list(made.inputs), "outputs": list(made.names), "runs": runs}


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "lists", help="folder to write into (default: lists)")
    options = parser.parse_args()
    if not torch.__version__.startswith("1.13"):
        parser.error("the set is made with torch 1.13, this is " + torch.__version__)
    quiet()
    options.out.mkdir(parents=True, exist_ok=True)
    write_manifest([export(made, options.out) for made in FIXTURES], options.out / "manifest.json")


if __name__ == "__main__":
    main()
