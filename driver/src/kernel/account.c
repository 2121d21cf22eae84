/*
 * Accounts: what clients may make the driver keep, each session by itself and all of them together, bounded by the machine's memory.
 *
 * Contexts and records are booked apart, so that whoever fills his quota of contexts can still be watched, and a client can still look
 * what is there. What a client has done is given back where the memory is: contexts of ended sessions (PSCTX_LIFETIME_STREAM), and the
 * records of such sessions, stay booked in total until they are freed.
 */
#include "kernel/kernel.h"

#define PSCTX_SYSTEM_BASIC_INFORMATION 0u

/* A session's share of the machine's memory is one of so many; a context is taken to need so much of it. */
#define PSCTX_PAGED_DIVISOR 8u
#define PSCTX_NONPAGED_DIVISOR 32u
#define PSCTX_PAGED_RECORDS_DIVISOR 32u
#define PSCTX_NONPAGED_RECORDS_DIVISOR 64u
#define PSCTX_BYTES_PER_CONTEXT 512u

/* On 32-bit kernels a session has a sixteenth of the bytes that the limits name. */
#define PSCTX_LIMITS_SHIFT (sizeof(PVOID) == sizeof(ULONG) ? 4u : 0u)

PSCTX_ACCOUNT PsctxTotalAccount;
PSCTX_LIMITS PsctxTotalLimits;
PSCTX_LIMITS PsctxSessionLimits;

/* The kernel's answer, as it has been laid out since Windows NT 4.0. */
typedef struct _PSCTX_BASIC_INFORMATION {
    ULONG Reserved;
    ULONG TimerResolution;
    ULONG PageSize;
    ULONG PhysicalPages;
    ULONG LowestPhysicalPage;
    ULONG HighestPhysicalPage;
    ULONG AllocationGranularity;
    ULONG_PTR LowestUserAddress;
    ULONG_PTR HighestUserAddress;
    ULONG_PTR Processors;
    CCHAR ProcessorCount;
} PSCTX_BASIC_INFORMATION;

/*
 * Bytes of physical memory; where the kernel does not tell, as many as a system of its size class has at least.
 * [wdm/nf-wdm-mmquerysystemsize]
 */
PSCTX_INIT static ULONG64 PsctxQueryPhysicalMemory(VOID)
{
    PSCTX_BASIC_INFORMATION information;
    ULONG length;

    PAGED_CODE();

    if (NT_SUCCESS(
            PsctxQuerySystemInformation(PSCTX_SYSTEM_BASIC_INFORMATION, &information, sizeof(information), &length))) {
        return (ULONG64)information.PhysicalPages * information.PageSize;
    }
    switch (MmQuerySystemSize()) {
    case MmSmallSystem:
        return 64ull << 20;
    case MmMediumSystem:
        return 128ull << 20;
    default:
        return 512ull << 20;
    }
}

/* A limit, where the machine's memory allows it. */
static LONG64 PsctxPartOf(_In_ ULONG64 Memory, _In_ ULONG Divisor, _In_ ULONG64 Maximum)
{
    return (LONG64)min(Memory / Divisor, Maximum >> PSCTX_LIMITS_SHIFT);
}

/*
 * Finds the limits that this machine has. Pools of 32-bit kernels are small whatever the memory: they share 2 GiB of addresses with
 * everything else, and a nonpaged pool of at most 256 MiB.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartAccounts(VOID)
{
    const ULONG64 memory = PsctxQueryPhysicalMemory();
    const PPSCTX_LIMITS session = &PsctxSessionLimits;
    const PPSCTX_LIMITS total = &PsctxTotalLimits;
    ULONG pool;

    PAGED_CODE();

    session->Bytes[PSCTX_POOL_PAGED] = PsctxPartOf(memory, PSCTX_PAGED_DIVISOR, PSCTX_MAXIMUM_PAGED_BYTES);
    session->Bytes[PSCTX_POOL_NONPAGED] = PsctxPartOf(memory, PSCTX_NONPAGED_DIVISOR, PSCTX_MAXIMUM_NONPAGED_BYTES);
    session->RecordBytes[PSCTX_POOL_PAGED] =
        PsctxPartOf(memory, PSCTX_PAGED_RECORDS_DIVISOR, PSCTX_MAXIMUM_PAGED_RECORD_BYTES);
    session->RecordBytes[PSCTX_POOL_NONPAGED] =
        PsctxPartOf(memory, PSCTX_NONPAGED_RECORDS_DIVISOR, PSCTX_MAXIMUM_NONPAGED_RECORD_BYTES);
    session->Contexts = min(session->Bytes[PSCTX_POOL_PAGED] / PSCTX_BYTES_PER_CONTEXT, (LONG64)PSCTX_MAXIMUM_CONTEXTS);
    total->Contexts = PSCTX_TOTAL_CONTEXTS_FACTOR * session->Contexts;
    for (pool = PSCTX_POOL_PAGED; pool <= PSCTX_POOL_NONPAGED; pool += 1) {
        total->Bytes[pool] = PSCTX_TOTAL_CONTEXTS_FACTOR * session->Bytes[pool];
        total->RecordBytes[pool] = PSCTX_TOTAL_RECORDS_FACTOR * session->RecordBytes[pool];
    }
}

/*
 * Adds to a counter what fits below its limit. FALSE, with nothing added, if it does not.
 */
static BOOLEAN PsctxAddWithin(_Inout_ volatile LONG64 *Counter, _In_ LONG64 Amount, _In_ LONG64 Limit)
{
    LONG64 value = (LONG64)PsctxReadCounter(Counter);

    while (Amount <= Limit - value) {
        const LONG64 found = InterlockedCompareExchange64(Counter, value + Amount, value);

        if (found == value) {
            return TRUE;
        }
        value = found;
    }
    return FALSE;
}

