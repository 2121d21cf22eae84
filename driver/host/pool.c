/*
 * Pool: tagged allocations between guards, filled when given and when taken back, kept a while after they are freed, counted,
 * and listed until they are freed.
 */
#include "kernel.h"

#define HOST_POOL_SHARDS 16u
#define HOST_POOL_GUARD_BYTES 16u
#define HOST_POOL_ALLOCATED_FILL 0xCD
#define HOST_POOL_FREED_FILL 0xDD
#define HOST_POOL_GUARD_FILL 0xFA
#define HOST_POOL_CACHE_LINE 64u
#define HOST_POOL_QUARANTINE_BLOCKS 128u
#define HOST_POOL_QUARANTINE_BYTES (256u << 10)
#define HOST_POOL_YOUNGEST \
    64 /* blocks of a thread that are looked at for a lock: one is initialised soon after its memory is given */
/* Bytes of one block: more than any machine has, or half of what a pointer can name. */
#define HOST_POOL_LARGEST ((SIZE_T)1 << (sizeof(SIZE_T) == 8 ? 40 : 31))
#define HOST_POOL_LIVE 0x506f6f6c4c697665ULL
#define HOST_POOL_FREED 0x506f6f6c46726565ULL

typedef struct DECLSPEC_ALIGN(16) _HOST_POOL_BLOCK {
    LIST_ENTRY Links;
    SIZE_T Size;
    PVOID Caller;
    PVOID *Stack; /* PLATFORM_STACK_FRAMES addresses when HOST_POOL_STACKS=1 */
    ULONG Tag;
    ULONG StackCount;
    ULONG Shard;
    USHORT Paged;
    USHORT Offset; /* of the block in what the machine gave */
    ULONG64 Magic;
    DECLSPEC_ALIGN(16) UCHAR Guard[16]; /* up to the memory given out */
} HOST_POOL_BLOCK, *PHOST_POOL_BLOCK;

C_ASSERT(offsetof(HOST_POOL_BLOCK, Guard) + 16 == sizeof(HOST_POOL_BLOCK));

typedef struct _HOST_POOL_LISTS {
    LIST_ENTRY Live;
    LIST_ENTRY Quarantine;
    SIZE_T QuarantineBytes;
    ULONG QuarantineBlocks;
} HOST_POOL_LISTS, *PHOST_POOL_LISTS;

typedef struct DECLSPEC_ALIGN(64) _HOST_POOL_SHARD {
    HOST_MUTEX Mutex;
    HOST_POOL_LISTS Lists[2]; /* of nonpaged and of paged blocks: at DISPATCH_LEVEL nobody looks at these */
    ULONG64 Bytes;
    ULONG64 Allocations;
    volatile LONG64 Tried;
} HOST_POOL_SHARD, *PHOST_POOL_SHARD;

static HOST_POOL_SHARD HostPoolShards[HOST_POOL_SHARDS];
static pthread_once_t HostPoolOnce = PTHREAD_ONCE_INIT;
static BOOLEAN HostPoolStacks;
static volatile LONG64 HostPoolCountdown;
static volatile LONG64 HostPoolNextShard;
static HOST_THREAD_LOCAL ULONG HostPoolOwnShard; /* one more than the index; zero until the thread's first allocation */

static void HostStartPool(void)
{
    for (ULONG Index = 0; Index < HOST_POOL_SHARDS; Index++) {
        PlatformInitializeMutex(&HostPoolShards[Index].Mutex);
        for (ULONG Paged = 0; Paged < 2; Paged++) {
            InitializeListHead(&HostPoolShards[Index].Lists[Paged].Live);
            InitializeListHead(&HostPoolShards[Index].Lists[Paged].Quarantine);
        }
    }
    HostStartPaging();
    HostPoolStacks = PlatformSwitch("HOST_POOL_STACKS");
}

static ULONG HostPoolShard(VOID)
{
    if (HostPoolOwnShard == 0) {
        (void)pthread_once(&HostPoolOnce, HostStartPool);
        HostPoolOwnShard = (ULONG)((ULONG64)InterlockedIncrement64(&HostPoolNextShard) % HOST_POOL_SHARDS) + 1;
    }
    return HostPoolOwnShard - 1;
}

VOID HostFailAllocation(ULONG64 Countdown)
{
    (VOID) InterlockedExchange64(&HostPoolCountdown, (LONG64)Countdown);
}

static PHOST_ALLOCATION_ROUTINE volatile HostAllocationRoutine;

