# SPDX-License-Identifier: Apache-2.0
"""What an export says of itself."""

from __future__ import annotations

import dataclasses


class TraceWarning(UserWarning):
    """What an exported file has of the module as a constant, or what its check could not show."""


@dataclasses.dataclass(frozen=True)
class Check:
    """The file beside the module, image by image.

    Attributes
    ----------
    images : int
        How many images were compared.
    batches : tuple of int
        The runs of the padded file in which these images were compared with the unpadded export, bit for bit.
    score_thresh : float or None
        The score threshold that was compared with; None if the module has none where torchvision has it.
    own_threshold : bool
        Whether that is the module's. If not, it is the median of the scores, and of a second export.
    expected, found, matched : int
        Rows of the module, of the file, and of both: with one label, and boxes that overlap by more than 0.99.
    counts : tuple of (int, int, int)
        Images in which they find different numbers: which, the module's, the file's.
    moved : dict of str to int
        Matched rows whose masks or keypoints a rounding has put elsewhere, as it may: a box to whole pixels before its
        mask is pasted, a keypoint to the largest of many values.
    largest : dict of str to float
        The largest differences of other matched rows: boxes and keypoints in pixels, the rest in their own units.
    """

    images: int
    batches: tuple[int, ...]
    score_thresh: float | None
    own_threshold: bool
    expected: int
    found: int
    matched: int
    counts: tuple[tuple[int, int, int], ...]
    moved: dict[str, int]
    largest: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Report:
    """What ``export`` wrote, and what it saw.

    Attributes
    ----------
    path : str
        The padded file.
    family : str
        As ``inspect`` names it: ``"Mask R-CNN"``.
    exporter : str
        ``"TorchScript"`` or ``"torch.export.draft_export"``, with the versions of PyTorch and torchvision.
    opset : int
        Of the file.
    inputs, outputs : dict of str to tuple
        Names and shapes; symbols are str.
    form : str
        What the module was traced with: ``"a batch"`` ``[1, 3, H, W]``, ``"a list of images"`` or ``"one image"``.
    parameters : dict of str to float
        Thresholds and limits of the module that are constants in the file.
    check : Check or None
        None without ``check``.
    warnings : tuple of str
        The texts of the warnings that were given.
    """

    path: str
    family: str
    exporter: str
    opset: int
    inputs: dict[str, tuple[int | str | None, ...]]
    outputs: dict[str, tuple[int | str | None, ...]]
    form: str
    parameters: dict[str, float]
    check: Check | None
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.family}, opset {self.opset}, by {self.exporter}"]
        values = (("input ", self.inputs), ("output", self.outputs))
        lines += [f"  {kind} {name} {list(shape)}" for kind, shapes in values for name, shape in shapes.items()]
        if self.check:
            check = self.check
            apart = ", ".join(f"{field} by {apart:.2g}" for field, apart in check.largest.items())
            lines.append(f"  padded as exported, bit for bit, in runs of {', '.join(map(str, check.batches))} images")
            lines.append(f"  module and file: {check.matched} rows alike of {check.expected} and {check.found} in "
                         f"{check.images} images" + (f"; they differ at most in {apart}" if apart else ""))
        return "\n".join(lines + [f"  warning: {text}" for text in self.warnings])


TraceWarning.__module__ = "padbatch.torchvision"
Check.__module__ = "padbatch.torchvision"
Report.__module__ = "padbatch.torchvision"
