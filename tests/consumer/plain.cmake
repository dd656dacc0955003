# SPDX-License-Identifier: Apache-2.0
# cmake -DSOURCE=... -DWORK=... -DCOMPILER=... -DFIXTURE=... -DBUILD=... -DVERSION=... -P plain.cmake
#
# Configures padbatch as a user does, without a single option: there are no tests, and warnings are no errors. Where
# BUILD is true, also builds and installs it; the command, the headers and the CMake package must be there, and work.

file(REMOVE_RECURSE "${WORK}")
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${WORK}/build" -G Ninja
    "-DCMAKE_CXX_COMPILER=${COMPILER}" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON COMMAND_ERROR_IS_FATAL ANY)
file(READ "${WORK}/build/compile_commands.json" commands)
string(REGEX MATCH "-Werror|-Wall" found "${commands}")
foreach(folder IN ITEMS tests examples bench)
    string(FIND "${commands}" "${SOURCE}/${folder}/" place)
    if(NOT place EQUAL -1)
        list(APPEND found "${folder}/")
    endif()
endforeach()
if(found)
    message(FATAL_ERROR "a plain configuration has ${found} in its compile commands")
endif()
if(NOT commands MATCHES "/onnx_tools/cli/main\\.cpp")
    message(FATAL_ERROR "a plain configuration does not build the command")
endif()
if(NOT BUILD)
    return()
endif()

execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}/build" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${WORK}/build" --prefix "${WORK}/prefix"
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${WORK}/prefix/bin/onnx-pad-outputs" --quiet "${FIXTURE}" "${WORK}/padded.onnx"
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/consumer" -G Ninja -DHOW=onnx_tools
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${WORK}/prefix" -DVERSION=${VERSION}
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}/consumer" COMMAND_ERROR_IS_FATAL ANY)
