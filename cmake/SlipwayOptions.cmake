# Compiler, linker and cache choices shared by every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
option(SLIPWAY_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(SLIPWAY_TSAN "Build with ThreadSanitizer" OFF)
option(SLIPWAY_FUZZ "Build the libFuzzer targets (clang)" OFF)

find_program(SLIPWAY_CCACHE ccache)
if(SLIPWAY_CCACHE)
    # The base directory makes two checkouts of the same commit share compilations; the
    # sloppiness is what ccache asks for when precompiled headers are used.
    set(launcher "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
        CCACHE_PCH_EXTSUM=1
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        "${SLIPWAY_CCACHE}")
    set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
find_program(SLIPWAY_MOLD mold)
if(SLIPWAY_MOLD AND NOT SLIPWAY_FUZZ)
    add_link_options(-fuse-ld=mold)
endif()

add_library(slipway_options INTERFACE)
target_compile_options(slipway_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
    -Wnon-virtual-dtor -Woverloaded-virtual -Werror -fno-omit-frame-pointer
    # GCC 12 sees overlaps in std::string's operator+ that are not there (GCC bug 105329).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(slipway_options INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/generated")
target_compile_definitions(slipway_options INTERFACE
    SLIPWAY_VERSION="${PROJECT_VERSION}"
    QT_NO_KEYWORDS QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_FOREACH
    QT_NO_URL_CAST_FROM_STRING QT_NO_NARROWING_CONVERSIONS_IN_CONNECT
    QT_DISABLE_DEPRECATED_BEFORE=0x060400)
if(SLIPWAY_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
    # With the sanitizers' checks in between, GCC 12 can no longer see that values are set (GCC bug
    # 105562); the release build keeps the warning.
    target_compile_options(slipway_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
elseif(SLIPWAY_TSAN)
    target_compile_options(slipway_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    add_compile_options(-fsanitize=thread)
    add_link_options(-fsanitize=thread)
elseif(SLIPWAY_FUZZ)
    add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
endif()

# slipway_library(NAME GLOB_DIRS... ): one static library of all .cpp files under the given folders.
function(slipway_library name)
    set(sources)
    foreach(dir IN LISTS ARGN)
        file(GLOB_RECURSE found CONFIGURE_DEPENDS "${dir}/*.cpp" "${dir}/*.h")
        list(APPEND sources ${found})
    endforeach()
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC slipway_options)
    set_target_properties(${name} PROPERTIES AUTOMOC OFF)
endfunction()
