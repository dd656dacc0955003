# SPDX-License-Identifier: Apache-2.0
"""Every export of tests/data, padded and run as a Detector: as many rows as the export has.

Where an export takes a list of images of any size, its runs in the manifest have several sizes, and the model makes all
of them as large as the largest: it finds other rows than in images of one size, which a Detector runs together.
"""

import pytest

from detector_models import FIXTURES, detector, image, scene


def alone(session, seed, size):
    """The rows of an image, by a session that gets it in all places."""
    feeds = {x.name: scene(seed, *size) for x in session.get_inputs()}
    return session.run(["num_detections"], feeds)[0].reshape(-1)[0]


@pytest.mark.parametrize("options", [{}, {"max_detections": "batch"}, {"to": "efficientnms"}], ids=str)
@pytest.mark.parametrize("file", FIXTURES)
def test_counts_are_those_of_the_export(file, options):
    fixture = FIXTURES[file]
    if options.get("to") and "labels" not in fixture["fields"]:
        options = {}
    detect = detector(file, **options)
    scenes = [seed for run in fixture["runs"] for seed in run["scenes"]]
    sizes = [tuple(size) for run in fixture["runs"] for size in fixture["image_sizes"]]
    found = detect([image(seed, size) for seed, size in zip(scenes, sizes)])
    if any(isinstance(extent, str) for x in detect.session.get_inputs() for extent in x.shape) and len(set(sizes)) > 1:
        assert [len(x) for x in found] == [alone(detect.session, seed, size) for seed, size in zip(scenes, sizes)]
    else:
        assert [len(x) for x in found] == [n for run in fixture["runs"] for n in run["counts"]]
    assert set(detect.fields) == set(fixture["fields"])
    for result, size in zip(found, sizes):
        assert result.size == size and result.boxes.shape == (len(result), 4)
        if "masks" in result:
            assert result.masks.shape[-2:] == size
