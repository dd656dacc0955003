#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports a full-size Mask R-CNN (ResNet-50 FPN, 91 classes, random weights) for two images to ONNX, with a manifest.

Runs with Debian 12's python3-torchvision (0.14.1) and with newer ones. The manifest's row counts are null: PyTorch and
other runtimes round differently, and a row at the threshold may come or go.

    export_full_size.py --out FOLDER [--input list|tensor] [--opset 11..16]
"""

import argparse
import inspect
import pathlib
import sys

sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import torch  # noqa: E402
from torchvision.models.detection import maskrcnn_resnet50_fpn  # noqa: E402

from exports import quiet, write_manifest  # noqa: E402
from make_exports import scene  # noqa: E402

SCENES = (1, 2)
SIZES = {"tensor": ((320, 320), (320, 320)), "list": ((320, 320), (320, 384))}
FIELDS = ("boxes", "labels", "scores", "masks")


def threshold_amid(scores):
    """A threshold in the widest gap near the median, so that rounding does not change the row counts."""
    scores = np.sort(np.concatenate(scores).astype(np.float64))
    middle = scores[len(scores) * 2 // 5: len(scores) * 3 // 5]
    gap = np.argmax(np.diff(middle))
    return float((middle[gap] + middle[gap + 1]) / 2)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FOLDER")
    parser.add_argument("--input", choices=sorted(SIZES), default="list")
    parser.add_argument("--opset", type=int, default=11)
    options = parser.parse_args()
    quiet()
    torch.set_num_threads(2)
    torch.manual_seed(20)
    # Fewer proposals than the default 1000 only save time: Debian's torch multiplies matrices slowly.
    model = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, min_size=320, max_size=512,
                                  rpn_post_nms_top_n_test=200).eval()
    sizes = SIZES[options.input]
    images = [torch.from_numpy(scene(seed, *size)) for seed, size in zip(SCENES, sizes)]
    argument = torch.stack(images) if options.input == "tensor" else images
    names = ["images"] if options.input == "tensor" else ["image0", "image1"]

    model.roi_heads.score_thresh = 0.0
    scores = [found["scores"].numpy() for found in model(argument)]
    model.roi_heads.score_thresh = threshold = threshold_amid(scores)
    more = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    options.out.mkdir(parents=True, exist_ok=True)
    file = "mask_rcnn_resnet50_fpn.onnx"
    torch.onnx.export(model, (argument,), str(options.out / file), opset_version=options.opset, input_names=names,
                      output_names=list(FIELDS), **more)
    outputs = [output.name for output in onnx.load(str(options.out / file), load_external_data=False).graph.output]
    write_manifest([{
        "file": file, "family": "Mask R-CNN", "opset": options.opset, "batch": len(sizes), "input": options.input,
        "image_sizes": sizes, "order": "image", "fields": FIELDS, "limit": model.roi_heads.detections_per_img,
        "score_threshold": threshold, "outputs": outputs, "extra_outputs": [],
        "runs": [{"scenes": list(SCENES), "counts": None}, {"scenes": [SCENES[0], 0], "counts": None}],
    }], options.out / "manifest.json")


if __name__ == "__main__":
    main()
