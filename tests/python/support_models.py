# SPDX-License-Identifier: Apache-2.0
"""The models of tests/data, and the command that is installed with the package."""

import pathlib
import shutil
import subprocess
import sys

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"

FASTER = DATA / "faster_rcnn_tv029_b1_tensor_op16.onnx"
FASTER_TWO = DATA / "faster_rcnn_tv029_b2_tensor_op18_features.onnx"
MASK = DATA / "mask_rcnn_tv029_b1_tensor_op20.onnx"
MASK_TWO = DATA / "mask_rcnn_tv014_b2_tensor_op16.onnx"
SSD = DATA / "ssd300_tv029_b1_tensor_op12_onnxruntime.onnx"
SSD_TWO = DATA / "ssdlite320_tv014_b2_tensor_op13.onnx"


def command(*arguments, code=0):
    """Runs onnx-pad-outputs; returns what it prints to stdout and stderr."""
    beside = pathlib.Path(sys.executable).parent / "onnx-pad-outputs"
    program = beside if beside.exists() else shutil.which("onnx-pad-outputs")
    assert program is not None, "the command is not installed"
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr
