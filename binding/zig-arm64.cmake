# CMake toolchain file: Windows on arm64, by Zig, whose path is in the environment. Import libraries by LLVM.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR ARM64)
set(CMAKE_C_COMPILER "$ENV{PSCTX_ZIG}" cc)
set(CMAKE_CXX_COMPILER "$ENV{PSCTX_ZIG}" c++)
set(CMAKE_C_COMPILER_TARGET aarch64-windows-gnu)
set(CMAKE_CXX_COMPILER_TARGET aarch64-windows-gnu)
set(CMAKE_DLLTOOL llvm-dlltool-19)
