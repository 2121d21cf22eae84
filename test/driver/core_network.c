/*
 * Network file systems: which of their opens are file streams, and which of them tear contexts down.
 */
#include "core_image.h"
#include "core_redirector.h"
#include "core_tests.h"

#include <string.h>
#include <sys/mman.h>

#define CORE_PAGE 0x1000u
#define CORE_FILL 0x42 /* whose bits are those of an advanced header that supports filter contexts */

/*
 * The support of what a path opens, which insertion agrees with. A header that is refused is put back as it was before it is closed.
 */
static ULONG CoreSupportOf(_In_ HANDLE Control, _In_z_ PCWSTR Path, _In_opt_ const FSRTL_ADVANCED_FCB_HEADER *Restored)
{
    CORE_INSERTION insertion = {.Owner = 1};
    PSCTX_STREAM_REPLY reply;
    HANDLE handle;

    CHECK_STATUS(CoreOpen(Path, NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_SUCCESS);
    CHECK_STATUS(CoreQueryStream(Control, handle, &reply), STATUS_SUCCESS);
    insertion.Stream = handle;
    CHECK_STATUS(CoreInsert(Control, &insertion, NULL),
                 reply.Support == PSCTX_SUPPORT_YES ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST);
    if (reply.Support != PSCTX_SUPPORT_YES && Restored != NULL) {
        memcpy(&CoreRedirector.Header, Restored, sizeof(*Restored));
    }
    CoreClose(handle);
    return reply.Support;
}

/*
 * A redirector's own objects, by what their file object tells: their FsContext may not be read.
 */
VOID CoreRedirectorsOwnOpensAreNotRead(VOID)
{
    PUCHAR pages = mmap(NULL, CORE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CORE core;

    CHECK(pages != MAP_FAILED);
    CoreStart(&core);
    CoreLoadRedirector(L"CoreNet", (ULONG_PTR)FsRtlTeardownPerStreamContexts);
    CoreRedirector.FsContext = pages;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REDIRECTOR_DEVICE, NULL), PSCTX_SUPPORT_VOLUME);
    CoreRedirector.Flags = FO_NAMED_PIPE;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, NULL), PSCTX_SUPPORT_NOT_A_FILE_SYSTEM);
    CoreRedirector.Flags = FO_MAILSLOT;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, NULL), PSCTX_SUPPORT_NOT_A_FILE_SYSTEM);
    CoreRedirector.Flags = 0;
    CoreRedirector.SectionObjectPointer = NULL;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, NULL), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    CoreRedirector.FsContext = NULL;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, NULL), PSCTX_SUPPORT_NO_STREAM_CONTEXT);
    CoreUnloadRedirector();
    CoreStop(&core);
}

/*
 * What has section pointers and is no header: an address of nothing, a word without the flags at the end of what may be read, and a
 * structure that has all the flags by chance.
 */
VOID CoreRedirectorsOtherStructuresAreRefused(VOID)
{
    PUCHAR pages = mmap(NULL, 2 * CORE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    DECLSPEC_ALIGN(8) UCHAR structure[256];
    CORE core;

    CHECK(pages != MAP_FAILED && mprotect(pages + CORE_PAGE, CORE_PAGE, PROT_NONE) == 0);
    CoreStart(&core);
    CoreLoadRedirector(L"CoreNet", (ULONG_PTR)FsRtlTeardownPerStreamContexts);
    CoreRedirector.FsContext = (PVOID) ~(ULONG_PTR)0;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, NULL), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    CoreRedirector.FsContext = (PVOID)(ULONG_PTR)8;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, NULL), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    CoreRedirector.FsContext = pages + CORE_PAGE - sizeof(ULONG64);
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, NULL), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    memset(structure, CORE_FILL, sizeof(structure));
    CoreRedirector.FsContext = structure;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, NULL), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    CoreUnloadRedirector();
    CoreStop(&core);
}

