# SPDX-License-Identifier: Apache-2.0
"""The export step by step."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import onnx
import torch
import torchvision

from padbatch._errors import Error
from padbatch._rewriting import inspect, pad_outputs
from padbatch._torch import check as checking
from padbatch._torch import images as pictures
from padbatch._torch import trace
from padbatch._torch.compare import threshold_amid
from padbatch._torch.detector import Detector
from padbatch._torch.report import Check, Report

BATCHES = (1, 2, 5)

# Options that say how the module's outputs are to be read. The others choose what comes out.
_READING = ("fields", "batch", "order", "from_")


def export(model: Any, path: str, image_size: Any, dynamic_batch: bool, dynamic_size: bool, images: Any,
           opset: int | None, check: bool, force: bool, options: dict[str, Any]) -> Report:
    """padbatch.torchvision.export, whose docstring says what it does."""
    _refuse_options(options)
    if not force and os.path.lexists(path):
        raise Error(f"{path!r} already exists", "a name that no file has",
                    "give another name, or force=True to replace the file", "io")
    detector = Detector(model)
    if images is not None:
        pixels, size = pictures.given_images(images, image_size)
    elif image_size is not None:
        size = pictures.size_of(image_size)
        pixels = pictures.random_images(max(BATCHES), *size)
    else:
        raise Error("neither image_size nor images", "the size of the images that the model will run on",
                    "give image_size=(height, width), such as (800, 1066)", "usage")
    with tempfile.TemporaryDirectory(prefix="padbatch-") as folder, detector.evaluating():
        steps = _Steps(detector, pixels, images is not None, folder, dynamic_size, opset,
                       {**options, "dynamic_batch": dynamic_batch})
        exported = steps.write("exported.onnx")
        padded = steps.pad(exported)
        more_sizes = pictures.other_sizes(size) if dynamic_size and images is None else []
        checked = steps.check(exported, padded, more_sizes) if check else None
        document = pad_outputs(exported, path, force=force, **steps.options)
        return Report(
            path=path, family=document["family"] or type(detector.core).__name__, opset=steps.opset,
            exporter=f"{steps.exporter}, torch {torch.__version__}, torchvision {torchvision.__version__}",
            inputs=_inputs(padded), outputs={value["name"]: tuple(value["shape"]) for value in document["outputs"]},
            form=steps.caller.form, parameters=_parameters(document), check=checked,
            warnings=tuple(steps.warnings(exported, size, document) + steps.remarks))


def _refuse_options(options: dict[str, Any]) -> None:
    if options.get("set"):
        raise Error(f"set={dict(options['set'])!r}", "a model that has these parameters itself",
                    "set them on the module before, such as model.roi_heads.score_thresh = 0.3", "usage")
    for name in ("triton_repository", "model_name", "max_batch_size"):
        if options.get(name) is not None:
            raise Error(f"{name}={options[name]!r}", "a model that is written to a file",
                        f"export the module with torch.onnx.export, and give {name} to pad_outputs", "usage")


class _Steps:
    """What the steps share."""

    def __init__(self, detector: Detector, pixels: list, given: bool, folder: str, dynamic_size: bool,
                 opset: int | None, options: dict[str, Any]):
        self.detector, self.pixels, self.given, self.folder = detector, pixels, given, folder
        self.dynamic_size, self.wanted_opset, self.options = dynamic_size, opset, options
        self.remarks: list[str] = []
        self.traced: list[str] = []
        with detector.watching_masks() as sides:
            self.caller = pictures.Caller(detector.module, pixels[0])
        self.mask_side = sides[-1] if sides else 28

    def write(self, name: str) -> str:
        """Exports the module as it is now. Returns the file's path."""
        image = self.pixels[0]
        path = os.path.join(self.folder, name)
        sizes = {}
        if self.dynamic_size:
            shape = self.caller.as_input(image).shape
            first = (1 if shape[0] == 3 else 0) + (self.caller.form == "a batch")
            sizes = {first: "height", first + 1: "width"}
        has_rois = hasattr(self.detector.core, "roi_heads")
        self.exporter, self.opset, self.traced = trace.export(self.detector.module, self.caller.argument(image), path,
                                                              self.wanted_opset, sizes, has_rois)
        return path

    def pad(self, exported: str) -> str:
        """Pads the export beside it. Returns the file's path."""
        path = os.path.splitext(exported)[0] + "-padded.onnx"
        pad_outputs(exported, path, **self.options)
        return path

    def check(self, exported: str, padded: str, more_sizes: list[tuple[int, int]]) -> Check:
        """Verifies the padded file, and compares the export with the module; an Error if either is not right."""
        reading = {name: self.options[name] for name in _READING if name in self.options}
        fields = checking.Fields(inspect(exported, max_detections="batch", **reading))
        pixels = [self.pixels[i % len(self.pixels)] for i in range(max(len(self.pixels), max(BATCHES)))]
        for size in more_sizes:
            pixels += pictures.random_images(2, *size)
        compared = self.pixels + pixels[max(len(self.pixels), max(BATCHES)):]
        threshold, own = self.detector.threshold, self.given
        rows = checking.module_rows(self.detector, self.caller, fields, compared) if own else []
        if not checking.total(rows):
            middle = self._middle_threshold(fields, compared)
            own = middle is None
            threshold = threshold if own else middle
            rows = []
        if own or threshold is None:
            batches = self._verify(exported, padded, pixels, BATCHES)
        else:
            self._verify_if_comparable(exported, padded, pixels[:3])
            with self.detector.with_threshold(threshold):
                exported = self.write("other-threshold.onnx")
                batches = self._verify(exported, self.pad(exported), pixels, BATCHES)
                rows = checking.module_rows(self.detector, self.caller, fields, compared)
        inputs = [self.caller.as_input(image) for image in compared]
        rows = rows or checking.module_rows(self.detector, self.caller, fields, compared)
        comparison = checking.compare_with_file(rows, exported, fields, inputs, self.mask_side)
        self._judge(comparison)
        return Check(comparison.images, batches, threshold, own, comparison.expected, comparison.found,
                     comparison.matched, tuple(comparison.counts), comparison.moved, comparison.largest)

    def _middle_threshold(self, fields, images) -> float | None:
        if self.detector.threshold is None or "scores" not in fields.places:
            return None
        with self.detector.with_threshold(0.0):
            return threshold_amid(checking.module_rows(self.detector, self.caller, fields, images))

    def _verify(self, exported: str, padded: str, pixels: list, batches: tuple[int, ...]) -> tuple[int, ...]:
        from padbatch import verify

        options = {name: value for name, value in self.options.items() if name != "dynamic_batch"}
        inputs = [self.caller.as_input(image) for image in pixels]
        return verify(exported, padded, inputs, batches=batches, **options).batches

    def _verify_if_comparable(self, exported: str, padded: str, pixels: list) -> None:
        """An export whose images have as many rows as the limit allows does not tell which rows of some classes there
        would be."""
        try:
            self._verify(exported, padded, pixels, BATCHES[:2])
        except Error as error:
            if error.kind != "refused":
                raise
            self.remarks.append("the file itself was not verified, only a second export with another threshold: "
                                f"{error.found}")

    def _judge(self, comparison) -> None:
        wrong = comparison.verdict()
        if wrong:
            raise Error("the export does not find what the module finds: " + "; ".join(wrong[:5]),
                        "the module's rows: one label, boxes within 0.01 pixels, scores within 0.0001",
                        "change in the module what the trace made constant: " + "; ".join(self.traced) if self.traced
                        else "try another opset, and look in the module for Python values that depend on the image",
                        "different")
        if comparison.expected + comparison.found == 0:
            self.remarks.append("the module finds nothing in the images, so there were no rows to compare with the "
                                "file's; give images in which it finds something")
        elif comparison.unmatched:
            counts = "".join(f"; image {image}: {ours} rows of the module, {theirs} of the file"
                             for image, ours, theirs in comparison.counts)
            self.remarks.append(f"{comparison.matched} of the module's {comparison.expected} rows and the file's "
                                f"{comparison.found} are the same, and the others are near-ties{counts}")

    def warnings(self, exported: str, size: tuple[int, int], document: dict[str, Any]) -> list[str]:
        """What is constant in the file."""
        texts = []
        height, width = size
        resized = self.detector.resized(height, width)
        inside = f", and resizes them to {resized[0]} x {resized[1]} inside" if resized and resized != size else ""
        fixed = height in (extents := _extents(exported)) and width in extents
        if fixed:
            texts.append(f"the file takes images of {height} x {width} (height x width) and no others{inside}; "
                         "dynamic_size=True leaves the size open")
        if not self.options["dynamic_batch"]:
            texts.append("the file takes one image at a time; dynamic_batch=True leaves the number open")
        parameters = ", ".join(f"{name}={value:g}" for name, value in _parameters(document).items()
                               if not name.startswith("rpn_"))
        if parameters:
            texts.append(f"thresholds and limits are constants in the file: {parameters}")
        sizes = getattr(getattr(self.detector.core, "transform", None), "min_size", ())
        if isinstance(sizes, (list, tuple)) and len(sizes) > 1:
            texts.append(f"of the transform's min_size {tuple(sizes)} the file has the last, as the module has in eval "
                         "mode")
        return texts + [f"a Python value that the trace made constant: {text}" for text in self.traced]


def _extents(path: str) -> list[int | str | None]:
    return [extent for shape in _inputs(path).values() for extent in shape]


def _inputs(path: str) -> dict[str, tuple[int | str | None, ...]]:
    """Names and shapes of the inputs of a file."""
    inputs = onnx.load(path, load_external_data=False).graph.input
    return {value.name: tuple(dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None
                              for dim in value.type.tensor_type.shape.dim) for value in inputs}


def _parameters(document: dict[str, Any]) -> dict[str, float]:
    return {entry["name"]: entry["now"] for entry in document["parameters"]}
