#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rewrites every committed export under many sets of options with two builds of onnx-pad-outputs, and compares what
they write and their exit codes: a change that is meant to keep behaviour keeps every byte.

    compare_rewrites.py OLD NEW [--jobs N] [--data tests/data] [--every K]
    compare_rewrites.py --only-run NEW [--jobs N] [--data tests/data] [--every K]

The metadata entry padbatch.version may differ, and so may reports and messages. Every run of NEW must also end with an
exit code that fits the case, say why when it fails, and leave no file behind but the one it was asked for. --only-run
checks just that, of one build, for example one with sanitizers. --every K takes one run in K, spread over all exports
and all sets of options.

Prints each difference with the options that show it, then `N rewrites, N refusals, N differences`. Fails on any
difference, and when too few rewrites succeed to say anything.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION_KEY = b"padbatch.version"
LISTED = 100  # differences, at most
TIMEOUT = 300  # seconds; a run takes 10 ms, and some 20 times that under sanitizers
DONE, USAGE, IO, NOT_ONNX, REFUSED = 0, 2, 3, 4, 5

# What any export can be asked for. Where a model has no masks, say, the refusal is compared.
COMMON = {
    "defaults": "",
    "fewer rows": "--max-detections 7",
    "more rows": "--max-detections 301",
    "largest of the batch": "--max-detections batch",
    "min-score": "--min-score 0.6",
    "min-score, fewer rows": "--min-score 7.25e-1 --max-detections 5",
    "counts as int64 [B]": "--count-type int64 --count-shape B --label-type int32",
    "counts as float32": "--count-type float32 --count-shape Bx1 --label-type float32",
    "counts as int32": "--count-type int32 --label-type int64",
    "pad values": "--pad-value labels=-1 --pad-value scores=-0.125 --pad-value boxes=1e3",
    # 2^53 + 1 is no double
    "unusual pad values": "--pad-value labels=9007199254740993 --pad-value scores=nan --pad-value boxes=-inf",
    "names": "--rename num_detections=n --rename boxes=the-boxes --rename scores=confidence",
    "names that values have": "--rename boxes=labels --rename labels=scores --rename scores=boxes",
    "torchvision": "--layout torchvision",
    "efficientnms": "--layout efficientnms",
    "yolov7": "--layout yolov7 --max-detections batch",
    "mmdeploy": "--layout mmdeploy",
    "tf-od": "--layout tf-od",
    "ultralytics": "--layout ultralytics",
    "a layout and more": "--layout yolov7 --rename boxes=b --count-type int64 --count-shape B --label-type float32"
                         " --pad-value labels=-1 --min-score 0.5",
    "what callers choose": "--expose min_score --expose max_detections=5",
    "quiet, over a file": "--quiet --force",
    "a repository": "--triton-repository . --model-name detector",
    "a repository without batches": "--triton-repository . --model-name d2 --max-batch-size 0 --layout efficientnms",
    "inspect": "--inspect --layout tf-od",
    "inspect, json": "--inspect --json --max-detections 7",
}

TORCHVISION = {
    "any batch": "--dynamic-batch",
    "any batch, largest": "--dynamic-batch --max-detections batch --count-shape B",
    "any batch, many options": "--dynamic-batch --layout efficientnms --mask-type uint8 --mask-threshold 0.7"
                               " --max-detections 20 --min-score 0.4",
    "any batch, region masks": "--dynamic-batch --layout tf-od --masks roi",
    "any batch, what callers choose": "--dynamic-batch --expose-per-image min_score --expose-per-image max_detections"
                                      " --max-detections batch",
    "any batch, a repository": "--dynamic-batch --masks none --triton-repository . --model-name any --max-batch-size 4",
    "full masks": "--masks full --pad-value masks=0.25",
    "region masks": "--masks roi",
    "region masks, squeezed": "--masks roi --squeeze-masks --mask-type float",
    "no masks": "--masks none --max-detections batch",
    "masks of uint8": "--mask-type uint8 --mask-threshold 0.25",
    "masks of bool": "--mask-type bool --squeeze-masks",
    "keypoints": "--pad-value keypoints=-1 --rename keypoints=joints --rename keypoints_scores=joint-scores",
}

