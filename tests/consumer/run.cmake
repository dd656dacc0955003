# SPDX-License-Identifier: Apache-2.0
# cmake -DHOW=... -DSOURCE=... -DPREFIX=... -DWORK=... -DCOMPILER=... -DFIXTURE=... -DFOUND_AT=... -DADAPTERS=... -DVERSION=...
#     -P run.cmake
#
# Configures, builds and runs the consumer project in WORK. Where HOW names a thing that cannot be had, configuring must
# fail, with a message that says what is missing and what to do.

set(refusal_impossible "compatible with requested version \"99.0\"")
set(refusal_onnx_missing "onnx_tools needs ONNX and protobuf: install libonnx-dev")
set(refusal_adapter_missing
    "padbatch::eigen needs Eigen 3.4 or newer, which was not found: install it \\(Debian: libeigen3-dev\\) or pass -DEigen3_DIR=")
set(refusal_subdirectory_missing "${refusal_adapter_missing}")
set(refusal_adapter_old "padbatch::eigen needs Eigen 3.4 or newer; .*/old has 3.3.9: install it")
set(refusal_unknown "there is no component eigne; there are: eigen;")

file(REMOVE_RECURSE "${WORK}")
if(NOT HOW MATCHES "adapters$")
    set(ADAPTERS "")
    set(FOUND_AT "")
endif()
execute_process(
    COMMAND "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}" -G Ninja -DHOW=${HOW}
        "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DPADBATCH_SOURCE=${SOURCE}" "-DCMAKE_PREFIX_PATH=${PREFIX}"
        "-DADAPTERS=${ADAPTERS}" -DVERSION=${VERSION} ${FOUND_AT}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(DEFINED refusal_${HOW})
    string(REGEX REPLACE "[ \n]+" " " output_line "${output}") # CMake wraps its messages
    if(result EQUAL 0 OR NOT output_line MATCHES "${refusal_${HOW}}")
        message(FATAL_ERROR "${HOW} was not refused as it should be:\n${output}")
    endif()
    return()
endif()
if(NOT result EQUAL 0)
    message(FATAL_ERROR "configuring failed:\n${output}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}" COMMAND_ERROR_IS_FATAL ANY)
list(TRANSFORM ADAPTERS PREPEND uses_)
foreach(program IN LISTS ADAPTERS ITEMS consumer)
    execute_process(COMMAND "${WORK}/${program}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
if(HOW STREQUAL "onnx_tools")
    execute_process(COMMAND "${WORK}/rewrite" "${FIXTURE}" "${WORK}/by_library.onnx" COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND "${PREFIX}/bin/onnx-pad-outputs" --quiet "${FIXTURE}" "${WORK}/by_command.onnx"
        COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${WORK}/by_library.onnx" "${WORK}/by_command.onnx"
        COMMAND_ERROR_IS_FATAL ANY)
endif()
