# SPDX-License-Identifier: Apache-2.0
"""The detections of one image, and a padded batch of images."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from padbatch._memory import host_array, host_numpy, read_only


class Image:
    """The detections of one image: views of its rows in each field.

    `image.boxes` or `image["boxes"]` is the field `boxes` `[n, 4]`, and so on for every field of the batch.
    `len(image)` is n. `image.keys()` are the names of the fields, and `dict(image)` has all of them. An image cannot be
    iterated over: iterate over its fields, `zip(image.boxes, image.scores)`.

    Views copy nothing, and are made when they are asked for. They keep the memory of the batch alive, as long as one of
    them exists. NumPy's are read-only (`flags.writeable` is False); PyTorch has no read-only tensors, so a view of a
    tensor can be written to, and then writes into the batch.
    """

    __slots__ = ("_fields", "_index", "_count", "_made", "size", "class_names", "_has_regions")

    def __init__(
        self,
        fields: Mapping[str, Any],
        index: int,
        count: int,
        size: tuple[int, int] | None = None,
        class_names: Sequence[str] | Mapping[int, str] | None = None,
        regions: bool = False,
    ) -> None:
        self._fields = fields
        self._index = index
        self._count = count
        self._made: dict[str, Any] = {}
        self.size = size
        """Height and width in pixels, if they are known: of a detector's images they are."""
        self.class_names = class_names
        """What `Detector` was given."""
        self._has_regions = regions

    def __len__(self) -> int:
        return self._count

    # len() counts detections, and [] takes names: neither order would be what is expected.
    __iter__ = None
    __reversed__ = None

    def keys(self) -> list[str]:
        """The names of the fields."""
        return list(self._fields)

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __getitem__(self, name: str) -> Any:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "region_masks":
            raise AttributeError("this image has no region masks: they come from models padded with masks='roi'")
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._fields]

    def __repr__(self) -> str:
        return f"<padbatch.Image of {self._count} detections: {', '.join(self._fields)}>"

    def _rows(self, name: str) -> Any:
        return self._fields[name][self._index, : self._count]

    def _make(self, name: str) -> Any:
        if not isinstance(name, str) or name not in self._fields:
            raise KeyError(f"this image has no field {name!r}; it has {', '.join(self._fields)}")
        if name == "masks" and self._has_regions:
            return read_only(self._paste())
        rows = self._rows(name)
        if name == "masks" and self.size is not None:
            # Masks of a batch with images of several sizes are as large as the largest; the rest is padding.
            height, width = self.size
            rows = rows[..., :height, :width]
        return rows

    @property
    def region_masks(self) -> Any:
        """The masks as the model gives them, for the region of each box, `[n, 1, 28, 28]`: of models padded with
        `masks="roi"` only. `masks` are these pasted into the image; see `paste_masks` in `padbatch.ops`.

        Raises AttributeError if the masks cover the whole image, or there are none."""
        if not self._has_regions:
            raise AttributeError  # __getattr__ says why
        return self._rows("masks")

    def _regions(self) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        """What region masks are pasted from: these, boxes and the image's size."""
        assert self.size is not None  # of a detector's images it is known
        return (
            self._rows("masks").astype(np.float32, copy=False),
            self["boxes"].astype(np.float32, copy=False),
            self.size,
        )

    def _paste(self, **options: Any) -> np.ndarray:
        from padbatch import ops

        made: np.ndarray = ops.paste_masks(*self._regions(), **options)
        return made

    def _bool_masks(self, threshold: float) -> np.ndarray:
        """Which pixels belong to the detections, bool `[n, H, W]`."""
        if not 0 < threshold <= 1:
            raise ValueError(f"mask_threshold is {threshold!r}; expected a number above 0 and up to 1")
        if self._has_regions and "masks" not in self._made:
            masks = self._paste(threshold=threshold, dtype=np.bool_)
        else:
            masks = host_numpy(self["masks"], "masks")
        if masks.ndim == 4 and masks.shape[1] == 1:
            masks = masks[:, 0]
        if masks.ndim != 3:
            raise ValueError(f"the masks have the shape {list(masks.shape)}; expected [n, H, W] or [n, 1, H, W]")
        if masks.dtype.kind == "f":
            masks = masks >= threshold
        made: np.ndarray = masks.astype(np.bool_, copy=False)  # bytes are 0 and 1, as --mask-type uint8 makes them
        return made

    def to_supervision(
        self,
        *,
        class_names: Sequence[str] | Mapping[int, str] | None = None,
        mask_threshold: float = 0.5,
    ) -> Any:
        """The detections as `supervision.Detections`.

        `xyxy` are the boxes, float32 `[n, 4]`; `confidence` the scores, float32 `[n]`; `class_id` the labels, int64
        `[n]`; `mask`, if there are masks, bool `[n, H, W]`: where they reach `mask_threshold`. `data["class_name"]`
        holds the names of the classes, a list or a dict by label, if they are given here or to `Detector`.

        Raises ImportError if supervision is not installed; ValueError if there are no boxes, or if a class has no
        name.
        """
        try:
            import supervision
        except ImportError as error:
            raise ImportError("to_supervision() needs supervision: pip install supervision") from error
        arrays = self._plain_fields()
        names = self.class_names if class_names is None else class_names
        data: dict[str, Any] = {}
        if names is not None and "labels" in arrays:
            found = [str(_look_up(names, k, "class_names", "name")) for k in arrays["labels"].tolist()]
            data["class_name"] = np.array(found, dtype=np.str_)
        return supervision.Detections(
            xyxy=arrays["boxes"].astype(np.float32),
            mask=self._bool_masks(mask_threshold) if "masks" in self._fields else None,
            confidence=arrays["scores"].astype(np.float32) if "scores" in arrays else None,
            class_id=arrays["labels"] if "labels" in arrays else None,
            data=data,
        )

    def to_coco(
        self,
        image_id: int,
        categories: Mapping[int, int] | Sequence[int] | None = None,
        *,
        mask_threshold: float = 0.5,
    ) -> list[dict[str, Any]]:
        """The detections in COCO's format of results, which `pycocotools` and `json.dumps` take: for each a dict of

        - `image_id`, as given; `category_id`, `categories[label]`, or the label itself;
        - `bbox`, x, y, width and height in pixels, as floats; `score`, a float;
        - `segmentation`, if there are masks: `size` [H, W], and `counts`, run lengths as a str, of the pixels whose
          mask reaches `mask_threshold`;
        - `keypoints`, if there are some: x, y and visibility of each, one after the other.

        Raises ValueError if boxes, labels or scores are missing, or if `categories` lacks a label.
        """
        if isinstance(image_id, np.integer):  # which json.dumps refuses
            image_id = int(image_id)
        arrays = self._plain_fields()
        for needed in ("labels", "scores"):
            if needed not in arrays:
                raise ValueError(
                    f"the detections have no {needed}, which COCO's results need; they have {', '.join(self._fields)}"
                )
        boxes = arrays["boxes"].astype(np.float64)
        boxes[:, 2:] -= boxes[:, :2]
        results = []
        for label, box, score in zip(arrays["labels"].tolist(), boxes.tolist(), arrays["scores"].tolist()):
            category = label if categories is None else _look_up(categories, label, "categories", "category id")
            category_id = operator.index(category)
            results.append({"image_id": image_id, "category_id": category_id, "bbox": box, "score": float(score)})
        if "masks" in self._fields:
            from padbatch.ops import rle

            if self._has_regions and "masks" not in self._made:
                encoded = rle.encode_regions(*self._regions(), threshold=mask_threshold)
            else:
                encoded = rle.encode(self._bool_masks(mask_threshold))
            for result, run_lengths in zip(results, encoded):
                result["segmentation"] = dict(run_lengths)
        if "keypoints" in self._fields:
            keypoints = host_numpy(self["keypoints"], "keypoints").astype(np.float64)
            for result, points in zip(results, keypoints.reshape(len(self), -1).tolist()):
                result["keypoints"] = points
        return results

    def _plain_fields(self) -> dict[str, np.ndarray]:
        """Boxes, labels as int64 and scores, as NumPy arrays of the shapes that they should have."""
        if "boxes" not in self._fields:
            raise ValueError(f"the detections have no boxes; they have {', '.join(self._fields)}")
        arrays = {}
        for name, shape in (("boxes", (len(self), 4)), ("labels", (len(self),)), ("scores", (len(self),))):
            if name in self._fields:
                array = host_numpy(self[name], name)
                if array.shape != shape:
                    raise ValueError(f"{name} has rows of the shape {list(array.shape)}; expected {list(shape)}")
                arrays[name] = array
        if "labels" in arrays:
            arrays["labels"] = whole_numbers(arrays["labels"], "labels")
        return arrays


