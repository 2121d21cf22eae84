/*
 * The lock that guards a stream's list of per-stream contexts, taken as FsRtl itself takes it.
 *
 * Which one it is depends on the kernel and on the header's version: before Windows Vista the fast mutex, whatever the
 * header says; since then the push lock of a header that has one (version 1 and later); and, on a kernel that knows of
 * auto-expand push locks for headers, that one where the file system has set it up (version 3 and later). Such a
 * kernel exports FsRtlAllocateAePushLock; older ones had another use for the same member. Headers of later versions
 * than those known here may be guarded otherwise: they are left alone.
 *
 * Only the fast mutex's routines are those of every kernel that exports them under these names for drivers at large;
 * push locks' are found by name: the later ones, which tell the scheduler who holds the lock, then the earlier ones,
 * which are there from 5.2 on. [ntifs/ns-ntifs-_fsrtl_advanced_fcb_header]
 */
#include "kernel/kernel.h"

#define PSCTX_FIRST_AUTO_EXPAND_VERSION 3u
#define PSCTX_LAST_HEADER_VERSION 5u
#define PSCTX_DEFAULT_PUSH_LOCK_FLAGS 0u

/* Headers for drivers differ in how far they declare the structure; what follows are pointers, one after another. */
#define PSCTX_AUTO_EXPAND_OFFSET \
    (FIELD_OFFSET(FSRTL_ADVANCED_FCB_HEADER, FileContextSupportPointer) + 2 * sizeof(PVOID))

typedef VOID(FASTCALL *PPSCTX_PUSH_LOCK_ROUTINE)(_Inout_ PVOID PushLock);
typedef VOID(FASTCALL *PPSCTX_PUSH_LOCK_EX_ROUTINE)(_Inout_ PVOID PushLock, _In_ ULONG Flags);
typedef PVOID(FASTCALL *PPSCTX_ACQUIRE_AUTO_EXPAND)(_Inout_ PVOID PushLock, _In_ ULONG Flags);

/* What this kernel has; NULL where it has not. */
static struct {
    BOOLEAN FastMutexGuards;
    BOOLEAN KnowsAutoExpand;
    PPSCTX_PUSH_LOCK_EX_ROUTINE AcquireSharedEx;
    PPSCTX_PUSH_LOCK_EX_ROUTINE ReleaseSharedEx;
    PPSCTX_PUSH_LOCK_ROUTINE AcquireShared;
    PPSCTX_PUSH_LOCK_ROUTINE ReleaseShared;
    PPSCTX_ACQUIRE_AUTO_EXPAND AcquireAutoExpandShared;
    PPSCTX_PUSH_LOCK_EX_ROUTINE ReleaseAutoExpandShared;
} PsctxListLocks;

