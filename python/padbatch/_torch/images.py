# SPDX-License-Identifier: Apache-2.0
"""The images that a module is traced and checked with, and how it wants to be given them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from padbatch._errors import Error
from padbatch._torch.detector import flattened

# What a module may be given for one image, and how it is made of the image. The first that the module takes is used.
FORMS: dict[str, Callable[[torch.Tensor], Any]] = {
    "a batch": lambda image: image[None],
    "a list of images": lambda image: [image],
    "one image": lambda image: image,
}


def size_of(image_size: Any) -> tuple[int, int]:
    """The checked height and width."""
    try:
        height, width = (operator.index(extent) for extent in image_size)
    except (TypeError, ValueError):
        raise TypeError(f"image_size is {image_size!r}\n  expected: a pair of int, (height, width), in pixels\n"
                        "  what to do: give image_size=(800, 1066)") from None
    if min(height, width) < 1 or max(height, width) > 1 << 15:
        raise Error(f"image_size is {(height, width)}", "a height and a width from 1 to 32768 pixels",
                    "give the size of the images that the model will run on, (height, width)", "usage")
    return height, width


def random_images(count: int, height: int, width: int) -> list[np.ndarray]:
    """Float32 images [3, height, width] from 0 to 1: patches of several sizes and some noise, the same in each run."""
    random = np.random.default_rng(20)
    images = []
    for _ in range(count):
        image = 0.1 * random.random((3, height, width))
        for side in (max(height, width) // 3 + 1, max(height, width) // 12 + 1):
            patches = random.random((3, -(-height // side), -(-width // side)))
            image += 0.45 * patches.repeat(side, 1).repeat(side, 2)[:, :height, :width]
        images.append(image.astype(np.float32))
    return images


def given_images(images: Any, image_size: Any) -> tuple[list[np.ndarray], tuple[int, int]]:
    """The caller's images as arrays, all of one shape and type, and their height and width."""
    if isinstance(images, (str, bytes)) or not hasattr(images, "__iter__"):
        raise TypeError(f"images is of type {type(images).__name__}\n"
                        "  expected: a list of arrays or tensors [3, H, W] or [H, W, 3], or one [N, 3, H, W]\n"
                        "  what to do: give images=[image], such as torchvision.io.read_image(path) / 255")
    arrays = []
    for image in images:
        if isinstance(image, torch.Tensor):
            image = image.detach().cpu().numpy()
        arrays.append(np.ascontiguousarray(image))
    expected = "at least one image, all of one size and type, [3, H, W] or [H, W, 3]"
    kinds = {(array.shape, array.dtype.name) for array in arrays}
    if len(kinds) != 1:
        found = " and ".join(f"{list(shape)} {kind}" for shape, kind in sorted(kinds)) or "no image"
        raise Error(f"images has {found}", expected, "give images of one size", "usage")
    shape, kind = kinds.pop()
    if len(shape) != 3 or 3 not in (shape[0], shape[2]) or kind not in ("float32", "uint8"):
        raise Error(f"images has images of shape {list(shape)} and type {kind}", expected + ", float32 or uint8",
                    "give images as the module takes them", "usage")
    height, width = shape[1:] if shape[0] == 3 else shape[:2]
    if image_size is not None and size_of(image_size) != (height, width):
        raise Error(f"images are {height} x {width} (height x width), and image_size is {tuple(image_size)}",
                    "images of image_size", "give images of this size, or leave image_size out", "usage")
    return arrays, (height, width)


class Caller:
    """A module with the form of argument that it takes."""

    def __init__(self, module: torch.nn.Module, image: np.ndarray):
        self.module = module
        attempts = [(False, form) for form in FORMS]
        if image.dtype == np.uint8:  # the module's own way is tried first
            attempts += [(True, form) for form in FORMS]
        failures = []
        for self.scaled, self.form in attempts:
            try:
                if flattened(self.module(self.argument(image))):
                    return
                failures.append(f"given {self.form} it returns nothing")
            except Error:
                raise
            except Exception as error:  # noqa: BLE001 (whatever a user's module raises)
                failures.append(f"given {self.form} it raises {type(error).__name__}: {_first_line(error)}")
        raise Error("the model does not run: " + "; ".join(dict.fromkeys(failures)),
                    f"a model that takes {' or '.join(FORMS)}, {list(image.shape)}",
                    "see that the model runs in eval mode on such an image, or give images=[...] that it takes",
                    "refused")

    def argument(self, image: np.ndarray) -> Any:
        """What the module is given for the image."""
        return FORMS[self.form](torch.from_numpy(self.as_input(image)))

    def as_input(self, image: np.ndarray) -> np.ndarray:
        """The image as the module, and the exported file, take it."""
        if self.scaled:
            channels_first = image if image.shape[0] == 3 else image.transpose(2, 0, 1)
            return np.ascontiguousarray(channels_first).astype(np.float32) / np.float32(255)
        return image

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        """The module's tensors for one image."""
        return flattened(self.module(self.argument(image)))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")[:200]


def other_sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes to check a file with that takes any: the same the other way up, and a smaller one."""
    height, width = size
    return [(width, height), (max(height * 3 // 4, 1), max(width * 2 // 3, 1))]
