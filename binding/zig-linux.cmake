# CMake toolchain file: Linux with glibc, by Zig. Its path, the processor, and the triple with glibc's version are in the environment.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR "$ENV{PSCTX_ZIG_PROCESSOR}")
set(CMAKE_C_COMPILER "$ENV{PSCTX_ZIG}" cc)
set(CMAKE_CXX_COMPILER "$ENV{PSCTX_ZIG}" c++)
set(CMAKE_C_COMPILER_TARGET "$ENV{PSCTX_ZIG_TARGET}")
set(CMAKE_CXX_COMPILER_TARGET "$ENV{PSCTX_ZIG_TARGET}")
# No symbols, no names of the build's files, no path of the checkout.
set(CMAKE_MODULE_LINKER_FLAGS_INIT -s)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH PSCTX_CHECKOUT)
foreach(PSCTX_LANGUAGE C CXX)
    set(CMAKE_${PSCTX_LANGUAGE}_FLAGS_INIT "-ffile-prefix-map=${PSCTX_CHECKOUT}=.")
endforeach()
