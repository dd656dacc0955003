# SPDX-License-Identifier: Apache-2.0
"""What the scripts that make exports share: a folder of ONNX files and the manifest that describes them."""

import argparse
import fnmatch
import json
import logging
import os
import pathlib
import warnings

import torch


def quiet():
    """Silences the warnings that exports of detectors give; one thread, so that sums come out alike."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    os.environ["PYTHONWARNINGS"] = "ignore"
    torch.set_num_threads(1)


def open_session(path, level="ORT_DISABLE_ALL"):
    """The file in ONNX Runtime."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def write_manifest(entries, path):
    """Writes the manifest, one property or run a line."""
    blocks = []
    for entry in sorted(entries, key=lambda entry: entry["file"]):
        lines = ["      %s: %s" % (json.dumps(key), json.dumps(value)) for key, value in entry.items() if key != "runs"]
        runs = ",\n".join("        " + json.dumps(run) for run in entry["runs"])
        blocks.append("    {\n" + ",\n".join(lines) + ',\n      "runs": [\n' + runs + "\n      ]\n    }")
    path.write_text('{\n  "fixtures": [\n' + ",\n".join(blocks) + "\n  ]\n}\n")


def make(fixtures, folder, export, count_rows):
    """Exports the fixtures into the folder, and brings its manifest up to date."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.json"
    known = json.loads(manifest.read_text())["fixtures"] if manifest.exists() else []
    entries = {entry["file"]: entry for entry in known if (folder / entry["file"]).exists()}
    for fixture in fixtures:
        print(fixture.file, flush=True)
        entries[fixture.file] = export(fixture, folder)
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        print("no onnxruntime here: row counts stay null")
    else:
        for entry in entries.values():
            if any(run["counts"] is None for run in entry["runs"]):
                count_rows(entry, folder)
    write_manifest(entries.values(), manifest)


def set_metadata(path, properties):
    """Gives the file these properties; without any it stays as it is."""
    import onnx
    if properties:
        model = onnx.load(str(path))
        onnx.helper.set_model_props(model, properties)
        onnx.save(model, str(path))


def make_named(names, default, description, export):
    """Exports the named files that the command line asks for, and brings the `made.json` beside them up to date.

    Returns the folder.
    """
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=default,
                        help="folder to write into (default: %s)" % default.name)
    parser.add_argument("--only", metavar="GLOB", default="*", help="make the files whose name matches")
    options = parser.parse_args()
    quiet()
    options.out.mkdir(parents=True, exist_ok=True)
    made = options.out / "made.json"
    entries = {entry["file"]: entry for entry in json.loads(made.read_text())} if made.exists() else {}
    for name in names:
        if fnmatch.fnmatch(name, options.only):
            entry = export(name, options.out)
            entries[entry["file"]] = entry
    lines = ",\n".join("  " + json.dumps(entries[file]) for file in sorted(entries))
    made.write_text("[\n" + lines + "\n]\n")
    return options.out
