# SPDX-License-Identifier: Apache-2.0
"""The rows of one image as two programs find them, of which one rounds otherwise than the other. NumPy alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

Rows = Mapping[str, np.ndarray]

# Rows are of the same object if their labels are equal and their boxes overlap so much (intersection over union), or
# have the same corners within the tolerance: boxes without an area overlap nothing.
OVERLAP = 0.99

# How much two programs may differ in the fields of such rows. Both compute in float32, and sum in other orders.
#   boxes: pixels. Images have some thousand of them, and float32 has 7 digits.
#   scores: of 1. A threshold or an order that this changes is a near-tie.
#   masks: of 1. They come out of more layers than scores do, and are there to be compared with 0.5. Masks that are no
#       floats have been: of these, the part of their pixels that may differ.
#   keypoints: pixels, since they are added to boxes; their scores are logits, so of each score's size, at least of 1.
TOLERANCES = {"boxes": 1e-2, "scores": 1e-4, "masks": 1e-3, "keypoints": 1e-2, "keypoints_scores": 1e-3}
BINARY_MASKS = 1e-2

# Rows that only one program has, and rows whose masks or keypoints a rounding has moved, are near-ties while they are
# few. More of them than this part of the rows is a difference.
NEAR_TIES = 0.1


@dataclasses.dataclass
class Comparison:
    """What was compared, summed up over images."""

    mask_side: int = 28
    """Rows and columns of a mask before it is pasted into the image."""
    images: int = 0
    expected: int = 0
    """Rows of the module."""
    found: int = 0
    """Rows of the file."""
    matched: int = 0
    moved: dict[str, int] = dataclasses.field(default_factory=dict)
    """Matched rows whose mask or keypoints are elsewhere: a box is rounded to whole pixels, and a keypoint is the
    largest of many values, so a last digit can move them."""
    largest: dict[str, float] = dataclasses.field(default_factory=dict)
    """The largest difference of each field among matched rows that have not moved."""
    counts: list[tuple[int, int, int]] = dataclasses.field(default_factory=list)
    """Images with other counts: which, and the rows of the module and of the file."""
    differences: list[str] = dataclasses.field(default_factory=list)
    """What is not within the tolerances."""
    _elsewhere: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, bool), repr=False)

    def add(self, expected: Rows, found: Rows) -> None:
        """Compares the rows of one more image."""
        image, self.images = self.images, self.images + 1
        rows = len(next(iter(expected.values()))), len(next(iter(found.values())))
        if rows[0] != rows[1]:
            self.counts.append((image, *rows))
        for field, values in found.items():
            if np.isnan(values).any() and not np.isnan(expected[field]).any():
                self.differences.append(f"{field} of image {image} have NaN in the file")
        self.expected += rows[0]
        self.found += rows[1]
        left, right = match(expected, found)
        self.matched += len(left)
        for field, tolerance in TOLERANCES.items():
            if field in expected and len(left):
                self._add_field(image, field, tolerance, (expected, left), (found, right))

    def _add_field(self, image, field, tolerance, expected, found):
        (rows, left), (others, right) = expected, found
        if rows[field].shape[1:] != others[field].shape[1:]:
            self.differences.append(f"{field} of image {image} are {list(others[field].shape[1:])} in the file and "
                                    f"{list(rows[field].shape[1:])} in the module")
            return
        if field == "masks" and rows[field].dtype.kind != "f":
            tolerance = BINARY_MASKS
        apart = distances(field, rows[field], left, others[field], right)
        moved = self._moved(field, apart > tolerance, expected, found)
        if moved.any():
            self.moved[field] = self.moved.get(field, 0) + int(moved.sum())
        apart[moved] = 0
        worst = int(np.argmax(apart))
        self.largest[field] = max(self.largest.get(field, 0.0), float(apart[worst]))
        if not apart[worst] <= tolerance:
            self.differences.append(f"{field} of image {image}, row {left[worst]}, differ by {apart[worst]:.3g}, more "
                                    f"than {tolerance:g}")

    def _moved(self, field, differs, expected, found):
        """Rows whose mask or keypoints differ since a rounding put them elsewhere."""
        (rows, left), (others, right) = expected, found
        if field == "masks":
            pasted, otherwise = (pasted_at(side["boxes"][at], self.mask_side)
                                 for side, at in ((rows, left), (others, right)))
            return differs & (pasted != otherwise).any(1)
        if field == "keypoints":
            self._elsewhere = differs
            return differs
        if field == "keypoints_scores" and len(self._elsewhere) == len(left):
            return differs & self._elsewhere
        return np.zeros(len(left), bool)

    @property
    def unmatched(self) -> int:
        """Rows that the module or the file alone has."""
        return self.expected + self.found - 2 * self.matched

    def verdict(self) -> list[str]:
        """What is wrong; nothing if all is well but for near-ties."""
        wrong = list(self.differences)
        none_of_both = not self.matched and self.expected and self.found
        if none_of_both or self.unmatched > NEAR_TIES * (self.expected + self.found) + 2:
            wrong.append(f"{self.matched} of the module's {self.expected} rows and the file's {self.found} are the "
                         "same")
        for field, moved in self.moved.items():
            if moved > NEAR_TIES * self.matched + 2:
                wrong.append(f"{field} of {moved} of {self.matched} rows are elsewhere")
        return wrong


def threshold_amid(rows: Sequence[Rows]) -> float | None:
    """A score threshold at the median of the scores, or above it where some image would keep all of its rows, as many
    as the limit allows: then nothing would be seen of padding. It is in the widest gap near there, so that rounding
    seldom moves a row across. None if there is no such threshold."""
    images = [np.asarray(image["scores"], np.float64).ravel() for image in rows]
    scores = np.unique(np.concatenate(images))
    lowest = max((image.min() for image in images if len(image) > 1), default=-np.inf)
    first = max(len(scores) * 2 // 5, int(np.searchsorted(scores, lowest)))
    around = scores[first:max(len(scores) * 3 // 5, first + 2)]
    if len(around) < 2:
        return None
    gap = int(np.argmax(np.diff(around)))
    return float(np.float32((around[gap] + around[gap + 1]) / 2))


def match(expected: Rows, found: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows with the same label and the same box (OVERLAP says when), the most alike first. A row is in one
    pair at most. Returns the rows of each side, in the order of the first."""
    boxes, others = (np.asarray(rows["boxes"], np.float64).reshape(-1, 4) for rows in (expected, found))
    alike = overlaps(boxes, others)
    alike[np.abs(boxes[:, None] - others[None]).max(2, initial=0) <= TOLERANCES["boxes"]] = 1
    if "labels" in expected:
        alike[np.asarray(expected["labels"])[:, None] != np.asarray(found["labels"])[None]] = 0
    if "scores" in expected:  # among boxes that overlap alike, those with the nearest scores
        scores, other_scores = (np.asarray(rows["scores"], np.float64) for rows in (expected, found))
        apart = np.abs(scores[:, None] - other_scores[None])
    else:
        apart = np.zeros_like(alike)
    left, right = np.nonzero(alike > OVERLAP)
    pairs: list[tuple[int, int]] = []
    used: set[tuple[int, int]] = set()
    for at in np.lexsort((apart[left, right], -np.round(alike[left, right], 6))):
        row, other = int(left[at]), int(right[at])
        if (0, row) not in used and (1, other) not in used:
            used.update(((0, row), (1, other)))
            pairs.append((row, other))
    pairs.sort()
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of float64 boxes [n, 4] and [m, 4] (x1, y1, x2, y2): [n, m]. 0 without an area."""
    a, b = boxes[:, None], others[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.prod(np.maximum(sides, 0), -1)
    union = np.prod(a[..., 2:] - a[..., :2], -1) + np.prod(b[..., 2:] - b[..., :2], -1) - both
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


def distances(field: str, values: np.ndarray, rows: np.ndarray, others: np.ndarray,
              other_rows: np.ndarray) -> np.ndarray:
    """How far the field is apart in these pairs of rows, float64 [pairs]. Infinitely, where one of both is NaN."""
    apart = np.zeros(len(rows))
    for pair, (row, other) in enumerate(zip(rows, other_rows)):
        one, another = values[row], others[other]
        if field == "masks" and one.dtype.kind != "f":
            apart[pair] = np.count_nonzero(one != another) / max(np.count_nonzero(one), np.count_nonzero(another), 1)
            continue
        one, another = (value if value.dtype == np.float32 else value.astype(np.float64) for value in (one, another))
        gap = np.abs(one - another)
        if values.dtype == np.float16:  # both rounded, maybe to neighbours
            gap = np.maximum(gap - np.spacing(np.abs(values[row])).astype(np.float64), 0)
        if field == "keypoints_scores":
            gap = gap / np.maximum(np.abs(one), 1)
        apart[pair] = np.max(gap, initial=0)
    apart[np.isnan(apart)] = np.inf
    return apart


def pasted_at(boxes: np.ndarray, side: int) -> np.ndarray:
    """The whole pixels between which torchvision pastes a mask: the box grown by (side + 2) / side, cut to int64
    [n, 4]. A box whose edge lies between two pixels becomes one or the other, and with it the whole mask."""
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    center = (boxes[:, 2:] + boxes[:, :2]) * np.float32(0.5)
    half = (boxes[:, 2:] - boxes[:, :2]) * np.float32(0.5) * np.float32((side + 2) / side)
    return np.concatenate([center - half, center + half], 1).astype(np.int64)
