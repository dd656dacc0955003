# SPDX-License-Identifier: Apache-2.0
"""Ragged detections to padded batch tensors, and back; and ONNX models whose outputs are padded."""

from typing import TYPE_CHECKING, Any

from padbatch._arrays import version as __version__
from padbatch._detector import Detector
from padbatch._errors import Error, PadWarning
from padbatch._images import Image, Padded, unpad
from padbatch._padding import pad
from padbatch._rewriting import inspect, pad_outputs
from padbatch._verify import Verification, verify

if TYPE_CHECKING:
    from padbatch import ops

__all__ = ["Detector", "Error", "Image", "PadWarning", "Padded", "Verification", "__version__", "inspect", "ops", "pad",
           "pad_outputs", "unpad", "verify"]


def __getattr__(name: str) -> Any:
    if name in ("ops", "torchvision"):  # imported when they are used
        import importlib

        return importlib.import_module(f"padbatch.{name}")
    raise AttributeError(f"module 'padbatch' has no attribute {name!r}")
