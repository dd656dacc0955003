# SPDX-License-Identifier: Apache-2.0
"""Whether an exported file finds what its module finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime

from padbatch._errors import Error
from padbatch._torch.compare import Comparison
from padbatch._torch.detector import Detector
from padbatch._torch.images import Caller


class Fields:
    """Where the fields of one image stand among the outputs of a module and of its export, which have one order."""

    def __init__(self, document: dict[str, Any]):
        self.names = [output["name"] for output in document["declared_outputs"]]
        self.places = {field: self.names.index(name) for field, name in document["images"][0].items()
                       if name in self.names}

    def of(self, outputs: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """The fields among these outputs."""
        if len(outputs) != len(self.names):
            raise Error(f"the model returns {len(outputs)} tensors, and its export {len(self.names)}",
                        "as many of both", "return each tensor once, from every path through the module", "refused")
        return {field: outputs[place] for field, place in self.places.items()}


def module_rows(detector: Detector, caller: Caller, fields: Fields, images: Sequence[np.ndarray]) -> list[dict]:
    """What the module finds in each image."""
    return [fields.of(caller(image)) for image in images]


def compare_with_file(expected: Sequence[dict], path: str, fields: Fields, inputs: Sequence[np.ndarray],
                      mask_side: int) -> Comparison:
    """The module's rows of each image beside those of the file, an export of one image."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    described = session.get_inputs()[0]
    comparison = Comparison(mask_side=mask_side)
    for rows, image in zip(expected, inputs):
        image = image[None] if len(described.shape) == 4 else image
        comparison.add(rows, fields.of(session.run(None, {described.name: image})))
    return comparison


def total(rows: Sequence[dict]) -> int:
    """How many rows the images have together."""
    return sum(len(next(iter(image.values()))) for image in rows)