/*
 * Books an amount for a session and in total. FALSE, with nothing booked, beyond either limit.
 */
static BOOLEAN PsctxAddTwice(_Inout_ volatile LONG64 *Session, _In_ LONG64 SessionLimit, _Inout_ volatile LONG64 *Total,
                             _In_ LONG64 TotalLimit, _In_ LONG64 Amount)
{
    if (!PsctxAddWithin(Session, Amount, SessionLimit)) {
        return FALSE;
    }
    if (!PsctxAddWithin(Total, Amount, TotalLimit)) {
        InterlockedExchangeAdd64(Session, -Amount);
        return FALSE;
    }
    return TRUE;
}

/*
 * Books one context of Size bytes from a pool (PSCTX_POOL_*), and takes it off the books. FALSE, with nothing booked, beyond the limits.
 */
_Use_decl_annotations_ BOOLEAN PsctxChargeContext(PPSCTX_ACCOUNT Account, ULONG Pool, ULONG Size)
{
    const PPSCTX_ACCOUNT total = &PsctxTotalAccount;

    if (!PsctxAddTwice(&Account->Contexts, PsctxSessionLimits.Contexts, &total->Contexts, PsctxTotalLimits.Contexts,
                       1)) {
        return FALSE;
    }
    if (!PsctxAddTwice(&Account->Bytes[Pool], PsctxSessionLimits.Bytes[Pool], &total->Bytes[Pool],
                       PsctxTotalLimits.Bytes[Pool], Size)) {
        InterlockedDecrement64(&Account->Contexts);
        InterlockedDecrement64(&total->Contexts);
        return FALSE;
    }
    return TRUE;
}

_Use_decl_annotations_ VOID PsctxDischargeContext(PPSCTX_ACCOUNT Account, ULONG Pool, ULONG Size)
{
    InterlockedExchangeAdd64(&Account->Bytes[Pool], -(LONG64)Size);
    InterlockedExchangeAdd64(&PsctxTotalAccount.Bytes[Pool], -(LONG64)Size);
    InterlockedDecrement64(&Account->Contexts);
    InterlockedDecrement64(&PsctxTotalAccount.Contexts);
}

/*
 * Books a context of a rule, which has been booked as a context, against the rules' share of its session, and takes it off the books. Opens
 * are anybody's: however many files are opened, the other half stays for what the client inserts itself. FALSE beyond the share.
 */
_Use_decl_annotations_ BOOLEAN PsctxChargeTracked(PPSCTX_ACCOUNT Tracked, ULONG Pool, ULONG Size)
{
    const PPSCTX_LIMITS limits = &PsctxSessionLimits;

    if (!PsctxAddWithin(&Tracked->Contexts, 1, limits->Contexts / PSCTX_TRACKED_SHARE)) {
        return FALSE;
    }
    if (!PsctxAddWithin(&Tracked->Bytes[Pool], Size, limits->Bytes[Pool] / PSCTX_TRACKED_SHARE)) {
        InterlockedDecrement64(&Tracked->Contexts);
        return FALSE;
    }
    return TRUE;
}

_Use_decl_annotations_ VOID PsctxDischargeTracked(PPSCTX_ACCOUNT Tracked, ULONG Pool, ULONG Size)
{
    InterlockedExchangeAdd64(&Tracked->Bytes[Pool], -(LONG64)Size);
    InterlockedDecrement64(&Tracked->Contexts);
}

/*
 * Books memory that is no context and is kept for a session, and takes it off the books; for whoever does not allocate it himself.
 * FALSE, with nothing booked, beyond the limits.
 */
_Use_decl_annotations_ BOOLEAN PsctxChargeRecord(PPSCTX_ACCOUNT Account, ULONG Pool, SIZE_T Size)
{
    return PsctxAddTwice(&Account->RecordBytes[Pool], PsctxSessionLimits.RecordBytes[Pool],
                         &PsctxTotalAccount.RecordBytes[Pool], PsctxTotalLimits.RecordBytes[Pool], (LONG64)Size);
}

_Use_decl_annotations_ VOID PsctxDischargeRecord(PPSCTX_ACCOUNT Account, ULONG Pool, SIZE_T Size)
{
    InterlockedExchangeAdd64(&Account->RecordBytes[Pool], -(LONG64)Size);
    InterlockedExchangeAdd64(&PsctxTotalAccount.RecordBytes[Pool], -(LONG64)Size);
}

/*
 * Zeroed memory that is kept for a session and booked for it; PsctxFreeRecord, with the same account, pool and size, frees it.
 * STATUS_QUOTA_EXCEEDED, STATUS_INSUFFICIENT_RESOURCES.
 */
_Use_decl_annotations_ NTSTATUS PsctxAllocateRecord(PPSCTX_ACCOUNT Account, ULONG Pool, SIZE_T Size, PVOID *Record)
{
    if (!PsctxChargeRecord(Account, Pool, Size)) {
        return STATUS_QUOTA_EXCEEDED;
    }
    *Record = PsctxAllocate(Pool == PSCTX_POOL_PAGED ? PagedPool : NonPagedPool, Size);
    if (*Record == NULL) {
        PsctxDischargeRecord(Account, Pool, Size);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

_Use_decl_annotations_ VOID PsctxFreeRecord(PPSCTX_ACCOUNT Account, ULONG Pool, SIZE_T Size, PVOID Record)
{
    if (Record != NULL) {
        PsctxFree(Record);
        PsctxDischargeRecord(Account, Pool, Size);
    }
}
