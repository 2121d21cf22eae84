/* Threads that use files while minifilters come and go: for the thread sanitiser, and on schedules that replay from their seed. */
#include "harness.h"
#include "minifilter.h"

#define THREADS 3u
#define TURNS 40u
#define SEEDS 40u

static volatile LONG Stop;

/* Sets contexts wherever it can, and asks for names: what the neighbours' teardown has to cope with. */
static FLT_POSTOP_CALLBACK_STATUS SetContexts(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                              FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_FILE_NAME_INFORMATION Name;
    PFLT_CONTEXT Stream;

    UNREFERENCED_PARAMETER(Context);
    if (Data->Iopb->MajorFunction != IRP_MJ_CREATE || !NT_SUCCESS(Data->IoStatus.Status) ||
        FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING)) {
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    if (NT_SUCCESS(FltAllocateContext(Objects->Filter, FLT_STREAM_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &Stream))) {
        (VOID)
            FltSetStreamContext(Objects->Instance, Objects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Stream, NULL);
        FltReleaseContext(Stream);
    }
    if (NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Name))) {
        (VOID) FltParseFileNameInformation(Name);
        FltReleaseFileNameInformation(Name);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static VOID Done(PVOID Context, ULONG Turn)
{
    HANDLE Handle;

    UNREFERENCED_PARAMETER(Context);
    if (NT_SUCCESS(
            OpenOnVolume(Turn % 2 == 0 ? L"\\DosDevices\\M:\\one" : L"\\DosDevices\\M:\\two:stream", 0, &Handle))) {
        (VOID) WriteTo(Handle, "text", 4);
        CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    }
}

static VOID UseFiles(PVOID Context)
{
    PEPROCESS Process = Context;

    HostEnterProcess(Process);
    for (ULONG Turn = 0; Turn < 4; Turn++) {
        Done(NULL, Turn);
    }
    HostLeaveProcess();
}

static VOID ComeAndGo(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(HostDetachFilter(MinifilterA.Name, L'M'), STATUS_SUCCESS);
    CHECK_STATUS(HostAttachFilter(MinifilterA.Name, L'M'), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
}

static VOID MountAndDismount(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
}

static void Scheduled(void)
{
    static const PHOST_ROUTINE Routines[] = {UseFiles, UseFiles, ComeAndGo, MountAndDismount};
    PEPROCESS Process;

    for (ULONG64 Seed = 1; Seed <= SEEDS; Seed++) {
        PVOID Contexts[RTL_NUMBER_OF(Routines)] = {NULL};

        CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
        CHECK_STATUS(HostCreateProcess(TRUE, &Process), STATUS_SUCCESS);
        Contexts[0] = Process;
        Contexts[1] = Process;
        MinifilterA.Post = SetContexts;
        HostSetQuirks(Seed % 2 == 0 ? HOST_QUIRK_COMPLETES_AT_DISPATCH : 0);
        HostRunSchedule(Seed, RTL_NUMBER_OF(Routines), Routines, Contexts);
        HostSetQuirks(0);
        CHECK(MinifilterA.TeardownStarts == MinifilterA.TeardownCompletes &&
              MinifilterA.Setups == MinifilterA.TeardownStarts);
        HostExitProcess(Process);
        HostDereferenceProcess(Process);
        CHECK(StopMinifilters());
    }
}

static VOID UseFilesLong(PVOID Context)
{
    PEPROCESS Process = Context;

    HostEnterProcess(Process);
    for (ULONG Turn = 0; ReadAcquire(&Stop) == 0; Turn++) {
        Done(NULL, Turn);
    }
    HostLeaveProcess();
}

static void Together(void)
{
    PEPROCESS Process;
    HANDLE Threads[THREADS];

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(HostCreateProcess(TRUE, &Process), STATUS_SUCCESS);
    MinifilterA.Post = SetContexts;
    Stop = 0;
    for (ULONG Index = 0; Index < THREADS; Index++) {
        CHECK_STATUS(PsCreateSystemThread(&Threads[Index], 0, NULL, NULL, NULL, UseFilesLong, Process), STATUS_SUCCESS);
    }
    for (ULONG Turn = 0; Turn < TURNS; Turn++) {
        CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
        if (Turn % 4 == 0) {
            MountAndDismount(NULL);
        }
        CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    }
    (VOID) InterlockedExchange(&Stop, 1);
    for (ULONG Index = 0; Index < THREADS; Index++) {
        CHECK_STATUS(ZwWaitForSingleObject(Threads[Index], FALSE, NULL), STATUS_SUCCESS);
        CHECK_STATUS(ZwClose(Threads[Index]), STATUS_SUCCESS);
    }
    CHECK(MinifilterA.TeardownStarts == MinifilterA.TeardownCompletes);
    HostExitProcess(Process);
    HostDereferenceProcess(Process);
    CHECK(StopMinifilters());
}

int main(void)
{
    RunTest("minifilters come and go while files are used, by any of many schedules", Scheduled);
    RunTest("minifilters come and go while threads use files", Together);
    return EndTests();
}