VOID HostSetAllocationRoutine(PHOST_ALLOCATION_ROUTINE Routine)
{
    __atomic_store_n(&HostAllocationRoutine, Routine, __ATOMIC_SEQ_CST);
}

ULONG64 HostAllocationCount(VOID)
{
    ULONG64 Count = 0;

    (VOID) HostPoolShard();
    for (ULONG Index = 0; Index < HOST_POOL_SHARDS; Index++) {
        Count += (ULONG64)ReadNoFence64(&HostPoolShards[Index].Tried);
    }
    return Count;
}

/* Counts an allocation that may fail: of pool, or of a request, which is pool too. TRUE when it is this one's turn. */
BOOLEAN HostTryFault(VOID)
{
    PHOST_ALLOCATION_ROUTINE Routine = __atomic_load_n(&HostAllocationRoutine, __ATOMIC_RELAXED);

    (VOID) InterlockedIncrement64(&HostPoolShards[HostPoolShard()].Tried);
    if (Routine != NULL && Routine()) {
        return TRUE;
    }
    if (ReadNoFence64(&HostPoolCountdown) <= 0) {
        return FALSE;
    }
    return (BOOLEAN)(InterlockedDecrement64(&HostPoolCountdown) == 0);
}

static PVOID HostAllocateBlock(SIZE_T Size, ULONG Tag, BOOLEAN Paged, BOOLEAN CacheAligned, BOOLEAN Zero, PVOID Caller)
{
    ULONG Index = HostPoolShard();
    PHOST_POOL_SHARD Shard = &HostPoolShards[Index];
    PHOST_POOL_BLOCK Block;
    SIZE_T Length = (CacheAligned ? HOST_POOL_CACHE_LINE : 0) + sizeof(*Block) + Size + HOST_POOL_GUARD_BYTES;
    USHORT Offset = 0;
    PUCHAR Memory = Paged && HostPagesOut ? HostAllocatePaged(Length) : PlatformAllocateRaw(Length);

    if (Memory == NULL) {
        return NULL;
    }
    if (CacheAligned) {
        Offset = (USHORT)(0 - ((ULONG_PTR)Memory + sizeof(*Block)) % HOST_POOL_CACHE_LINE + HOST_POOL_CACHE_LINE);
    }
    Block = (PHOST_POOL_BLOCK)(PVOID)(Memory + Offset);
    Memory = (PUCHAR)(Block + 1);
    Block->Offset = Offset;
    Block->Size = Size;
    Block->Caller = Caller;
    Block->Stack = NULL;
    Block->StackCount = 0;
    Block->Tag = Tag;
    Block->Shard = Index;
    Block->Paged = Paged;
    Block->Magic = HOST_POOL_LIVE;
    memset(Block->Guard, HOST_POOL_GUARD_FILL, sizeof(Block->Guard));
    memset(Memory, Zero ? 0 : HOST_POOL_ALLOCATED_FILL, Size);
    memset(Memory + Size, HOST_POOL_GUARD_FILL, HOST_POOL_GUARD_BYTES);
    if (HostPoolStacks) {
        Block->Stack = PlatformAllocate(PLATFORM_STACK_FRAMES * sizeof(PVOID));
        Block->StackCount = PlatformCaptureStack(Block->Stack);
    }
    PlatformForbid(Memory + Size, HOST_POOL_GUARD_BYTES);
    PlatformLock(&Shard->Mutex);
    InsertTailList(&Shard->Lists[Block->Paged].Live, &Block->Links);
    Shard->Bytes += Size;
    Shard->Allocations++;
    PlatformUnlock(&Shard->Mutex);
    return Memory;
}

PVOID HostAllocatePool(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, BOOLEAN Zero, PVOID Caller)
{
    BOOLEAN Paged = (BOOLEAN)((PoolType & PagedPool) != 0);
    BOOLEAN CacheAligned = (BOOLEAN)((PoolType & NonPagedPoolCacheAligned) != 0);
    KIRQL Irql = HostCurrentThread()->Irql;

    if (Paged && Irql > APC_LEVEL) {
        HostViolation(BAD_POOL_CALLER, "ExAllocatePoolWithTag", "paged pool at IRQL %u", Irql);
    }
    if (!Paged && (PoolType & NonPagedPoolNx) == 0 && (HostQuirks & HOST_OLD_VERSIONS) == 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "ExAllocatePoolWithTag", "executable pool");
    }
    if (Tag == 0) {
        HostViolation(BAD_POOL_CALLER, "ExAllocatePoolWithTag", "the tag is zero");
    }
    if (Size == 0) {
        HostViolation(BAD_POOL_CALLER, "ExAllocatePoolWithTag", "no bytes are asked for");
    }
    if (HostTryFault() || Size > HOST_POOL_LARGEST) {
        return NULL;
    }
    return HostAllocateBlock(Size, Tag, Paged, CacheAligned, Zero, Caller);
}

