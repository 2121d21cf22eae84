# The tests of the driver's core: requests, races, exhausted memory, and fuzzing. For inclusion in a CMakeLists.txt that knows
# the targets psctx_host and psctx_driver, and PSCTX_WARNINGS.

set(CORE_DIRECTORY ${CMAKE_CURRENT_LIST_DIR})
set(CORE_FUZZ_DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/../fuzz)

find_package(Threads REQUIRED)

add_library(driver_core_fixture STATIC
    ${CORE_DIRECTORY}/core_batch.c
    ${CORE_DIRECTORY}/core_filters.c
    ${CORE_DIRECTORY}/core_fixture.c
    ${CORE_DIRECTORY}/core_other_filter.c
    ${CORE_DIRECTORY}/core_pages.c
    ${CORE_DIRECTORY}/core_probe.c
    ${CORE_DIRECTORY}/core_random.c
    ${CORE_DIRECTORY}/core_reader.c
    ${CORE_DIRECTORY}/core_record.c
    ${CORE_DIRECTORY}/core_redirector.c
    ${CORE_DIRECTORY}/core_runner.c
)
set_target_properties(driver_core_fixture PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_include_directories(driver_core_fixture PUBLIC ${CORE_DIRECTORY} ${CORE_DIRECTORY}/../../driver/include)
target_compile_features(driver_core_fixture PUBLIC c_std_11)
target_compile_options(driver_core_fixture PUBLIC ${PSCTX_WARNINGS})
target_link_libraries(driver_core_fixture PUBLIC psctx_driver psctx_host Threads::Threads)

set(CORE_CONTRACT_TESTS
    ${CORE_DIRECTORY}/core_access.c
    ${CORE_DIRECTORY}/core_enumerate.c
    ${CORE_DIRECTORY}/core_events.c
    ${CORE_DIRECTORY}/core_handles.c
    ${CORE_DIRECTORY}/core_identity.c
    ${CORE_DIRECTORY}/core_kernels.c
    ${CORE_DIRECTORY}/core_lifetime.c
    ${CORE_DIRECTORY}/core_limits.c
    ${CORE_DIRECTORY}/core_network.c
    ${CORE_DIRECTORY}/core_replies.c
    ${CORE_DIRECTORY}/core_requests.c
    ${CORE_DIRECTORY}/core_tests.c
)
add_executable(driver_core ${CORE_CONTRACT_TESTS})
add_executable(driver_races
    ${CORE_DIRECTORY}/core_event_races.c
    ${CORE_DIRECTORY}/core_event_stress.c
    ${CORE_DIRECTORY}/core_races.c
    ${CORE_DIRECTORY}/core_stacks.c
    ${CORE_DIRECTORY}/core_stress.c
    ${CORE_DIRECTORY}/core_suspension.c
)
add_executable(driver_bounds
    ${CORE_DIRECTORY}/core_bounds.c
    ${CORE_DIRECTORY}/core_interrupts.c
)
add_executable(driver_counts ${CORE_DIRECTORY}/core_counts.c)
add_executable(driver_tracking ${CORE_DIRECTORY}/core_tracking.c ${CORE_DIRECTORY}/test_file_system.c)
add_executable(driver_inspect ${CORE_DIRECTORY}/core_inspect.c)
foreach(program driver_bounds driver_counts driver_inspect driver_tracking)
    target_include_directories(${program} PRIVATE ${CORE_DIRECTORY}/../../driver/src)
endforeach()
target_compile_options(driver_tracking PRIVATE -Wno-multichar)
add_executable(driver_faults ${CORE_DIRECTORY}/core_faults.c)

foreach(program driver_core driver_races driver_bounds driver_counts driver_inspect driver_tracking driver_faults)
    target_link_libraries(${program} PRIVATE driver_core_fixture)
    add_test(NAME ${program} COMMAND ${program})
    add_test(NAME ${program}_minifilter COMMAND ${program})
    set_tests_properties(${program}_minifilter PROPERTIES ENVIRONMENT PSCTX_FRONT=minifilter)
    set_tests_properties(${program} ${program}_minifilter PROPERTIES TIMEOUT 120)
endforeach()

# The same where pageable code and paged pool are taken away at DISPATCH_LEVEL: see paging.c. Sanitizers keep the tables of what they know elsewhere,
# and the unwinder of 32-bit x86 reads the code that it comes through, which is then not there.
if(NOT PSCTX_SANITIZE AND CMAKE_C_SIZEOF_DATA_PTR EQUAL 8)
    foreach(program driver_core driver_counts driver_tracking)
        add_test(NAME ${program}_paged COMMAND ${program})
        add_test(NAME ${program}_paged_minifilter COMMAND ${program})
        set_tests_properties(${program}_paged PROPERTIES ENVIRONMENT HOST_PAGES_OUT=1 TIMEOUT 120)
        set_tests_properties(${program}_paged_minifilter PROPERTIES ENVIRONMENT "HOST_PAGES_OUT=1;PSCTX_FRONT=minifilter" TIMEOUT 120)
    endforeach()
endif()

# What the driver does with the answers of kernel routines, which core_answers.c stands in front of.
include(${CORE_DIRECTORY}/core_answers.cmake)
add_executable(driver_answers
    ${CORE_DIRECTORY}/core_answers.c
    ${CORE_DIRECTORY}/core_callbacks.c
    ${CORE_DIRECTORY}/core_devices.c
    ${CORE_DIRECTORY}/core_images.c
    ${CORE_DIRECTORY}/core_opens.c
    ${CORE_DIRECTORY}/core_refusals.c
    ${CORE_DIRECTORY}/core_starts.c
    ${CORE_DIRECTORY}/core_variants.c
    ${CORE_DIRECTORY}/core_volumes.c
    ${CORE_DIRECTORY}/test_file_system.c
)
target_include_directories(driver_answers PRIVATE ${CORE_DIRECTORY}/../../driver/src)
target_compile_options(driver_answers PRIVATE -Wno-multichar)
target_link_options(driver_answers PRIVATE ${CORE_ANSWERED})
target_link_libraries(driver_answers PRIVATE driver_core_fixture)
add_test(NAME driver_answers COMMAND driver_answers)
add_test(NAME driver_answers_minifilter COMMAND driver_answers)
set_tests_properties(driver_answers_minifilter PROPERTIES ENVIRONMENT PSCTX_FRONT=minifilter)
set_tests_properties(driver_answers driver_answers_minifilter PROPERTIES TIMEOUT 120)

# What keys are made of, whose sources core_keys.c stands in front of.
add_executable(driver_keys ${CORE_DIRECTORY}/core_keys.c)
target_include_directories(driver_keys PRIVATE ${CORE_DIRECTORY}/../../driver/src)
foreach(source IoGetCurrentProcess KeQueryInterruptTime KeQueryPerformanceCounter KeQuerySystemTime PsctxAllocate PsctxFree)
    target_link_options(driver_keys PRIVATE "-Wl,--wrap=${source}")
endforeach()
target_link_libraries(driver_keys PRIVATE driver_core_fixture)
add_test(NAME driver_keys COMMAND driver_keys)

# Of the minifilter alone.
add_executable(driver_instances ${CORE_DIRECTORY}/core_instances.c ${CORE_DIRECTORY}/test_file_system.c)
target_compile_options(driver_instances PRIVATE -Wno-multichar)
target_link_libraries(driver_instances PRIVATE driver_core_fixture)
add_test(NAME driver_instances COMMAND driver_instances)
set_tests_properties(driver_instances PROPERTIES TIMEOUT 120)

# Kernel, driver and fixture in one library, whose state is saved and put back: see host_snapshot.h.
add_library(psctx_kernel SHARED
    ${CORE_DIRECTORY}/../../driver/host/snapshot.c
    ${CORE_DIRECTORY}/../../driver/host/pin.c
    "$<FILTER:$<TARGET_OBJECTS:psctx_host>,EXCLUDE,/(host_memory|pin)[.]c>"
    $<TARGET_OBJECTS:psctx_driver>
    $<TARGET_OBJECTS:driver_core_fixture>
    ${CORE_DIRECTORY}/test_file_system.c
)
target_include_directories(psctx_kernel PUBLIC
    ${CORE_DIRECTORY} ${CORE_DIRECTORY}/../../driver/include ${CORE_DIRECTORY}/../../driver/host
    ${CORE_DIRECTORY}/../../driver/host/include)
target_compile_features(psctx_kernel PUBLIC c_std_11)
target_compile_definitions(psctx_kernel PRIVATE _GNU_SOURCE HOST_PIN_BUCKETS=1024u)
target_compile_options(psctx_kernel PUBLIC -fshort-wchar ${PSCTX_WARNINGS} PRIVATE -Wno-multichar)
target_link_options(psctx_kernel PRIVATE -Wl,-z,now -Wl,-Bsymbolic)
target_link_libraries(psctx_kernel PUBLIC Threads::Threads)

include(${CORE_FUZZ_DIRECTORY}/fuzz.cmake)

# The same tests with memory failing: see memory.c. Without an argument it takes seconds, with --pairs minutes.
add_executable(driver_memory ${CORE_CONTRACT_TESTS} ${CORE_DIRECTORY}/../memory/memory.c)
target_compile_definitions(driver_memory PRIVATE CoreRunTests=MemoryRunTests)
target_link_libraries(driver_memory PRIVATE driver_core_fixture)
if(NOT PSCTX_SANITIZE)
    add_test(NAME driver_memory COMMAND driver_memory)
    add_test(NAME driver_memory_minifilter COMMAND driver_memory)
    set_tests_properties(driver_memory_minifilter PROPERTIES ENVIRONMENT PSCTX_FRONT=minifilter)
    set_tests_properties(driver_memory driver_memory_minifilter PROPERTIES TIMEOUT 300)
endif()

# Clients that do as they like for as long as one wishes: see soak.c. For `npm run soak`, and not among the tests: what five seconds show, driver_races does.
add_executable(driver_soak ${CORE_DIRECTORY}/../soak/soak.c)
target_compile_definitions(driver_soak PRIVATE _GNU_SOURCE)
target_link_libraries(driver_soak PRIVATE driver_core_fixture)

# What tracking costs, for a tool that counts instructions: built when it is asked for.
add_executable(tracking_bench EXCLUDE_FROM_ALL ${CORE_DIRECTORY}/../bench/tracking.c)
target_link_libraries(tracking_bench PRIVATE driver_core_fixture)

# How long very many contexts take to go: likewise.
add_executable(ending_bench EXCLUDE_FROM_ALL ${CORE_DIRECTORY}/../bench/ending.c)
target_link_libraries(ending_bench PRIVATE driver_core_fixture)

# What a look-up costs where there are many streams: likewise.
add_executable(lookup_bench EXCLUDE_FROM_ALL ${CORE_DIRECTORY}/../bench/lookup.c)
target_link_libraries(lookup_bench PRIVATE driver_core_fixture)

# What the filter costs requests that it passes on: likewise.
add_executable(passthrough_bench EXCLUDE_FROM_ALL ${CORE_DIRECTORY}/../bench/passthrough.c)
target_link_libraries(passthrough_bench PRIVATE driver_core_fixture)
