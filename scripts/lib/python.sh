# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by scripts/wheel and scripts/test: the roots that the Python package is made
# with, and virtual environments without a network. Sourced after common.sh, never run.
# shellcheck disable=SC2034

# The Debian packages that prepare_python needs on this machine.
python_root_packages() {
  local name
  for name in python protobuf; do root_packages "$name"; done
}

# Prepares the roots. Sets $python_root, the array python_args (what CMake's configure step
# must be told) and $pip_python, a Python that has pip.
prepare_python() {
  local root_args=() argument
  prepare_root python "the tools for the Python package"
  prepare_root protobuf "the sources of libprotobuf"
  python_args=(-DPADBATCH_BUILD_PYTHON=ON)
  for argument in "${root_args[@]}"; do
    case $argument in
    -DPADBATCH_PYTHON_ROOT=*) python_root=${argument#*=} ;;
    *) python_args+=("$argument") ;;
    esac
  done
  python_args+=("-DPython_EXECUTABLE=$python_root/venv/bin/python")
  pip_python=$(python_with_pip) ||
    die "making a wheel needs Python 3 with pip: apt-get install --no-install-recommends python3-pip"
  pip_python=$(command -v "$pip_python") # whatever PATH comes to be
}

# offline_pip PYTHON ARGUMENT...: pip for that Python, which takes packages from the root alone.
offline_pip() {
  PIP_NO_INDEX=1 PIP_FIND_LINKS=$python_root/wheels "$pip_python" -m pip --disable-pip-version-check --python "$@"
}

# python_environment DEST [OPTION...] -- PACKAGE...: makes a virtual environment of
# /usr/bin/python3 with these packages, which are wheels or in the root. OPTION is venv's.
python_environment() {
  local dest=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  rm -rf "$dest"
  /usr/bin/python3 -m venv --without-pip "${options[@]}" "$dest"
  offline_pip "$dest/bin/python" install --quiet --no-compile "$@"
}
