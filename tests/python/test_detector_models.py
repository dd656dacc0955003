# SPDX-License-Identifier: Apache-2.0
"""Models and images that Detector takes or refuses: tiny models, which find always the same."""

import numpy as np
import onnx
import onnxruntime
import pytest
from detector_models import detector, images, padded, session

import padbatch

FIXED = "faster_rcnn_tv014_b2_tensor_op12_boxes_scores.onnx"  # 64 x 80


def test_sessions_files_and_models(tmp_path):
    model = tiny([("x", FLOAT, [2, 3, 64, 80])])
    path = tmp_path / "padded.onnx"
    path.write_bytes(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for made in (
        padbatch.Detector(path),
        padbatch.Detector(str(path), session_options=options),
        padbatch.Detector(model),
        padbatch.Detector(onnx.load_from_string(model), providers=["CPUExecutionProvider"]),
    ):
        assert [len(x) for x in made(images([1, 2, 3]))] == [1, 3, 1] and made.fields == ("boxes",) and made.batch == 2
        assert made.session.get_providers() == ["CPUExecutionProvider"]
    assert padbatch.Detector(path, session_options=options).session.get_session_options().intra_op_num_threads == 1
    there = session(model)
    assert padbatch.Detector(there).session is there
    with pytest.raises(ValueError, match="providers and session_options are those of a new session"):
        padbatch.Detector(there, providers=["CPUExecutionProvider"])
    with pytest.raises(TypeError, match="the model is a int"):
        padbatch.Detector(3)


def tiny(inputs, **metadata):
    """A model with these inputs that gives two images of 1 and 3 detections."""
    helper = onnx.helper
    constants = {"num_detections": np.array([[1], [3]], np.int32), "boxes": np.zeros((2, 3, 4), np.float32)}
    nodes = [
        helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(x)) for name, x in constants.items()
    ]
    outputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for name, x in constants.items()
    ]
    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info(n, kind, shape) for n, kind, shape in inputs], outputs
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    told = {"count": "num_detections", "fields": "boxes=boxes", "batch": "2", "max_detections": "3", **metadata}
    helper.set_model_props(model, {f"padbatch.{key}": value for key, value in told.items()})
    return model.SerializeToString()


FLOAT, INT64, UINT8 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.UINT8


@pytest.mark.parametrize(
    "inputs, metadata, text",
    [
        ([("x", FLOAT, [2, 64, 80, 3])], {}, r"input 'x' is \[2, 64, 80, 3\]; expected \[N, 3, H, W\]"),
        ([("x", FLOAT, [2, 1, 64, 80])], {}, r"input 'x' is \[2, 1, 64, 80\]; expected \[N, 3, H, W\]"),
        ([("x", FLOAT, [64, 80])], {}, r"inputs are x \[64, 80\]; expected one for images"),
        ([("x", FLOAT, [3, 64, 80])], {}, r"inputs are x \[3, 64, 80\]; expected one for images"),
        ([("x", INT64, [2, 3, 64, 80])], {}, r"input 'x' is tensor\(int64\); expected images of floats or uint8"),
        ([("x", FLOAT, [4, 3, 64, 80])], {}, "metadata say that it takes 2 images, and its input 4"),
        (
            [("x", FLOAT, [2, 3, 64, 80])],
            {"fields": "boxes"},
            "metadata give 'boxes' for 'padbatch.fields'; expected FIELD=",
        ),
        ([("x", FLOAT, [2, 3, 64, 80])], {"fields": "boxes=b"}, "no output 'b', which is to hold counts or a field"),
    ],
)
def test_models_that_are_refused(inputs, metadata, text):
    with pytest.raises(ValueError, match=text):
        padbatch.Detector(tiny(inputs, **metadata))


def test_a_model_that_gives_another_number_of_images():
    detect = padbatch.Detector(tiny([("x", FLOAT, ["n", 3, 64, 80])], batch="dynamic"))
    assert [len(x) for x in detect(images([1, 2]))] == [1, 3]
    with pytest.raises(ValueError, match="gave results for 2 images; expected 3"):
        detect(images([1, 2, 3]))


def test_uint8_models_take_bytes():
    detect = padbatch.Detector(tiny([("x", UINT8, [2, 3, 64, 80])]))
    assert len(detect([np.zeros((64, 80, 3), np.uint8)])) == 1
    with pytest.raises(TypeError, match="an image is float32, and the model takes uint8"):
        detect(images([1]))


