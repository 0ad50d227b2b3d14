# Test programs are compiled without optimisation: what they test is a library with its own flags, and
# compiling them is most of a build.
function(slipway_test_flags target pch)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O0>)
    slipway_use_precompiled(${target} ${pch})
endfunction()

# slipway_tests(LABEL PRECOMPILED FOLDER LIBS...): every tst_*.cpp below FOLDER becomes a Qt Test program that
# ctest runs with the given label. Programs write JUnit files to ${CMAKE_BINARY_DIR}/junit so that
# single rows are counted.
function(slipway_tests label pch folder)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${folder}/tst_*.cpp")
    file(GLOB_RECURSE shared CONFIGURE_DEPENDS "${folder}/support/*.cpp")
    # A simulator runs for minutes and hours, so it is the one part that is worth optimising.
    set(simulator ${shared})
    list(FILTER simulator INCLUDE REGEX "/simulation/")
    list(FILTER shared EXCLUDE REGEX "/simulation/")
    if(shared AND NOT TARGET test_support_${label})
        add_library(test_support_${label} STATIC ${shared})
        target_link_libraries(test_support_${label} PUBLIC ${ARGN} Qt6::Test)
        slipway_test_flags(test_support_${label} ${pch})
    endif()
    if(simulator AND NOT TARGET test_simulation_${label})
        add_library(test_simulation_${label} STATIC ${simulator})
        target_link_libraries(test_simulation_${label} PUBLIC test_support_${label})
        target_link_libraries(test_support_${label} PUBLIC test_simulation_${label})
        slipway_use_precompiled(test_simulation_${label} services)
    endif()
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        set(target "${label}_${name}")
        add_executable(${target} "${source}")
        set_target_properties(${target} PROPERTIES AUTOMOC ON)
        target_link_libraries(${target} PRIVATE ${ARGN} test_source_tree Qt6::Test)
        # Of two copies of an inline function the linker keeps the first, which is this program's.
        if(source MATCHES "/simulation/")
            slipway_use_precompiled(${target} services)
        else()
            slipway_test_flags(${target} ${pch})
        endif()
        if(TARGET test_support_${label})
            target_link_libraries(${target} PRIVATE test_support_${label})
        endif()
        add_test(NAME ${label}/${name} COMMAND ${target}
            -o "${CMAKE_BINARY_DIR}/junit/${label}_${name}.xml,junitxml" -o -,txt)
        set_tests_properties(${label}/${name} PROPERTIES LABELS ${label} TIMEOUT 300
            ENVIRONMENT
            "QT_QPA_PLATFORM=offscreen;TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tools/tsan.supp")
    endforeach()
    add_custom_target(tests_${label})
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        add_dependencies(tests_${label} ${label}_${name})
    endforeach()
endfunction()
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/junit")
