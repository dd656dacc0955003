# SPDX-License-Identifier: Apache-2.0
"""Which outputs of a padded model hold what: what `onnx-pad-outputs` wrote into its metadata."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from padbatch._images import check_names

_WIDTHS = {"boxes": 4, "normalised_boxes": 4}
"""Columns of a field in an output that holds several; 1 for others."""


class FieldOutput(NamedTuple):
    """The output that holds a field, and its columns there, if it holds others too."""

    output: str
    columns: Any = None
    width: int | None = None

    def of(self, array: np.ndarray) -> np.ndarray:
        """The field in the output's array."""
        if self.columns is None:
            return array
        if array.ndim != 3 or array.shape[2] != self.width:
            raise ValueError(
                f"the output {self.output!r} has the shape {list(array.shape)}; expected [B, M, {self.width}], as the "
                "model's metadata say"
            )
        return array[..., self.columns]


@dataclasses.dataclass(frozen=True)
class Contract:
    """What a padded model says about its outputs."""

    count: str | None
    """The output with the number of rows of each image; None for layouts that have none."""
    fields: dict[str, FieldOutput]
    layout: str
    regions: bool
    """Whether masks are those of each box's region."""
    batch: int | None
    """B, or None for any number of images."""
    says_batch: bool
    """Whether the metadata say what B is."""


def _pairs(text: str, key: str) -> list[tuple[str, str]]:
    pairs = []
    for part in text.split(","):
        name, equals, output = part.partition("=")
        if not (name and equals and output):
            raise ValueError(
                f"the model's metadata give {text!r} for {key!r}; expected FIELD=OUTPUT,FIELD=OUTPUT: pad it again"
            )
        pairs.append((name, output))
    return pairs


def read_contract(
    metadata: Mapping[str, str],
    outputs: list[str],
    count_output: str | None,
    fields: Mapping[str, str] | None,
    masks: str | None,
) -> Contract:
    """Reads the metadata of a model, or takes what the caller says instead."""
    if fields is not None:
        return _told_contract(outputs, count_output, fields, masks)
    if masks is not None:
        raise ValueError("masks= goes with fields=, for models without metadata: this model's say what its masks are")
    found = {name: FieldOutput(output) for name, output in _pairs_of(metadata, "padbatch.fields")}
    for names, output in _pairs_of(metadata, "padbatch.columns"):
        parts = names.split("+")
        width = sum(_WIDTHS.get(part, 1) for part in parts)
        first = 0
        for part in parts:
            size = _WIDTHS.get(part, 1)
            found[part] = FieldOutput(output, first if size == 1 else slice(first, first + size), width)
            first += size
    if not found:
        raise ValueError(
            "the model's metadata have neither 'padbatch.fields' nor 'padbatch.columns'; expected a model that "
            "padbatch.pad_outputs or onnx-pad-outputs wrote: pad it, or, if another program has removed the metadata, "
            "say what its outputs are with count_output= and fields={'boxes': NAME, ...}"
        )
    count = metadata.get("padbatch.count") if count_output is None else count_output
    _check_outputs(outputs, count, found)
    batch = metadata.get("padbatch.batch", "dynamic")
    return Contract(
        count,
        found,
        metadata.get("padbatch.layout", "torchvision"),
        metadata.get("padbatch.masks") == "roi",
        None if batch == "dynamic" else int(batch),
        True,
    )


def _pairs_of(metadata: Mapping[str, str], key: str) -> list[tuple[str, str]]:
    text = metadata.get(key, "")
    return _pairs(text, key) if text else []


def _told_contract(
    outputs: list[str], count_output: str | None, fields: Mapping[str, str], masks: str | None
) -> Contract:
    if count_output is None:
        raise ValueError("fields= is given without count_output=; expected the output with the number of rows too")
    if masks not in (None, "full", "roi"):
        raise ValueError(f"masks is {masks!r}; expected 'full' or 'roi'")
    if ("masks" in fields) != (masks is not None):
        raise ValueError(
            "masks='full' or masks='roi' says whether the field masks covers the image or the region of each box; "
            f"expected it {'with' if 'masks' in fields else 'only with'} that field"
        )
    check_names(fields)
    told = {name: FieldOutput(output) for name, output in fields.items()}
    _check_outputs(outputs, count_output, told)
    return Contract(count_output, told, "torchvision", masks == "roi", None, False)


def _check_outputs(outputs: list[str], count: str | None, fields: Mapping[str, FieldOutput]) -> None:
    for name in [*(() if count is None else (count,)), *(field.output for field in fields.values())]:
        if name not in outputs:
            raise ValueError(
                f"the model has no output {name!r}, which is to hold counts or a field; it has {', '.join(outputs)}: "
                "pad it again, or say its outputs with count_output= and fields="
            )


def count_rows(arrays: Mapping[str, np.ndarray], layout: str) -> np.ndarray:
    """The counts `[B]` of a layout without them: rows end where the label is -1 (mmdeploy), or the score is 0.

    Raises ValueError if real rows follow."""
    if layout == "mmdeploy" and "labels" in arrays:
        real = arrays["labels"] != -1
    elif "scores" in arrays:
        real = arrays["scores"] > 0
    else:
        raise ValueError(
            "the model has no count output, and no scores that show where the rows of an image end: pad it in a layout "
            "with counts"
        )
    counts: np.ndarray = real.sum(axis=1)
    prefix = np.arange(real.shape[1]) < counts[:, None]
    if (prefix != real).any():
        image = int(np.argwhere(prefix != real)[0][0])
        raise ValueError(
            f"the real rows of image {image} are not its first ones, so that nothing tells how many it has: pad the "
            "model in a layout with counts"
        )
    return counts
