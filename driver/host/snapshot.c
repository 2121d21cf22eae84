/*
 * Saving and restoring the kernel: its memory comes from one arena, and its variables lie in one library.
 *
 * Most of what is saved is never written again: tables, contexts that no case gets at, what sanitizers keep beside. So pages are made
 * read-only when they are saved; the first write to each faults, once in the life of the process, and only pages that have ever been
 * written are copied back.
 */
#include "host_snapshot.h"

#include "kernel.h"
#include "request.h"

#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SNAPSHOT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SNAPSHOT_ADDRESS_SANITIZER 1
#endif
#endif

#define ARENA_BYTES ((SIZE_T)1 << 30)
#define ARENA_UNIT 16u
#define ARENA_SMALL 64u /* classes by 16 bytes; those above by powers of two */
#define ARENA_CLASSES (ARENA_SMALL + 20u)
#define SNAPSHOT_RANGES 64u
#define SNAPSHOT_LARGE 1024u                /* bytes of a free block that are worth leaving out */
#define SNAPSHOT_PATIENCE (10 * 10000000ll) /* 100 ns units */

#ifdef SNAPSHOT_ADDRESS_SANITIZER
void __asan_get_shadow_mapping(size_t *Scale, size_t *Offset);
#endif

#ifdef __clang__
#define WITHOUT_CHECKS __attribute__((no_sanitize("address", "undefined", "coverage")))
#else
#define WITHOUT_CHECKS __attribute__((no_sanitize("address", "undefined")))
#endif

/* In front of each block; touched only where nothing is checked, for it is forbidden to everybody else. */
typedef struct DECLSPEC_ALIGN(ARENA_UNIT) _ARENA_BLOCK {
    ULONG Class;
    ULONG Free;
    union {
        struct _ARENA_BLOCK *Next; /* that is free */
        SIZE_T Size;               /* that was asked for */
    };
} ARENA_BLOCK;

C_ASSERT(sizeof(ARENA_BLOCK) == ARENA_UNIT);

/* The arena's own account is put back with everything else; where it lies is not. */
static HOST_MUTEX ArenaMutex = HOST_MUTEX_INITIALIZER;
static SIZE_T ArenaUsed;
static ARENA_BLOCK *ArenaFree[ARENA_CLASSES];
static PUCHAR ArenaBase HOST_KEPT = NULL;
static pthread_once_t ArenaOnce HOST_KEPT = PTHREAD_ONCE_INIT;

static void ArenaStart(void)
{
    PVOID Memory = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (Memory == MAP_FAILED) {
        PlatformAbort();
    }
    ArenaBase = Memory;
    PlatformForbid(ArenaBase, ARENA_BYTES);
}

static ULONG ArenaClass(SIZE_T Size)
{
    ULONG Class = ARENA_SMALL;

    if (Size <= (SIZE_T)ARENA_UNIT * ARENA_SMALL) {
        return Size == 0 ? 0 : (ULONG)((Size - 1) / ARENA_UNIT);
    }
    while (((SIZE_T)ARENA_UNIT * ARENA_SMALL * 2) << (Class - ARENA_SMALL) < Size) {
        Class++;
    }
    return Class;
}

static SIZE_T ArenaClassBytes(ULONG Class)
{
    return Class < ARENA_SMALL ? (Class + 1) * ARENA_UNIT
                               : ((SIZE_T)ARENA_UNIT * ARENA_SMALL * 2) << (Class - ARENA_SMALL);
}

