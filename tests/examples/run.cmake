# SPDX-License-Identifier: Apache-2.0
# cmake -DPROGRAM=... -DARGUMENTS=... -DEXPECTED=... -P run.cmake
#
# Runs an example. It must succeed and print what the file EXPECTED holds, if there is such a file.

execute_process(COMMAND "${PROGRAM}" ${ARGUMENTS} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "it exited with ${result}:\n${output}${errors}")
endif()
if(EXISTS "${EXPECTED}")
    file(READ "${EXPECTED}" expected)
    if(NOT output STREQUAL expected)
        message(FATAL_ERROR "it should print\n${expected}\nand prints\n${output}")
    endif()
endif()
