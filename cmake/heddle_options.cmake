# Flags that every target of the project shares.
add_library(heddle_options INTERFACE)
target_include_directories(heddle_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(heddle_options INTERFACE
    # libstdc++ 12 uses its own deprecated get_temporary_buffer in stable_sort.
    -Wno-deprecated-declarations
    -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers
    -fno-omit-frame-pointer -fPIE)
target_link_options(heddle_options INTERFACE -pie)
if(HEDDLE_WERROR)
    target_compile_options(heddle_options INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # A timestamp inside the precompiled header would defeat ccache.
    target_compile_options(heddle_options INTERFACE
        $<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>)
    add_link_options(-fuse-ld=lld)
endif()
if(HEDDLE_SANITIZE)
    add_compile_options(-fsanitize=${HEDDLE_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${HEDDLE_SANITIZE})
    if(HEDDLE_SANITIZE MATCHES "address")
        # Coverage for the fuzz targets, which link the rooms as they are built here.
        add_compile_options(-fsanitize=fuzzer-no-link)
    endif()
    if(HEDDLE_SANITIZE MATCHES "thread")
        # TSan does not model standalone fences; Asio takes its fence-free path.
        target_compile_definitions(heddle_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    endif()
    target_compile_definitions(heddle_options INTERFACE HEDDLE_SANITIZED=1)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
