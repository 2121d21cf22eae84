/** The part of node-gyp-build that is used; the package has no declarations of its own. */
declare module 'node-gyp-build' {
  /** Loads the addon of the package in `directory`: from `prebuilds/`, else from `build/Release`. */
  function load(directory: string): unknown
  namespace load {
    /** The path of that addon. */
    function resolve(directory: string): string
  }
  export = load
}
