# cmake -DHOW=... -DSOURCE=... -DPREFIX=... -DWORK=... -DCOMPILER=... -DFIXTURE=... -P run.cmake
#
# Configures, builds and runs the consumer project in WORK. For HOW=impossible, configuring must fail, and because of
# the version; for HOW=onnx_missing, with a message that says what to install.

file(REMOVE_RECURSE "${WORK}")
execute_process(
    COMMAND "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}" -G Ninja -DHOW=${HOW}
        "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DPADBATCH_SOURCE=${SOURCE}" "-DCMAKE_PREFIX_PATH=${PREFIX}"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(HOW STREQUAL "impossible")
    if(result EQUAL 0 OR NOT output MATCHES "compatible with\n? *requested version \"99.0\"")
        message(FATAL_ERROR "padbatch 99.0 was not refused as it should be:\n${output}")
    endif()
    return()
endif()
if(HOW STREQUAL "onnx_missing")
    if(result EQUAL 0 OR NOT output MATCHES "install[ \n]+libonnx-dev")
        message(FATAL_ERROR "the missing ONNX was not told of as it should be:\n${output}")
    endif()
    return()
endif()
if(NOT result EQUAL 0)
    message(FATAL_ERROR "configuring failed:\n${output}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${WORK}/consumer" COMMAND_ERROR_IS_FATAL ANY)
if(HOW STREQUAL "onnx_tools")
    execute_process(COMMAND "${WORK}/rewrite" "${FIXTURE}" "${WORK}/by_library.onnx" COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND "${PREFIX}/bin/onnx-pad-outputs" --quiet "${FIXTURE}" "${WORK}/by_command.onnx"
        COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${WORK}/by_library.onnx" "${WORK}/by_command.onnx"
        COMMAND_ERROR_IS_FATAL ANY)
endif()
