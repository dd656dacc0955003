# SPDX-License-Identifier: Apache-2.0
# The adapters' targets, the same for the source tree and for the installed package.
#
#   padbatch_adapter(NAME [OPTIONAL])
#
# finds the library that padbatch/adapters/NAME.hpp is written for and defines padbatch::NAME, which is the headers and
# that library. The library is looked for only then: the headers alone need none. A target that the project has already
# (Eigen3::Eigen by FetchContent, for example) is taken as it is.
#
# A library that is missing or too old is an error. With OPTIONAL, padbatch_NAME_FOUND is false then, and
# padbatch_NAME_NOT_FOUND_MESSAGE says what was found and what to do.

cmake_policy(VERSION 3.25...3.31)

# One file for each adapter, adapters/NAME.cmake. It runs inside padbatch_adapter and sets
#
#   title    the library's name in messages
#   oldest   the oldest version that will do
#   package  what find_package looks for
#   library  the target that the package defines
#   advice   what to do when it is missing or too old
#   wanted   optional: further arguments of find_package
#   how      optional: MODULE, where padbatch brings the find module
file(GLOB padbatch_adapter_files CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/adapters/*.cmake")
list(TRANSFORM padbatch_adapter_files REPLACE "^.*/([a-z_]+)\\.cmake$" "\\1" OUTPUT_VARIABLE padbatch_adapter_names)
set(padbatch_ADAPTERS ${padbatch_adapter_names} CACHE INTERNAL "")
unset(padbatch_adapter_files)
unset(padbatch_adapter_names)

function(padbatch_adapter name)
    cmake_parse_arguments(PARSE_ARGV 1 arg OPTIONAL "" "")
    if(NOT name IN_LIST padbatch_ADAPTERS)
        message(FATAL_ERROR "padbatch has no adapter ${name}; it has: ${padbatch_ADAPTERS}")
    endif()
    set(how CONFIG)
    set(wanted "")
    include("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/adapters/${name}.cmake")

    set(message "")
    if(TARGET ${library})
        get_property(message TARGET ${library} PROPERTY padbatch_refused)
    else()
        find_package(${package} ${how} QUIET ${wanted})
        if(ONNXRuntime_API_VERSION) # it is the headers that have to be new enough
            set(ONNXRuntime_VERSION "1.${ONNXRuntime_API_VERSION}")
            set(ONNXRuntime_DIR "${ONNXRuntime_INCLUDE_DIR}")
        endif()
        if(NOT TARGET ${library})
            if(name STREQUAL "onnxruntime")
                set(advice "${ONNXRuntime_NOT_FOUND_MESSAGE}")
            endif()
            set(message "padbatch::${name} needs ${title} ${oldest} or newer, which was not found: ${advice}")
        elseif(${package}_VERSION AND ${package}_VERSION VERSION_LESS oldest)
            set(message "padbatch::${name} needs ${title} ${oldest} or newer; ${${package}_DIR} has ${${package}_VERSION}: ${advice}")
            set_property(TARGET ${library} PROPERTY padbatch_refused "${message}")
        endif()
    endif()

    if(message AND NOT arg_OPTIONAL)
        message(FATAL_ERROR "${message}")
    elseif(message)
        set(padbatch_${name}_FOUND FALSE PARENT_SCOPE)
    else()
        if(NOT TARGET padbatch::${name})
            add_library(padbatch::${name} INTERFACE IMPORTED)
            target_link_libraries(padbatch::${name} INTERFACE padbatch::padbatch ${library})
        endif()
        set(padbatch_${name}_FOUND TRUE PARENT_SCOPE)
    endif()
    set(padbatch_${name}_NOT_FOUND_MESSAGE "${message}" PARENT_SCOPE)
endfunction()
