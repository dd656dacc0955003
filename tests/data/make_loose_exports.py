#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports small detectors of one image whose outputs have the shapes of several exporters and wrappers.

Names and symbols of inputs and outputs are those of the exporters. tests/onnx_tools/engines/loose_runtime_test.cpp
says what each output holds.

    /usr/bin/python3 make_loose_exports.py            # Debian 12: torch 1.13, torchvision 0.14.1
"""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True

import torch  # noqa: E402
from torch import nn  # noqa: E402

import make_exports  # noqa: E402
import make_other_exports  # noqa: E402
from exports import quiet  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
HEIGHT, WIDTH = make_other_exports.HEIGHT, make_other_exports.WIDTH


class OneImage(make_other_exports.Detector):
    """Boxes [n, 4], labels [n] and scores [n] of one image, class by class, as its NonMaxSuppression gives them."""

    def picked(self, images):
        boxes, scores = self.boxes_and_scores(self.features(images))
        boxes, scores = boxes @ self.to_corners, scores.transpose(1, 2)
        image, category, box = self.suppress(boxes, scores).unbind(1)
        return image, boxes[image, box], category, scores[image, category, box]

    def rows(self, images):  # which is how the threshold is tuned
        image, _, category, score = self.picked(images)
        return image, category, score


class MMDeploy(OneImage):
    def forward(self, input):
        _, boxes, labels, scores = self.picked(input)
        return torch.cat([boxes, scores[:, None]], 1)[None], labels[None]


class OTX(OneImage):
    def forward(self, image):
        _, boxes, labels, scores = self.picked(image)
        return torch.cat([boxes, scores[:, None]], 1), labels


class Joined(OneImage):
    """The rows are joined for all boxes, and then picked."""

    def forward(self, images):
        boxes, scores = self.boxes_and_scores(self.features(images))
        boxes = boxes @ self.to_corners
        best, category = scores.max(2, keepdim=True)
        all_rows = torch.cat([boxes, best, category.float()], 2)
        _, _, box = self.suppress(boxes, best.transpose(1, 2)).unbind(1)
        return all_rows[0][box]

    def rows(self, images):
        boxes, scores = self.boxes_and_scores(self.features(images))
        best, category = scores.max(2, keepdim=True)
        image, _, box = self.suppress(boxes @ self.to_corners, best.transpose(1, 2)).unbind(1)
        return image, category[image, box, 0], best[image, box, 0]


class FloatLabels(OneImage):
    """All with a leading 1, labels as floats and last but one, as models for TensorFlow's API have them."""

    def forward(self, image):
        _, boxes, labels, scores = self.picked(image)
        return boxes[None], labels.float()[None], scores[None]


class Scaled(OneImage):
    """Boxes in the pixels of the image as it was before it was resized, and scores. All images share `gain`."""

    def forward(self, image, scale_factor, gain):
        _, boxes, _, scores = self.picked(image)
        scale = scale_factor[:, [1, 0, 1, 0]]  # y and x
        return boxes / scale, scores * gain


class Wrapped(nn.Module):
    """A torchvision detector whose fields are joined to [1, n, 6]."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        found, = self.model(images)
        rows = [found["boxes"], found["scores"][:, None], found["labels"][:, None].float()]
        return torch.cat(rows, -1).unsqueeze(0)


# Name of the file: class, opset, input names, output names, dynamic axes.
FIXTURES = {
    "mmdeploy_op11": (MMDeploy, 11, ["input"], ["dets", "labels"],
                      {"dets": {1: "num_dets"}, "labels": {1: "num_dets"}}),
    "otx_op13": (OTX, 13, ["image"], ["boxes", "labels"], {}),
    "joined_op12": (Joined, 12, ["images"], ["output0"], {}),
    "float_labels_op16": (FloatLabels, 16, ["image"], ["detection_boxes", "detection_classes", "detection_scores"],
                          {name: {1: "n"} for name in ("detection_boxes", "detection_classes", "detection_scores")}),
    "scaled_op11": (Scaled, 11, ["image", "scale_factor", "gain"], ["det_boxes", "det_scores"],
                    {"det_boxes": {0: "n"}, "det_scores": {0: "n"}}),
}


def export_small(name, folder):
    module, opset, inputs, outputs, axes = FIXTURES[name]
    torch.manual_seed(7 + opset)
    fixture = make_other_exports.Fixture("flat", opset, batch=1, limit=20, per_class=True)
    fixture.per_class = module is not Joined
    model = module(fixture).eval()
    make_other_exports.tune(model, fixture)
    image = torch.from_numpy(make_other_exports.batch_of([1]))
    more = (torch.tensor([[0.5, 2.0]]), torch.tensor([0.75])) if module is Scaled else ()
    torch.onnx.export(model, (image, *more), str(folder / (name + ".onnx")), opset_version=opset, input_names=inputs,
                      output_names=outputs, dynamic_axes=axes or None)


def export_wrapped(name, folder):
    fixture = make_exports.one("Faster R-CNN", "tensor", 13, limit=20, goal="full")
    model = Wrapped(make_exports.tuned(fixture)).eval()
    torch.onnx.export(model, (make_exports.images_of(fixture, [1]),), str(folder / (name + ".onnx")),
                      opset_version=13, input_names=["images"], output_names=["output"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "loose")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    quiet()
    torch.set_grad_enabled(False)
    for name in FIXTURES:
        export_small(name, folder)
    export_wrapped("torchvision_joined_op13", folder)


if __name__ == "__main__":
    main()