VOID CoreRedirectorsHeadersNeedEverySign(VOID)
{
    PFSRTL_ADVANCED_FCB_HEADER header = &CoreRedirector.Header;
    LIST_ENTRY entry = {&header->FilterContexts, &header->FilterContexts};
    LIST_ENTRY stray = {&stray, &stray};
    FSRTL_ADVANCED_FCB_HEADER whole;
    PVOID bad;
    CORE core;

    memset(&bad, CORE_FILL, sizeof(bad));
    CoreStart(&core);
    CoreLoadRedirector(L"CoreNet", (ULONG_PTR)FsRtlTeardownPerStreamContexts);
    memcpy(&whole, header, sizeof(whole));
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_YES);
    header->NodeByteSize = 0; /* as redirectors that have a size of their own elsewhere leave it */
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_YES);
    header->Resource = NULL;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_YES);
    header->Version = FSRTL_FCB_HEADER_V0;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_YES);

    header->NodeByteSize = FIELD_OFFSET(FSRTL_ADVANCED_FCB_HEADER, FilterContexts);
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    header->Resource = bad;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    header->PagingIoResource = bad;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    header->Version = 0xF;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    header->Version = FSRTL_FCB_HEADER_V0;
    header->FastMutex = NULL;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    header->Version = FSRTL_FCB_HEADER_V0;
    header->FastMutex = bad;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    header->FilterContexts.Flink = bad;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    header->FilterContexts.Blink = bad;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    header->FilterContexts.Flink = &stray;
    header->FilterContexts.Blink = &entry;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    header->FilterContexts.Flink = &entry;
    header->FilterContexts.Blink = &stray;
    CHECK_EQUAL(CoreSupportOf(core.Control, CORE_REMOTE_FILE, &whole), PSCTX_SUPPORT_NO_ADVANCED_HEADER);
    CoreUnloadRedirector();
    CoreStop(&core);
}

/*
 * Whether a context on the remote file keeps the file open after its last handle is closed.
 */
static BOOLEAN CoreRemoteContextIsAnchored(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    BOOLEAN anchored;
    HANDLE control;

    control = CoreOpenSession(CORE_READ_WRITE);
    CHECK_STATUS(CoreOpen(CORE_REMOTE_FILE, NULL, CORE_READ, FILE_OPEN, 0, &insertion.Stream), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsert(control, &insertion, NULL), STATUS_SUCCESS);
    CoreClose(insertion.Stream);
    anchored = CoreRedirector.Opens != 0;
    CHECK_EQUAL(CoreStatistics(control).TotalContexts, anchored ? 1 : 0);
    CoreClose(control);
    CHECK_EQUAL(CoreRedirector.Opens, 0);
    return anchored;
}

/*
 * The redirector registers another control device, of a type whose files carry no contexts, and unregisters it.
 */
static VOID CoreRegisterTapes(VOID)
{
    PDEVICE_OBJECT device;

    CHECK_STATUS(IoCreateDevice(CoreRedirector.Driver, 0, NULL, FILE_DEVICE_TAPE_FILE_SYSTEM, 0, FALSE, &device),
                 STATUS_SUCCESS);
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    IoRegisterFileSystem(device);
    IoUnregisterFileSystem(device);
    IoDeleteDevice(device);
}

VOID CoreRedirectorsAreNotTakenAtTheirWord(VOID)
{
    static const PCWSTR others[] = {L"rdbss2", L"rdbs", L"rdbss-under-a-name-longer-than-any-that-is-known"};
    const ULONG_PTR other = (ULONG_PTR)FsRtlInsertPerStreamContext;
    ULONG_PTR subsystem;
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreLoadRedirector(L"CoreNet", (ULONG_PTR)FsRtlTeardownPerStreamContexts);
    CHECK(!CoreRemoteContextIsAnchored());
    CoreUnloadRedirector();
    CoreLoadRedirector(L"CoreNet", other);
    CHECK(CoreRemoteContextIsAnchored());
    CoreUnloadRedirector();
    CoreLoadRedirector(L"Mup", other);
    CHECK(!CoreRemoteContextIsAnchored());
    CoreUnloadRedirector();

    subsystem = CoreLoadSubsystem(L"rdbss");
    CoreLoadRedirector(L"CoreNet", subsystem);
    CHECK(!CoreRemoteContextIsAnchored());
    CoreRegisterTapes();
    CHECK(!CoreRemoteContextIsAnchored());
    CoreUnloadRedirector();
    CoreLoadRedirector(L"CoreNet", other);
    CHECK(CoreRemoteContextIsAnchored());
    IoUnregisterFileSystem(CoreRedirector.Device);
    memcpy((PUCHAR)CoreRedirector.Driver->DriverStart + 0x810, &subsystem, sizeof(subsystem)); /* behind its imports */
    IoRegisterFileSystem(CoreRedirector.Device);
    CHECK(CoreRemoteContextIsAnchored());
    CoreUnloadRedirector();
    CoreLoadRedirector(L"CoreNet", 0);
    CHECK(CoreRemoteContextIsAnchored());
    CoreUnloadRedirector();
    CoreUnloadSubsystem();
    for (index = 0; index < RTL_NUMBER_OF(others); index += 1) {
        subsystem = CoreLoadSubsystem(others[index]);
        CoreLoadRedirector(L"CoreNet", subsystem);
        CHECK(CoreRemoteContextIsAnchored());
        CoreUnloadRedirector();
        CoreUnloadSubsystem();
    }
    CoreStop(&core);
}

