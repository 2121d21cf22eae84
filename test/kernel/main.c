/*
 * psctx-selftest.exe: runs the driver's contract at the level of its ABI, on the machine it is started on, and prints TAP version 13; with
 * --conformance, checks of the volume's file system instead.
 *
 * Exit code 0: everything passed. 1: something failed, or could not start. 2: a wrong command line; with --conformance, also what could not
 * start or was interrupted.
 */
#include "conformance.h"
#include "interrupt.h"
#include "service.h"
#include "tests.h"
#include "traffic.h"
#include "volumes.h"

static const TEST_GROUP *const Groups[] = {
    &RequestTests,   &HandleTests,  &StreamTests, &ContextTests,     &ListTests,   &BatchTests, &SessionTests,
    &SubscribeTests, &EventTests,   &TrackTests,  &NameTests,        &WaitTests,   &CountTests, &EnumerateTests,
    &VolumeTests,    &InspectTests, &FuzzTests,   &PassThroughTests, &StressTests,
};

static const TEST_GROUP *const ConformanceGroups[] = {
    &SupportChecks, &IdentityChecks, &MatchingChecks, &SurvivalChecks, &TeardownChecks, &LoadChecks, &DismountChecks,
};

void mainCRTStartup(void);

/* A session that lives as long as the run and watches the totals. */
static SESSION Monitor;
static PSCTX_STATISTICS_REPLY AtStart;
static PSCTX_STATISTICS_REPLY Settled; /* what a test may leave: what it has found */
static BOOL HasRun;                    /* to the end */

/* Whether the totals are what they were. */
static BOOL HasSettled(void *before)
{
    const PSCTX_STATISTICS_REPLY *totals = before;
    PSCTX_STATISTICS_REPLY statistics;

    return QueryStatistics(&Monitor, &statistics) == STATUS_SUCCESS &&
           statistics.TotalContexts <= totals->TotalContexts && statistics.TotalSessions <= totals->TotalSessions;
}

void AcceptLeftContext(void)
{
    AtStart.TotalContexts += 1;
    Settled.TotalContexts += 1;
}

/* A reason why the volume is not for this test, or NULL. */
static const char *WhyNot(const TEST *test)
{
    if ((test->Needs & (NEEDS_CONTEXTS | NEEDS_SAMPLE)) != 0 && Volume.SampleCount == 0) {
        return "no file to open in this directory";
    }
    if ((test->Needs & NEEDS_CONTEXTS) != 0 && !Volume.Contexts) {
        return "files of this volume support no contexts";
    }
    if ((test->Needs & NEEDS_TWO) != 0 && Volume.SampleCount < 2) {
        return "only one file in this directory";
    }
    if ((test->Needs & NEEDS_WRITABLE) != 0 && !Volume.Writable) {
        return "the volume is read-only";
    }
    if ((test->Needs & NEEDS_STREAMS) != 0 && !Volume.NamedStreams) {
        return "the volume has no named streams";
    }
    if ((test->Needs & NEEDS_TEARDOWN) != 0 && !Volume.TearsDown) {
        return "the file system of this volume tears no contexts down";
    }
    if ((test->Needs & NEEDS_ANCHOR) != 0 && Volume.TearsDown) {
        return "the file system of this volume tears contexts down";
    }
    if ((test->Needs & NEEDS_WIN32) != 0 && !Volume.Win32) {
        return "the test file system's files are not Win32's";
    }
    return NULL;
}

/*
 * After each test nothing of it may be left: its handles are closed, and the driver's totals are back. What is left all the same is not the
 * next one's.
 */
static void RunTest(const TEST *test)
{
    const char *reason = WhyNot(test);

    TestBegin(test->Name);
    if (reason != NULL) {
        Skip(reason);
    } else {
        test->Run();
        CloseAllKept();
        if (!EXPECT(WaitUntil(HasSettled, &Settled))) {
            (void)QueryStatistics(&Monitor, &Settled);
        }
    }
    if (Options.Conformance) {
        NoteVerdict(test->Name);
    }
    TestEnd();
}

static void RunTests(const TEST_GROUP *const *groups, size_t count)
{
    for (size_t group = 0; group < count; group += 1) {
        for (ULONG index = 0; index < groups[group]->Count && !IsInterrupted(); index += 1) {
            const TEST *test = &groups[group]->Tests[index];

            if (Options.Only == NULL || Contains(test->Name, Options.Only)) {
                RunTest(test);
            }
        }
    }
}

/* Not among the kept handles, which each test closes. */
static BOOL OpenMonitor(void)
{
    DWORD error;

    Monitor.Handle =
        CreateFileW(Options.Device, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (Monitor.Handle != INVALID_HANDLE_VALUE) {
        return TRUE;
    }
    error = GetLastError();
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) {
        Note("there is no device %w: the driver is not loaded. --driver PATH loads it.", Options.Device);
    } else if (error == ERROR_ACCESS_DENIED) {
        Note("no access to %w: run as an administrator", Options.Device);
    } else {
        Note("cannot open %w: error %u", Options.Device, error);
    }
    return FALSE;
}

