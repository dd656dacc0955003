# SPDX-License-Identifier: Apache-2.0
"""padbatch in one process with libraries that have a protobuf or an ONNX of their own, imported in every order."""

import math
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent / "data" / "ssdlite320_tv014_b1_list_op17.onnx"


def orders(python, names):
    """How many orders there were, each of which imported and used everything."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run([python, HERE / "import_orders.py", MODEL, *names], env=environment, capture_output=True,
                            text=True, check=False)
    assert result.returncode == 0, result.stderr
    return int(result.stdout)


def test_beside_onnx_and_onnxruntime():
    names = ["onnx", "onnxruntime", "padbatch"]
    assert orders(sys.executable, names) == math.factorial(3)


@pytest.mark.skipif("PADBATCH_TORCH_PYTHON" not in os.environ, reason="PADBATCH_TORCH_PYTHON names no Python with PyTorch")
def test_beside_onnx_onnxruntime_and_torch():
    names = ["onnx", "onnxruntime", "torch", "padbatch"]
    assert orders(os.environ["PADBATCH_TORCH_PYTHON"], names) == math.factorial(4)
