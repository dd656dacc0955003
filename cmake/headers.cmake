# SPDX-License-Identifier: Apache-2.0
# The headers, in two sets: `adapters` are those that need a library besides, adapters/NAME.hpp and adapters/NAME/*.hpp,
# which padbatch_adapter(NAME) brings; `HEADERS` are all the others, which need nothing.

file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/padbatch/*.hpp")
list(JOIN padbatch_ADAPTERS "|" any_adapter)
set(adapter_headers ${headers})
list(FILTER headers EXCLUDE REGEX "/adapters/(${any_adapter})[./]")
list(FILTER adapter_headers INCLUDE REGEX "/adapters/(${any_adapter})[./]")

target_sources(padbatch INTERFACE
    FILE_SET HEADERS BASE_DIRS include FILES ${headers}
    FILE_SET adapters TYPE HEADERS BASE_DIRS include FILES ${adapter_headers})
# Compiled alone by the target all_verify_interface_header_sets, where CMAKE_VERIFY_INTERFACE_HEADER_SETS is set. The
# tests compile the adapters, with their libraries.
set_target_properties(padbatch PROPERTIES INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)
