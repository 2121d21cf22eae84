/* Opening files, asking for attributes without opening, and closing, as a driver sees it. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

static NTSTATUS QueryAttributes(PFILE_NETWORK_OPEN_INFORMATION Information)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, L"\\Device\\HostTest\\File");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtQueryFullAttributesFile(&Attributes, Information);
}

static void QueryOpen(void)
{
    FILE_NETWORK_OPEN_INFORMATION Information = {0};
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    TestQueryOpenAnswer = TRUE;
    CHECK_STATUS(QueryAttributes(&Information), STATUS_SUCCESS);
    CHECK(Information.EndOfFile.QuadPart == TEST_QUERY_OPEN_SIZE);
    CHECK(TestCreates == 1 && TestCleanups == 0 && TestCloses == 0);
    TestQueryOpenAnswer = FALSE;
    CHECK_STATUS(QueryAttributes(&Information), STATUS_SUCCESS);
    CHECK(Information.EndOfFile.QuadPart == TEST_QUERY_OPEN_SIZE + 1);
    CHECK(TestCreates == 2 && TestCleanups == 1 && TestCloses == 1);
    CHECK(StopTestKernel(&Kernel));
}

static void DeferredClose(void)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};
    HOST_AUDIT Before;
    HOST_AUDIT After;
    TEST_KERNEL Kernel;
    PVOID File = NULL;
    KIRQL Irql;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(ObReferenceObjectByHandle(Kernel.Handle, 0, *IoFileObjectType, UserMode, &File, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Kernel.Handle), STATUS_SUCCESS);
    CHECK(TestCleanups == 1 && TestCloses == 0);
    HostAudit(&Before);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ObDereferenceObject(File);
    KeLowerIrql(Irql);
    do {
        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Moment);
        HostAudit(&After);
    } while (After.Objects == Before.Objects);
    CHECK(ReadAcquire(&TestCloses) == 1 && TestCloseIrql == PASSIVE_LEVEL);
    CHECK(StopTestKernel(&Kernel));
}

static VOID Ignore(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

static void RemovalInCleanup(void)
{
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    FsRtlInitPerStreamContext(&TestContext, &TestStream, NULL, Ignore);
    CHECK_STATUS(FsRtlInsertPerStreamContext(&TestStream, &TestContext), STATUS_SUCCESS);
    WriteRelease(&TestRemoveAt, IRP_MJ_CLEANUP);
    CHECK_STATUS(NtClose(Kernel.Handle), STATUS_SUCCESS);
    CHECK(TestCleanups == 1 && TestCloses == 1);
    CHECK(FsRtlLookupPerStreamContext(&TestStream, &TestStream, NULL) == NULL);
    CHECK(StopTestKernel(&Kernel));
}

static NTSTATUS OpenLink(PCWSTR Name, PHANDLE Link)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Name);
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtOpenSymbolicLinkObject(Link, SYMBOLIC_LINK_QUERY, &Attributes);
}

static void LinkTarget(void)
{
    static WCHAR Device[] = L"\\Device\\HostTest";
    WCHAR Buffer[32];
    UNICODE_STRING Name;
    UNICODE_STRING Target;
    TEST_KERNEL Kernel;
    ULONG Length = 0;
    HANDLE Link;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    RtlInitUnicodeString(&Name, L"\\DosDevices\\HostTestLink");
    RtlInitUnicodeString(&Target, Device);
    CHECK_STATUS(IoCreateSymbolicLink(&Name, &Target), STATUS_SUCCESS);
    CHECK_STATUS(OpenLink(L"\\??\\NoSuchLink", &Link), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(OpenLink(L"\\??\\\\HostTestLink", &Link), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(OpenLink(L"\\??\\", &Link), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(OpenLink(L"\\", &Link), STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(OpenLink(L"HostTestLink", &Link), STATUS_OBJECT_PATH_SYNTAX_BAD);
    CHECK_STATUS(OpenLink(L"\\Device\\HostTest", &Link), STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(OpenLink(L"\\??\\HostTestLink", &Link), STATUS_SUCCESS);
    Target.Buffer = Buffer;
    Target.MaximumLength = (USHORT)(sizeof(Device) - sizeof(WCHAR));
    CHECK_STATUS(NtQuerySymbolicLinkObject(Link, &Target, &Length), STATUS_BUFFER_TOO_SMALL);
    CHECK(Length == sizeof(Device));
    CHECK_STATUS(NtQuerySymbolicLinkObject(Link, &Target, NULL), STATUS_SUCCESS);
    CHECK(Target.Length == Length - sizeof(WCHAR) && memcmp(Buffer, Device, Target.Length) == 0);
    Target.MaximumLength = (USHORT)(sizeof(Device) - 2 * sizeof(WCHAR));
    CHECK_STATUS(NtQuerySymbolicLinkObject(Link, &Target, NULL), STATUS_BUFFER_TOO_SMALL);
    Target.MaximumLength = (USHORT)Length;
    CHECK_STATUS(NtQuerySymbolicLinkObject(Link, &Target, &Length), STATUS_SUCCESS);
    CHECK(Target.Length == Length - sizeof(WCHAR) && memcmp(Buffer, Device, Length) == 0);
    CHECK_STATUS(NtQuerySymbolicLinkObject(Kernel.Handle, &Target, NULL), STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtClose(Link), STATUS_SUCCESS);
    CHECK_STATUS(IoDeleteSymbolicLink(&Name), STATUS_SUCCESS);
    CHECK(StopTestKernel(&Kernel));
}

void RunFiles(void)
{
    RunTest("attributes are told by FastIoQueryOpen without an open, or else by an open", QueryOpen);
    RunTest("a file object released at DISPATCH_LEVEL is closed later, at PASSIVE_LEVEL", DeferredClose);
    RunTest("a context may be removed in the dispatch of a cleanup", RemovalInCleanup);
    RunTest("a symbolic link tells its target, and its terminator to who asks for the length", LinkTarget);
}
