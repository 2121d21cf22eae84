// What CMake is told to build with clang, for those scripts whose measures are clang's alone.

export const clang = ['-DCMAKE_C_COMPILER=clang-19', '-DCMAKE_CXX_COMPILER=clang++-19']

/** The options of a build with sanitizers, such as `address,undefined`. */
export function sanitized(sanitizers) {
  return [...clang, '-DCMAKE_BUILD_TYPE=RelWithDebInfo', `-DPSCTX_SANITIZE=${sanitizers}`]
}
