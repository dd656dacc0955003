# SPDX-License-Identifier: Apache-2.0
"""What verify runs models on: the user's images, or random pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from padbatch._errors import Error, misused
from padbatch._trial_session import Value

_NEEDS_DICTS = "give dicts of all inputs: images=[{\"NAME\": array, ...}, ...]"


@dataclass(frozen=True)
class Feeds:
    """The inputs of one run of the export. `pictures` names those that are images, in their order."""

    arrays: dict[str, np.ndarray]
    pictures: tuple[str, ...]

    def sizes(self, count: int) -> list[tuple[int, int]]:
        """The height and width of each of `count` images; of none if no input is one."""
        if not self.pictures:
            return [(0, 0)] * count
        sizes = []
        for name in self.pictures:
            shape = self.arrays[name].shape
            extents = shape[-3:-1] if shape[-1] in (1, 3) and shape[-3] not in (1, 3) else shape[-2:]
            sizes += [extents] * (shape[0] if len(shape) == 4 else 1)
        return sizes if len(sizes) == count else sizes[:1] * count


def of_one_shape(runs: Sequence[tuple[Feeds, Any]]) -> list[list[tuple[Feeds, Any]]]:
    """Runs and what was found, by the shapes of the inputs, since a batch has one."""
    groups: dict[Any, list[tuple[Feeds, Any]]] = {}
    for run in runs:
        shapes = tuple((name, array.shape) for name, array in sorted(run[0].arrays.items()))
        groups.setdefault(shapes, []).append(run)
    return list(groups.values())


class TrialImages:
    """Makes the inputs of an export."""

    def __init__(self, inputs: Sequence[Value], document: Mapping[str, Any], size: tuple[int, int],
                 random: np.random.Generator):
        self.inputs, self.document, self.random = inputs, document, random
        self.pictures = tuple(value.name for value in inputs if len(value.shape) in (3, 4))
        # A first extent that is only named, in a graph that takes so many images.
        self.together = document["batch"] // max(len(self.pictures), 1)
        height, width = size
        self.size = int(height), int(width)

    def random_feeds(self, count: int) -> list[Feeds]:
        shared = {value.name: self._random(value) for value in self.inputs
                  if value.name in self.document["shared_inputs"]}
        return [Feeds({value.name: shared[value.name] if value.name in shared else self._random(value)
                       for value in self.inputs}, self.pictures) for _ in range(count)]

    def _random(self, value: Value) -> np.ndarray:
        shape = self._shape(value)
        if value.name in self.pictures and value.dtype in ("float16", "float32", "float64", "uint8"):
            picture = self._picture(shape)
            return np.rint(picture * 255).astype(np.uint8) if value.dtype == "uint8" else picture.astype(value.dtype)
        if value.dtype in ("float16", "float32", "float64"):
            return self.random.uniform(0.5, 1, shape).astype(value.dtype)
        raise misused(f"images are not given, and the input {value.name!r} is {value.dtype} {list(shape)}",
                      "images of floating point or uint8, and other inputs of floating point", _NEEDS_DICTS)

    def _shape(self, value: Value) -> tuple[int, ...]:
        """The extents of an input, those that may be any filled in."""
        shape = list(value.shape)
        last = len(shape) - 1
        channels_last = last >= 2 and shape[last] in (1, 3) and shape[last - 2] not in (1, 3)
        places = (last - 2, last - 1) if channels_last else (last - 1, last)
        # Images with inputs of their own may differ in size.
        smaller = 32 * self.pictures.index(value.name) if value.name in self.pictures else 0
        for place, extent in enumerate(shape):
            if not isinstance(extent, int):
                known = value.name in self.pictures and place in places
                batch = value.name in self.pictures and last == 3 and place == 0
                shape[place] = (max(self.size[places.index(place)] - smaller, 32) if known
                                else self.together if batch else 1)
        return tuple(shape)

    def _picture(self, shape: Sequence[int]) -> np.ndarray:
        """Rectangles of one colour on another, with noise over all."""
        picture = np.empty(shape)
        planes = picture.reshape(-1, *shape[-3:])
        for image in planes:
            image[...] = self.random.uniform(0.2, 0.8)
            for _ in range(12):
                part = []
                for extent in image.shape:
                    low, high = np.sort(self.random.integers(0, extent + 1, 2))
                    part.append(slice(low, high) if extent > 3 else slice(None))
                colour = self.random.uniform(0, 1, [n if n <= 3 else 1 for n in image.shape])
                image[tuple(part)] = colour
            image += self.random.uniform(-0.1, 0.1, image.shape)
        return np.clip(picture, 0, 1)

    def of_user(self, images: Any) -> list[Feeds]:
        """The user's images, as runs of the export."""
        if isinstance(images, Mapping):
            images = [images]
        items = list(images) if isinstance(images, (list, tuple, np.ndarray)) else None
        if not items:
            raise misused(f"images is {type(images).__name__} with nothing in it" if items == [] else
                          f"images is of type {type(images).__name__}", "arrays, or dicts of arrays",
                          "give an array [N, C, H, W], or a list of arrays [C, H, W]")
        if isinstance(items[0], Mapping):
            return [Feeds({value.name: self._checked(value, item.get(value.name)) for value in self.inputs},
                          self.pictures) for item in items]
        if len(self.pictures) != len(self.inputs):
            raise misused("images are arrays, and the export has other inputs: "
                          + ", ".join(value.name for value in self.inputs), "every input of the export", _NEEDS_DICTS)
        return self._of_pictures([picture for item in items for picture in
                                  (item if np.ndim(item) == 4 else [item])])

    def _of_pictures(self, pictures: list[np.ndarray]) -> list[Feeds]:
        """Single images, as many in each run as the export takes."""
        counts = [1 if len(value.shape) == 3 else value.shape[0] if isinstance(value.shape[0], int) else self.together
                  for value in self.inputs]
        if len(pictures) % sum(counts) != 0:
            raise misused(f"images are {len(pictures)}, and the export takes {sum(counts)} at a time",
                          "as many for every run", "leave some out, or give more")
        feeds = []
        while pictures:
            arrays = {}
            for value, count in zip(self.inputs, counts):
                taken, pictures = pictures[:count], pictures[count:]
                sizes = sorted({np.shape(picture) for picture in taken})
                if len(sizes) > 1:
                    raise misused(f"images of one run have the sizes {sizes}", "one size, since they share a tensor",
                                  "sort them by size")
                arrays[value.name] = self._checked(value, np.stack(taken) if len(value.shape) == 4 else taken[0])
            feeds.append(Feeds(arrays, self.pictures))
        return feeds

    @staticmethod
    def _checked(value: Value, array: Any) -> np.ndarray:
        if array is None:
            raise misused(f"images has no {value.name!r}", "every input of the export in each of them", _NEEDS_DICTS)
        array = np.ascontiguousarray(array)
        fits = len(array.shape) == len(value.shape) and all(
            not isinstance(extent, int) or extent == n for extent, n in zip(value.shape, array.shape))
        if array.dtype.name != value.dtype or not fits:
            raise misused(f"images has {array.dtype.name} {list(array.shape)} for the input {value.name!r}",
                          f"{value.dtype} {list(value.shape)}", "convert the images as the model takes them")
        return array

    def stacked(self, feeds: Sequence[Feeds], inputs: Sequence[Value]) -> Feeds:
        """The inputs of the padded model, whose batch has these images."""
        ranks = {value.name: len(value.shape) for value in inputs}
        arrays = {}
        for name, first in feeds[0].arrays.items():
            several = [feed.arrays[name] for feed in feeds]
            if name in self.document["shared_inputs"]:
                if any(array.tobytes() != first.tobytes() for array in several):
                    raise Error(f"the images of a batch share the input {name!r}, and have other values for it",
                                "one value for all of them", "give the same with each image", "usage")
                arrays[name] = first
            else:
                arrays[name] = np.stack(several) if ranks.get(name) == first.ndim + 1 else np.concatenate(several)
        return Feeds(arrays, self.pictures)