VOID HostCheckNonPaged(const volatile VOID *Lock, const char *Routine)
{
    PHOST_POOL_SHARD Shard = &HostPoolShards[HostPoolShard()];
    PLIST_ENTRY Live = &Shard->Lists[TRUE].Live;
    PLIST_ENTRY Entry;
    BOOLEAN Paged = FALSE;
    ULONG Count = 0;

    if (HostCurrentThread()->Irql > APC_LEVEL) {
        return;
    }
    PlatformLock(&Shard->Mutex);
    for (Entry = Live->Blink; Entry != Live && Count < HOST_POOL_YOUNGEST && !Paged; Entry = Entry->Blink) {
        PHOST_POOL_BLOCK Block = CONTAINING_RECORD(Entry, HOST_POOL_BLOCK, Links);

        Paged = (BOOLEAN)((ULONG_PTR)Lock - (ULONG_PTR)(Block + 1) < Block->Size);
        Count++;
    }
    PlatformUnlock(&Shard->Mutex);
    if (Paged) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "the lock at %p lies in paged pool",
                      (const VOID *)Lock);
    }
}

/* For what NT takes from a reserve: never NULL. */
PVOID HostAllocateReserved(SIZE_T Size, ULONG Tag)
{
    PVOID Memory = HostAllocateBlock(Size, Tag, FALSE, FALSE, FALSE, __builtin_return_address(0));

    if (Memory == NULL) {
        PlatformAbort();
    }
    return Memory;
}

static BOOLEAN HostIsFilled(const UCHAR *Memory, UCHAR Fill, SIZE_T Size)
{
    return (BOOLEAN)(Size == 0 || (Memory[0] == Fill && memcmp(Memory, Memory + 1, Size - 1) == 0));
}

static VOID HostGiveBlockBack(PHOST_POOL_BLOCK Block)
{
    PlatformFree(Block->Stack);
    if (!Block->Paged || !HostPagesOut) {
        PlatformFree((PUCHAR)Block - Block->Offset);
    }
}

static VOID HostFreeBlock(PHOST_POOL_BLOCK Block)
{
    PUCHAR Memory = (PUCHAR)(Block + 1);

    PlatformAllow(Memory, Block->Size + HOST_POOL_GUARD_BYTES);
    if (!HostIsFilled(Memory, HOST_POOL_FREED_FILL, Block->Size)) {
        HostViolation(DRIVER_CAUGHT_MODIFYING_FREED_POOL, "pool",
                      "%llu bytes at %p of tag 0x%08X were written after they were freed", (ULONG64)Block->Size,
                      (PVOID)Memory, Block->Tag);
    }
    HostGiveBlockBack(Block);
}

/* Takes blocks out of quarantine until it is small enough for Blocks and Bytes, and gives them back. */
static VOID HostTrimQuarantine(PHOST_POOL_SHARD Shard, BOOLEAN Paged, ULONG Blocks, SIZE_T Bytes)
{
    PHOST_POOL_LISTS Lists = &Shard->Lists[Paged];
    PHOST_POOL_BLOCK Block;

    for (;;) {
        Block = NULL;
        PlatformLock(&Shard->Mutex);
        if (Lists->QuarantineBlocks > Blocks || Lists->QuarantineBytes > Bytes) {
            Block = CONTAINING_RECORD(RemoveHeadList(&Lists->Quarantine), HOST_POOL_BLOCK, Links);
            Lists->QuarantineBlocks--;
            Lists->QuarantineBytes -= Block->Size;
        }
        PlatformUnlock(&Shard->Mutex);
        if (Block == NULL) {
            break;
        }
        HostFreeBlock(Block);
    }
}

