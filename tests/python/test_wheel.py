# SPDX-License-Identifier: Apache-2.0
"""What the installed wheel has in it, and what it needs."""

import ast
import importlib.metadata
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

import padbatch
import pytest

PACKAGE = pathlib.Path(padbatch.__file__).parent
ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = pathlib.Path(sysconfig.get_path("scripts")) / "onnx-pad-outputs"
MODULES = ["_arrays", "_rewrite"]
# libc and libstdc++, with what these consist of.
SYSTEM = re.compile(r"(linux-vdso|libc|libm|libstdc\+\+|libgcc_s|libpthread|libdl|librt|/.*/ld-linux[-\w]*)\.so\.\d+")


def module_file(name):
    (file,) = PACKAGE.glob(f"{name}.*so")
    return file


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_is_the_wheel_that_is_tested():
    assert PACKAGE.is_relative_to(sysconfig.get_path("purelib"))
    assert not PACKAGE.is_relative_to(ROOT / "python")


def test_version_is_the_headers():
    header = (ROOT / "include/padbatch/version.hpp").read_text()
    version = ".".join(re.search(rf"VERSION_{part} (\d+)", header)[1] for part in ["MAJOR", "MINOR", "PATCH"])
    assert importlib.metadata.version("padbatch") == padbatch.__version__ == version
    assert output(COMMAND, "--version") == f"onnx-pad-outputs {version}\n"


@pytest.mark.parametrize("name", MODULES)
def test_module_shows_only_what_python_looks_up(name):
    assert shutil.which("nm"), "nm is missing: apt-get install binutils"
    lines = output("nm", "-D", "--defined-only", module_file(name)).splitlines()
    assert [line.split()[1:] for line in lines] == [["T", f"PyInit_{name}"]]


@pytest.mark.parametrize("file", [*MODULES, "onnx-pad-outputs"])
def test_needs_no_library_but_libc_and_libstdcxx(file):
    listed = output("ldd", COMMAND if file == "onnx-pad-outputs" else module_file(file))
    names = [line.split()[0] for line in listed.splitlines()]
    assert any(name.startswith("libc.so") for name in names)
    assert [name for name in names if not SYSTEM.fullmatch(name)] == []


def test_package_is_typed():
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.parametrize("name", MODULES)
def test_stub_declares_what_the_module_has(name):
    module = __import__(f"padbatch.{name}", fromlist=[name])
    tree = ast.parse((PACKAGE / f"{name}.pyi").read_text())
    declared = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    there = {key for key, value in vars(module).items() if not key.startswith("_") and callable(value)}
    assert there <= declared


def test_licenses_of_what_is_linked_in_come_along():
    (text,) = [file.read_text() for file in importlib.metadata.files("padbatch") if file.name == "LICENSES.txt"]
    for owner in ["Google Inc.", "Wenzel Jakob", "Goetghebuer-Planchon", "University of Cincinnati", "Niels Lohmann"]:
        assert owner in text


def test_import_brings_no_engine():
    program = "import sys, padbatch; print({'torch', 'onnx', 'onnxruntime', 'torchvision'} & set(sys.modules))"
    assert output(sys.executable, "-c", program) == "set()\n"
