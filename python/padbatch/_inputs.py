# SPDX-License-Identifier: Apache-2.0
"""Images as the inputs of a model: what it takes, and what goes into which run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from padbatch._images import whole_numbers
from padbatch._memory import host_numpy, is_tensor

Size = tuple[int, int]

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class GivenImages(NamedTuple):
    """The caller's images."""

    pixels: list[np.ndarray]
    """Each as a view `[3, H, W]`, in its own type."""
    whole: np.ndarray | None = None
    """All of them as one array `[N, 3, H, W]`, if that is how they came."""

    def sizes(self) -> list[Size]:
        """Height and width of each."""
        return [(image.shape[1], image.shape[2]) for image in self.pixels]


def read_images(images: Any) -> GivenImages:
    """Takes a list of `[H, W, 3]`, arrays or PIL images, or one array `[N, 3, H, W]`."""
    if isinstance(images, (list, tuple)):
        return GivenImages([_read_image(_as_array(image, f"image {i}"), i) for i, image in enumerate(images)])
    batch = _as_array(images, "images")
    if batch.ndim != 4 or batch.shape[1] != 3:
        remedy = "give RGB images"
        if batch.ndim == 3:
            remedy = "give a list of one image"
        elif batch.ndim == 4 and batch.shape[3] == 3:
            remedy = "give list(images)"
        raise ValueError(
            f"images has the shape {list(batch.shape)}; expected [N, 3, H, W], or a list of arrays [H, W, 3]: {remedy}"
        )
    _check_pixels(batch, "images")
    return GivenImages(list(batch), batch)


def _as_array(image: Any, name: str) -> np.ndarray:
    """An array or tensor of the host, or what else makes an array of itself, such as a PIL image."""
    known = isinstance(image, (np.ndarray, np.generic)) or is_tensor(image) or hasattr(image, "__dlpack_device__")
    if known or not (hasattr(image, "__array__") or hasattr(image, "__array_interface__")):
        return host_numpy(image, name)
    mode = getattr(image, "mode", "RGB")
    if isinstance(mode, str) and mode != "RGB":  # some others have three channels too
        raise ValueError(f"{name} is an image of mode {mode!r}; expected 'RGB': give image.convert(\"RGB\")")
    return host_numpy(np.asarray(image), name)


def _read_image(image: np.ndarray, i: int) -> np.ndarray:
    if image.ndim != 3 or image.shape[2] != 3:
        remedy = "give image.transpose(1, 2, 0)" if image.ndim == 3 and image.shape[0] == 3 else "make it RGB"
        raise ValueError(f"image {i} has the shape {list(image.shape)}; expected [H, W, 3]: {remedy}")
    _check_pixels(image, f"image {i}")
    return image.transpose(2, 0, 1)


def _check_pixels(image: np.ndarray, name: str) -> None:
    if image.dtype != np.uint8 and image.dtype.kind != "f":
        raise TypeError(
            f"{name} is {image.dtype}; expected uint8, which is divided by 255, or floats, which are taken as they are"
        )
    if 0 in image.shape[1:] or (image.ndim == 3 and 0 in image.shape):
        raise ValueError(f"{name} has the shape {list(image.shape)}; expected one pixel or more")


class Run(NamedTuple):
    """One run of the model: which image is at which place."""

    images: list[int]
    sizes: list[Size]
    kept: Sequence[int]
    """The places whose results count; the others are there to fill the batch."""


class _Slots(NamedTuple):
    """Places of a batch that take images of one size, or of any."""

    places: list[int]
    height: int | None
    width: int | None

    def takes(self, size: Size) -> bool:
        return self.height in (None, size[0]) and self.width in (None, size[1])