# Of any one export: what each of these command lines ends with.
ENDS = {
    "--max-detections 0": USAGE,
    "--max-detections some": USAGE,
    "--min-score 2": USAGE,
    "--min-score 0,5": USAGE,
    "--mask-threshold 0.5": USAGE,
    "--expose score": USAGE,
    "--expose min_score --min-score 0.5": USAGE,
    "--expose-per-image max_detections": USAGE,
    "--mask-type uint8 --mask-threshold 1.5": USAGE,
    "--masks none --squeeze-masks": USAGE,
    "--layout coco": USAGE,
    "--pad-value labels=0.5": USAGE,
    "--pad-value labels=9223372036854775808": USAGE,
    "--pad-value boxes": USAGE,
    "--rename colour=c": USAGE,
    "--rename boxes=x --rename scores=x": USAGE,
    "--fields boxes,colour": USAGE,
    "--columns x1,y1,x2,y2,score,label": USAGE,
    "--json": USAGE,
    "--model-name detector": USAGE,
    "--no-such-option": USAGE,
    "--fields boxes,scores --batch 7": USAGE,
    "--from nms --max-detections 9": REFUSED,
}


@dataclasses.dataclass
class Case:
    model: pathlib.Path
    name: str  # of the set of options
    options: list
    ends: tuple = (DONE, USAGE, REFUSED)

    def arguments(self):
        writes_file = "--triton-repository" not in self.options and "--inspect" not in self.options
        return [*self.options, str(self.model)] + (["out.onnx"] if writes_file else [])

    def written(self):
        """The files of a run that succeeds."""
        if "--inspect" in self.options:
            return set()
        if "--triton-repository" in self.options:
            name = self.options[self.options.index("--model-name") + 1]
            return {f"{name}/config.pbtxt", f"{name}/1/model.onnx"}
        return {"out.onnx"}

    def __str__(self):
        return f"{self.model.name}: {self.name}: {shlex.join(self.options) or 'no options'}"


@dataclasses.dataclass
class Outcome:
    code: int
    errors: str
    files: dict  # path: bytes


def cases_of_torchvision(data, fixture):
    yield from (Case(data / fixture["file"], name, options.split()) for name, options in (COMMON | TORCHVISION).items())
    by_hand = ["--fields", ",".join(fixture["fields"]), "--batch", str(fixture["batch"]), "--order", fixture["order"]]
    yield Case(data / fixture["file"], "by hand", by_hand)
    other = {"image": "field", "field": "image"}[fixture["order"]]
    yield Case(data / fixture["file"], "by hand, the other order", [*by_hand[:-1], other])
    yield Case(data / fixture["file"], "batch by hand", [*by_hand[2:4], "--max-detections", "9"])


def cases_of_other(data, fixture):
    model = data / "other" / fixture["file"]
    nms = fixture["kind"] == "nms"
    columns = {"xyxy": ["x1", "y1", "x2", "y2"], "yxyx": ["y1", "x1", "y2", "x2"], "cxcywh": ["cx", "cy", "w", "h"]}
    named = columns[fixture["box_format"]] if nms else \
        ["label" if column == "class" else column for column in fixture["columns"]]
    source = ["--from", fixture["kind"]]
    for name, options in COMMON.items():
        yield Case(model, name, [*source, "--columns", ",".join(named), *options.split()])
        # A list of rows does not show its limit.
        if "--max-detections" not in options:
            yield Case(model, f"{name}, a limit", [*source, "--columns", ",".join(named), "--max-detections", "20",
                                                   *options.split()])
    yield Case(model, "usual columns", [*source, "--max-detections", "20"])
    centres = [dict(zip(columns["xyxy"], columns["cxcywh"])).get(column, column) for column in named]
    yield Case(model, "boxes by their centres", [*source, "--columns", ",".join(centres), "--max-detections", "batch"])
    # A list of one image can be run for each image of a batch.
    for options in (["--from", "torchvision"], [*source, "--masks", "none"],
                    *([[*source, "--dynamic-batch"]] if fixture["batch"] != 1 else [])):
        yield Case(model, "not for rows in one list", [*options, "--max-detections", "20"], (USAGE, REFUSED))


