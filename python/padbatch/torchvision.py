# SPDX-License-Identifier: Apache-2.0
"""From a torchvision detection model to a padded ONNX file. PyTorch, torchvision, onnx and onnxruntime are imported
when ``export`` is called."""

from __future__ import annotations

import os
import warnings as _warnings
from typing import Any, Union

from padbatch._torch.packages import require as _require
from padbatch._torch.report import Check, Report, TraceWarning

__all__ = ["Check", "Report", "TraceWarning", "export"]


def export(model: Any, output: Union[str, "os.PathLike[str]"], image_size: tuple[int, int] | None = None,
           dynamic_batch: bool = True, *, dynamic_size: bool = False, images: Any = None, opset: int | None = None,
           check: bool = True, force: bool = False, **options: Any) -> Report:
    """Exports a torchvision detection model to ONNX, pads its outputs, and checks the file.

    >>> model = torchvision.models.detection.maskrcnn_resnet50_fpn(weights="DEFAULT")
    >>> padbatch.torchvision.export(model, "detector.onnx", image_size=(800, 1066), masks="roi")

    The file takes images as the model does, RGB in float32 from 0 to 1: they are normalised and resized inside, and
    boxes are in pixels of the image that was given.

    Parameters
    ----------
    model : torch.nn.Module
        Torchvision's FasterRCNN, MaskRCNN, KeypointRCNN, RetinaNet, FCOS, SSD or SSDlite, in float32 on the CPU, as it
        is, fine-tuned, or inside of a module of your own that returns the list of dicts or tuples of its tensors. It is
        exported in eval mode, and has its own modes back afterwards.
    output : path
        The file to write: whole or not at all. It must not exist, unless ``force``.
    image_size : (int, int)
        Height and width of the images, in pixels. It can be left out where ``images`` are given.
    dynamic_batch : bool
        Whether the file takes any number of images ``[batch, 3, H, W]``. If not, it takes one.
    dynamic_size : bool
        Whether it takes images of any size, all of one size in a run. ``image_size`` is then that of the example.
    images : optional
        Images to trace and check with, all of one size: arrays or tensors ``[3, H, W]`` or ``[H, W, 3]``, float32 as
        the model takes them, or uint8, which are made float32 ``[3, H, W]`` and divided by 255 unless the model takes
        them as they are. Otherwise random ones are made.
    opset : int, optional
        The default is the newest with which the installed exporter is right: 14 or 17.
    check : bool
        Whether to check the file before it is written; see below. It takes several times as long as the export.
    force : bool
        Replace ``output`` if it exists.
    **options
        Those of ``pad_outputs``, such as ``masks="roi"``. Parameters of the model (``set``) are set on the module
        instead, before it is exported.

    Returns
    -------
    Report

    Raises
    ------
    Error
        If the model is none of these, does not run on such an image, cannot be exported or padded, or if the file is
        not right (kind ``"different"``). Nothing is written then.
    TypeError
        For a value of a wrong type.
    ImportError
        Without torch, torchvision, onnx or onnxruntime.

    Warns
    -----
    TraceWarning
        Of what is a constant in the file: the image size, the number of images, thresholds and limits, and what PyTorch
        says about Python values in code that is not its own. What it says about its own and torchvision's is left out:
        that code is written for this. And of what the check did not show.

    Notes
    -----
    The check has two steps, both with ONNX Runtime on the CPU.

    1. ``padbatch.verify`` compares the padded file with the unpadded export, byte by byte: runs of 1, 2 and 5 images
       with ``dynamic_batch``, otherwise of one image. Any difference fails.
    2. The export is compared with the module on each of these images. Rows belong together if they have one label and
       overlap by more than 0.99. Their boxes may differ by 0.01 pixels, scores by 0.0001, masks by 0.001, keypoints
       by 0.01 pixels: more fails. Rows that only one of them has are reported, since two scores, or a score and a
       threshold, can be so close that a rounding orders them otherwise. If they are more than a tenth, that fails.

    A model that has learnt to find things finds nothing in random images. So without ``images``, and where nothing is
    found in those that are given, the file itself is verified on runs of 1 and 2 images, and both steps are done with a
    second export of the module, which is thrown away. Its score threshold is the median of the scores that the module
    gives without one, or higher, until no image has as many rows as the limit allows. The module has its own threshold
    back afterwards.
    """
    _require("torch", "torchvision", "onnx", "onnxruntime")
    from padbatch._torch import run

    report = run.export(model, os.fspath(output), image_size, bool(dynamic_batch), bool(dynamic_size), images, opset,
                        bool(check), bool(force), dict(options))
    for text in report.warnings:
        _warnings.warn(text, TraceWarning, stacklevel=2)
    return report
