# SPDX-License-Identifier: Apache-2.0
"""verify: whether a padded model gives what its export does, bit for bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from padbatch._errors import Error, misused
from padbatch._reference import Image, Reference, cannot_compare
from padbatch._rewriting import Model, inspect
from padbatch._trial_inputs import Feeds, TrialImages, of_one_shape
from padbatch._trial_session import TrialSession, with_region_masks

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from padbatch._options import Options


@dataclass(frozen=True)
class Verification:
    """What ``verify`` compared, and found equal.

    Attributes
    ----------
    family : str or None
        What the models are.
    batches : tuple of int
        The number of images of each run of the padded model.
    rows : tuple of int
        How many detections each of these images has in the padded model. If all are 0, little has been shown.
    outputs : tuple of str
        The outputs that were compared, all of the padded model.
    bytes : int
        How many bytes they had.
    skipped : int
        How many runs of the export could not be used: it cut rows of an image, and the padded model may have others.
    """

    family: str | None
    batches: tuple[int, ...]
    rows: tuple[int, ...]
    outputs: tuple[str, ...]
    bytes: int
    skipped: int

    def __str__(self) -> str:
        runs = ", ".join(map(str, self.batches))
        text = (f"equal: {self.bytes} bytes of {', '.join(self.outputs)} in {len(self.batches)} runs of {runs} images, "
                f"with {sum(self.rows)} detections in all, from {min(self.rows)} to {max(self.rows)} an image")
        if self.skipped:
            text += f"\nnot compared: {self.skipped} runs of the export, which cut rows that the padded model may have"
        if not any(self.rows):
            text += "\nno image has a detection, so this shows little: give images on which the model finds some"
        return text


def verify(original: Model, padded: Model, images: Any = None, *, batches: Iterable[int] = (1, 2, 5), draws: int = 3,
           size: tuple[int, int] = (480, 640), seed: int = 0, providers: Sequence[Any] | None = None,
           **options: Unpack[Options]) -> Verification:
    """Whether a padded model gives what its export gives: runs both in ONNX Runtime, pads the outputs of the export by
    plain NumPy, and compares bytes. There is no tolerance, since padding only copies.

    How the model was padded is read from its metadata and outputs: M, the layout, names, types and shapes, which masks
    it has, whether it takes any number of images, and what callers choose. What these do not show has to be given as it
    was to ``pad_outputs``: ``min_score``, ``classes``, ``exclude_classes``, ``pad_value``, ``mask_threshold``, and what
    was said about a model that was not recognised.

    A model of any number of images is run on batches, and its export on each of their images. Inputs that choose
    ``min_score`` or ``max_detections`` get several values; their defaults are not checked.

    Parameters
    ----------
    original, padded : path, bytes or onnx.ModelProto
        The export, and what ``pad_outputs`` made of it.
    images : optional
        An array ``[N, C, H, W]``, or arrays ``[C, H, W]``, of the input's type (or as the model takes them, such as
        ``[H, W, C]``); for a model with other inputs too, dicts of all inputs of the export, one for each run of it.
        Without them, random pictures are made: rectangles and noise, from 0 to 1 (uint8: to 255). A model that has
        learnt to find things finds little in them.
    batches : iterable of int
        How many images a run has, for a model of any number.
    draws : int
        How many runs on random images there are for a model of a fixed number.
    size : (int, int)
        The height and width of random images where the model takes any.
    seed : int
        Of the random images.
    providers : list, optional
        ONNX Runtime's execution providers; the CPU's if there are none. Others need not give equal bytes.
    **options
        Those of ``pad_outputs``.

    Returns
    -------
    Verification
        What was compared. Its ``rows`` say how many detections there were: none at all show little.

    Raises
    ------
    Error
        Of kind ``"different"`` at the first difference: which output, image and row, and both values. Of kind
        ``"refused"`` where the two cannot be compared: parameters were ``set``, so that other boxes are found; the
        export does not have outputs for each image (``from_``); boxes were converted (``box_format``, ``normalized``);
        or the export has cut rows of all images that the padded model may have.
    ImportError
        Without onnxruntime; and without onnx, where masks are those of regions (``masks="roi"``).
    """
    batches = tuple(batches)
    if not batches or not all(isinstance(n, (int, np.integer)) and n > 0 for n in batches):
        raise misused(f"batches is {batches}", "numbers of images above 0", "write, for example, batches=(1, 2, 5)")
    before, after = TrialSession("original", original, providers), TrialSession("padded", padded, providers)
    document = _document(original, before, after, dict(options))
    # Weights that callers may change are not folded into nodes. If the padded model no longer has them as inputs, its
    # nodes would be others.
    plain = len(before.more_inputs) > len(after.more_inputs)
    if plain:
        after = TrialSession("padded", padded, providers, optimised=False)
    if document["masks"] == "roi":
        whole, regions = with_region_masks(original, document)
        before = TrialSession("original", whole, providers, optimised=not plain)
        for fields, name in zip(document["images"], regions):
            fields["masks"] = name
    elif plain:
        before = TrialSession("original", original, providers, optimised=False)
    _require_outputs(document, before, after)
    run = _Comparison(document, before, after)
    trial = TrialImages(before.inputs, document, size, np.random.default_rng(seed))
    dynamic = document["dynamic_batch"]
    feeds = trial.of_user(images) if images is not None else trial.random_feeds(sum(batches) if dynamic else draws)
    known = run.known(feeds)
    if dynamic:
        for group in of_one_shape(known):
            at = 0
            for count in batches:
                picked = [group[(at + i) % len(group)] for i in range(count)]
                at += count
                run.compare(trial.stacked([feed for feed, _ in picked], after.inputs), [found for _, found in picked])
    else:
        for feed, found in known:
            run.compare(feed, [found])
    return Verification(document["family"], tuple(run.batches), tuple(run.rows), tuple(after.outputs), run.bytes,
                        len(feeds) - len(known))


# Options that say what the export is.
_OF_THE_EXPORT = ("from_", "fields", "batch", "order", "columns", "batch_index", "count_output", "head", "num_classes",
                  "keypoints", "strides", "scores", "image_size")


def _document(original: Model, before: TrialSession, after: TrialSession, options: dict[str, Any]) -> dict[str, Any]:
    """What pads the export as the padded model is, as ``inspect`` shows it."""
    if options.get("set"):
        raise cannot_compare("set changes what is detected, so that the rows of the export are others",
                             "compare with an export that was made with these parameters")
    if options.get("box_format") not in (None, "xyxy") or options.get("normalized") or options.get("normalised"):
        raise cannot_compare("box_format and normalized convert boxes", "compare the results by other means")
    options.pop("force", None)
    threshold = options.pop("mask_threshold", None)  # makes no sense before the type of the masks is known
    given = {name for name, value in options.items() if value not in (None, False)}
    given |= {name for name, other in (("layout", "to"), ("max_detections", "max_det")) if other in given}

    def document_of(told):
        options.update((name, value) for name, value in told.items() if name not in given)
        return inspect(original, **options)

    told = after.told_options([value.name for value in before.inputs])
    form = inspect(original, **{name: value for name, value in options.items() if name in _OF_THE_EXPORT})["form"]
    if form != "fields":
        raise cannot_compare(f"the export is of the form {form}, without outputs for each image",
                             "compare the results by other means")
    document = document_of(told)
    document = document_of(after.told_names(document))
    return document_of({**after.told_types(document), "mask_threshold": threshold})


def _require_outputs(document: Mapping[str, Any], before: TrialSession, after: TrialSession) -> None:
    """The padded model has the outputs that it should have, and the fields are outputs of the export."""
    for fields in document["images"]:
        for kind, name in fields.items():
            if name not in before.outputs and not (kind == "masks" and document["masks"] == "none"):
                raise cannot_compare(f"the {kind} of an image are no output of the export, but a part of one",
                                     "compare the results by other means")
    names = [output["name"] for output in document["outputs"]] + document["other_outputs"]
    if sorted(names) != sorted(after.outputs):
        raise Error(f"the padded model has the outputs {', '.join(after.outputs)}",
                    f"those that these options give this export: {', '.join(names)}",
                    "give verify the options that the model was padded with, or pad the export again", "different")


# The images of one run of the export, and its other outputs.
Found: TypeAlias = "tuple[list[Image], dict[str, np.ndarray]]"


class _Comparison:
    """Runs both models, and counts what was compared."""

    def __init__(self, document: dict[str, Any], before: TrialSession, after: TrialSession):
        self.document, self.before, self.after = document, before, after
        self.reference = Reference(document)
        self.batches: list[int] = []
        self.rows: list[int] = []
        self.bytes = 0

    def known(self, feeds: Sequence[Feeds]) -> list[tuple[Feeds, Found]]:
        """Runs the export. Leaves out the runs that do not tell what the padded model should give."""
        known, why = [], None
        for feed in feeds:
            found = self._found(feed)
            unknown = [reason for reason in map(self.reference.unknown, found[0]) if reason is not None]
            if unknown:
                why = unknown[0]
            else:
                known.append((feed, found))
        if not known and why is not None:
            raise cannot_compare(why, "give images with fewer detections")
        return known

    def _found(self, feed: Feeds) -> Found:
        """What the export gives for one run: its images, and its other outputs."""
        outputs = self.before.run(feed.arrays)
        images = []
        for fields, (height, width) in zip(self.document["images"], feed.sizes(len(self.document["images"]))):
            rows = {kind: outputs[name] for kind, name in fields.items() if name in outputs}
            images.append(Image(rows, height, width))
        return images, {name: outputs[name] for name in self.document["other_outputs"]}

    def compare(self, feed: Feeds, results: Sequence[Found]) -> None:
        """Runs the padded model, and compares it with what the export gave for these images."""
        images = [image for found, _ in results for image in found]
        others = {name: np.concatenate([other[name] for _, other in results]) if self.document["dynamic_batch"]
                  else results[0][1][name] for name in self.document["other_outputs"]}
        for choices in self._choices(images):
            chosen = [Image(image.rows, image.height, image.width, choice) for image, choice in zip(images, choices)]
            outputs = self.after.run({**feed.arrays, **self._inputs(choices)})
            wanted = {**self.reference.batch(chosen), **others}
            for name in self.after.outputs:
                self._require_equal(name, outputs[name], wanted[name])
                self.bytes += outputs[name].nbytes
            self.batches.append(len(images))
            self.rows += [len(self.reference.chosen(image)) for image in chosen]

    def _choices(self, images: Sequence[Image]) -> list[list[dict[str, Any]]]:
        """For each run, what it chooses for each image."""
        exposed = {entry["name"]: len(entry["shape"]) > 1 for entry in self.document["exposed"]}
        if not exposed:
            return [[{} for _ in images]]
        scores = np.concatenate([image.rows["scores"].astype(np.float32) for image in images]) \
            if "min_score" in exposed else np.zeros(0, np.float32)
        middle = float(np.median(scores)) if len(scores) else 0.5
        values = {"min_score": (0.0, middle), "max_detections": (2**31 - 1, 2)}
        runs = []
        for first in (0, 1):
            runs.append([{name: values[name][(first + i) % 2 if per_image else first]
                          for name, per_image in exposed.items()} for i in range(len(images))])
        return runs

    def _inputs(self, choices: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
        arrays = {}
        for entry in self.document["exposed"]:
            values = np.array([choice[entry["name"]] for choice in choices], dtype=entry["type"])
            arrays[entry["name"]] = values[:, np.newaxis] if len(entry["shape"]) > 1 else values[:1]
        return arrays

    def _require_equal(self, name: str, found: np.ndarray, wanted: np.ndarray) -> None:
        where = f"output {name!r} of the padded model, run {len(self.batches) + 1}"
        remedy = ("if the model was padded with min_score, classes, exclude_classes, pad_value, mask_threshold or set, "
                  "give verify the same; otherwise do not use the padded model, and report this, with both models")
        if (found.dtype, found.shape) != (wanted.dtype, wanted.shape):
            raise Error(f"{where}: {found.dtype} {list(found.shape)}",
                        f"{wanted.dtype} {list(wanted.shape)}, by padding the export's", remedy, "different")
        if found.tobytes() == wanted.tobytes():
            return
        size = found.dtype.itemsize
        differs = (np.frombuffer(found.tobytes(), np.uint8) != np.frombuffer(wanted.tobytes(), np.uint8))
        differs = differs.reshape(*found.shape, size).any(axis=-1)
        at = tuple(int(i) for i in np.argwhere(differs)[0])
        place = "".join(f", {word} {i}" for word, i in zip(("image", "row"), at))
        element = f", element {list(at[2:])}" if len(at) > 2 else ""
        raise Error(f"{where}{place}{element}: {found[at]!s} ({int(differs.sum())} of {found.size} elements differ)",
                    f"{wanted[at]!s}, by padding the export's outputs", remedy, "different")