# What nothing in a file shows.
TOLD = {
    "padded/detr_any": "--from padded --box-format cxcywh --normalized",
    "raw/boxes_scores": "--from raw --head boxes-scores --box-format xyxy",
    "raw/detr": "--from raw --head detr --scores softmax",
    "raw/rtdetr": "--from raw --head boxes-scores --box-format cxcywh --normalized --nms none",
    "raw/yolo_transposed": "--from raw --head yolo --num-classes 3",
    "raw/yolox": "--from raw --head yolo-objectness --strides 8,16",
}
NEVER_READ = ("padded/ultralytics_nms_any", "raw/yolo_obb")
HEADS = {
    "every class": "--multi-label --max-det 50",
    "class by class": "--nms class-by-class --iou-threshold 0.5",
    "of all classes": "--class-agnostic --conf 0.4",
    "nothing dropped": "--nms none --exclude-classes 1",
    "any batch": "--dynamic-batch --max-detections batch",
}


def cases_of_form(model):
    """Of a form that is proven, told or refused."""
    name = f"{model.parent.name}/{model.name}"
    told = next((options for start, options in TOLD.items() if name.startswith(start)), "").split()
    ends = (USAGE, REFUSED) if name.startswith(NEVER_READ) else (DONE, USAGE, REFUSED)
    for options_name, options in (COMMON | (HEADS if model.parent.name == "raw" else {})).items():
        yield Case(model, options_name, [*told, *options.split()], ends)


def all_cases(data):
    """The cases of each export, one list for each; each export is in the manifest or in examples/data."""
    manifest = json.loads((data / "manifest.json").read_text())["fixtures"]
    other = json.loads((data / "other" / "manifest.json").read_text())["fixtures"]
    for folder, fixtures in ((data, manifest), (data / "other", other)):
        names, files = {f["file"] for f in fixtures}, {file.name for file in folder.glob("*.onnx")}
        if names != files:
            sys.exit(f"{folder / 'manifest.json'} and its folder differ in {sorted(names ^ files)}")
    lists = [list(cases_of_torchvision(data, fixture)) for fixture in manifest]
    lists += [list(cases_of_other(data, fixture)) for fixture in other]
    for file in sorted((ROOT / "examples" / "data").glob("*.onnx")):
        lists.append([Case(file, name, options.split()) for name, options in (COMMON | TORCHVISION).items()])
    for folder in ("lists", "loose", "padded", "raw"):
        lists += [list(cases_of_form(file)) for file in sorted((data / folder).glob("*.onnx"))]
    model = data / manifest[0]["file"]
    ends = [Case(model, "refused", shlex.split(options), (code,)) for options, code in ENDS.items()]
    ends += [Case(data / "no-such-file.onnx", "no file", [], (IO,)), Case(data, "a folder", [], (IO,)),
             Case(data / "manifest.json", "no model", [], (NOT_ONNX,))]
    return [*lists, ends]


def run(command, case, folder):
    """Runs a case in `folder`, which is made for it and removed."""
    folder.mkdir()
    try:
        if "--force" in case.options and "out.onnx" in case.written():
            (folder / "out.onnx").write_text("an older file")
        before = contents(folder)
        done = subprocess.run([command, *case.arguments()], cwd=folder, capture_output=True, text=True,
                              errors="replace", timeout=TIMEOUT, check=False)
        after = contents(folder)
    finally:
        shutil.rmtree(folder)
    kept = {} if done.returncode == 0 else before
    return Outcome(done.returncode, done.stderr, {name: bytes_ for name, bytes_ in after.items()
                                                  if kept.get(name) != bytes_})


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if not file.is_dir()}


def faults(case, outcome):
    """What is wrong with a run by itself."""
    first_line = outcome.errors.strip().splitlines()[:1]
    if outcome.code not in case.ends:
        yield f"ends with {outcome.code}, not with one of {case.ends}: {first_line}"
    if outcome.code != 0 and not outcome.errors.strip():
        yield f"ends with {outcome.code} and no message"
    for sign in ("runtime error:", "Sanitizer"):
        if sign in outcome.errors:
            yield "a sanitizer reports: " + next(line for line in outcome.errors.splitlines() if sign in line)
    expected = case.written() if outcome.code == 0 else set()
    if set(outcome.files) != expected:
        yield f"writes {sorted(outcome.files)}, not {sorted(expected)}"


def varint(data, at):
    """(value, position after it)"""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def without_version(model):
    """(the bytes of a ModelProto without the entry padbatch.version, how many such entries there were)

    https://protobuf.dev/programming-guides/encoding; metadata_props is field 14 of ModelProto.
    """
    kept, found, at = [], 0, 0
    while at < len(model):
        start = at
        tag, at = varint(model, at)
        kind = tag & 7
        if kind == 0:
            _, at = varint(model, at)
        elif kind == 2:
            size, at = varint(model, at)
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        field = model[start:at]
        # An entry holds its key first: tag, length, text.
        if tag == (14 << 3 | 2) and b"\x0a" + bytes([len(VERSION_KEY)]) + VERSION_KEY in field:
            found += 1
        else:
            kept.append(field)
    return b"".join(kept), found


