/*
 * A client's side of ENUMERATE: see core_enumerate.h.
 */
#include "core_enumerate.h"

#include <string.h>

#define CORE_FILL 0xA5

NTSTATUS CoreNextPage(HANDLE Control, PCORE_ENUMERATION Enumeration)
{
    PSCTX_ENUMERATE_REQUEST request = {.VolumeHandle = (ULONG_PTR)Enumeration->Volume,
                                       .Cursor = {Enumeration->Cursor[0], Enumeration->Cursor[1]}};
    const PSCTX_ENUMERATE_REPLY *reply = (const PSCTX_ENUMERATE_REPLY *)Enumeration->Output;
    const PSCTX_LIST_ENTRY *entry = NULL;
    ULONG information;
    NTSTATUS status;
    ULONG count = 0;
    ULONG index;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_ENUMERATE, sizeof(request));
    memset(Enumeration->Output, CORE_FILL, Enumeration->OutputLength);
    status = CoreControl(Control, PSCTX_IOCTL_ENUMERATE, &request, sizeof(request), Enumeration->Output,
                         Enumeration->OutputLength, &information);
    for (index = information; index < Enumeration->OutputLength; index += 1) {
        CHECK_EQUAL(Enumeration->Output[index], CORE_FILL);
    }
    if (NT_ERROR(status)) {
        return status;
    }
    CHECK_EQUAL(reply->Header.Size, information);
    CHECK_EQUAL(reply->Header.Version, PSCTX_ABI_VERSION);
    CHECK_EQUAL(reply->Header.Operation, PSCTX_OPERATION_ENUMERATE);
    while ((entry = CoreNextEntry(Enumeration, entry)) != NULL) {
        count += 1;
    }
    CHECK_EQUAL(reply->Count, count);
    CHECK_EQUAL(status == STATUS_BUFFER_OVERFLOW, count == 0 && reply->NextSize != 0);
    CHECK(reply->NextSize == 0 || reply->NextSize > Enumeration->OutputLength - information);
    Enumeration->Cursor[0] = reply->NextCursor[0];
    Enumeration->Cursor[1] = reply->NextCursor[1];
    Enumeration->Ended = (BOOLEAN)(reply->NextCursor[0] == 0 && reply->NextCursor[1] == 0);
    CHECK(!Enumeration->Ended || reply->NextSize == 0);
    return status;
}

const PSCTX_LIST_ENTRY *CoreNextEntry(const CORE_ENUMERATION *Enumeration, const PSCTX_LIST_ENTRY *Entry)
{
    const PSCTX_ENUMERATE_REPLY *reply = (const PSCTX_ENUMERATE_REPLY *)Enumeration->Output;
    const UCHAR *next = Entry == NULL ? (const UCHAR *)(reply + 1) : (const UCHAR *)Entry + Entry->Size;
    const PSCTX_LIST_ENTRY *entry = (const PSCTX_LIST_ENTRY *)next;
    const ULONG used = (ULONG)(next - Enumeration->Output);

    if (used == reply->Header.Size) {
        return NULL;
    }
    CHECK(used + sizeof(*entry) <= reply->Header.Size);
    CHECK_EQUAL(entry->Size, ALIGN_UP_BY(sizeof(*entry) + entry->NameLength, sizeof(ULONG64)));
    CHECK(entry->Size <= reply->Header.Size - used);
    return entry;
}

BOOLEAN CoreIsEnumerated(const CORE_ENUMERATION *Enumeration)
{
    return Enumeration->Ended;
}
