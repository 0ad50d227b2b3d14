# Precompiled headers: one per set of compiler flags, shared by all targets with that set, of system
# headers only (a header of ours in it would rebuild everything at each change of it). Clang's builds
# (fuzzing, clang-tidy) go without, and so prove that no source relies on what the others happen to see.
set(slipway_standard_headers
    <algorithm> <array> <chrono> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional> <set>
    <sstream> <string> <string_view> <unordered_map> <utility> <variant> <vector>)

# slipway_precompiled(NAME HEADERS... LINK LIBS...): makes the header pch_NAME with the flags that
# LIBS bring.
function(slipway_precompiled name)
    if(SLIPWAY_FUZZ)
        return()
    endif()
    cmake_parse_arguments(arg "" "" "LINK;HEADERS" ${ARGN})
    set(source "${CMAKE_BINARY_DIR}/generated/pch_${name}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "// Owns a precompiled header.\n")
    add_library(pch_${name} OBJECT "${source}")
    set_target_properties(pch_${name} PROPERTIES AUTOMOC OFF)
    target_link_libraries(pch_${name} PRIVATE slipway_options ${arg_LINK})
    target_precompile_headers(pch_${name} PRIVATE ${slipway_standard_headers} ${arg_HEADERS})
    # ccache needs the headers' names in the preprocessed text.
    target_compile_options(pch_${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()

# slipway_use_precompiled(TARGET NAME)
function(slipway_use_precompiled target name)
    if(TARGET pch_${name})
        target_precompile_headers(${target} REUSE_FROM pch_${name})
        target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
    endif()
endfunction()