WITHOUT_CHECKS PVOID PlatformAllocateRaw(SIZE_T Size)
{
    ULONG Class = ArenaClass(Size);
    ARENA_BLOCK *Block;

    (void)pthread_once(&ArenaOnce, ArenaStart);
    if (Class >= ARENA_CLASSES) {
        return NULL;
    }
    PlatformLock(&ArenaMutex);
    Block = ArenaFree[Class];
    if (Block != NULL) {
        ArenaFree[Class] = Block->Next;
    } else if (ArenaClassBytes(Class) + 2 * sizeof(*Block) <= ARENA_BYTES - ArenaUsed) {
        Block = (ARENA_BLOCK *)(PVOID)(ArenaBase + ArenaUsed);
        Block->Class = Class;
        ArenaUsed += sizeof(*Block) + ArenaClassBytes(Class);
    }
    PlatformUnlock(&ArenaMutex);
    if (Block == NULL) {
        return NULL;
    }
    Block->Free = 0;
    Block->Size = Size;
    PlatformAllow(Block + 1, Size);
    return Block + 1;
}

PVOID PlatformAllocate(SIZE_T Size)
{
    PVOID Memory = PlatformAllocateRaw(Size);

    if (Memory == NULL) {
        PlatformAbort();
    }
    memset(Memory, 0, Size);
    return Memory;
}

WITHOUT_CHECKS VOID PlatformFree(PVOID Memory)
{
    ARENA_BLOCK *Block;

    if (Memory == NULL) {
        return;
    }
    Block = (ARENA_BLOCK *)Memory - 1;
    PlatformForbid(Memory, ArenaClassBytes(Block->Class));
    PlatformLock(&ArenaMutex);
    Block->Free = 1;
    Block->Next = ArenaFree[Block->Class];
    ArenaFree[Block->Class] = Block;
    PlatformUnlock(&ArenaMutex);
}

WITHOUT_CHECKS static SIZE_T ArenaRoom(const VOID *Memory)
{
    return ArenaClassBytes(((const ARENA_BLOCK *)Memory - 1)->Class);
}

PVOID PlatformReallocate(PVOID Memory, SIZE_T Size)
{
    PVOID Larger = PlatformAllocate(Size);

    if (Memory != NULL) {
        SIZE_T Room = ArenaRoom(Memory);

        PlatformAllow(Memory, Room);
        memcpy(Larger, Memory, min(Room, Size));
        PlatformFree(Memory);
    }
    return Larger;
}

typedef struct _SNAPSHOT_RANGE {
    PUCHAR Start;
    SIZE_T Length;
    PUCHAR Copy;
} SNAPSHOT_RANGE;

/* A page of a range, or what of one lies in it. */
typedef struct _SNAPSHOT_PIECE {
    PUCHAR Start;
    SIZE_T Length;
    const UCHAR *Copy;
    volatile LONG Written; /* so that it is to be copied back */
} SNAPSHOT_PIECE;

static struct {
    SNAPSHOT_RANGE Ranges[SNAPSHOT_RANGES];
    ULONG RangeCount;
    SIZE_T ArenaUsed;
    SIZE_T PageSize;
    SNAPSHOT_PIECE *Pieces;
    ULONG PieceCount;
    struct sigaction Fault; /* what happens to faults that are others' */
} Snapshot HOST_KEPT = {0};

/* Sections that are left alone: what HOST_KEPT says, what a build counts of the code that has run, and tables that nobody writes. */
static const char *const SnapshotKept[] = {"host_kept",       "__sancov_cntrs",  "__sancov_guards", "__sancov_bools",
                                           "__llvm_prf_cnts", "__llvm_prf_bits", "__sancov_pcs",    "asan_globals"};

/* By pieces, without a call of memcpy, which a sanitizer would check. */
WITHOUT_CHECKS static VOID SnapshotCopy(PUCHAR To, const UCHAR *From, SIZE_T Length)
{
#ifdef SNAPSHOT_ADDRESS_SANITIZER
    typedef ULONG64 PIECE __attribute__((vector_size(64), aligned(1), may_alias));
    SIZE_T Index;

    for (Index = 0; Index + sizeof(PIECE) <= Length; Index += sizeof(PIECE)) {
        *(PIECE *)(PVOID)(To + Index) = *(const PIECE *)(const VOID *)(From + Index);
    }
    for (; Index < Length; Index++) {
        To[Index] = From[Index];
    }
#else
    memcpy(To, From, Length);
#endif
}

