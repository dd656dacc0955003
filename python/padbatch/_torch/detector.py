# SPDX-License-Identifier: Apache-2.0
"""A torchvision detector inside of a module: which it is, and its state."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torchvision.models import detection
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

from padbatch._errors import Error

_CLASSES = tuple(kind for kind in (GeneralizedRCNN, detection.RetinaNet, getattr(detection, "FCOS", None),
                                   detection.ssd.SSD) if kind is not None)
_FAMILIES = "FasterRCNN, MaskRCNN, KeypointRCNN, RetinaNet, FCOS, SSD or SSDlite"


class Detector:
    """The user's module, and the one torchvision detector that it is or contains."""

    def __init__(self, model: Any):
        if not isinstance(model, torch.nn.Module):
            raise TypeError(f"the model is of type {type(model).__name__}\n"
                            f"  expected: a torch.nn.Module that is or contains torchvision's {_FAMILIES}\n"
                            "  what to do: give the module itself; a checkpoint is loaded with load_state_dict")
        self.module = _unwrapped(model)
        cores = [part for part in self.module.modules() if isinstance(part, _CLASSES)]
        if len(cores) != 1:
            self._refuse(len(cores))
        self.core = cores[0]
        _refuse_elsewhere(self.module)

    def _refuse(self, cores: int) -> None:
        name = type(self.module).__name__
        if cores:
            found = f"the model, a {name}, contains {cores} torchvision detectors"
            remedy = "export each of them"
        elif isinstance(self.module, torch.jit.ScriptModule):
            found, remedy = f"the model is a {name}: it is compiled", "export the module that it was made from"
        else:
            found = f"the model is a {name}, and neither it nor a module in it is a torchvision detector"
            remedy = "export it with torch.onnx.export, and pad what it wrote with padbatch.pad_outputs if it detects"
        raise Error(found, f"one of torchvision's {_FAMILIES}, by itself or inside of a module of your own", remedy,
                    "refused")

    @property
    def _holder(self) -> Any:
        return getattr(self.core, "roi_heads", self.core)

    @property
    def threshold(self) -> float | None:
        """The score that rows must have, or None if it is not where torchvision has it."""
        value = getattr(self._holder, "score_thresh", None)
        return float(value) if isinstance(value, (int, float)) else None

    @contextlib.contextmanager
    def with_threshold(self, value: float) -> Iterator[None]:
        """The module with another score threshold, for as long as the block runs."""
        holder = self._holder
        before = holder.score_thresh
        holder.score_thresh = value
        try:
            yield
        finally:
            holder.score_thresh = before

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """The module in eval mode and without gradients; afterwards every module in it has its own mode again."""
        modes = [(part, part.training) for part in self.module.modules()]
        try:
            self.module.eval()
            with torch.no_grad():
                yield
        finally:
            for part, training in modes:
                part.training = training

    def resized(self, height: int, width: int) -> tuple[int, int] | None:
        """The size to which the detector resizes such an image, before it pads it."""
        transform: Any = getattr(self.core, "transform", None)
        try:
            image = transform.resize(torch.zeros(3, height, width), None)[0]
        except Exception:  # noqa: BLE001 (the user's own transform)
            return None
        return tuple(image.shape[-2:])

    @contextlib.contextmanager
    def watching_masks(self) -> Iterator[list[int]]:
        """A list that gets the side of the masks that the mask head makes."""
        predictor = getattr(getattr(self.core, "roi_heads", None), "mask_predictor", None)
        sides: list[int] = []
        hook = predictor and predictor.register_forward_hook(lambda _, __, made: sides.append(int(made.shape[-1])))
        try:
            yield sides
        finally:
            if hook:
                hook.remove()


def _unwrapped(model: Any) -> torch.nn.Module:
    """What torch.compile and the parallel wrappers were given."""
    while True:
        if isinstance(model, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(getattr(model, "_orig_mod", None), torch.nn.Module):
            model = model._orig_mod  # noqa: SLF001 (torch.compile has no other name for it)
        else:
            return model


def _refuse_elsewhere(module: torch.nn.Module) -> None:
    for name, value in (*module.named_parameters(), *module.named_buffers()):
        if value.device.type != "cpu":
            raise Error(f"'{name}' of the model is on the device {value.device}", "a model on the CPU",
                        "export(model.cpu(), ...), or export(copy.deepcopy(model).cpu(), ...) to leave it there",
                        "refused")
        if value.is_floating_point() and value.dtype != torch.float32:
            kind = str(value.dtype).replace("torch.", "")
            raise Error(f"'{name}' of the model has the type {kind}", "a model in float32",
                        "export(model.float(), ...), or export(copy.deepcopy(model).float(), ...)", "refused")


def flattened(output: Any) -> list[np.ndarray]:
    """The tensors of an output in the order in which an export has them."""
    if isinstance(output, torch.Tensor):
        return [output.detach().numpy()]
    if isinstance(output, dict):
        return [array for value in output.values() for array in flattened(value)]
    if isinstance(output, (list, tuple)):
        return [array for value in output for array in flattened(value)]
    if output is None:
        return []
    raise Error(f"the model returns a {type(output).__name__}", "tensors, in lists, tuples or dicts",
                "return the detector's list of dicts from the module's forward, or a tuple of tensors", "refused")