VOID HostFreePool(PVOID Pool, ULONG Tag, const char *Routine)
{
    PHOST_POOL_BLOCK Block;
    PHOST_POOL_SHARD Shard;
    PHOST_POOL_LISTS Lists;
    const char *Pin;
    BOOLEAN Paged;
    BOOLEAN Trim;

    if (Pool == NULL || ((ULONG_PTR)Pool & 15) != 0) {
        HostViolation(BAD_POOL_CALLER, Routine, "%p is no pool", Pool);
    }
    Block = (PHOST_POOL_BLOCK)Pool - 1;
    if (Block->Magic == (HOST_POOL_FREED ^ (ULONG_PTR)Block)) {
        HostViolation(BAD_POOL_CALLER, Routine, "the pool at %p is freed already", Pool);
    }
    if (Block->Magic != HOST_POOL_LIVE) {
        HostViolation(BAD_POOL_CALLER, Routine, "%p is no pool", Pool);
    }
    if (!HostIsFilled(Block->Guard, HOST_POOL_GUARD_FILL, sizeof(Block->Guard))) {
        HostViolation(BAD_POOL_HEADER, Routine, "the bytes before %p (tag 0x%08X) were written", Pool, Block->Tag);
    }
    PlatformAllow((PUCHAR)Pool + Block->Size, HOST_POOL_GUARD_BYTES);
    if (!HostIsFilled((PUCHAR)Pool + Block->Size, HOST_POOL_GUARD_FILL, HOST_POOL_GUARD_BYTES)) {
        HostViolation(DRIVER_CORRUPTED_EXPOOL, Routine, "the bytes behind %p (%llu bytes, tag 0x%08X) were written",
                      Pool, (ULONG64)Block->Size, Block->Tag);
    }
    if (Tag != 0 && Tag != Block->Tag) {
        HostViolation(BAD_POOL_CALLER, Routine, "%p has tag 0x%08X, not 0x%08X", Pool, Block->Tag, Tag);
    }
    if (Block->Paged && HostCurrentThread()->Irql > APC_LEVEL) {
        HostViolation(BAD_POOL_CALLER, Routine, "paged pool at IRQL %u", HostCurrentThread()->Irql);
    }
    Pin = HostFindPin(Pool, Block->Size);
    if (Pin != NULL) {
        HostViolation(BAD_POOL_CALLER, Routine, "the pool at %p still holds %s", Pool, Pin);
    }
    HostForgetLocks(Pool, Block->Size);
    Shard = &HostPoolShards[Block->Shard];
    Paged = (BOOLEAN)Block->Paged;
    Lists = &Shard->Lists[Paged];
    memset(Pool, HOST_POOL_FREED_FILL, Block->Size);
    PlatformForbid(Pool, Block->Size + HOST_POOL_GUARD_BYTES);
    PlatformLock(&Shard->Mutex);
    Block->Magic = HOST_POOL_FREED ^ (ULONG_PTR)Block;
    (VOID) RemoveEntryList(&Block->Links);
    InsertTailList(&Lists->Quarantine, &Block->Links);
    Shard->Bytes -= Block->Size;
    Shard->Allocations--;
    Lists->QuarantineBytes += Block->Size;
    Lists->QuarantineBlocks++;
    Trim = (BOOLEAN)(Lists->QuarantineBlocks > HOST_POOL_QUARANTINE_BLOCKS ||
                     Lists->QuarantineBytes > HOST_POOL_QUARANTINE_BYTES);
    PlatformUnlock(&Shard->Mutex);
    if (Trim) {
        HostTrimQuarantine(Shard, Paged, HOST_POOL_QUARANTINE_BLOCKS, HOST_POOL_QUARANTINE_BYTES);
    }
}

/* Nonpaged pool up to DISPATCH_LEVEL, paged up to APC_LEVEL. NULL when there is none. */
PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    (VOID) HostEnter(ExAllocatePoolWithTag);
    return HostAllocatePool(PoolType, NumberOfBytes, Tag, FALSE, __builtin_return_address(0));
}

/* ExAllocatePool2, as MmGetSystemRoutineAddress finds it: zeroed unless POOL_FLAG_UNINITIALIZED. */
PVOID HostAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    POOL_FLAGS Kind = Flags & (POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED);

    (VOID) HostEnter(ExAllocatePool2);
    if (Kind == 0 || (Kind & (Kind - 1)) != 0) {
        HostViolation(BAD_POOL_CALLER, "ExAllocatePool2", "flags 0x%llx name no one pool", Flags);
    }
    return HostAllocatePool((Kind == POOL_FLAG_PAGED ? PagedPool : NonPagedPoolNx) |
                                ((Flags & POOL_FLAG_CACHE_ALIGNED) != 0 ? NonPagedPoolCacheAligned : 0),
                            NumberOfBytes, Tag, (BOOLEAN)((Flags & POOL_FLAG_UNINITIALIZED) == 0),
                            __builtin_return_address(0));
}

