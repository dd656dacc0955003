# SPDX-License-Identifier: Apache-2.0
# cmake -DCOMPILER=... -DFOLDERS=... -DSOURCE=... [-DPRECOMPILED=...] -P run.cmake
#
# Compiles SOURCE with PADBATCH_MUST_FAIL, where the compiler must refuse it in the words of its second line,
# `// expect: TEXT`, with the first error that it reports, and without, where it must not.

file(STRINGS "${SOURCE}" lines LIMIT_COUNT 2)
list(GET lines 1 second)
if(NOT second MATCHES "^// expect: (.+)$")
    message(FATAL_ERROR "the second line of ${SOURCE} is not `// expect: TEXT`")
endif()
set(expected "${CMAKE_MATCH_1}")
list(TRANSFORM FOLDERS PREPEND -I)
set(compile "${CMAKE_COMMAND}" -E env LC_ALL=C "${COMPILER}" -std=c++20 -fsyntax-only ${FOLDERS} "${SOURCE}")
if(PRECOMPILED)
    list(APPEND compile -include "${PRECOMPILED}")
endif()

execute_process(COMMAND ${compile} RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "without PADBATCH_MUST_FAIL it does not compile:\n${output}")
endif()
execute_process(COMMAND ${compile} -DPADBATCH_MUST_FAIL RESULT_VARIABLE result ERROR_VARIABLE output)
if(result EQUAL 0)
    message(FATAL_ERROR "with PADBATCH_MUST_FAIL it compiles, and should not")
endif()
# What comes before the second error. (A list would end at a semicolon.)
string(FIND "${output}" "error: " begin)
string(SUBSTRING "${output}" ${begin} -1 first)
string(SUBSTRING "${first}" 6 -1 rest)
string(FIND "${rest}" "error: " end)
string(SUBSTRING "${rest}" 0 ${end} first)
string(FIND "${first}" "${expected}" place)
if(place EQUAL -1)
    message(FATAL_ERROR "the first error should be `${expected}`, and the compiler says:\n${output}")
endif()
