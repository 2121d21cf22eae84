/*
 * The operation ENUMERATE: a session's contexts on every stream, or on those of a volume, page by page.
 *
 * The order is that of the shards, and in each that of the sequence numbers: a new context comes behind all that are there, so that the
 * cursor means the same place whatever is inserted and removed meanwhile.
 */
#include "psctx.h"

/*
 * The file system's device that serves the volume on which a handle of the calling process has something open; NULL for handle zero.
 * The caller dereferences it. STATUS_INVALID_DEVICE_REQUEST if no file system does; those of PsctxReferenceFileObject.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxReferenceVolumeDevice(ULONG64 Handle, PDEVICE_OBJECT *VolumeDevice)
{
    PFILE_OBJECT fileObject;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    PAGED_CODE();

    *VolumeDevice = NULL;
    if (Handle == 0) {
        return STATUS_SUCCESS;
    }
    status = PsctxReferenceFileObject(Handle, &fileObject);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    device = IoGetBaseFileSystemDeviceObject(fileObject);
    switch (device->DeviceType) {
    case FILE_DEVICE_DISK_FILE_SYSTEM:
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM:
    case FILE_DEVICE_NETWORK_FILE_SYSTEM:
        ObReferenceObject(device);
        *VolumeDevice = device;
        break;
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    ObDereferenceObject(fileObject);
    return status;
}

/*
 * Where the next page begins, and whose contexts on which volume are meant (NULL: any).
 */
typedef struct _PSCTX_ENUMERATION {
    PPSCTX_SESSION Session;
    PDEVICE_OBJECT VolumeDevice;
    ULONG64 After;
    ULONG Shard;
} PSCTX_ENUMERATION, *PPSCTX_ENUMERATION;

/*
 * Writes the contexts of the enumeration's shard that fit. TRUE if that was all of them.
 */
PSCTX_PAGE static BOOLEAN PsctxEnumerateShard(_Inout_ PPSCTX_ENUMERATION Enumeration,
                                              _Inout_ PSCTX_ENUMERATE_REPLY *Reply,
                                              _Out_writes_bytes_(Capacity) PUCHAR Entries, _In_ ULONG Capacity,
                                              _Inout_ PULONG Used)
{
    const PPSCTX_SHARD shard = PsctxLockShardByNumber(Enumeration->Shard);
    PLIST_ENTRY link;

    PAGED_CODE();

    for (link = shard->Contexts.Flink; link != &shard->Contexts && Reply->NextSize == 0; link = link->Flink) {
        const PPSCTX_CONTEXT context = CONTAINING_RECORD(link, PSCTX_CONTEXT, ShardLinks);
        ULONG size;

        if (context->Sequence <= Enumeration->After || context->Owner->Session != Enumeration->Session ||
            (Enumeration->VolumeDevice != NULL && context->VolumeDevice != Enumeration->VolumeDevice)) {
            continue;
        }
        size = PsctxWriteEntry(context, Entries + *Used, Capacity - *Used);
        if (size <= Capacity - *Used) {
            *Used += size;
            Reply->Count += 1;
            Enumeration->After = context->Sequence;
        } else {
            Reply->NextSize = size;
        }
    }
    PsctxUnlockShard(shard);
    return Reply->NextSize == 0;
}

/*
 * STATUS_INVALID_PARAMETER: no such shard, or Reserved set. Those of PsctxReferenceVolumeDevice. STATUS_BUFFER_OVERFLOW with
 * PSCTX_ENUMERATE_REPLY.NextSize set.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleEnumerate(PPSCTX_REQUEST Request)
{
    const PSCTX_ENUMERATE_REQUEST *input = Request->Input;
    const ULONG capacity = Request->OutputLength - (ULONG)sizeof(PSCTX_ENUMERATE_REPLY);
    PSCTX_ENUMERATE_REPLY *reply = Request->Output;
    PSCTX_ENUMERATION enumeration;
    ULONG used = 0;
    NTSTATUS status;

    PAGED_CODE();

    if (input->Reserved != 0 || input->Shard >= PSCTX_SHARD_COUNT) {
        return STATUS_INVALID_PARAMETER;
    }
    enumeration.Session = Request->Session;
    enumeration.After = input->After;
    enumeration.Shard = input->Shard;
    status = PsctxReferenceVolumeDevice(input->VolumeHandle, &enumeration.VolumeDevice);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    RtlZeroMemory(reply, sizeof(*reply));
    while (enumeration.Shard < PSCTX_SHARD_COUNT &&
           PsctxEnumerateShard(&enumeration, reply, (PUCHAR)(reply + 1), capacity, &used)) {
        enumeration.Shard += 1;
        enumeration.After = 0;
    }
    if (enumeration.VolumeDevice != NULL) {
        ObDereferenceObject(enumeration.VolumeDevice);
    }
    reply->NextAfter = enumeration.After;
    reply->NextShard = enumeration.Shard < PSCTX_SHARD_COUNT ? enumeration.Shard : PSCTX_ENUMERATE_END;
    PsctxSetReplyHeader(Request, (ULONG)sizeof(*reply) + used);
    return reply->Count == 0 && reply->NextSize != 0 ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
