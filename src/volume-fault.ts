/** The ways in which a memory volume of the embedded kernel can be broken on purpose, to see whether a test notices. */

/** What each does. Two are no faults: how long file systems keep a stream that nobody has open is their own affair. */
export const volumeFaults = [
  /** No stream says that it carries contexts. */
  'flags-cleared',
  /** Default streams alone do. */
  'flags-cleared-on-named-streams',
  /** Files alone do. */
  'flags-cleared-on-directories',
  /** Read-only files do not. */
  'flags-cleared-on-read-only-files',
  /** Sparse files do not. */
  'flags-cleared-on-sparse-files',
  /** Streams that are first opened by their file’s id do not. */
  'flags-cleared-on-open-by-id',
  /** The paging file does. */
  'flags-set-on-paging-file',
  /** Directories do, and their list of contexts was never set up. */
  'list-not-initialized-for-directories',
  /** Each open of a stream has a header of its own. */
  'header-per-open',
  /** Each hard link’s opens have a header of their own. */
  'header-per-link',
  /** Opens under another case of the name have a header of their own. */
  'header-per-case',
  /** Opens by id have a header of their own. */
  'header-per-open-by-id',
  /** All streams of a file share one header. */
  'header-per-file',
  /** All opens on the volume share one header. */
  'header-per-volume',
  /** Each open turns the order of the contexts round. */
  'list-reversed-on-open',
  /** Contexts are torn down when any handle of the stream is closed. */
  'torn-down-on-any-close',
  /** Contexts are torn down with the last handle, though a section still refers to the stream. */
  'torn-down-on-last-cleanup',
  /** A rename or a move tears contexts down. */
  'torn-down-on-rename',
  /** An overwriting open does. */
  'torn-down-on-overwrite',
  /** A superseding open does. */
  'torn-down-on-supersede',
  /** Truncation does. */
  'torn-down-on-truncate',
  /** Growth does. */
  'torn-down-on-extend',
  /** A change of times or attributes does. */
  'torn-down-on-attribute-change',
  /** A change of the security descriptor does. */
  'torn-down-on-security-change',
  /** Locking or unlocking a range of bytes does. */
  'torn-down-on-byte-range-lock',
  /** Flushing does. */
  'torn-down-on-flush',
  /** A rename replaces the stream’s header and leaves the contexts on the old one. */
  'header-replaced-on-rename',
  /** A rename moves the contexts to the directory’s list. */
  'contexts-moved-on-rename',
  /** A deleted file leaves its contexts to the next file that is opened. */
  'contexts-inherited-from-deleted-file',
  /** Streams go without teardown. */
  'no-teardown',
  /** Deleted streams do. */
  'no-teardown-on-delete',
  /** Streams of a dismounted volume do. */
  'no-teardown-on-dismount',
  /** One stream in 64 does. */
  'no-teardown-now-and-then',
  /** Streams do while others are open. */
  'no-teardown-under-load',
  /** No fault: a stream that nobody has open is kept until an unbuffered handle of it is closed, or the volume dismounted. */
  'keeps-streams',
  /** No fault: a stream that nobody has open is kept for half a second. */
  'lets-go-late',
] as const

/** A fault of a memory volume. */
export type VolumeFault = (typeof volumeFaults)[number]
