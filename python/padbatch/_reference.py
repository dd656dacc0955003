# SPDX-License-Identifier: Apache-2.0
"""What the outputs of a padded model should be, made of the outputs of the export by plain NumPy. Nothing here calls
padbatch's own padding, since it is there to check that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from padbatch._errors import Error


@dataclass
class Image:
    """What the export gives for one image."""

    rows: Mapping[str, np.ndarray]
    """Its fields, each ``[n, ...]``."""
    height: int
    width: int
    choices: Mapping[str, Any] = field(default_factory=dict)
    """What the run chooses for it: ``min_score`` and ``max_detections``, where the padded model has such inputs."""

    def __len__(self):
        return len(next(iter(self.rows.values())))


def cannot_compare(found: str, remedy: str) -> Error:
    return Error(found, "a padded model whose rows are those of the export, or the first of them", remedy, "refused")


class Reference:
    """Pads as a document of ``inspect`` says."""

    def __init__(self, document: Mapping[str, Any]):
        self.document = document
        self.outputs = document["outputs"]
        self.limit = document["limit"] or {}
        self.most = None if document["max_detections"] == "batch" else document["max_detections"]

    def batch(self, images: Sequence[Image]) -> dict[str, np.ndarray]:
        """The padded outputs of these images, by name."""
        chosen = [self.chosen(image) for image in images]
        most = max((len(image) for image in chosen), default=0) if self.most is None else self.most
        result = {}
        for output in self.outputs:
            kinds = output["fields"]
            if kinds == ["num_detections"]:
                counts = np.array([len(image) for image in chosen], dtype=output["type"])
                result[output["name"]] = counts.reshape([len(chosen)] + [1] * (len(output["shape"]) - 1))
                continue
            parts = [self._padded(kind, text, chosen, most, output) for kind, text in zip(kinds, output["pad_values"])]
            if len(parts) > 1:  # columns of one tensor
                parts = [part.reshape(*part.shape[:2], -1) for part in parts]
            result[output["name"]] = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
        return result

    def chosen(self, image: Image) -> Image:
        """The rows that stay, in their order."""
        keep = np.ones(len(image), dtype=bool)
        order = np.arange(len(image))
        if "scores" in image.rows:
            scores = image.rows["scores"].astype(np.float64)
            if self.most is not None or "max_detections" in image.choices:
                # The best are first where rows may be cut. In torchvision's models they are anyway.
                order = np.argsort(-scores, kind="stable")
            if self.document["min_score"] is not None:
                keep &= scores >= self.document["min_score"]
            if "min_score" in image.choices:
                keep &= scores >= float(np.float32(image.choices["min_score"]))
        if self.document["classes"] is not None:
            keep &= np.isin(image.rows["labels"], self.document["classes"])
        if self.document["exclude_classes"] is not None:
            keep &= ~np.isin(image.rows["labels"], self.document["exclude_classes"])
        kept = order[keep[order]][:self.most]
        if "max_detections" in image.choices:
            kept = kept[:max(int(image.choices["max_detections"]), 0)]
        return Image({kind: value[kept] for kind, value in image.rows.items()}, image.height, image.width)

    def unknown(self, image: Image) -> str | None:
        """Why the export does not tell what rows the padded model should have, if it does not."""
        limit = self.limit.get("model")
        if limit is None or len(image) < limit:
            return None
        if self.limit["now"] > limit:
            why = f"the padded model's limit is {self.limit['now']} rows"
        elif self.document["rewrite"]["classes_at_cut"]:
            why = "the padded model chooses classes before it cuts"
        else:
            return None
        return f"the export cuts the rows of an image to {limit}, and {why}: it may have others"

    def _padded(self, kind: str, pad_value: str, images: Sequence[Image], most: int,
                output: Mapping[str, Any]) -> np.ndarray:
        """One field of all images, ``[B, M, ...]``."""
        values = [self._values(kind, image, output) for image in images]
        tail = np.max([value.shape[1:] for value in values], axis=0).astype(int)  # masks differ in height and width
        dtype = np.dtype(output["type"])
        padding = float(pad_value) if dtype.kind == "f" else int(pad_value)
        result = np.full((len(images), most, *tail), padding, dtype=dtype)
        for image, value in zip(result, values):
            image[(slice(len(value)), *map(slice, value.shape[1:]))] = value
        return result

    def _values(self, kind: str, image: Image, output: Mapping[str, Any]) -> np.ndarray:
        """The rows of one field, as the output writes them."""
        value = image.rows[kind]
        if kind == "boxes" and self.document["layout"] == "tf-od":  # y1, x1, y2, x2 as fractions
            height, width = image.height, image.width
            value = value[:, [1, 0, 3, 2]] / np.array([height, width, height, width], dtype=value.dtype)
        if kind == "masks":
            if output["type"] in ("bool", "uint8") and value.dtype.kind == "f":
                value = value >= value.dtype.type(self.document["mask_threshold"])
            if len(output["shape"]) == value.ndim:  # [B, M, H, W], without the 1
                value = value[:, 0]
        return value.astype(output["type"])
