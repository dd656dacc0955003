# SPDX-License-Identifier: Apache-2.0
set(title "ONNX Runtime")
set(oldest 1.17)
set(package ONNXRuntime)
set(library ONNXRuntime::ONNXRuntime)
set(how MODULE)
list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_FUNCTION_LIST_DIR}") # FindONNXRuntime.cmake
set(advice "pass -DONNXRUNTIME_ROOT=<the folder of a newer one>")