def whole_numbers(values: np.ndarray, name: str) -> np.ndarray:
    """Whole numbers of any type as int64. Raises ValueError if one is not whole, or has no int64."""
    if values.dtype.kind == "i":
        return values.astype(np.int64, copy=False)
    if values.dtype.kind not in "uf":
        raise TypeError(f"{name} has elements of type {values.dtype}; expected integers, or floats that are whole")
    with np.errstate(invalid="ignore"):
        limit = 2.0**63
        wrong = ~((values == np.trunc(values)) & (values < limit) & (values >= -limit))
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(f"{name} has {values[place]} at {list(place)}; expected whole numbers")
    return values.astype(np.int64)


def _look_up(names: Any, label: int, what: str, kind: str) -> Any:
    if isinstance(names, Mapping):
        if label in names:
            return names[label]
    elif 0 <= label < len(names):
        return names[label]
    raise ValueError(f"{what} has no {kind} for the label {label}; it has {len(names)}: add one")


class Padded(Sequence[Image]):
    """A padded batch, and a sequence of its images.

    `batch.boxes` or `batch["boxes"]` is the field `boxes` of the whole batch `[B, M, 4]`, and so on for every field;
    `batch.counts` `[B]` says how many rows of each image are real. `batch[i]` is an `Image`, views of the real rows of
    image i; `len(batch)` is B.
    """

    __slots__ = ("counts", "capacity", "fields", "_read_only", "_numbers")

    def __init__(self, counts: Any, capacity: int, fields: dict[str, Any]) -> None:
        self.counts = counts
        """The number of real rows of each image, `[B]`."""
        self.capacity = capacity
        """M, the number of rows that every image has, real ones and padding."""
        self.fields = fields
        """The fields by their names, each `[B, M, ...]`."""
        self._read_only: dict[str, Any] | None = None
        self._numbers: list[int] | None = None

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            try:
                return self.fields[index]
            except KeyError:
                raise KeyError(f"this batch has no field {index!r}; it has {', '.join(self.fields)}") from None
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if self._read_only is None or self._numbers is None:
            self._read_only = {k: read_only(v) if isinstance(v, np.ndarray) else v for k, v in self.fields.items()}
            self._numbers = [int(n) for n in self.counts.tolist()]
        place = operator.index(index)
        size = len(self._numbers)
        if not -size <= place < size:
            raise IndexError(f"there is no image {place}: the batch has {size}")
        return Image(self._read_only, place % size, self._numbers[place])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(f"this batch has no field {name!r}; it has {', '.join(self.fields)}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.fields]

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {list(values.shape)}" for name, values in self.fields.items())
        return f"<padbatch.Padded of {len(self)} images: {shapes}>"


MEMBERS = frozenset(dir(Padded)) | frozenset(dir(Image))
"""The names of what a batch and its images have themselves, which no field can have."""


def check_names(fields: Iterable[str]) -> None:
    """Raises ValueError for a field with a name of `MEMBERS`: the attribute would be something else."""
    taken = MEMBERS.intersection(fields)
    if taken:
        name = min(taken)
        owner = Padded if name in dir(Padded) else Image
        raise ValueError(
            f"a field is named {name!r}, as an attribute of padbatch.{owner.__name__} is, which would hide it; "
            "expected a name that no attribute of a batch or an image has: give it another name"
        )


def check_counts(counts: np.ndarray, capacity: int) -> np.ndarray:
    """Counts `[B]` or `[B, 1]` as `[B]`. Raises unless they are whole numbers from 0 to `capacity`."""
    if counts.ndim == 2 and counts.shape[1] == 1:
        counts = counts[:, 0]
    if counts.ndim != 1:
        raise ValueError(f"counts has the shape {list(counts.shape)}; expected [B] or [B, 1], a number for each image")
    if counts.dtype.kind not in "iuf":
        raise TypeError(f"counts has elements of type {counts.dtype}; expected integers, or floats that are whole")
    fine = (counts >= 0) & (counts <= capacity)
    if counts.dtype.kind == "f":
        fine &= counts == np.floor(counts)
    if not fine.all():
        image = int(np.argmin(fine))
        raise ValueError(
            f"the count of image {image} is {counts[image]}; expected a whole number from 0 to {capacity}, "
            "the rows that each image has"
        )
    return counts


def unpad(counts: Any, /, **fields: Any) -> Padded:
    """The images of a padded batch, as views: `padbatch.unpad(counts, boxes=boxes, scores=scores)`.

    `counts` `[B]` or `[B, 1]` says how many rows of each image are real: integers, or floats that are whole. A field is
    any array `[B, M, ...]`, with one M for all fields: a NumPy array, a CPU tensor of PyTorch, or what else offers host
    memory by DLPack. The memory of a device is refused.

    Nothing is copied, and views of an image are made when they are asked for: see `Image`. NumPy arrays give NumPy
    views, which are read-only; tensors give tensors, which PyTorch cannot make read-only. Others give NumPy views.
    The counts are read once: the images do not follow if they change later.

    Raises ValueError if a count is not a whole number from 0 to M, if fields have other numbers of images or rows, or
    if a field has the name of an attribute of `Padded` or `Image`, such as `capacity` or `size`; TypeError for what is
    no array.
    """
    if not fields:
        raise TypeError("unpad() got no fields; expected some by name: unpad(counts, boxes=boxes, scores=scores)")
    check_names(fields)
    arrays = {name: host_array(x, name) for name, x in fields.items()}
    first = next(iter(arrays))
    for name, array in arrays.items():
        if array.ndim < 2:
            raise ValueError(
                f"{name} has the shape {list(array.shape)}; expected [B, M] or [B, M, ...], M rows for each image"
            )
        if array.shape[:2] != arrays[first].shape[:2]:
            raise ValueError(
                f"{name} has {array.shape[0]} images of {array.shape[1]} rows, but {first} has "
                f"{arrays[first].shape[0]} of {arrays[first].shape[1]}: all fields of a batch have the same"
            )
    batch, capacity = (int(k) for k in arrays[first].shape[:2])
    checked = check_counts(
        host_numpy(np.asarray(counts) if isinstance(counts, (list, tuple)) else counts, "counts"), capacity
    )
    if len(checked) != batch:
        raise ValueError(f"there are {len(checked)} counts, but {first} has {batch} images: give one for each image")
    fields = {name: read_only(x) if isinstance(x, np.ndarray) else x for name, x in arrays.items()}
    return Padded(read_only(checked.copy()), capacity, fields)  # a caller may reuse the memory that was checked
