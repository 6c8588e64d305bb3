# heddle_room(NAME [DEPS room...] [LIBS target...] [ISA file=flags...])
# One room = one static library heddle_<name> of all *.cpp in its folder (tests apart), and, with
# HEDDLE_TESTS, one GoogleTest binary <name>_tests of all *_test.cpp beside them. Helpers that
# several test files share are named *_testing.{h,cpp} and go into the test binary.
# A room that depends (directly or not) on `async` uses the precompiled Boost header.
function(heddle_room name)
    cmake_parse_arguments(ARG "PCH" "" "DEPS;LIBS;TEST_DEPS" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS
        ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_(test|testing)\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "_(test|testing)\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")

    set(deps)
    foreach(dep IN LISTS ARG_DEPS)
        if(TARGET heddle_${dep})
            list(APPEND deps heddle_${dep})
        endif()
    endforeach()
    if(sources)
        add_library(heddle_${name} STATIC ${sources})
        target_link_libraries(heddle_${name} PUBLIC heddle_options ${deps} ${ARG_LIBS})
        if(ARG_PCH)
            target_precompile_headers(heddle_${name} REUSE_FROM heddle_pch)
        endif()
    else()
        add_library(heddle_${name} INTERFACE)
        target_link_libraries(heddle_${name} INTERFACE heddle_options ${deps} ${ARG_LIBS})
    endif()

    if(HEDDLE_TESTS AND tests)
        add_executable(${name}_tests ${tests})
        set(test_deps)
        foreach(dep IN LISTS ARG_TEST_DEPS)
            list(APPEND test_deps heddle_${dep})
        endforeach()
        target_link_libraries(${name}_tests PRIVATE
            heddle_${name} ${test_deps} GTest::gmock GTest::gtest_main)
        target_compile_definitions(${name}_tests PRIVATE HEDDLE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
        if(ARG_PCH)
            target_precompile_headers(${name}_tests REUSE_FROM heddle_pch)
        endif()
        add_test(NAME ${name} COMMAND ${name}_tests)
        set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS unit
            WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    endif()
endfunction()
