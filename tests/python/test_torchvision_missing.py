# SPDX-License-Identifier: Apache-2.0
"""padbatch.torchvision where PyTorch is not installed."""

import subprocess
import sys
import textwrap

import pytest


def run(program):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)


# Finds none of the packages, as if they were not installed.
HIDDEN = """
    import sys

    class Hidden:
        def find_spec(self, name, path=None, target=None):
            if name in {names!r}:
                raise ModuleNotFoundError("No module named " + repr(name), name=name)

    sys.meta_path.insert(0, Hidden())
    """


def test_the_package_imports_neither_torch_nor_onnx():
    done = run("""
        import sys
        import padbatch
        padbatch.torchvision.export, padbatch.torchvision.TraceWarning, padbatch.torchvision.Report
        for name in ("torch", "torchvision", "onnx", "onnxruntime"):
            assert name not in sys.modules, name
        assert padbatch.torchvision.__name__ == "padbatch.torchvision"
        assert issubclass(padbatch.torchvision.TraceWarning, UserWarning)
        """)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_an_attribute_error():
    import padbatch

    with pytest.raises(AttributeError, match="torchvison"):
        padbatch.torchvison  # noqa: B018


@pytest.mark.parametrize("names", [("torch", "torchvision"), ("onnx",), ("onnxruntime",)])
def test_what_is_missing_is_named(names, tmp_path):
    known = {"torch", "torchvision", "onnx", "onnxruntime"}
    done = run(HIDDEN.format(names=names) + f"""
    import types
    for name in {sorted(known - set(names))!r}:  # whatever else is not installed here
        sys.modules[name] = types.ModuleType(name)

    import padbatch
    try:
        padbatch.torchvision.export(None, {str(tmp_path / "out.onnx")!r}, (64, 80))
    except ImportError as error:
        print(error)
        print(error.name)
    """)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 4, done.stderr
    what = "packages" if len(names) > 1 else "package"
    assert lines[0] == f"padbatch.torchvision.export needs the {what} {', '.join(names)}"
    assert lines[2] == "  what to do: pip install padbatch[torchvision]"
    assert lines[3] == names[0]
    assert not (tmp_path / "out.onnx").exists()


def test_a_package_that_fails_to_import_is_not_called_missing():
    done = run("""
        import sys

        class Broken:
            def find_spec(self, name, path=None, target=None):
                if name == "torch":
                    raise ModuleNotFoundError("No module named 'numbers_of_torch'", name="numbers_of_torch")

        sys.meta_path.insert(0, Broken())
        import padbatch
        try:
            padbatch.torchvision.export(None, "out.onnx", (64, 80))
        except ModuleNotFoundError as error:
            assert error.name == "numbers_of_torch", error
        else:
            raise AssertionError
        """)
    assert done.returncode == 0, done.stderr
