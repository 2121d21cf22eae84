/*
 * Another filter, as seen from the streams that both have contexts on: see core_other_filter.h.
 */
#include "core_other_filter.h"

#include <string.h>

#include "core_probe.h"
#include "core_runner.h"

#define CORE_OTHER_TAG 0x72746F43u

typedef struct _CORE_OTHER_CONTEXT {
    FSRTL_PER_STREAM_CONTEXT PerStreamContext;
    UCHAR Secret[CORE_OTHER_SECRET_LENGTH];
} CORE_OTHER_CONTEXT;

typedef struct _CORE_OTHER_REQUEST {
    HANDLE Handle;
    BOOLEAN Removed;
} CORE_OTHER_REQUEST;

static ULONG CoreOtherOwner; /* its address is the OwnerId */
static ULONG CoreOtherTornDown;
static LIST_ENTRY CoreLostList;

static PFILE_OBJECT CoreReferenceFile(_In_ HANDLE Handle)
{
    PVOID object;

    CHECK_STATUS(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, UserMode, &object, NULL), STATUS_SUCCESS);
    return object;
}

static VOID CoreFreeOther(PVOID Buffer)
{
    CoreOtherTornDown += 1;
    ExFreePoolWithTag(Buffer, CORE_OTHER_TAG);
}

static VOID CoreInsertOtherInKernel(PVOID Context)
{
    const CORE_OTHER_REQUEST *request = Context;
    const PFILE_OBJECT file = CoreReferenceFile(request->Handle);
    CORE_OTHER_CONTEXT *other = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*other), CORE_OTHER_TAG);

    CHECK(other != NULL);
    memset(other, CORE_OTHER_SECRET, sizeof(*other));
    FsRtlInitPerStreamContext(&other->PerStreamContext, &CoreOtherOwner, other, CoreFreeOther);
    CHECK_STATUS(FsRtlInsertPerStreamContext(FsRtlGetPerStreamContextPointer(file), &other->PerStreamContext),
                 STATUS_SUCCESS);
    ObDereferenceObject(file);
}

static VOID CoreRemoveOtherInKernel(PVOID Context)
{
    CORE_OTHER_REQUEST *request = Context;
    const PFILE_OBJECT file = CoreReferenceFile(request->Handle);
    PFSRTL_PER_STREAM_CONTEXT other;

    other = FsRtlRemovePerStreamContext(FsRtlGetPerStreamContextPointer(file), &CoreOtherOwner, NULL);
    request->Removed = other != NULL;
    if (other != NULL) {
        ExFreePoolWithTag(other, CORE_OTHER_TAG);
    }
    ObDereferenceObject(file);
}

static VOID CoreLoseInKernel(PVOID Context)
{
    const CORE_OTHER_REQUEST *request = Context;
    const PFILE_OBJECT file = CoreReferenceFile(request->Handle);
    PLIST_ENTRY list = &FsRtlGetPerStreamContextPointer(file)->FilterContexts;

    InitializeListHead(&CoreLostList);
    while (!IsListEmpty(list)) {
        InsertTailList(&CoreLostList, RemoveHeadList(list));
    }
    ObDereferenceObject(file);
}

static VOID CoreRestoreInKernel(PVOID Context)
{
    const CORE_OTHER_REQUEST *request = Context;
    const PFILE_OBJECT file = CoreReferenceFile(request->Handle);
    PLIST_ENTRY list = &FsRtlGetPerStreamContextPointer(file)->FilterContexts;

    while (!IsListEmpty(&CoreLostList)) {
        InsertTailList(list, RemoveHeadList(&CoreLostList));
    }
    ObDereferenceObject(file);
}

VOID CoreInsertOther(HANDLE Handle)
{
    CORE_OTHER_REQUEST request = {Handle, FALSE};

    CoreRunInKernel(CoreInsertOtherInKernel, &request);
}

BOOLEAN CoreRemoveOther(HANDLE Handle)
{
    CORE_OTHER_REQUEST request = {Handle, FALSE};

    CoreRunInKernel(CoreRemoveOtherInKernel, &request);
    return request.Removed;
}

ULONG CoreCountOtherTornDown(VOID)
{
    return CoreOtherTornDown;
}

VOID CoreLoseContexts(HANDLE Handle)
{
    CORE_OTHER_REQUEST request = {Handle, FALSE};

    CoreRunInKernel(CoreLoseInKernel, &request);
}

VOID CoreRestoreContexts(HANDLE Handle)
{
    CORE_OTHER_REQUEST request = {Handle, FALSE};

    CoreRunInKernel(CoreRestoreInKernel, &request);
}
