# SPDX-License-Identifier: Apache-2.0
"""What the rewrite of models raises, and its warnings."""

from __future__ import annotations

from typing import Any

from padbatch import _spelling


class Error(Exception):
    """Why a model was not padded, or not inspected, or why a padded model is not what it should be.

    ``str()`` of it is three lines: what was found, what was expected, and what to do. Arguments of a wrong type are a
    ``TypeError`` instead, and memory that runs out is a ``MemoryError``.

    Attributes
    ----------
    found, expected, remedy : str
        The three texts, each without a line break.
    kind : str
        ``"usage"``: an option or its value makes no sense, by itself or for this model. ``"io"``: a file cannot be read
        or written. ``"not_onnx"``: it is not an ONNX model. ``"refused"``: it is one, but will not be rewritten, or
        cannot be compared. ``"different"``: what ``verify`` found. ``"internal"``: a defect of padbatch.
    document : dict or None
        What ``inspect`` knows about a model that would be refused; otherwise None.
    """

    def __init__(self, found: str, expected: str, remedy: str, kind: str, document: dict[str, Any] | None = None):
        super().__init__(found, expected, remedy, kind, document)
        self.found = found
        self.expected = expected
        self.remedy = remedy
        self.kind = kind
        self.document = document

    def __str__(self) -> str:
        return f"{self.found}\n  expected: {self.expected}\n  what to do: {self.remedy}"


class PadWarning(UserWarning):
    """What ``pad_outputs`` warns of: padding that will never hold a detection, tensors that are large, and what the
    server for which the model is written would stumble over. The model is padded nevertheless."""


Error.__module__ = PadWarning.__module__ = "padbatch"


def from_rewrite(found: str, expected: str, remedy: str, kind: str) -> Error:
    """The error for a failure of the rewrite, whose texts name options as the command does."""
    spell = _spelling.with_keywords
    return Error(spell(found), spell(expected), spell(remedy), kind)


def misused(found: str, expected: str, remedy: str) -> Error:
    """The error for a value of an option that makes no sense."""
    return Error(found, expected, remedy, "usage")