static VOID SnapshotAdd(PUCHAR Start, PUCHAR End)
{
    if (Start >= End) {
        return;
    }
    if (Snapshot.RangeCount == SNAPSHOT_RANGES) {
        PlatformAbort();
    }
    Snapshot.Ranges[Snapshot.RangeCount].Start = Start;
    Snapshot.Ranges[Snapshot.RangeCount].Length = (SIZE_T)(End - Start);
    Snapshot.RangeCount++;
}

static VOID SnapshotExclude(const UCHAR *Start, const UCHAR *End)
{
    const ULONG Count = Snapshot.RangeCount;

    for (ULONG Index = 0; Index < Count && Start < End; Index++) {
        SNAPSHOT_RANGE *Range = &Snapshot.Ranges[Index];
        PUCHAR RangeEnd = Range->Start + Range->Length;

        if (Start < RangeEnd && End > Range->Start) {
            Range->Length = Start > Range->Start ? (SIZE_T)(Start - Range->Start) : 0;
            SnapshotAdd((PUCHAR)(ULONG_PTR)End, RangeEnd);
        }
    }
}

static BOOLEAN SnapshotIsKept(const char *Section)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(SnapshotKept); Index++) {
        if (strcmp(SnapshotKept[Index], Section) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

/* The library's file says where its sections are. */
static VOID SnapshotExcludeSections(const char *Path, PUCHAR Base)
{
    int File = open(Path, O_RDONLY | O_CLOEXEC);
    struct stat Information;
    const ElfW(Ehdr) * Elf;
    const ElfW(Shdr) * Sections;
    const char *Names;

    if (File < 0 || fstat(File, &Information) != 0) {
        PlatformAbort();
    }
    Elf = mmap(NULL, (SIZE_T)Information.st_size, PROT_READ, MAP_PRIVATE, File, 0);
    if (Elf == MAP_FAILED) {
        PlatformAbort();
    }
    Sections = (const ElfW(Shdr) *)(const VOID *)((const UCHAR *)Elf + Elf->e_shoff);
    Names = (const char *)Elf + Sections[Elf->e_shstrndx].sh_offset;
    for (ULONG Index = 0; Index < Elf->e_shnum; Index++) {
        if (SnapshotIsKept(Names + Sections[Index].sh_name)) {
            SnapshotExclude(Base + Sections[Index].sh_addr, Base + Sections[Index].sh_addr + Sections[Index].sh_size);
        }
    }
    (void)munmap((PVOID)(ULONG_PTR)Elf, (SIZE_T)Information.st_size);
    (void)close(File);
}

/* What is in use, with the account of what is not. */
WITHOUT_CHECKS static VOID SnapshotAddArena(VOID)
{
    PUCHAR Start = ArenaBase;
    PUCHAR Next = ArenaBase;

    while (Next < ArenaBase + ArenaUsed) {
        const ARENA_BLOCK *Block = (const ARENA_BLOCK *)(const VOID *)Next;
        const SIZE_T Used = Block->Free ? 0 : ALIGN_UP_BY(Block->Size, ARENA_UNIT);

        Next += sizeof(*Block) + ArenaClassBytes(Block->Class);
        if (ArenaClassBytes(Block->Class) - Used >= SNAPSHOT_LARGE && Snapshot.RangeCount < SNAPSHOT_RANGES - 1) {
            SnapshotAdd(Start, (PUCHAR)(ULONG_PTR)(Block + 1) + Used);
            Start = Next;
        }
    }
    SnapshotAdd(Start, Next);
}

/* The variables of the library that this code lies in: its writable segment, without what the loader has made read-only. */
static int SnapshotVisit(struct dl_phdr_info *Information, size_t Size, void *Context)
{
    const ULONG_PTR Own = (ULONG_PTR)&ArenaUsed;
    PUCHAR Base = (PUCHAR)Information->dlpi_addr;
    ULONG Index;

    UNREFERENCED_PARAMETER(Size);
    UNREFERENCED_PARAMETER(Context);
    for (Index = 0; Index < Information->dlpi_phnum; Index++) {
        const ElfW(Phdr) *Header = &Information->dlpi_phdr[Index];

        if (Header->p_type == PT_LOAD && (Header->p_flags & PF_W) != 0 &&
            Own - (ULONG_PTR)(Base + Header->p_vaddr) < Header->p_memsz) {
            SnapshotAdd(Base + Header->p_vaddr, Base + Header->p_vaddr + Header->p_memsz);
        }
    }
    if (Snapshot.RangeCount == 0) {
        return 0;
    }
    for (Index = 0; Index < Information->dlpi_phnum; Index++) {
        const ElfW(Phdr) *Header = &Information->dlpi_phdr[Index];

        if (Header->p_type == PT_GNU_RELRO) {
            SnapshotExclude(Base + Header->p_vaddr, Base + Header->p_vaddr + Header->p_memsz);
        }
    }
    SnapshotExcludeSections(Information->dlpi_name, Base);
    return 1;
}

/* What AddressSanitizer knows of the arena. */
static VOID SnapshotAddShadow(VOID)
{
#ifdef SNAPSHOT_ADDRESS_SANITIZER
    size_t Scale;
    size_t Offset;
    PUCHAR Shadow;

    __asan_get_shadow_mapping(&Scale, &Offset);
    Shadow = (PUCHAR)(((ULONG_PTR)ArenaBase >> Scale) + Offset);
    SnapshotAdd(Shadow, Shadow + (ArenaUsed >> Scale));
#endif
}

static VOID SnapshotCountThread(PETHREAD Thread, PVOID Context)
{
    *(PULONG)Context += Thread != HostThisThread ? 1u : 0u;
}

static VOID SnapshotCountUnsatisfied(PETHREAD Thread, PVOID Context)
{
    const DISPATCHER_HEADER *Object = (const DISPATCHER_HEADER *)(ULONG_PTR)Thread->WaitAddress;

    *(PULONG)Context += Object != NULL && !IsListEmpty(&Object->WaitListHead) ? 1u : 0u;
}

/* Returns when every other thread waits for an object that it has not been given, and will go no further. */
static VOID SnapshotStopThreads(VOID)
{
    const LONGLONG Limit = PlatformInterruptTime() + SNAPSHOT_PATIENCE;

    HostStopWorkers();
    for (;;) {
        ULONG Threads = 0;
        ULONG Unsatisfied = 0;

        HostVisitThreads(SnapshotCountThread, &Threads);
        if (HostStopWaiters() == Threads) {
            HostVisitThreads(SnapshotCountUnsatisfied, &Unsatisfied);
            if (Unsatisfied == Threads) {
                return;
            }
        }
        HostReleaseWaiters();
        if (PlatformInterruptTime() > Limit) {
            HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "snapshot", "not every other thread waits for an object");
        }
        PlatformYield();
    }
}

static PUCHAR SnapshotAllocate(SIZE_T Size)
{
    PVOID Memory = mmap(NULL, Size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (Memory == MAP_FAILED) {
        PlatformAbort();
    }
    return Memory;
}

/* A write to a page that is as it was saved: it may be written from here on, and is copied back. Runs on any thread. */
WITHOUT_CHECKS static void SnapshotFault(int Signal, siginfo_t *Information, void *Context)
{
    const PUCHAR Page = (PUCHAR)((ULONG_PTR)Information->si_addr & ~(ULONG_PTR)(Snapshot.PageSize - 1));

    for (ULONG Index = 0; Index < Snapshot.PieceCount; Index++) {
        SNAPSHOT_PIECE *Piece = &Snapshot.Pieces[Index];

        if (Piece->Start == Page && Piece->Length == Snapshot.PageSize) {
            __atomic_store_n(&Piece->Written, 1, __ATOMIC_RELEASE);
            if (mprotect(Page, Snapshot.PageSize, PROT_READ | PROT_WRITE) == 0) {
                return;
            }
        }
    }
    if ((Snapshot.Fault.sa_flags & SA_SIGINFO) != 0) {
        Snapshot.Fault.sa_sigaction(Signal, Information, Context);
    } else {
        (void)sigaction(Signal, &Snapshot.Fault, NULL); /* and once more */
    }
}

static VOID SnapshotCatchFaults(VOID)
{
    struct sigaction Action = {0};

    Action.sa_sigaction = SnapshotFault;
    Action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    (void)sigemptyset(&Action.sa_mask);
    if (sigaction(SIGSEGV, &Action, &Snapshot.Fault) != 0) {
        PlatformAbort();
    }
}

/* Pages that belong to a range altogether are watched; of what is left at its ends it is not known when it is written. */
static VOID SnapshotSaveRange(SNAPSHOT_RANGE *Range)
{
    PUCHAR End = Range->Start + Range->Length;
    PUCHAR Next;

    Range->Copy = SnapshotAllocate(Range->Length + 1);
    SnapshotCopy(Range->Copy, Range->Start, Range->Length);
    for (PUCHAR Start = Range->Start; Start < End; Start = Next) {
        SNAPSHOT_PIECE *Piece = &Snapshot.Pieces[Snapshot.PieceCount++];

        Next = (PUCHAR)min(ALIGN_UP_BY((ULONG_PTR)Start + 1, Snapshot.PageSize), (ULONG_PTR)End);
        Piece->Start = Start;
        Piece->Length = (SIZE_T)(Next - Start);
        Piece->Copy = Range->Copy + (Start - Range->Start);
        Piece->Written = 1;
        if (Piece->Length == Snapshot.PageSize) {
            Piece->Written = 0;
            if (mprotect(Start, Snapshot.PageSize, PROT_READ) != 0) {
                PlatformAbort();
            }
        }
    }
}

VOID HostSave(VOID)
{
    SIZE_T Pieces = 0;
    ULONG Index;

    (VOID) HostCurrentThread();
    HostEmptyQuarantine();
    SnapshotStopThreads();
    if (Snapshot.RangeCount != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "HostSave", "the kernel has been saved already");
    }
    (void)dl_iterate_phdr(SnapshotVisit, NULL);
    SnapshotAddShadow();
    SnapshotAddArena();
    Snapshot.ArenaUsed = ArenaUsed;
    Snapshot.PageSize = (SIZE_T)sysconf(_SC_PAGESIZE);
    for (Index = 0; Index < Snapshot.RangeCount; Index++) {
        Pieces += Snapshot.Ranges[Index].Length / Snapshot.PageSize + 2;
    }
    Snapshot.Pieces = (SNAPSHOT_PIECE *)(PVOID)SnapshotAllocate(Pieces * sizeof(*Snapshot.Pieces));
    SnapshotCatchFaults();
    for (Index = 0; Index < Snapshot.RangeCount; Index++) {
        SnapshotSaveRange(&Snapshot.Ranges[Index]);
    }
    HostReleaseWaiters();
}

VOID HostRestore(VOID)
{
    ULONG Index;

    SnapshotStopThreads();
    if (ArenaUsed > Snapshot.ArenaUsed) {
        PlatformForbid(ArenaBase + Snapshot.ArenaUsed, ArenaUsed - Snapshot.ArenaUsed);
    }
    for (Index = 0; Index < Snapshot.PieceCount; Index++) {
        const SNAPSHOT_PIECE *Piece = &Snapshot.Pieces[Index];

        if (ReadNoFence(&Piece->Written) != 0) {
            SnapshotCopy(Piece->Start, Piece->Copy, Piece->Length);
        }
    }
    HostReleaseWaiters();
}
