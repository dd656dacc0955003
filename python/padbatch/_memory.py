# SPDX-License-Identifier: Apache-2.0
"""Arrays and tensors of host memory, as NumPy arrays or PyTorch tensors; nothing is copied."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

# DLPack's numbers of devices whose memory the host reads: the CPU, and memory that CUDA or ROCm has pinned for it.
_HOST_DEVICES = (1, 3, 11)
_DEVICE_NAMES = {2: "CUDA", 4: "OpenCL", 7: "Vulkan", 8: "Metal", 10: "ROCm", 13: "CUDA's managed memory"}


def is_tensor(x: Any) -> bool:
    """Whether `x` is a PyTorch tensor; imports nothing."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def _refuse_device(name: str, device: str) -> None:
    raise ValueError(
        f"{name} is in the memory of a device ({device}); expected memory of the host: copy it there first, "
        "as .cpu() does for a tensor"
    )


def host_array(x: Any, name: str) -> Any:
    """A NumPy array or a CPU tensor as it is; what else offers DLPack as a NumPy array of the same memory.

    Raises ValueError for the memory of a device, TypeError for what is no array of numbers.
    """
    if is_tensor(x):
        if x.device.type != "cpu":
            _refuse_device(name, str(x.device))
        if str(x.layout) != "torch.strided":
            raise TypeError(f"{name} is a tensor of layout {x.layout}; expected a dense one, as .to_dense() gives it")
        return x
    if not isinstance(x, (np.ndarray, np.generic)) and hasattr(x, "__dlpack_device__"):
        kind = int(x.__dlpack_device__()[0])
        if kind not in _HOST_DEVICES:
            _refuse_device(name, _DEVICE_NAMES.get(kind, f"DLPack's device {kind}"))
        return np.from_dlpack(x)
    if not isinstance(x, np.ndarray):
        raise TypeError(
            f"{name} is a {type(x).__name__}; expected a NumPy array or a CPU tensor: np.asarray(x, dtype) makes one"
        )
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array; expected all elements to count: pick them first, or fill them")
    if x.dtype.hasobject:
        raise TypeError(f"{name} has elements of type {x.dtype}; expected numbers: give it one element type")
    return x if type(x) is np.ndarray else np.asarray(x)


def host_numpy(x: Any, name: str) -> np.ndarray:
    """The same, as a NumPy array in any case: of the same memory, but for tensors that NumPy has no type for."""
    array = host_array(x, name)
    if isinstance(array, np.ndarray):
        return array
    if array.requires_grad:
        raise ValueError(f"{name} is a tensor that requires a gradient, which would be lost: give {name}.detach()")
    made: np.ndarray = array.resolve_conj().resolve_neg().numpy()  # views whose numbers are meant otherwise
    return made


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view
