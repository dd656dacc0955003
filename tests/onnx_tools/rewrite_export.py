# SPDX-License-Identifier: Apache-2.0
"""Rewrites an export with one option set after another, for the sanitizers of the command.

    rewrite_export.py COMMAND EXPORT

Each call must write a file or refuse with one of the exit codes that the command documents and a message; the first
option set that fits must write one. A sanitizer's report has an exit code of its own.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

# Each takes a way through the rewrite that the others do not.
OPTION_SETS = (
    (),
    ("--max-detections", "7", "--min-score", "0.3", "--pad-value", "labels=-1", "--rename", "boxes=found"),
    ("--max-detections", "batch", "--count-shape", "B", "--count-type", "int64", "--label-type", "int32"),
    ("--dynamic-batch",),
    ("--dynamic-batch", "--max-detections", "batch", "--min-score", "0.5", "--masks", "roi"),
    ("--masks", "none", "--label-type", "float32", "--layout", "efficientnms"),
    ("--mask-type", "uint8", "--mask-threshold", "0.4", "--squeeze-masks"),
    ("--dynamic-batch", "--mask-type", "bool", "--layout", "mmdeploy"),
    ("--layout", "tf-od", "--count-type", "float32"),
    ("--layout", "ultralytics"),
    ("--layout", "yolov7", "--max-detections", "3"),
    ("--inspect", "--json"),
)
# What exports that are not torchvision's have to be told.
GUESSES = ((),
           ("--from", "flat", "--columns", "batch,x1,y1,x2,y2,label,score"),
           ("--from", "flat", "--columns", "batch,x1,y1,x2,y2,label,score", "--max-detections", "20"),
           ("--from", "flat", "--columns", "x1,y1,x2,y2,score,label", "--max-detections", "20"),
           ("--from", "nms", "--columns", "x1,y1,x2,y2"),
           ("--from", "nms", "--columns", "x1,y1,x2,y2", "--max-detections", "20"))
DONE, REFUSED = (0,), (2, 5)
FOUND_SOMETHING = 99


def run(command, options, export, out):
    inspect = "--inspect" in options
    env = dict(os.environ)
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        env[name] = ":".join(filter(None, (env.get(name), f"exitcode={FOUND_SOMETHING}")))
    arguments = [command, *options, export] + ([] if inspect else ["--force", "--quiet", out])
    result = subprocess.run(arguments, env=env, capture_output=True, text=True, check=False)
    shown = f"{' '.join(map(str, arguments))}\nexited with {result.returncode}:\n{result.stderr}"
    if result.returncode not in DONE + REFUSED or (result.returncode in REFUSED and not result.stderr):
        sys.exit(shown)
    if result.returncode in DONE and not inspect and not out.stat().st_size:
        sys.exit(f"{shown}an empty file was written")
    return result.returncode in DONE, shown


def main(command, export):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out.onnx"
        for guess in GUESSES:
            fits, shown = run(command, guess, export, out)
            if fits:
                break
        else:
            sys.exit(f"{shown}\n{export} is not rewritten at all")
        written = 0
        for options in OPTION_SETS:
            if "--max-detections" in options and "--max-detections" in guess:
                besides = guess[:guess.index("--max-detections")]
            else:
                besides = guess
            written += run(command, (*besides, *options), export, out)[0]
        print(f"{written} of {len(OPTION_SETS)} option sets fit")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