VOID ExFreePool(PVOID Pool)
{
    (VOID) HostEnter(ExFreePool);
    HostFreePool(Pool, 0, "ExFreePool");
}

VOID ExFreePoolWithTag(PVOID Pool, ULONG Tag)
{
    (VOID) HostEnter(ExFreePoolWithTag);
    HostFreePool(Pool, Tag, "ExFreePoolWithTag");
}

VOID HostCountPool(PULONG64 Bytes, PULONG64 Allocations)
{
    *Bytes = *Allocations = 0;
    (VOID) HostPoolShard();
    for (ULONG Index = 0; Index < HOST_POOL_SHARDS; Index++) {
        PlatformLock(&HostPoolShards[Index].Mutex);
        *Bytes += HostPoolShards[Index].Bytes;
        *Allocations += HostPoolShards[Index].Allocations;
        PlatformUnlock(&HostPoolShards[Index].Mutex);
    }
}

ULONG64 HostAuditPool(ULONG Tag)
{
    ULONG64 Bytes = 0;

    (VOID) HostPoolShard();
    for (ULONG Index = 0; Index < HOST_POOL_SHARDS; Index++) {
        PHOST_POOL_SHARD Shard = &HostPoolShards[Index];

        PlatformLock(&Shard->Mutex);
        for (ULONG Paged = 0; Paged < 2; Paged++) {
            PLIST_ENTRY Live = &Shard->Lists[Paged].Live;

            for (PLIST_ENTRY Entry = Live->Flink; Entry != Live; Entry = Entry->Flink) {
                PHOST_POOL_BLOCK Block = CONTAINING_RECORD(Entry, HOST_POOL_BLOCK, Links);

                Bytes += Block->Tag == Tag ? Block->Size : 0;
            }
        }
        PlatformUnlock(&Shard->Mutex);
    }
    return Bytes;
}

/* The shard's mutex is held. */
static VOID HostReportBlocks(PHOST_POOL_SHARD Shard, PLIST_ENTRY Live)
{
    while (!IsListEmpty(Live)) {
        PHOST_POOL_BLOCK Block = CONTAINING_RECORD(RemoveHeadList(Live), HOST_POOL_BLOCK, Links);

        PlatformPrint("leaked: %llu bytes of %s pool, tag '%.4s', allocated by\n", (ULONG64)Block->Size,
                      Block->Paged ? "paged" : "nonpaged", (const char *)&Block->Tag);
        if (Block->StackCount != 0) {
            PlatformPrintStack(Block->Stack, Block->StackCount);
        } else {
            PlatformPrintStack(&Block->Caller, 1);
        }
        Shard->Bytes -= Block->Size;
        Shard->Allocations--;
        PlatformAllow(Block + 1, Block->Size + HOST_POOL_GUARD_BYTES);
        HostGiveBlockBack(Block);
    }
}

/* Says what was not freed, on standard error, and gives it back. */
VOID HostReportPool(VOID)
{
    (VOID) HostPoolShard();
    for (ULONG Index = 0; Index < HOST_POOL_SHARDS; Index++) {
        PHOST_POOL_SHARD Shard = &HostPoolShards[Index];

        PlatformLock(&Shard->Mutex);
        HostReportBlocks(Shard, &Shard->Lists[FALSE].Live);
        HostReportBlocks(Shard, &Shard->Lists[TRUE].Live);
        PlatformUnlock(&Shard->Mutex);
    }
}

VOID HostEmptyQuarantine(VOID)
{
    (VOID) HostPoolShard();
    for (ULONG Index = 0; Index < HOST_POOL_SHARDS; Index++) {
        HostTrimQuarantine(&HostPoolShards[Index], FALSE, 0, 0);
        HostTrimQuarantine(&HostPoolShards[Index], TRUE, 0, 0);
    }
}

/* Ends the quarantine, where writes to freed pool are found at the latest. The next kernel's count starts at zero. */
VOID HostStopPool(VOID)
{
    HostEmptyQuarantine();
    for (ULONG Index = 0; Index < HOST_POOL_SHARDS; Index++) {
        (VOID) InterlockedExchange64(&HostPoolShards[Index].Tried, 0);
    }
}
