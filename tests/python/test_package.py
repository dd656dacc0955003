# SPDX-License-Identifier: Apache-2.0
"""What `import padbatch` gives."""

import pathlib
import re
import subprocess
import sys

import padbatch
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def output(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_version_is_the_headers():
    header = (ROOT / "include/padbatch/version.hpp").read_text()
    assert padbatch.__version__ == ".".join(re.search(rf"VERSION_{part} (\d+)", header)[1]
                                            for part in ["MAJOR", "MINOR", "PATCH"])


@pytest.mark.parametrize("use", ["ops.nms", "ops.rle.encode"])
def test_modules_are_there_when_they_are_used(use):
    program = f"import sys, padbatch; print('padbatch.{use.split('.')[0]}' in sys.modules, callable(padbatch.{use}))"
    assert output(program) == "False True\n"


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'padbatch' has no attribute 'nms'"):
        padbatch.nms
    assert not hasattr(padbatch, "onnx")


def test_all_that_is_named_is_there():
    assert set(padbatch.__all__) <= set(vars(padbatch)) | {"ops"} and padbatch.ops.__name__ == "padbatch.ops"
    assert [name for name in padbatch.__all__ if not hasattr(padbatch, name)] == []
