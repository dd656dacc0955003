# SPDX-License-Identifier: Apache-2.0
"""A padded model that is run image by image."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from padbatch._contract import Contract, count_rows, read_contract
from padbatch._images import Image, unpad
from padbatch._inputs import GivenImages, ImageInputs, Run, feed_value, read_images


class Detector:
    """A detector that `onnx-pad-outputs` or `padbatch.pad_outputs` wrote, run by ONNX Runtime.

        detector = padbatch.Detector("detector.onnx")
        for image in detector(images):
            image.boxes, image.labels, image.scores, image.masks

    `model` is a file, the bytes of one, an `onnx.ModelProto`, or an `onnxruntime.InferenceSession`. `providers` and
    `session_options` are those of a session; None means the CPU, and that only errors are logged. `class_names` are a
    list or a dict of names by label, for `Image.to_supervision`. `batch_size` is the most images of one run of a model
    that takes any number; None means all of one size.

    The outputs are found by the model's metadata, whatever their names and layout are. If another program has removed
    these, say what the outputs are: `count_output="num_dets", fields={"boxes": "det_boxes", ...}`, and `masks="full"`
    or `masks="roi"` if `masks` is among the fields.

    **Images.** `detector(images)` takes a list of arrays `[H, W, 3]`, or one array `[N, 3, H, W]`: NumPy arrays or CPU
    tensors, since a device's memory is refused; in the list also what else NumPy makes an array of, such as PIL images
    of mode RGB, to which the orientation of EXIF is not applied. uint8 is RGB and divided by 255; floats are taken as
    they are, in the model's type. (A model that takes uint8 gets uint8 as it is.) Nothing is resized: a model of a
    fixed size refuses others with a ValueError.

    Images of different sizes run in groups of one size; results come in the order of the images. (In a run of several
    sizes, torchvision's models make all images as large as the largest, and find other rows than in each alone.) A
    model of a fixed number of images B runs B at a time. The places of an incomplete last run are filled with its last
    image once more, whose results are dropped: that costs time, but no model fails for it, as it might for an empty
    image. A model with an input `[3, H, W]` for each image of a list works the same; if its inputs have different fixed
    sizes, each image goes to one of its size, and black images fill a run if there are none of a size.

    **Further inputs**, such as those of `--expose`, are keywords of the call: `detector(images, min_score=0.5)`. An
    input with a number for each image (`[batch, 1]`) takes an array with one for each of the images; one number serves
    all of them.

    **Results.** A list with an `Image` for each image. Boxes are x1, y1, x2, y2 in pixels of the image, as the model
    gives them (unless a further input of it scales them), also for `--to tf-od`, whose fractions are multiplied by the
    image's size. Fields are read-only NumPy views of the run's outputs, and keep them alive. Outputs that are no fields
    are not fetched. `image.masks` are `[n, 1, H, W]`, as the model gives them; for models with `--masks roi` they are
    pasted when they are first asked for, float32, by `padbatch.ops.paste_masks`, and kept; `image.region_masks` are the
    model's.

    Threads may share a detector.
    """

    def __init__(
        self,
        model: Any,
        *,
        providers: Sequence[Any] | None = None,
        session_options: Any = None,
        class_names: Sequence[str] | Mapping[int, str] | None = None,
        batch_size: int | None = None,
        count_output: str | None = None,
        fields: Mapping[str, str] | None = None,
        masks: str | None = None,
    ) -> None:
        if isinstance(class_names, str):
            raise TypeError("class_names is a str; expected a list or a dict of names")
        if batch_size is not None and batch_size.__index__() < 1:
            raise ValueError(f"batch_size is {batch_size}; expected 1 or more, or None")
        self.session = _open(model, providers, session_options)
        """The `onnxruntime.InferenceSession`."""
        self.class_names = class_names
        self._contract: Contract = read_contract(
            self.session.get_modelmeta().custom_metadata_map,
            [output.name for output in self.session.get_outputs()],
            count_output,
            fields,
            masks,
        )
        batch = self._contract.batch if self._contract.says_batch else "unknown"
        self._inputs = ImageInputs(self.session.get_inputs(), self.session.get_overridable_initializers(), batch)
        self._batch_size = batch_size
        names = [field.output for field in self._contract.fields.values()]
        if self._contract.count is not None:
            names.append(self._contract.count)
        self._outputs = list(dict.fromkeys(names))

    @property
    def batch(self) -> int | None:
        """B, the number of images that the model takes in one run; None for any number."""
        return self._inputs.batch

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that each image has."""
        names = list(self._contract.fields)
        if "normalised_boxes" in names and "boxes" not in names:
            names.append("boxes")
        return tuple(names)

    def __repr__(self) -> str:
        batch = "any number of images" if self.batch is None else f"{self.batch} image{'s' if self.batch != 1 else ''}"
        return f"<padbatch.Detector of {batch}: {', '.join(self.fields)}>"

    def __call__(self, images: Any, **inputs: Any) -> list[Image]:
        """Runs the model on a list of images `[H, W, 3]` or one array `[N, 3, H, W]`; see the class.

        Raises ValueError for images of a size that the model does not take, and for inputs that are missing or have
        another shape; TypeError for what is no image.
        """
        given = read_images(images)
        count = len(given.pixels)
        further = self._inputs.check_further(inputs, count)
        found: list[Image | None] = [None] * count
        for run in self._inputs.runs(given.sizes(), self._batch_size):
            self._run(run, given, further, found)
        return found  # type: ignore[return-value]

    def _run(self, run: Run, images: GivenImages, further: Mapping[str, Any], found: list[Image | None]) -> None:
        feeds = self._inputs.image_feeds(run, images)
        for name, value in further.items():
            feeds[name] = feed_value(value, run.images)
        outputs = dict(zip(self._outputs, self.session.run(self._outputs, feeds)))
        arrays = {name: field.of(outputs[field.output]) for name, field in self._contract.fields.items()}
        if "normalised_boxes" in arrays:
            sizes = np.array([[w, h, w, h] for h, w in run.sizes], dtype=np.float32)
            arrays["boxes"] = arrays["normalised_boxes"][..., [1, 0, 3, 2]] * sizes[:, None, :]
        if self._contract.count is not None:
            counts = outputs[self._contract.count]
        else:
            counts = count_rows(arrays, self._contract.layout)
        batch = unpad(counts, **arrays)
        if len(batch) != len(run.images):
            raise ValueError(
                f"the model gave results for {len(batch)} images; expected {len(run.images)}, as many as it got: it "
                "takes another number of images than it declares"
            )
        for place, (image, size) in enumerate(zip(run.images, run.sizes)):
            if place in run.kept:
                number = int(batch.counts[place])
                found[image] = Image(batch.fields, place, number, size, self.class_names, self._contract.regions)


def _open(model: Any, providers: Sequence[Any] | None, session_options: Any) -> Any:
    """A session of ONNX Runtime."""
    if hasattr(model, "get_modelmeta"):
        if providers is not None or session_options is not None:
            raise ValueError("providers and session_options are those of a new session; this one is there already")
        return model
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError("padbatch.Detector needs ONNX Runtime: pip install onnxruntime") from error
    if hasattr(model, "SerializeToString"):
        model = model.SerializeToString()
    elif isinstance(model, os.PathLike):
        model = os.fspath(model)
    elif not isinstance(model, (str, bytes)):
        raise TypeError(
            f"the model is a {type(model).__name__}; expected a file, its bytes, an onnx.ModelProto or an "
            "onnxruntime.InferenceSession"
        )
    if session_options is None:
        session_options = onnxruntime.SessionOptions()
        session_options.log_severity_level = 3  # errors: it warns of parameters of the export that are left unused
    return onnxruntime.InferenceSession(
        model, session_options, providers=["CPUExecutionProvider"] if providers is None else list(providers)
    )
