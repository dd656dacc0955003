# SPDX-License-Identifier: Apache-2.0
"""Ragged detections to padded batch tensors, and back; and ONNX models whose outputs are padded."""

from padbatch._detector import Detector
from padbatch._errors import Error
from padbatch._images import Image, Padded, unpad
from padbatch._padding import pad
from padbatch._rewriting import inspect, pad_outputs
from padbatch._verify import Verification, verify

__all__ = ["Detector", "Error", "Image", "Padded", "Verification", "inspect", "pad", "pad_outputs", "unpad", "verify"]