/*
 * Finds out how this kernel guards its lists. Called once, before the first request.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartListLocks(VOID)
{
    ULONG major;

    PAGED_CODE();

    (VOID) PsGetVersion(&major, NULL, NULL, NULL);
    PsctxListLocks.FastMutexGuards = major < PSCTX_VISTA_MAJOR_VERSION;
    PsctxListLocks.KnowsAutoExpand = PsctxFindRoutine(L"FsRtlAllocateAePushLock") != 0;
    PsctxListLocks.AcquireSharedEx = (PPSCTX_PUSH_LOCK_EX_ROUTINE)PsctxFindRoutine(L"ExAcquirePushLockSharedEx");
    PsctxListLocks.ReleaseSharedEx = (PPSCTX_PUSH_LOCK_EX_ROUTINE)PsctxFindRoutine(L"ExReleasePushLockSharedEx");
    PsctxListLocks.AcquireShared = (PPSCTX_PUSH_LOCK_ROUTINE)PsctxFindRoutine(L"ExfAcquirePushLockShared");
    PsctxListLocks.ReleaseShared = (PPSCTX_PUSH_LOCK_ROUTINE)PsctxFindRoutine(L"ExfReleasePushLockShared");
    PsctxListLocks.AcquireAutoExpandShared =
        (PPSCTX_ACQUIRE_AUTO_EXPAND)PsctxFindRoutine(L"ExAcquireAutoExpandPushLockShared");
    PsctxListLocks.ReleaseAutoExpandShared =
        (PPSCTX_PUSH_LOCK_EX_ROUTINE)PsctxFindRoutine(L"ExReleaseAutoExpandPushLockShared");
}

/*
 * Which lock guards the list of a header that supports filter contexts. STATUS_NOT_SUPPORTED where that is not known, or
 * cannot be taken; nothing of the list has been touched then.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxFindListLock(PFSRTL_ADVANCED_FCB_HEADER Header, PPSCTX_LIST_LOCK Lock)
{
    PVOID autoExpand = NULL;

    PAGED_CODE();

    Lock->Held = NULL;
    if (!PsctxListLocks.FastMutexGuards && Header->Version > PSCTX_LAST_HEADER_VERSION) {
        Lock->Lock = NULL;
        return STATUS_NOT_SUPPORTED;
    }
    if (PsctxListLocks.FastMutexGuards || Header->Version == FSRTL_FCB_HEADER_V0) {
        Lock->Kind = PsctxFastMutexLock;
        Lock->Lock = Header->FastMutex;
        return Lock->Lock != NULL ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
    }
    if (PsctxListLocks.KnowsAutoExpand && Header->Version >= PSCTX_FIRST_AUTO_EXPAND_VERSION) {
        RtlCopyMemory(&autoExpand, (const UCHAR *)Header + PSCTX_AUTO_EXPAND_OFFSET, sizeof(autoExpand));
    }
    if (autoExpand != NULL) {
        Lock->Kind = PsctxAutoExpandLock;
        Lock->Lock = autoExpand;
        return PsctxListLocks.AcquireAutoExpandShared != NULL && PsctxListLocks.ReleaseAutoExpandShared != NULL
                   ? STATUS_SUCCESS
                   : STATUS_NOT_SUPPORTED;
    }
    Lock->Kind = PsctxPushLock;
    Lock->Lock = &Header->PushLock;
    return (PsctxListLocks.AcquireSharedEx != NULL && PsctxListLocks.ReleaseSharedEx != NULL) ||
                   (PsctxListLocks.AcquireShared != NULL && PsctxListLocks.ReleaseShared != NULL)
               ? STATUS_SUCCESS
               : STATUS_NOT_SUPPORTED;
}

/*
 * Takes the lock, shared where it can be, and releases it. A push lock is held in a critical region; none is taken twice
 * by one thread. [wdm/nf-wdm-exacquirepushlocksharedex]
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxAcquireListLock(PPSCTX_LIST_LOCK Lock)
{
    if (Lock->Kind == PsctxFastMutexLock) {
        ExAcquireFastMutex(Lock->Lock);
        return;
    }
    KeEnterCriticalRegion();
    if (Lock->Kind == PsctxAutoExpandLock) {
        Lock->Held = PsctxListLocks.AcquireAutoExpandShared(Lock->Lock, PSCTX_DEFAULT_PUSH_LOCK_FLAGS);
    } else if (PsctxListLocks.AcquireSharedEx != NULL && PsctxListLocks.ReleaseSharedEx != NULL) {
        PsctxListLocks.AcquireSharedEx(Lock->Lock, PSCTX_DEFAULT_PUSH_LOCK_FLAGS);
    } else {
        PsctxListLocks.AcquireShared(Lock->Lock);
    }
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxReleaseListLock(PPSCTX_LIST_LOCK Lock)
{
    if (Lock->Kind == PsctxFastMutexLock) {
        ExReleaseFastMutex(Lock->Lock);
        return;
    }
    if (Lock->Kind == PsctxAutoExpandLock) {
        PsctxListLocks.ReleaseAutoExpandShared(Lock->Held, PSCTX_DEFAULT_PUSH_LOCK_FLAGS);
        Lock->Held = NULL;
    } else if (PsctxListLocks.AcquireSharedEx != NULL && PsctxListLocks.ReleaseSharedEx != NULL) {
        PsctxListLocks.ReleaseSharedEx(Lock->Lock, PSCTX_DEFAULT_PUSH_LOCK_FLAGS);
    } else {
        PsctxListLocks.ReleaseShared(Lock->Lock);
    }
    KeLeaveCriticalRegion();
}
