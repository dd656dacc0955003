# SPDX-License-Identifier: Apache-2.0
"""Types of the functions' arrays: what goes in comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import torch

    ArrayT = TypeVar("ArrayT", np.ndarray[Any, Any], torch.Tensor)
else:
    ArrayT = TypeVar("ArrayT")
