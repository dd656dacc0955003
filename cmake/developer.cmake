# SPDX-License-Identifier: Apache-2.0
# What only the developers of padbatch need: warnings, sanitizers, and the parts that users do not build.

option(PADBATCH_BUILD_TESTS "Build the tests" ON)
option(PADBATCH_BUILD_BENCHMARKS "Build the benchmarks" ON)
option(PADBATCH_LONG_TESTS "Also run the tests that take long" OFF)
option(PADBATCH_UNITY_BUILD "Compile several sources at once: faster from scratch, slower after a change" OFF)
set(PADBATCH_SANITIZERS "" CACHE STRING "Sanitizers to build with, such as address,undefined")

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
set_target_properties(padbatch PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON) # which was made before this line

# A compiler's cache does not know precompiled headers, unless it is told to overlook much.
set(no_precompiled_headers OFF)
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache")
    set(no_precompiled_headers ON)
endif()
option(CMAKE_DISABLE_PRECOMPILE_HEADERS "Parse every header again for every source" ${no_precompiled_headers})

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    add_compile_options(-Wno-restrict) # false alarms on std::string's operator+, GCC bug 105651
endif()
# g++ collects garbage when it has filled 128 MB. With 512 MB a compilation takes a tenth less time.
if(PADBATCH_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options("SHELL:--param ggc-min-heapsize=524288 --param ggc-min-expand=100")
endif()
if(PADBATCH_SANITIZERS)
    add_compile_options(-fsanitize=${PADBATCH_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${PADBATCH_SANITIZERS})
    if(NOT PADBATCH_LONG_TESTS AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        # Before each function clang writes its type's name, which for templates is a third of the time and of the memory
        # that compiling takes. It is there to catch calls through a function pointer of another type, and padbatch has
        # one function pointer.
        add_compile_options(-fno-sanitize=function)
    endif()
    if(NOT PADBATCH_LONG_TESTS)
        # The lines of a stack, which are a quarter of the time that compiling takes: a report names functions without.
        add_compile_options(-g0)
    endif()
endif()

# For targets that read precompiled headers: more of GCC bug 105651, which no longer knows std::string for a system
# header when that is precompiled.
function(padbatch_allow_precompiled_strings target visibility)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        target_compile_options(${target} ${visibility} -Wno-array-bounds -Wno-stringop-overflow)
    endif()
endfunction()

# Compiles a target's sources together, if asked for.
function(padbatch_unity_build target)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ${PADBATCH_UNITY_BUILD} UNITY_BUILD_BATCH_SIZE 16)
    if(PADBATCH_UNITY_BUILD)
        target_compile_options(${target} PRIVATE -Wno-shadow) # of what another source has in its unnamed namespace
    endif()
endfunction()

# Engines that run models, and the programs linked with them, have no sanitizers, and are slow to run beside ours. What
# is ours in them, the rewrite and the adapters' headers, is sanitized by other tests; these programs are for --long.
set(PADBATCH_ENGINE_TESTS ON)
if(PADBATCH_SANITIZERS AND NOT PADBATCH_LONG_TESTS)
    set(PADBATCH_ENGINE_TESTS OFF)
endif()

# The adapters whose libraries are here.
foreach(adapter IN LISTS padbatch_ADAPTERS)
    padbatch_adapter(${adapter} OPTIONAL)
    if(NOT padbatch_${adapter}_FOUND)
        message(STATUS "left out: ${padbatch_${adapter}_NOT_FOUND_MESSAGE}")
    endif()
endforeach()

# Sets OUT to the adapters that a source file includes: <padbatch/adapters/NAME.hpp>.
function(padbatch_included_adapters source out)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
    file(STRINGS "${source}" adapters REGEX "^#include <padbatch/adapters/[a-z_]+\\.hpp>")
    list(TRANSFORM adapters REPLACE "^.*/([a-z_]+)\\.hpp>.*$" "\\1")
    set(${out} "${adapters}" PARENT_SCOPE)
endfunction()
