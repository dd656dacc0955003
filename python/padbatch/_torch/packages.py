# SPDX-License-Identifier: Apache-2.0
"""The optional packages that an export needs."""

from __future__ import annotations

import importlib

NEEDED = ("torch", "torchvision", "onnx", "onnxruntime")


def require(*names: str) -> None:
    """Imports the packages, or says which is missing and how to get it."""
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            missing.append(name)
    if missing:
        what = "package" if len(missing) == 1 else "packages"
        raise ImportError(f"padbatch.torchvision.export needs the {what} {', '.join(missing)}\n"
                          f"  expected: {', '.join(names)}\n"
                          "  what to do: pip install padbatch[torchvision]", name=missing[0])
