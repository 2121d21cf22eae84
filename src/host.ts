/** What only the embedded kernel offers beside files: the process's death, faults, and the audit of what is held. */
import { checkInteger, checkString } from './arguments'
import { closedError, constructorError, isFailure, valueError } from './errors'
import { Files } from './files'
import type { Answer, NativeHostSession } from './native'
import { answerError, Session } from './session'

/** What the embedded kernel holds. */
export interface HostAudit {
  /** Bytes of pool, whoever allocated them. */
  readonly poolBytes: number
  /** Pieces of pool. */
  readonly poolAllocations: number
  /** Open handles, of every process. */
  readonly handles: number
  /** Objects, such as files and devices, that are referenced. */
  readonly objects: number
  /** I/O requests that are under way. */
  readonly irps: number
  /** Locks that any thread holds. */
  readonly locks: number
  /** Bytes of pool of the driver's own tag, contexts and all. */
  readonly contextBytes: number
}

/** @internal */
export let makeHostKernel: (session: Session) => HostKernel

/**
 * The embedded kernel as a filter's process sees it. Files are acted on by that process's system services. Everything throws
 * {@link PerStreamContextError}s with the status of the file system or the kernel.
 */
export class HostKernel extends Files {
  readonly #native: NativeHostSession

  static {
    makeHostKernel = (session) => new this(session)
  }

  private constructor(session: Session) {
    if (!(session instanceof Session)) throw constructorError('HostKernel', "openFilter({ kernel: 'host' })")
    super(session)
    this.#native = session.native as NativeHostSession
  }

  /**
   * Dismounts a volume of this filter by force, as `FSCTL_DISMOUNT_VOLUME` does: open files stay open and answer
   * `STATUS_VOLUME_DISMOUNTED`; their contexts go with their last handle. Throws `STATUS_OBJECT_NAME_NOT_FOUND` when it
   * is not mounted.
   */
  dismount(drive: string): void {
    checkString(drive, 'drive', 'dismount')
    if (!/^[A-Za-z]:$/.test(drive)) throw valueError('dismount', 'drive', "a drive such as 'M:'")
    this.#answer(this.#native.dismount(drive.charAt(0).toUpperCase()), 'dismount')
  }

  /**
   * Ends the process that this filter is a client by, as if it had been killed: every handle is closed, and whatever is
   * asked of the filter afterwards fails with `STATUS_PROCESS_IS_TERMINATING`. The filter is still to be closed.
   */
  killProcess(): void {
    this.#answer(this.#native.killProcess(), 'killProcess')
  }

  /** Lets the `countdown`-th pool allocation from now on fail (1 is the next), of whatever thread; 0 switches that off. */
  setAllocationFault(countdown: number): void {
    checkInteger(countdown, 0, Number.MAX_SAFE_INTEGER, 'countdown', 'setAllocationFault')
    this.#answer(this.#native.failAllocation(countdown), 'setAllocationFault')
  }

  /** What the kernel holds now, for every filter of this process. */
  audit(): HostAudit {
    const audit = this.#native.audit()
    if (typeof audit === 'number') throw closedError('audit')
    return audit
  }

  #answer(answer: Answer, operation: string): void {
    if (isFailure(answer)) throw answerError(answer, operation)
  }
}