def _extent(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _words(shape: Sequence[Any]) -> str:
    return "[" + ", ".join("?" if k is None else str(k) for k in shape) + "]"


class ImageInputs:
    """The inputs of a model: its images, and others."""

    def __init__(self, inputs: Sequence[Any], defaults: Sequence[Any], batch: int | str | None) -> None:
        batched = [x for x in inputs if len(x.shape) == 4]
        listed = [x for x in inputs if len(x.shape) == 3]
        shapes = ", ".join(f"{x.name} {_words(x.shape)}" for x in inputs)
        if len(batched) == 1:
            images = batched
        elif not batched and listed and batch in ("unknown", len(listed)):
            images = listed
        else:
            raise ValueError(
                f"the model's inputs are {shapes}; expected one for images [N, 3, H, W], or one [3, H, W] for each "
                "image: run it with onnxruntime, and give its outputs to padbatch.unpad"
            )
        self._is_list = not batched
        channels = 0 if self._is_list else 1
        for x in images:
            if _extent(x.shape[channels]) not in (None, 3) or x.shape[channels] != 3 and x.shape[-1] == 3:
                expected = "[3, H, W]" if self._is_list else "[N, 3, H, W]"
                raise ValueError(
                    f"the model's input {x.name!r} is {_words(x.shape)}; expected {expected}: run it with onnxruntime, "
                    "and give its outputs to padbatch.unpad"
                )
            if x.type not in ("tensor(float)", "tensor(float16)", "tensor(double)", "tensor(uint8)"):
                raise ValueError(f"the model's input {x.name!r} is {x.type}; expected images of floats or uint8")
        self._images = images
        self._type = _TYPES[images[0].type]
        if self._is_list:
            self.batch: int | None = len(images)
        elif batch == "unknown":
            self.batch = _extent(images[0].shape[0])
        else:
            declared = _extent(images[0].shape[0])
            if declared is not None and batch is not None and declared != batch:
                raise ValueError(
                    f"the model's metadata say that it takes {batch} images, and its input {declared}: pad it again"
                )
            self.batch = declared if batch is None else int(batch)
        patterns: dict[tuple[int | None, int | None], list[int]] = {}
        for place, x in enumerate(images):
            patterns.setdefault((_extent(x.shape[-2]), _extent(x.shape[-1])), []).append(place)
        self._slots = [_Slots(places, *pattern) for pattern, places in patterns.items()]
        names = {x.name for x in images}
        self._needed = {x.name: x for x in inputs if x.name not in names}
        self._further = {**self._needed, **{x.name: x for x in defaults}}

    # ------------------------------------------------------------------------------------------------- which run

    def runs(self, sizes: list[Size], most: int | None) -> Iterator[Run]:
        """What to run, so that every image is in one run; `most` images at a time if the model takes any number."""
        groups: dict[Any, list[int]] = {}
        for i, size in enumerate(sizes):
            if not any(slots.takes(size) for slots in self._slots):
                raise ValueError(
                    f"image {i} is {size[0]} x {size[1]} (height x width); the model takes "
                    f"{' and '.join(self._size_words(slots) for slots in self._slots)} only: resize it, or export the "
                    "model for this size"
                )
            groups.setdefault(size if len(self._slots) == 1 else None, []).append(i)
        for images in groups.values():
            if len(self._slots) > 1:
                yield from self._mixed_runs(images, sizes)
                continue
            step = self.batch if self.batch is not None else most if most is not None else len(images)
            if step < 1:
                raise ValueError("the model is declared for 0 images: export it for some")
            for first in range(0, len(images), step):
                part = images[first : first + step]
                fill = [part[-1]] * (step - len(part) if self.batch is not None else 0)
                yield Run(part + fill, [sizes[part[0]]] * (len(part) + len(fill)), range(len(part)))

    @staticmethod
    def _size_words(slots: _Slots) -> str:
        return f"{slots.height or 'any'} x {slots.width or 'any'}"

    def _mixed_runs(self, images: list[int], sizes: list[Size]) -> Iterator[Run]:
        """For a list of inputs of different sizes: every run takes as many images as there are inputs for them."""
        waiting: list[list[int]] = [[] for _ in self._slots]
        for i in images:
            fitting = [k for k, slots in enumerate(self._slots) if slots.takes(sizes[i])]
            waiting[min(fitting, key=lambda k: len(waiting[k]) / len(self._slots[k].places))].append(i)
        while any(waiting):
            at: list[tuple[int, Size] | None] = [None] * len(self._images)
            kept = []
            for slots, queue in zip(self._slots, waiting):
                for place in slots.places:
                    if queue:
                        i = queue.pop(0)
                        at[place] = (i, sizes[i])
                        kept.append(place)
            # An input without an image gets the image of another, if it takes its size, or else black.
            there = [x for x in at if x is not None]
            for slots in self._slots:
                for place in slots.places:
                    if at[place] is None:
                        same = [x for x in there if slots.takes(x[1])]
                        any_size = there[-1][1]
                        at[place] = (
                            same[-1] if same else (-1, (slots.height or any_size[0], slots.width or any_size[1]))
                        )
            full = [x for x in at if x is not None]
            yield Run([i for i, _ in full], [size for _, size in full], kept)

    # ------------------------------------------------------------------------------------------------- what is fed

    def image_feeds(self, run: Run, images: GivenImages) -> dict[str, np.ndarray]:
        """The images of a run, in the model's type."""
        if self._is_list:
            return {
                x.name: self._convert([images.pixels[i] if i >= 0 else np.zeros((3, *size), np.uint8)])[0]
                for x, i, size in zip(self._images, run.images, run.sizes)
            }
        first, count = run.images[0], len(run.images)
        if images.whole is not None and run.images == list(range(first, first + count)):
            part = images.whole[first : first + count]
            if part.dtype == self._type:
                return {self._images[0].name: np.ascontiguousarray(part)}
        return {self._images[0].name: self._convert([images.pixels[i] for i in run.images])}

    def _convert(self, pixels: list[np.ndarray]) -> np.ndarray:
        """A new array `[n, 3, H, W]` of the model's type."""
        batch = np.empty((len(pixels), *pixels[0].shape), self._type)
        for to, image in zip(batch, pixels):
            if image.dtype != np.uint8 and self._type == np.uint8:
                raise TypeError(f"an image is {image.dtype}, and the model takes uint8; expected uint8")
            if image.dtype == np.uint8 and self._type != np.uint8:
                # In float32, as torchvision's to_tensor divides; float16 is what is rounded last.
                np.divide(image, np.promote_types(self._type, np.float32).type(255), out=to, casting="same_kind")
            else:
                to[...] = image
        return batch

    # ------------------------------------------------------------------------------------------------- other inputs

    def check_further(self, given: Mapping[str, Any], images: int) -> dict[str, Any]:
        """The other inputs, by what is fed: an array for all images, or `PerImage`."""
        for name in given:
            if name not in self._further:
                raise TypeError(
                    f"the model has no input {name!r} besides its images; it has {', '.join(self._further) or 'none'}"
                )
        for name, x in self._needed.items():
            if name not in given:
                raise ValueError(
                    f"the model's input {name!r} {_words(x.shape)} is missing; expected it as a keyword: "
                    f"detector(images, {name}=...)"
                )
        return {name: self._check_value(self._further[name], value, images) for name, value in given.items()}

    def _per_image(self, x: Any) -> bool:
        if not x.shape:
            return False
        first = x.shape[0]
        if not self._is_list and isinstance(first, str) and first == self._images[0].shape[0]:
            return True
        if self.batch is None or _extent(first) != self.batch:
            return False
        if len(x.shape) == 1 and self.batch > 1:
            raise ValueError(
                f"the model's input {x.name!r} is {_words(x.shape)}, which may be a number for each image or not: run "
                "it with onnxruntime, and give its outputs to padbatch.unpad"
            )
        return len(x.shape) > 1

    def _check_value(self, x: Any, value: Any, images: int) -> Any:
        if x.type not in _TYPES:
            raise ValueError(f"the model's input {x.name!r} is {x.type}; expected a tensor of numbers")
        dtype: np.dtype[Any] = np.dtype(_TYPES[x.type])
        array = (
            np.asarray(value) if isinstance(value, (int, float, list, tuple, np.generic)) else host_numpy(value, x.name)
        )
        if dtype.kind in "iu":
            array = whole_numbers(array, x.name)
            limits = np.iinfo(dtype)
            if array.size and (array.min() < limits.min or array.max() > limits.max):
                raise ValueError(f"{x.name} has a number that its type, {dtype}, cannot hold")
        per_image = self._per_image(x)
        extents = [_extent(k) for k in x.shape]
        if per_image:
            extents[0] = images
        if array.ndim == 0 and None not in extents:
            array = np.full(extents, array)  # type: ignore[arg-type]
        if array.ndim != len(extents) or any(k not in (None, n) for k, n in zip(extents, array.shape)):
            raise ValueError(
                f"{x.name} has the shape {list(array.shape)}; expected {_words(extents)}"
                + (", one for each image" if per_image else "")
                + ", or one number"
            )
        array = np.ascontiguousarray(array, dtype)
        return PerImage(array) if per_image else array


class PerImage(NamedTuple):
    """An input with a part for each image."""

    values: np.ndarray


def feed_value(value: Any, images: list[int]) -> np.ndarray:
    """What one run gets of an input."""
    return value.values[images] if isinstance(value, PerImage) else value
