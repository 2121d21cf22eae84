# The fuzz targets: programs that run cases of their own, and, with PSCTX_FUZZER and clang, libFuzzer's. For inclusion by core.cmake.
option(PSCTX_FUZZER "Build the fuzz targets for libFuzzer too, with PSCTX_SANITIZE=address,undefined" OFF)
if(PSCTX_FUZZER) # guided by what a case reaches in the driver
    target_compile_options(psctx_driver PRIVATE -fsanitize=fuzzer-no-link)
endif()

# Mutations of a run in the tests: enough to reach everything.
set(PSCTX_FUZZ_CASES_names 20000)
set(PSCTX_FUZZ_CASES_passthrough 5000)
set(PSCTX_FUZZ_CASES_requests 10000)
set(PSCTX_FUZZ_CASES_sequences 2000)

set(PSCTX_FUZZ_TARGETS names passthrough requests sequences)
foreach(target ${PSCTX_FUZZ_TARGETS})
    set(programs fuzz_${target})
    if(PSCTX_FUZZER)
        list(APPEND programs libfuzzer_${target})
    endif()
    foreach(program ${programs})
        add_executable(${program} ${CORE_FUZZ_DIRECTORY}/${target}.c ${CORE_FUZZ_DIRECTORY}/fuzz.c)
        target_compile_options(${program} PRIVATE -fPIC) # the library's variables stay where they are
        if(target STREQUAL "names") # knows the driver's own routines, and needs no kernel that is put back
            target_include_directories(${program} PRIVATE ${CORE_DIRECTORY}/../../driver/src)
            target_link_libraries(${program} PRIVATE driver_core_fixture)
        else()
            target_link_libraries(${program} PRIVATE psctx_kernel)
        endif()
    endforeach()
    if(PSCTX_FUZZER)
        target_compile_definitions(libfuzzer_${target} PRIVATE PSCTX_FUZZER)
        target_link_options(libfuzzer_${target} PRIVATE -fsanitize=fuzzer)
    endif()
    add_test(NAME fuzz_${target}
        COMMAND fuzz_${target} --cases=${PSCTX_FUZZ_CASES_${target}} ${CORE_FUZZ_DIRECTORY}/corpus/${target})
    set_tests_properties(fuzz_${target} PROPERTIES TIMEOUT 120)
    if(NOT target STREQUAL "names") # which have nothing to do with the front
        add_test(NAME fuzz_${target}_minifilter
            COMMAND fuzz_${target} --cases=${PSCTX_FUZZ_CASES_${target}} ${CORE_FUZZ_DIRECTORY}/corpus/${target})
        set_tests_properties(fuzz_${target}_minifilter PROPERTIES ENVIRONMENT PSCTX_FRONT=minifilter TIMEOUT 120)
    endif()
endforeach()
