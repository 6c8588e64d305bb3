# Libraries that Debian does not have, staged by tools/fetch_third_party from the packages pinned
# in tools/third_party.txt. A stage that is missing is fetched when the tree is configured.
set(HEDDLE_THIRD_PARTY ${CMAKE_SOURCE_DIR}/build/third_party CACHE PATH "Where packages are staged")

# heddle_stage(VARIABLE NAME VERSION): the folder of a staged package.
function(heddle_stage variable name version)
    set(folder ${HEDDLE_THIRD_PARTY}/${name}-${version})
    if(NOT EXISTS ${folder}/.stamp)
        execute_process(
            COMMAND ${CMAKE_SOURCE_DIR}/tools/fetch_third_party
                --only ${name} --into ${HEDDLE_THIRD_PARTY}
            RESULT_VARIABLE status)
        if(NOT status EQUAL 0 OR NOT EXISTS ${folder}/.stamp)
            message(FATAL_ERROR "${name} ${version} is not staged; run tools/fetch_third_party")
        endif()
    endif()
    set(${variable} ${folder} PARENT_SCOPE)
endfunction()

# lexbor: HTML, URLs, encodings, IDNA. Only markup/ may link it.
heddle_stage(LEXBOR selectolax 1.0.2)
file(GLOB_RECURSE lexbor_sources ${LEXBOR}/lexbor/source/*.c)
list(FILTER lexbor_sources EXCLUDE REGEX "/ports/windows_nt/")
add_library(lexbor STATIC EXCLUDE_FROM_ALL ${lexbor_sources})
target_include_directories(lexbor SYSTEM PUBLIC ${LEXBOR}/lexbor/source)
target_compile_definitions(lexbor PUBLIC LEXBOR_STATIC)
target_compile_options(lexbor PRIVATE -w -fPIE -fno-omit-frame-pointer -ffunction-sections)
target_link_libraries(lexbor PUBLIC m)
