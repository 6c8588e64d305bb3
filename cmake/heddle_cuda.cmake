# The CUDA compiler, out of five pinned packages: no toolkit and no card are needed to build the
# module. The packages share one tree that their own paths expect; it is put together by links.
set(HEDDLE_CUDA_ROOT ${HEDDLE_THIRD_PARTY}/cuda-13.0.88)
heddle_stage(CUDA_NVCC nvidia-cuda-nvcc 13.0.88)
heddle_stage(CUDA_CRT nvidia-cuda-crt 13.0.88)
heddle_stage(CUDA_NVVM nvidia-nvvm 13.0.88)
heddle_stage(CUDA_RUNTIME nvidia-cuda-runtime 13.0.96)
heddle_stage(CUDA_CCCL nvidia-cuda-cccl 13.0.85)
if(NOT EXISTS ${HEDDLE_CUDA_ROOT}/.complete)
    file(MAKE_DIRECTORY ${HEDDLE_CUDA_ROOT})
    foreach(part ${CUDA_NVCC} ${CUDA_CRT} ${CUDA_NVVM} ${CUDA_RUNTIME} ${CUDA_CCCL})
        execute_process(COMMAND cp -alf ${part}/cuda/. ${HEDDLE_CUDA_ROOT}/ RESULT_VARIABLE status)
        if(NOT status EQUAL 0)
            message(FATAL_ERROR "the CUDA compiler could not be put together")
        endif()
    endforeach()
    file(GLOB programs ${HEDDLE_CUDA_ROOT}/bin/* ${HEDDLE_CUDA_ROOT}/nvvm/bin/*)
    execute_process(COMMAND chmod +x ${programs})
    file(TOUCH ${HEDDLE_CUDA_ROOT}/.complete)
endif()

# heddle_cuda_objects(VARIABLE file.cu...): object files for sm_90a.
function(heddle_cuda_objects variable)
    set(objects)
    foreach(source IN LISTS ARGN)
        get_filename_component(name ${source} NAME_WE)
        set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.cu.o)
        add_custom_command(
            OUTPUT ${object}
            COMMAND ${CCACHE_PROGRAM} ${HEDDLE_CUDA_ROOT}/bin/nvcc -ccbin ${CMAKE_CXX_COMPILER}
                -std=c++20 -gencode=arch=compute_90a,code=sm_90a -O3 -lineinfo
                -I${CMAKE_SOURCE_DIR}/src -Xcompiler=-fPIC,-fvisibility=hidden,-Wall
                -MD -MF ${object}.d -c ${source} -o ${object}
            DEPENDS ${source}
            DEPFILE ${object}.d
            COMMENT "Compiling ${name}.cu for sm_90a"
            VERBATIM)
        list(APPEND objects ${object})
    endforeach()
    set(${variable} ${objects} PARENT_SCOPE)
endfunction()