def test_an_input_that_may_be_anything():
    detect = padbatch.Detector(tiny([("x", FLOAT, [2, 3, 64, 80]), ("ids", INT64, [2])]))
    with pytest.raises(ValueError, match=r"input 'ids' is \[2\], which may be a number for each image or not"):
        detect(images([1]), ids=[1, 2])


class OnDevice:
    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self, **_):
        raise AssertionError("this memory must not be asked for")


class Picture:
    """What PIL's images have for NumPy. (tests/python/long has PIL's own.)"""

    def __init__(self, mode, channels):
        self.mode = mode
        self.pixels = np.random.default_rng(channels).integers(0, 256, (64, 80, channels), dtype=np.uint8)

    @property
    def __array_interface__(self):
        shape, kind = self.pixels.shape, self.pixels.dtype.str
        return {"version": 3, "shape": shape, "typestr": kind, "data": self.pixels.tobytes()}


class Makes:
    """An object that makes an array of itself."""

    def __init__(self, pixels):
        self.pixels = pixels

    def __array__(self, dtype=None, copy=None):
        return self.pixels


def test_what_makes_an_array_of_itself_is_taken():
    detect = detector(FIXED)
    pixels = (images([4])[0] * 255).astype(np.uint8)
    picture = Picture("RGB", 3)
    picture.pixels = pixels
    (expected,) = detect([pixels])
    for given in (picture, Makes(pixels)):
        (found,) = detect([given])
        assert len(found) == len(expected) > 0 and dict(found).keys() == dict(expected).keys()
        assert all(found[name].tobytes() == expected[name].tobytes() for name in found.keys())


def test_a_session_of_its_own_logs_errors_only(capfd):
    """ONNX Runtime warns of parameters that a smaller limit leaves unused."""
    model = padded(FIXED, max_detections=1)
    padbatch.Detector(model)
    assert capfd.readouterr().err == ""
    options = onnxruntime.SessionOptions()
    padbatch.Detector(model, session_options=options)
    assert "Removing initializer" in capfd.readouterr().err and options.log_severity_level != 3  # the caller's own


@pytest.mark.parametrize(
    "given, error, text",
    [
        (np.zeros((64, 80, 3), np.uint8), ValueError, r"images has the shape \[64, 80, 3\].*give a list of one image"),
        (np.zeros((2, 64, 80, 3), np.uint8), ValueError, r"the shape \[2, 64, 80, 3\].*give list\(images\)"),
        ([np.zeros((3, 64, 80))], ValueError, r"image 0 has the shape \[3, 64, 80\]; expected .*transpose\(1, 2, 0\)"),
        (
            [np.zeros((64, 80, 3)), np.zeros((64, 80))],
            ValueError,
            r"image 1 has the shape \[64, 80\]; expected \[H, W, 3\]",
        ),
        (
            [np.zeros((64, 80, 4))],
            ValueError,
            r"image 0 has the shape \[64, 80, 4\]; expected \[H, W, 3\]: make it RGB",
        ),
        ([np.zeros((0, 80, 3))], ValueError, r"image 0 has the shape \[0, 80, 3\]; expected one pixel or more"),
        ([np.zeros((64, 80, 3), np.int64)], TypeError, "image 0 is int64; expected uint8, which is divided by 255"),
        (
            [np.zeros((64, 80, 3)), np.zeros((72, 80, 3))],
            ValueError,
            "image 1 is 72 x 80 .height x width.; the model takes 64 x 80",
        ),
        ([[1, 2]], TypeError, "image 0 is a list; expected a NumPy array"),
        ([OnDevice()], ValueError, r"image 0 is in the memory of a device \(CUDA\)"),
        (OnDevice(), ValueError, r"images is in the memory of a device \(CUDA\)"),
        ("photo.jpg", TypeError, "images is a str"),
        ([Picture("RGBA", 4)], ValueError, r"image 0 is an image of mode 'RGBA'; expected 'RGB': .*convert\(\"RGB\"\)"),
        ([Picture("RGB", 3), Picture("HSV", 3)], ValueError, "image 1 is an image of mode 'HSV'"),
        (Picture("RGB", 3), ValueError, "give a list of one image"),
    ],
)
def test_images_that_are_refused(given, error, text):
    with pytest.raises(error, match=text):
        detector(FIXED)(given)


def test_onnxruntime_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(ImportError, match="pip install onnxruntime"):
        padbatch.Detector("padded.onnx")