/* Asks the driver what a file of this volume can carry, and whether it loses it. */
static void AskForContexts(void)
{
    PSCTX_VOLUME_ENTRY volume;
    PSCTX_STREAM_REPLY reply;
    SESSION session;
    HANDLE file;

    Volume.TearsDown = TRUE;

    if (Volume.SampleCount == 0) {
        return;
    }
    file = OpenSample(0);
    Volume.Contexts =
        QueryStream(&Monitor, HandleValue(file), &reply) == STATUS_SUCCESS && reply.Support == PSCTX_SUPPORT_YES;
    if (Volume.Contexts && TryToOpenSession(&session, READ_WRITE) == ERROR_SUCCESS) {
        if (FindVolumeOf(&session, HandleValue(file), &volume)) {
            Volume.TearsDown = volume.TearsDown != 0;
        } else {
            Note("this volume is not listed: its file system is taken for one that tears contexts down");
        }
        CloseSession(&session);
    }
    CloseKept(file);
}

/* Unloads the driver in the midst of requests and fast I/O, which only a driver that was loaded here for a test may be. */
static void TestUnload(void)
{
    static const char name[] = "the driver is unloaded while files are in use";

    if (Options.Driver == NULL || Options.Conformance || (Options.Only != NULL && !Contains(name, Options.Only))) {
        return;
    }
    TestBegin(name);
    if (IsWine()) {
        Skip("Wine's driver host has one thread");
    } else if (!Volume.Win32 || !Volume.Writable) {
        Skip("the volume is read-only");
    } else {
        TrafficBegin();
        (void)EXPECT(DriverUnload());
        TrafficEnd();
    }
    TestEnd();
}

/* Of a driver that was loaded here. */
static void TestRemoval(void)
{
    if (Options.Driver == NULL) {
        return;
    }
    TestBegin("nothing of the driver is left");
    (void)EXPECT(DriverUnload());
    (void)EXPECT(WaitUntil(IsDriverGone, NULL));
    TestEnd();
}

static BOOL RunOnVolume(void)
{
    BOOL passed;

    if (!FilesBegin()) {
        Print("Bail out! no files to test with");
        (void)CloseHandle(Monitor.Handle);
        return FALSE;
    }
    AskForContexts();
    if (Options.Conformance) {
        RunTests(ConformanceGroups, COUNT_OF(ConformanceGroups));
    } else {
        RunTests(Groups, COUNT_OF(Groups));
    }
    TestBegin("nothing is left behind");
    CloseAllKept();
    (void)EXPECT(WaitUntil(HasSettled, &AtStart));
    TestEnd();
    (void)CloseHandle(Monitor.Handle);
    TestUnload();
    TestRemoval();
    TestBegin("the files of this run are removed");
    (void)EXPECT(FilesEnd());
    TestEnd();
    passed = TapEnd();
    HasRun = !IsInterrupted();
    if (!HasRun) {
        Print("Bail out! interrupted");
    }
    return passed && HasRun;
}

/* Whether it is the one that was loaded here, where one was. */
static BOOL IsRightDriver(void)
{
    PSCTX_VERSION_REPLY version;
    const LONG status = QueryVersion(&Monitor, &version);

    if (status != STATUS_SUCCESS) {
        Print("Bail out! the driver does not tell its version: status %x %s", (ULONG)status, StatusName((ULONG)status));
        return FALSE;
    }
    Note("the driver is a %s", FrontName(version.Front));
    if (Options.Driver != NULL && version.Front != LoadedFront()->Number) {
        Print("Bail out! %w was taken for a %s", Options.Driver, FrontName(LoadedFront()->Number));
        return FALSE;
    }
    return TRUE;
}

/* Closes the monitor. */
static BOOL RunOnDevice(void)
{
    BOOL passed;
    LONG status;

    if (!OpenMonitor()) {
        Print("Bail out! no driver to test");
        return FALSE;
    }
    if (!IsRightDriver()) {
        (void)CloseHandle(Monitor.Handle);
        return FALSE;
    }
    status = QueryStatistics(&Monitor, &AtStart);
    if (status != STATUS_SUCCESS) {
        Print("Bail out! the driver does not tell its statistics: status %x %s", (ULONG)status,
              StatusName((ULONG)status));
        (void)CloseHandle(Monitor.Handle);
        passed = FALSE;
    } else {
        Settled = AtStart;
        passed = RunOnVolume();
    }
    return passed;
}

static int Run(void)
{
    OSVERSIONINFOW version;
    BOOL passed = FALSE;

    TapBegin();
    GuardProcess();
    CatchInterrupts();
    memset(&version, 0, sizeof(version));
    version.dwOSVersionInfoSize = sizeof(version);
    if (GetVersionExW(&version)) {
        Note("Windows says that it is %u.%u.%u", version.dwMajorVersion, version.dwMinorVersion, version.dwBuildNumber);
    }
    if (Options.Driver != NULL && !DriverLoad()) {
        Print("Bail out! the driver cannot be loaded");
    } else {
        passed = RunOnDevice();
    }
    if (!DriverUnload()) {
        Print("Bail out! the driver cannot be removed");
        passed = FALSE;
    }
    if (Options.Conformance && !HasRun) {
        return 2;
    }
    return passed ? 0 : 1;
}

void mainCRTStartup(void)
{
    if (!ParseOptions()) {
        PrintUsage();
        ExitProcess(2);
    }
    if (!LoadNt()) {
        Print("Bail out! ntdll lacks a routine");
        ExitProcess(1);
    }
    ChooseDevice();
    ExitProcess((UINT)(Options.Hold != NULL ? HoldContexts() : Run()));
}
