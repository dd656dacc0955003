#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports the models that model_cost_bench compares: a full-size Mask R-CNN (ResNet-50 FPN, random weights) as it is, and
in a wrapper that assigns its outputs into torch.zeros, which is the usual way to pad without onnx-pad-outputs.

    bench/export_models.py --out FOLDER [--sizes 320 800] [--batches 1 2]
    bench/export_models.py --out FOLDER --full

Runs with Debian 12's python3-torchvision (0.14.1). For each size and batch it writes original_SIZE_bB.onnx and
wrapper_SIZE_bB.onnx. The score threshold lets ten rows of scene 1 through, which is what all images of the batch are: the
wrapper's export has the counts that it was traced with built in, and fails on images with others.

With --full it exports what limit_bench compares instead: full_maskrcnn.onnx and full_keypointrcnn.onnx, for one image of
800x1066, with a score threshold of 0, so that all 100 rows come out.
"""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "data"))

import torch  # noqa: E402
from torchvision.models.detection import keypointrcnn_resnet50_fpn, maskrcnn_resnet50_fpn  # noqa: E402

from make_exports import quiet, scene  # noqa: E402

ROWS = 10
NAMES = ["boxes", "labels", "scores", "masks"]


class AssignIntoZeros(torch.nn.Module):
    """Pads the outputs of a model the way people do it by hand."""

    def __init__(self, model, limit):
        super().__init__()
        self.model = model
        self.limit = limit

    def forward(self, images):
        batch, _, height, width = images.shape
        rows = (batch, self.limit)
        counts = torch.zeros(batch, 1, dtype=torch.int32)
        boxes = torch.zeros(*rows, 4)
        labels = torch.zeros(*rows, dtype=torch.int64)
        scores = torch.zeros(*rows)
        masks = torch.zeros(*rows, 1, height, width)
        for i, found in enumerate(self.model(images)):
            n = found["scores"].shape[0]
            counts[i, 0] = n
            boxes[i, :n] = found["boxes"]
            labels[i, :n] = found["labels"]
            scores[i, :n] = found["scores"]
            masks[i, :n] = found["masks"]
        return counts, boxes, labels, scores, masks


def export_full(out):
    for name, make, last in (("maskrcnn", maskrcnn_resnet50_fpn, ["masks"]),
                             ("keypointrcnn", keypointrcnn_resnet50_fpn, ["keypoints", "keypoints_scores"])):
        torch.manual_seed(20)
        model = make(weights=None, weights_backbone=None, min_size=800, max_size=1333, box_score_thresh=0.0).eval()
        image = torch.from_numpy(scene(1, 800, 1066)).unsqueeze(0)
        torch.onnx.export(model, (image,), str(out / f"full_{name}.onnx"), opset_version=11, input_names=["images"],
                          output_names=["boxes", "labels", "scores"] + last)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[320, 800])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    quiet()
    if options.full:
        export_full(options.out)
        return
    for size in options.sizes:
        for batch in options.batches:
            torch.manual_seed(20)
            model = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, min_size=size, max_size=size).eval()
            images = torch.stack([torch.from_numpy(scene(1, size, size))] * batch)
            model.roi_heads.score_thresh = 0.0
            scores = torch.cat([found["scores"] for found in model(images)]).sort(descending=True).values
            model.roi_heads.score_thresh = float(scores[ROWS * batch - 1] + scores[ROWS * batch]) / 2
            wrapper = AssignIntoZeros(model, model.roi_heads.detections_per_img)
            for kind, module, names in (("original", model, NAMES), ("wrapper", wrapper, ["num_detections"] + NAMES)):
                torch.onnx.export(module, (images,), str(options.out / f"{kind}_{size}_b{batch}.onnx"),
                                  opset_version=11, input_names=["images"], output_names=names)


if __name__ == "__main__":
    main()