/*
 * What a driver was found to do is forgotten with it: another one at its address, as the embedded kernel may have it, is met anew; one
 * that is not registered is looked at each time.
 */
VOID CoreFileSystemsAreForgotten(VOID)
{
    const ULONG_PTR other = (ULONG_PTR)FsRtlInsertPerStreamContext;
    ULONG round;
    CORE core;

    CoreStart(&core);
    for (round = 0; round < 40; round += 1) {
        CoreLoadRedirector(L"CoreNet", round % 2 == 0 ? (ULONG_PTR)FsRtlTeardownPerStreamContexts : other);
        CHECK_EQUAL(CoreRemoteContextIsAnchored(), round % 2);
        IoUnregisterFileSystem(CoreRedirector.Device);
        CHECK_EQUAL(CoreRemoteContextIsAnchored(), round % 2);
        IoRegisterFileSystem(CoreRedirector.Device);
        CHECK_EQUAL(CoreRemoteContextIsAnchored(), round % 2);
        CoreUnloadRedirector();
    }
    CoreStop(&core);
}

/*
 * What an image's headers say of its imports is read within it, where all of it is as it should be.
 */
VOID CoreImagesThatDoNotTellMayTearDown(VOID)
{
    static const ULONG count = 0x80 + CORE_DIRECTORY_COUNT; /* as core_redirector.c lays the image out */
    static const ULONG directory = 0x80 + CORE_IMPORT_DIRECTORY;
    const struct {
        ULONG Offset; /* in bytes */
        ULONG Value;
        BOOLEAN Tells;
    } headers[] = {
        {0x00, 0x4D5A, FALSE},                       /* no image */
        {0x3C, 0xFFFFFFF0, FALSE},                   /* its header lies beyond the first page */
        {0x80, 0x4551, FALSE},                       /* and is none */
        {0x80 + CORE_OPTIONAL_HEADER, 0x10C, FALSE}, /* of another kind */
        {count, 12, FALSE},                          /* without a directory of imports */
        {count, 13, TRUE},                           /* with one */
        {directory, 0, FALSE},                       /* which is nowhere */
        {directory, 0x802, FALSE},                   /* where none can be */
        {directory, 0xFFFFFFF8, FALSE},              /* outside of the image */
        {directory + 4, 0x800, TRUE},                /* up to its end */
        {directory + 4, 0x808, FALSE},               /* beyond */
        {directory + 4, 0xFFFFFFF8, FALSE}           /* far beyond */
    };
    PUCHAR image;
    ULONG index;
    ULONG size;
    CORE core;

    CoreStart(&core);
    CoreLoadRedirector(L"CoreNet", (ULONG_PTR)FsRtlInsertPerStreamContext);
    IoUnregisterFileSystem(CoreRedirector.Device); /* so that it is looked at each time */
    image = CoreRedirector.Driver->DriverStart;
    size = CoreRedirector.Driver->DriverSize;
    CHECK_EQUAL(size, 0x1000);
    for (index = 0; index < RTL_NUMBER_OF(headers); index += 1) {
        ULONG kept;

        memcpy(&kept, image + headers[index].Offset, sizeof(kept));
        memcpy(image + headers[index].Offset, &headers[index].Value, sizeof(kept));
        CHECK_EQUAL(CoreRemoteContextIsAnchored(), headers[index].Tells);
        memcpy(image + headers[index].Offset, &kept, sizeof(kept));
        CHECK(CoreRemoteContextIsAnchored());
    }
    CoreRedirector.Driver->DriverSize = size - 1;
    CHECK(!CoreRemoteContextIsAnchored());
    CoreRedirector.Driver->DriverSize = size;
    CoreRedirector.Driver->DriverStart = NULL;
    CHECK(!CoreRemoteContextIsAnchored());
    CoreRedirector.Driver->DriverStart = image;
    IoRegisterFileSystem(CoreRedirector.Device);
    CoreUnloadRedirector();
    CoreStop(&core);
}
