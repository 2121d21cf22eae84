import { join } from 'node:path'

import { root } from '../../scripts/run.mjs'

/**
 * The planted faults: each is a mistake in one file of driver/src, the mechanism that is there to find such mistakes, and how much of it is enough.
 *
 * name       kebab-case, what is wrong
 * file       below driver/src; one of the facade's, below src
 * edits      [from, to]: `from` stands exactly once in the file
 * mechanism  of SECURITY.md: schedules, rules, contract, memory, fuzzing, …
 * tool       a program of the C tests, relinked with the file: [target, ...arguments]; for the facade, a Jest test and the variables of its
 *            environment; ['analysis', one of its tools]. The bound is among these
 * front      minifilter; legacy, if it does not say
 * environment  variables of the tool of C, if it needs some
 * says       what its output has when it finds the fault
 * short      in `npm test`, too
 */
const cases = (target, count) => [`fuzz_${target}`, `--cases=${count}`, join(root, 'test', 'fuzz', 'corpus', target)]
const shard = (scenario, schedules, seed = 1) => [
  'explore',
  scenario,
  '--seed',
  `${seed}`,
  '--schedules',
  `${schedules}`,
]

export const faults = [
  // Schedules: each passes when the steps come one after another.
  {
    name: 'removal-takes-what-a-teardown-has',
    file: 'core/context.c',
    edits: [
      [
        `    if (FsRtlRemovePerStreamContext(Context->Header, Context, Context->Owner) == NULL) {
        return FALSE;
    }`,
        '    FsRtlRemovePerStreamContext(Context->Header, Context, Context->Owner);',
      ],
    ],
    mechanism: 'schedules',
    tool: shard('session-end-teardown', 10000),
    says: /session-end-teardown failed: seed/,
    short: true,
  },
  {
    name: 'insertion-does-not-see-its-session-end',
    file: 'core/context.c',
    edits: [['if (ReadNoFence(&Insertion->Session->Ended) != 0) {', 'if (FALSE) {']],
    mechanism: 'schedules',
    tool: shard('session-end-batch', 1000),
    says: /session-end-batch failed: seed/,
    short: true,
  },
  {
    name: 'lookup-reads-after-it-has-unlocked',
    file: 'core/context.c',
    edits: [
      [
        `        status = PsctxDescribeContext(context, Reply, Data, Capacity);
    }
    if (Remove`,
        `        PsctxUnlockShard(shard);
        status = PsctxDescribeContext(context, Reply, Data, Capacity);
        shard = PsctxLockShard(Stream->Header);
    }
    if (Remove`,
      ],
    ],
    mechanism: 'schedules',
    tool: shard('lookup-remove', 500),
    says: /lookup-remove failed: seed/,
    short: true,
  },
  {
    name: 'unload-does-not-wait-for-a-mount',
    file: 'legacy/passthrough.c',
    edits: [
      [
        `    status = PsctxForwardAndWait(DeviceObject, Irp);
    if (NT_SUCCESS(status)) {
        PsctxAttachMount(storageDevice, volumeStackSize);
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    PsctxLeaveFilter();`,
        `    PsctxLeaveFilter();
    status = PsctxForwardAndWait(DeviceObject, Irp);
    if (NT_SUCCESS(status)) {
        PsctxAttachMount(storageDevice, volumeStackSize);
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);`,
      ],
    ],
    mechanism: 'schedules',
    tool: shard('unload-mount', 500),
    says: /unload-mount failed: seed/,
    short: true,
  },
  {
    name: 'volume-is-given-back-before-it-is-looked-at',
    file: 'minifilter/attached.c',
    edits: [
      [
        `        PsctxLookAtVolume(volumes[index], Unattached);
        FltObjectDereference(volumes[index]);`,
        `        FltObjectDereference(volumes[index]);
        PsctxLookAtVolume(volumes[index], Unattached);`,
      ],
    ],
    mechanism: 'schedules',
    tool: shard('mount-dismount', 2000),
    front: 'minifilter',
    says: /mount-dismount failed: seed/,
  },
  {
    name: 'volume-that-goes-is-filter-managers-own',
    file: 'minifilter/instance.c',
    edits: [['if (lowest != filterManagers) {', 'if (TRUE) {']],
    mechanism: 'schedules',
    tool: shard('mount-dismount', 8000),
    front: 'minifilter',
    says: /mount-dismount failed: seed/,
  },
  {
    name: 'insertion-checks-before-it-locks',
    file: 'core/context.c',
    edits: [
      [
        `    existing = PsctxFindContext(shard, Stream->Header, &identity);
    if (existing != NULL && Insertion->IfExists == PSCTX_IF_EXISTS_FAIL)`,
        `    existing = PsctxFindContext(shard, Stream->Header, &identity);
    PsctxUnlockShard(shard);
    shard = PsctxLockShard(Stream->Header);
    if (existing != NULL && Insertion->IfExists == PSCTX_IF_EXISTS_FAIL)`,
      ],
    ],
    mechanism: 'schedules',
    tool: shard('lookup-remove', 1000),
    says: /lookup-remove failed: seed/,
  },
  {
    name: 'teardown-unlinks-without-its-lock',
    file: 'core/context.c',
    edits: [
      [
        `    shard = PsctxLockShard(context->Header);
    PsctxRemoveFromIndex(shard, context);
    PsctxReportContext(PSCTX_EVENT_TORN_DOWN, context);
    PsctxUnlockShard(shard);`,
        `    shard = PsctxLockShard(context->Header);
    PsctxUnlockShard(shard);
    KeEnterCriticalRegion();
    PsctxRemoveFromIndex(shard, context);
    KeLeaveCriticalRegion();`,
      ],
    ],
    mechanism: 'schedules',
    tool: shard('enumerate-teardown', 5000, 50001),
    says: /enumerate-teardown failed: seed/,
  },
  {
    name: 'wait-does-not-look-again-once-it-is-queued',
    file: 'events/event.c',
    edits: [['    if (!closed) {\n        PsctxQueueDelivery(reader);\n    }\n', '']],
    mechanism: 'schedules',
    tool: shard('events-wait', 2000),
    says: /events-wait failed: seed/,
  },
  {
    name: 'wait-does-not-see-its-reader-close',
    file: 'events/event.c',
    edits: [['    if (closed) {\n        PsctxCancelWaits(reader);\n    } else {', '    if (!closed) {']],
    mechanism: 'schedules',
    tool: shard('events-close', 2000),
    says: /events-close failed: seed/,
  },
  {
    name: 'unloading-does-not-wait-for-requests',
    file: 'legacy/filter.c',
    edits: [
      [
        `    do {
        idle = InterlockedCompareExchange(&PsctxPassage.Requests, 0, 0) == 0;
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    } while (!idle || InterlockedCompareExchange(&PsctxPassage.Requests, 0, 0) != 0);`,
        '',
      ],
      ['    BOOLEAN idle;\n', ''],
    ],
    mechanism: 'schedules',
    tool: shard('unload', 2000),
    says: /unload failed: seed/,
  },
  {
    name: 'rules-change-beside-their-readers',
    file: 'tracking/rules.c',
    edits: [
      ['    ExWaitForRundownProtectionRelease(&previous->Rundown);\n', '    ExRundownCompleted(&previous->Rundown);\n'],
    ],
    mechanism: 'schedules',
    tool: shard('track-untrack', 3000),
    says: /track-untrack failed: seed/,
  },

  {
    name: 'counting-stopped-under-another-lock',
    file: 'tracking/count.c',
    edits: [
      [
        'KeAcquireSpinLock(PsctxTrackedLockOf(number), &irql);\n        while (*link',
        'KeAcquireSpinLock(PsctxTrackedLockOf(number + 1), &irql);\n        while (*link',
      ],
      [
        'KeReleaseSpinLock(PsctxTrackedLockOf(number), irql);\n        InterlockedDecrement(&PsctxListening.Transfers);',
        'KeReleaseSpinLock(PsctxTrackedLockOf(number + 1), irql);\n        InterlockedDecrement(&PsctxListening.Transfers);',
      ],
    ],
    mechanism: 'schedules',
    tool: shard('read-remove', 5000),
    says: /read-remove failed: seed/,
  },

  {
    name: 'volumes-counted-before-their-list-grew',
    file: 'requests/volumes.c',
    edits: [
      [
        '    if (count != 0) {\n        Page->Counts = ',
        '    PsctxVolumeSource->Unlock();\n    if (count != 0) {\n        Page->Counts = ',
      ],
      [
        '    while (Page->Counts != NULL && NT_SUCCESS(status)',
        '    PsctxVolumeSource->Lock();\n    while (Page->Counts != NULL && NT_SUCCESS(status)',
      ],
    ],
    mechanism: 'schedules',
    tool: shard('volumes-mount', 5000),
    says: /volumes-mount failed: seed/,
  },

  // Rules of the kernel, which the embedded one enforces.
  {
    name: 'locks-in-two-orders',
    file: 'core/context.c',
    edits: [
      [
        '    PsctxFitIndex(Stream->Header);\n    shard = PsctxLockShard(Stream->Header);\n    if (ReadNoFence',
        `    PsctxFitIndex(Stream->Header);
    ExAcquireFastMutex(&Insertion->Session->OwnersLock);
    PsctxUnlockShard(PsctxLockShard(Stream->Header));
    ExReleaseFastMutex(&Insertion->Session->OwnersLock);
    shard = PsctxLockShard(Stream->Header);
    ExAcquireFastMutex(&Insertion->Session->OwnersLock);
    ExReleaseFastMutex(&Insertion->Session->OwnersLock);
    if (ReadNoFence`,
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /is asked for while that at .* is held, and elsewhere the other way round/,
    short: true,
  },
  {
    name: 'pageable-code-under-a-spin-lock',
    file: 'events/event.c',
    edits: [
      [
        '    InsertTailList(&CONTAINING_RECORD(Csq, PSCTX_READER, Queue)->Irps, &Irp->Tail.Overlay.ListEntry);',
        '    PAGED_CODE();\n    InsertTailList(&CONTAINING_RECORD(Csq, PSCTX_READER, Queue)->Irps, &Irp->Tail.Overlay.ListEntry);',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /pageable code at IRQL 2/,
    short: true,
  },
  {
    name: 'spin-lock-held-too-long',
    file: 'events/event.c',
    edits: [
      [
        '    const PLIST_ENTRY next = Irp == NULL ? irps->Flink : Irp->Tail.Overlay.ListEntry.Flink;\n',
        `    const PLIST_ENTRY next = Irp == NULL ? irps->Flink : Irp->Tail.Overlay.ListEntry.Flink;
    ULONG look;

    for (look = 0; look < 100; look += 1) {
        (VOID) PsIsThreadTerminating(PsGetCurrentThread());
    }
`,
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /a spin lock is held for more than/,
  },
  {
    name: 'free-callback-removes-contexts',
    file: 'core/context.c',
    edits: [
      [
        '    PsctxReportContext(PSCTX_EVENT_TORN_DOWN, context);',
        '    FsRtlRemovePerStreamContext(context->Header, context, NULL);\n    PsctxReportContext(PSCTX_EVENT_TORN_DOWN, context);',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /FsRtlRemovePerStreamContext: called from a FreeCallback/,
  },
  {
    name: 'context-freed-while-it-is-linked',
    file: 'core/context.c',
    edits: [
      [
        `    if (FsRtlRemovePerStreamContext(Context->Header, Context, Context->Owner) == NULL) {
        return FALSE;
    }`,
        '',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /still holds a per-stream context that is linked still/,
  },
  {
    name: 'pool-freed-with-another-tag',
    file: 'kernel/pool.c',
    edits: [['ExFreePoolWithTag(Memory, PSCTX_TAG);', 'ExFreePoolWithTag(Memory, PSCTX_TAG + 1);']],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /BAD_POOL_CALLER .* has tag/,
  },
  {
    name: 'data-written-behind-its-block',
    file: 'core/context.c',
    edits: [
      [
        'PagedPoolCacheAligned : NonPagedPoolCacheAligned, size);',
        'PagedPoolCacheAligned : NonPagedPoolCacheAligned, size - 4);',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /DRIVER_CORRUPTED_EXPOOL/,
  },
  {
    name: 'request-completed-twice',
    file: 'requests/control.c',
    edits: [['    if (status != STATUS_PENDING) {\n        PsctxComplete', '    {\n        PsctxComplete']],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /MULTIPLE_IRP_COMPLETE_REQUESTS|completed with STATUS_PENDING|is no request, or one that is gone/,
  },
  {
    name: 'another-status-returned-than-completed',
    file: 'requests/control.c',
    edits: [
      [
        '    KeLeaveCriticalRegion();\n    return status;\n',
        '    KeLeaveCriticalRegion();\n    return STATUS_SUCCESS;\n',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /a dispatch routine .* returned 0x/,
  },
  {
    name: 'request-forwarded-without-a-stack-location',
    file: 'legacy/passthrough.c',
    edits: [
      ['    IoSkipCurrentIrpStackLocation(Irp);\n', '    (VOID) 0; /* the location below is passed on as it is */\n'],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /is forwarded without its file object: the next stack location was not set up/,
  },
  {
    name: 'critical-region-not-left',
    file: 'core/index.c',
    edits: [
      [
        '        PsctxDeliverEvents();\n    }\n    KeLeaveCriticalRegion();\n',
        '        PsctxDeliverEvents();\n    }\n',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /critical regions/,
  },
  {
    name: 'handle-opened-in-the-clients-table',
    file: 'kernel/key.c',
    edits: [['OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE', 'OBJ_CASE_INSENSITIVE']],
    mechanism: 'rules',
    tool: ['driver_inspect'],
    says: /a client's handle is created in kernel mode/,
  },
  {
    name: 'session-does-not-keep-its-process',
    file: 'events/event.c',
    edits: [
      ['    ObReferenceObject(Session->Process);\n', ''],
      ['    ObDereferenceObject(Session->Process);\n', ''],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /not ok \d+ - a session keeps the process/,
  },
  {
    name: 'device-of-a-deep-stack-leaked',
    file: 'inspection/devicestack.c',
    edits: [['    if (device != NULL) {\n        ObDereferenceObject(device);\n    }\n', '']],
    mechanism: 'rules',
    tool: ['driver_inspect'],
    says: /not ok \d+ - of a very deep stack/,
  },
  {
    name: 'key-takes-fewer-sources',
    file: 'kernel/key.c',
    edits: [['(ULONG64)(ULONG_PTR)&time};', '0};']],
    mechanism: 'contract',
    tool: ['driver_keys'],
    says: /not ok \d+ - a digest is another/,
  },
  {
    name: 'file-object-leaked',
    file: 'core/stream.c',
    edits: [['ObDereferenceObject(Stream->FileObject);', '']],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /not ok/,
  },

  {
    name: 'status-read-of-a-completed-request',
    file: 'legacy/create.c',
    edits: [
      [
        '    IoCompleteRequest(Irp, IO_NO_INCREMENT);\n    return status;',
        '    IoCompleteRequest(Irp, IO_NO_INCREMENT);\n    return Irp->IoStatus.Status;',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_tracking'],
    says: /returned 0xDDDDDDDD for a request completed with/,
  },
  {
    name: 'readers-are-answered-under-their-lock',
    file: 'events/event.c',
    edits: [
      [
        `        ExReleaseFastMutex(&PsctxReadersLock);
        if (irp != NULL) {
            PsctxCompleteWait(reader, irp);
            ExReleaseRundownProtection(&reader->Completions);
        }
`,
        `        if (irp != NULL) {
            PsctxCompleteWait(reader, irp);
            ExReleaseRundownProtection(&reader->Completions);
        }
        ExReleaseFastMutex(&PsctxReadersLock);
`,
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_races'],
    says: /another thread's request is completed while the fast mutex/,
  },
  {
    name: 'question-for-a-name-that-names-no-thread',
    file: 'legacy/filename.c',
    edits: [['    irp->Tail.Overlay.Thread = PsGetCurrentThread();\n', '']],
    mechanism: 'rules',
    tool: ['driver_tracking'],
    says: /a driver's own request for a file .* names no thread/,
  },
  {
    name: 'event-set-as-if-a-wait-followed',
    file: 'legacy/wait.c',
    edits: [['IO_NO_INCREMENT, FALSE);\n    return STATUS_MORE', 'IO_NO_INCREMENT, TRUE);\n    return STATUS_MORE']],
    mechanism: 'rules',
    tool: ['driver_tracking'],
    says: /IRQL_(NOT_LESS_OR_EQUAL|UNEXPECTED_VALUE)/,
  },
  {
    name: 'session-in-paged-pool',
    file: 'core/session.c',
    edits: [['PsctxAllocate(NonPagedPool, sizeof(*session))', 'PsctxAllocate(PagedPool, sizeof(*session))']],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /ExInitializeFastMutex: the lock at .* lies in paged pool/,
    short: true,
  },
  {
    name: 'reader-in-paged-pool',
    file: 'events/event.c',
    edits: [
      [
        'PsctxAllocateRecord(Account, PSCTX_POOL_NONPAGED, sizeof(*reader)',
        'PsctxAllocateRecord(Account, PSCTX_POOL_PAGED, sizeof(*reader)',
      ],
      [
        'PsctxFreeRecord(account, PSCTX_POOL_NONPAGED, sizeof(*Reader)',
        'PsctxFreeRecord(account, PSCTX_POOL_PAGED, sizeof(*Reader)',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /KeInitializeSpinLock: the lock at .* lies in paged pool/,
  },

  {
    name: 'key-made-by-initialisation-code',
    file: 'kernel/key.c',
    edits: [
      ['PSCTX_PAGE _Use_decl_annotations_ VOID PsctxMakeKey', 'PSCTX_INIT _Use_decl_annotations_ VOID PsctxMakeKey'],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /is initialisation code, and is gone/,
    short: true,
  },
  {
    name: 'wait-taken-off-its-queue-by-pageable-code',
    file: 'events/event.c',
    edits: [
      [
        '_Use_decl_annotations_ static VOID PsctxRemoveWait(PIO_CSQ Csq, PIRP Irp)',
        'PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxRemoveWait(PIO_CSQ Csq, PIRP Irp)',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    environment: { HOST_PAGES_OUT: '1' },
    says: /which is pageable, is touched at IRQL 2/,
  },
  {
    name: 'counting-context-in-paged-pool',
    file: 'core/context.c',
    edits: [
      [
        'PsctxAllocate(Insertion->Pool == PSCTX_POOL_PAGED ? PagedPoolCacheAligned : NonPagedPoolCacheAligned, size)',
        'PsctxAllocate(PagedPoolCacheAligned, size)',
      ],
    ],
    mechanism: 'rules',
    tool: ['driver_counts'],
    environment: { HOST_PAGES_OUT: '1' },
    says: /which is pageable, is touched at IRQL 2/,
  },
  {
    name: 'thread-of-an-unloaded-driver',
    file: 'legacy/housekeeping.c',
    edits: [
      ['    ZwWaitForSingleObject(PsctxHousekeepingThread, FALSE, NULL);\n', ''],
      ['    InterlockedExchange(&PsctxHousekeepingEnds, TRUE);\n', ''],
    ],
    mechanism: 'rules',
    tool: ['driver_core'],
    says: /DriverUnload: returned, and the driver's thread/,
  },

  // The contract: what a client is told.
  {
    name: 'instance-ignored',
    file: 'core/context.c',
    edits: [['(Identity->Match != PSCTX_MATCH_INSTANCE || Context->Instance == Identity->Instance)', 'TRUE']],
    mechanism: 'contract',
    tool: ['driver_core'],
    says: /not ok/,
  },
  {
    name: 'stale-bytes-in-a-list',
    file: 'core/context.c',
    edits: [['    RtlZeroMemory(entry, size);\n', '']],
    mechanism: 'contract',
    tool: ['driver_core'],
    says: /not ok/,
    short: true,
  },

  {
    name: 'what-was-not-met-is-forgotten',
    file: 'legacy/filter.c',
    edits: [
      [
        '    if (!PsctxIsFileSystemFiltered(DeviceObject)) {',
        '    if (FsActive && !PsctxIsFileSystemFiltered(DeviceObject)) {',
      ],
    ],
    mechanism: 'contract',
    tool: ['driver_core'],
    says: /not ok \d+ - a redirector is not taken at its word/,
  },

  // Failing memory: right until an allocation is refused.
  {
    name: 'failed-insertion-stays-booked',
    file: 'core/context.c',
    edits: [
      [
        'Discharge:\n    PsctxDischargeContext(&Insertion->Session->Account, Insertion->Pool, size);\nReleaseRundown:',
        'Discharge:\nReleaseRundown:',
      ],
    ],
    mechanism: 'memory',
    tool: ['driver_faults'],
    says: /not ok/,
    short: true,
  },
  {
    name: 'failed-insertion-keeps-the-driver',
    file: 'core/context.c',
    edits: [['ReleaseRundown:\n    ExReleaseRundownProtection(&PsctxGlobals.Rundown);', 'ReleaseRundown:']],
    mechanism: 'memory',
    tool: shard('dismount-short', 1000),
    says: /dismount-short failed: seed/,
  },
  {
    name: 'failed-session-is-freed-twice',
    file: 'events/event.c',
    edits: [
      [
        '    if (!NT_SUCCESS(status)) {\n        PsctxDeleteReader(reader);\n        return status;\n    }\n    *Reader = reader;',
        '    if (!NT_SUCCESS(status)) {\n        PsctxDeleteReader(reader);\n        PsctxDeleteReader(reader);\n        return status;\n    }\n    *Reader = reader;',
      ],
    ],
    mechanism: 'memory',
    tool: ['driver_faults'],
    says: /not ok/,
  },
  {
    name: 'room-for-a-name-that-could-not-be-asked-for-is-kept',
    file: 'legacy/filename.c',
    edits: [
      [
        '    if (!NT_SUCCESS(status)) {\n        PsctxFree(name);\n        return status;',
        '    if (!NT_SUCCESS(status)) {\n        PsctxFree(status == STATUS_INSUFFICIENT_RESOURCES ? NULL : name);\n        return status;',
      ],
    ],
    mechanism: 'memory',
    tool: ['driver_tracking'],
    says: /not ok \d+ - an open has its context or is missed, whichever allocation fails/,
  },
  {
    name: 'open-forgotten-for-want-of-memory',
    file: 'minifilter/open.c',
    edits: [['    if (open == NULL && succeeded &&\n', '    if (FALSE &&\n']],
    mechanism: 'memory',
    front: 'minifilter',
    tool: ['driver_tracking'],
    says: /not ok \d+ - an open has its context or is missed, whichever allocation fails/,
  },

  // Hostile requests.
  {
    name: 'length-of-a-reply-not-checked',
    file: 'core/context.c',
    edits: [['    if (Context->DataLength > Capacity) {\n        return STATUS_BUFFER_OVERFLOW;\n    }\n', '']],
    mechanism: 'fuzzing',
    tool: ['driver_core'],
    says: /not ok/,
  },

  // Static analysis: each compiles without a warning.
  {
    name: 'colon-looked-for-from-nowhere',
    file: 'core/trim.c',
    edits: [['    ULONG colon = count;', '    ULONG colon;']],
    mechanism: 'analysis',
    tool: ['analysis', 'gcc'],
    says: /analyzer-use-of-uninitialized-value/,
  },
  {
    name: 'half-of-a-key-looked-at-twice',
    file: 'kernel/key.c',
    edits: [['(Key[0] | Key[1]) != 0', '(Key[0] | Key[0]) != 0']],
    mechanism: 'analysis',
    tool: ['analysis', 'cppcheck'],
    says: /\[duplicateExpression\]/,
  },
  {
    name: 'threads-share-a-local-variable',
    file: 'core/trim.c',
    edits: [['    ULONG index;', '    static ULONG index;']],
    mechanism: 'analysis',
    tool: ['analysis', 'cppcheck'], // by its addon
    says: /\[threadsafety-threadsafety\]/,
  },
  {
    name: 'count-that-ends-at-255',
    file: 'kernel/key.c',
    edits: [
      [
        '    ULONG index;\n\n    for (index = 0; index <= Count;',
        '    UCHAR index;\n\n    for (index = 0; index <= Count;',
      ],
    ],
    mechanism: 'analysis',
    tool: ['analysis', 'clang-tidy'],
    says: /\[bugprone-too-small-loop-variable/,
  },
  {
    name: 'name-begins-anywhere',
    file: 'core/trim.c',
    edits: [['    ULONG first = 0;', '    ULONG first;']],
    mechanism: 'analysis',
    tool: ['analysis', 'clang-tidy'], // by the clang static analyzer
    says: /\[clang-analyzer-core\./,
  },

  // Hostile input, to each of the fuzz targets.
  {
    name: 'entry-written-behind-the-reply',
    file: 'core/context.c',
    edits: [
      [
        '    if (size > Capacity) {\n        return size;\n    }\n    RtlZeroMemory(entry, size);',
        '    if (size > Capacity + 64) {\n        return size;\n    }\n    RtlZeroMemory(entry, size);',
      ],
    ],
    mechanism: 'fuzzing requests',
    tool: cases('requests', 200000),
    says: /DRIVER_CORRUPTED_EXPOOL|requests\.c:/,
    short: true,
  },
  {
    name: 'closed-reader-stays-on-its-sessions-list',
    file: 'events/event.c',
    edits: [['        if (reader->Watched != NULL) {\n            PsctxStopWatching(reader);\n        }\n', '']],
    mechanism: 'fuzzing sequences',
    tool: cases('sequences', 20000),
    says: /sequences\.c:|STOP:|ended by SIG/,
  },
  {
    name: 'fast-io-table-one-entry-too-short',
    file: 'legacy/fastio.c',
    edits: [['table->SizeOfFastIoDispatch >= End ?', 'table->SizeOfFastIoDispatch + sizeof(PVOID) >= End ?']],
    mechanism: 'fuzzing the pass-through',
    tool: cases('passthrough', 50000),
    says: /passthrough\.c:\d+: FuzzEntry ==/,
  },
  {
    name: 'refused-open-keeps-what-was-known-of-it',
    file: 'minifilter/open.c',
    edits: [
      ['    PsctxFree(CompletionContext);\n', '    if (succeeded) {\n        PsctxFree(CompletionContext);\n    }\n'],
    ],
    mechanism: 'fuzzing the pass-through',
    front: 'minifilter',
    tool: cases('passthrough', 50000),
    says: /passthrough\.c:\d+: HostAuditPool/,
  },
  {
    name: 'dos-star-runs-beyond-the-last-period',
    file: 'tracking/expression.c',
    edits: [["stay = take && (Character != L'.' || !Final);", 'stay = take;']],
    mechanism: 'fuzzing names',
    tool: cases('names', 200000),
    says: /names\.c:\d+: matches ==/,
  },
  {
    name: 'length-of-a-name-followed-blindly',
    file: 'codec/events.ts',
    edits: [['memory.checkRecord(entry, event.size + nameLength)', 'memory.checkRecord(entry, event.size)']],
    mechanism: 'fuzzing the codec',
    tool: ['test/fuzz/codec.test.ts', { PSCTX_FUZZ_SEED: '1' }],
    says: /✕ that says a name is longer than all memory costs no time/,
  },

  // The model: right, whatever one does first.
  {
    name: 'instance-of-the-request-before',
    file: 'codec/match.ts',
    edits: [
      [
        '  memory.setUint64(offset + matchRequest.instance, instance)',
        '  if (matchNumber === match.instance) memory.setUint64(offset + matchRequest.instance, instance)',
      ],
    ],
    mechanism: 'model',
    tool: ['test/model/memory.test.ts', { PSCTX_MODEL_SEED: '1', PSCTX_MODEL_RUNS: '20' }],
    says: /Property failed after \d+ tests/,
  },

  // Soak: little by little.
  {
    name: 'retired-devices-do-not-age', // they go when the driver is unloaded
    file: 'legacy/filter.c',
    edits: [['        extension->Age += 1;\n', '']],
    mechanism: 'soak',
    tool: ['driver_soak', '--seconds=6', '--seed=1'],
    says: /not ok \d+ - objects do not grow/,
  },
  {
    name: 'volume-is-kept-when-its-instance-goes',
    file: 'minifilter/instance.c',
    edits: [
      [
        '        PsctxForgetFileSystem(context->Volume.Device);\n        FltReleaseContext(context);\n',
        '        PsctxForgetFileSystem(context->Volume.Device);\n',
      ],
    ],
    mechanism: 'soak',
    front: 'minifilter',
    tool: ['driver_soak', '--seconds=6', '--seed=1'],
    says: /not ok \d+ - pool allocations do not grow/,
  },
]
