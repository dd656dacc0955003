# SPDX-License-Identifier: Apache-2.0
"""From a module to an ONNX file, with whichever exporter of the installed PyTorch works for detectors."""

from __future__ import annotations

import importlib.util
import inspect
import logging
import os
import re
import warnings
from typing import Any

import torch
import torchvision

from padbatch._errors import Error
from padbatch._torch.detector import flattened
from padbatch._torch.packages import require

_PACKAGES = tuple(os.path.dirname(str(package.__file__)) + os.sep for package in (torch, torchvision))


def version_of(package: Any) -> tuple[int, int]:
    """Major and minor version, also of 0.14.1a0 and 2.15.0+cpu."""
    numbers = re.findall(r"\d+", package.__version__)
    return int(numbers[0]), int(numbers[1])


def has_torchscript_exporter() -> bool:
    """Whether torch.onnx.export can still trace by TorchScript, the only way that works for all families."""
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        places = ("torch.onnx._internal.torchscript_exporter", "torch.onnx.utils")
        return any(_exists(place) for place in places)
    return hasattr(torch.onnx, "utils")


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def default_opset(exporter: str) -> int:
    """The newest opset with which the exporter's detectors were found to be right."""
    if exporter != "TorchScript":
        return 20  # draft_export fails for 18
    # Before torchvision 0.15, RoiAlign is written as opset 11 has it, and means something else from 16 on.
    return 14 if version_of(torchvision) < (0, 15) else 17


def export(module: torch.nn.Module, argument: Any, path: str, opset: int | None, sizes: dict[int, str],
           has_rois: bool) -> tuple[str, int, list[str]]:
    """Writes the module, traced with the argument, to the path.

    `sizes` names the dimensions of the input that stay open. Returns the exporter, the opset, and what the exporter
    warned of in code that is neither PyTorch's nor torchvision's.
    """
    exporter = "TorchScript" if has_torchscript_exporter() else "torch.export.draft_export"
    opset = default_opset(exporter) if opset is None else opset
    if exporter == "TorchScript" and has_rois and opset > 15 and version_of(torchvision) < (0, 15):
        raise Error(f"opset={opset} with torchvision {torchvision.__version__}, which then exports RoiAlign wrongly",
                    "an opset from 11 to 15", "leave opset out, or install torchvision 0.15 or newer", "usage")
    write = _trace if exporter == "TorchScript" else _draft
    disabled = logging.root.manager.disable
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        logging.disable(logging.WARNING)
        try:
            write(module, argument, path, opset, sizes)
        except Error:
            raise
        except Exception as error:
            raise Error(f"PyTorch {torch.__version__} does not export the model ({exporter}, opset {opset}): "
                        f"{type(error).__name__}: {' '.join(str(error).split())[:600]}",
                        "a model that torch.onnx.export exports", _remedy(exporter), "refused") from error
        finally:
            logging.disable(disabled)
    return exporter, opset, _of_the_user(caught)


def _remedy(exporter: str) -> str:
    if exporter == "TorchScript":
        return "change what it names in the module, or try another opset"
    return ("install a PyTorch that has torch.onnx.export(..., dynamo=False): without it Mask R-CNN, RetinaNet and "
            "FCOS are not exported")


def _trace(module, argument, path, opset, sizes):
    options = {"dynamic_axes": {"images": sizes}} if sizes else {}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False
    torch.onnx.export(module, (argument,), path, opset_version=opset, input_names=["images"], do_constant_folding=True,
                      **options)


def _draft(module, argument, path, opset, sizes):
    if sizes:
        raise Error("dynamic_size=True with a PyTorch that has only the exporter torch.export",
                    "images of one size", "leave dynamic_size out", "usage")
    require("onnxscript")
    if min(len(array) for array in flattened(module(argument))) < 2:
        raise Error("the model finds fewer than 2 objects in the first image, and this PyTorch builds numbers below 2 "
                    "into the file", "an image with at least 2 detections", "give images=[image, ...]", "usage")
    program = torch.export.draft_export(module, (argument,))
    torch.onnx.export(program, (argument,), path, dynamo=True, opset_version=opset, input_names=["images"],
                      external_data=False, verbose=False)


def _of_the_user(caught: list[warnings.WarningMessage]) -> list[str]:
    """What is traced away in the user's own code. What PyTorch and torchvision do there, they know."""
    texts = []
    for warning in caught:
        if issubclass(warning.category, torch.jit.TracerWarning) and not warning.filename.startswith(_PACKAGES):
            text = " ".join(str(warning.message).split())
            texts.append(f"{warning.filename}:{warning.lineno}: {text}")
        elif "aligned=True" in str(warning.message):
            texts.append(" ".join(str(warning.message).split()))
    return list(dict.fromkeys(texts))