def differences(old, new):
    if old.code != new.code:
        lines = [outcome.errors.strip().splitlines()[:1] for outcome in (old, new)]
        yield f"exit code {old.code} {lines[0]} before, {new.code} {lines[1]} now"
        return
    for name in sorted(set(old.files) | set(new.files)):
        if (name in old.files) != (name in new.files):
            yield f"only {'OLD' if name in old.files else 'NEW'} writes {name}"
            continue
        before, now = old.files[name], new.files[name]
        if name.endswith(".onnx"):
            try:
                (before, versions_before), (now, versions_now) = without_version(before), without_version(now)
            except (ValueError, IndexError) as error:
                yield f"{name} is not an ONNX model: {error}"
                continue
            if (versions_before, versions_now) != (1, 1):
                yield f"{name} has {versions_before} entries {VERSION_KEY.decode()} before, {versions_now} now, not one"
        if before != now:
            where = next((i for i, (a, b) in enumerate(zip(before, now)) if a != b), min(len(before), len(now)))
            yield f"{name} differs from byte {where} on: {len(before)} bytes before, {len(now)} now"


def too_few(cases, rewritten, every):
    """Why the rewrites that succeeded say too little."""
    can = [case for case in cases if DONE in case.ends and case.written()]
    if not rewritten or len(rewritten) < len(can) / 2:
        yield f"only {len(rewritten)} of {len(can)} rewrites succeeded, not half of them"
    if every == 1:
        for what, of in (("export", lambda case: case.model.name), ("set of options", lambda case: case.name)):
            for missing in sorted({of(case) for case in can} - {of(case) for case in rewritten}):
                yield f"no rewrite with the {what} '{missing}' succeeded"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    arguments.add_argument("commands", nargs="+", metavar="COMMAND", help="OLD NEW, or NEW with --only-run")
    arguments.add_argument("--only-run", action="store_true", help="run one build, and compare nothing")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time (all processors)")
    arguments.add_argument("--data", type=pathlib.Path, default=ROOT / "tests" / "data")
    arguments.add_argument("--every", type=int, default=1, metavar="K", help="take one run in K")
    given = arguments.parse_args()
    if len(given.commands) != (1 if given.only_run else 2):
        arguments.error("give two commands, or one with --only-run")
    if given.every < 1 or given.jobs < 1:
        arguments.error("--every and --jobs take numbers from 1 on")
    commands = [shutil.which(command) for command in given.commands]
    if None in commands:
        arguments.error(f"{given.commands[commands.index(None)]} is not a program")
    commands = [os.path.abspath(command) for command in commands]

    # Along the diagonals, so that one run in K meets every export and every set.
    cases = [case for i, of_export in enumerate(all_cases(given.data.resolve())) for j, case in enumerate(of_export)
             if (i + j) % given.every == 0]
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        def outcome_of(numbered):
            number, case = numbered
            try:
                outcomes = [run(command, case, pathlib.Path(work, f"{number}-{i}"))
                            for i, command in enumerate(commands)]
            except subprocess.TimeoutExpired:
                return case, None, [f"takes more than {TIMEOUT} seconds"]
            found = list(faults(case, outcomes[-1]))
            if not given.only_run:
                found += differences(*outcomes)
            return case, outcomes[-1].code, found

        results = list(pool.map(outcome_of, enumerate(cases)))

    wrong = [(case, text) for case, _, found in results for text in found]
    rewritten = [case for case, code, _ in results if code == DONE and case.written()]
    refused = [case for case, code, _ in results if code != DONE]
    for case, text in wrong[:LISTED]:
        print(f"{case}\n  {text}")
    if len(wrong) > LISTED:
        print(f"and {len(wrong) - LISTED} more")
    print(f"{len(rewritten)} rewrites, {len(refused)} refusals, "
          f"{len(wrong)} {'faults' if given.only_run else 'differences'}")
    shortages = list(too_few(cases, rewritten, given.every))
    for shortage in shortages:
        print(shortage)
    return 1 if wrong or shortages else 0


if __name__ == "__main__":
    sys.exit(main())
