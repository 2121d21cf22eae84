/* Share modes: which opens of one stream may be there together. */
#include "kernel.h"

static VOID HostNoteAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject)
{
    FileObject->ReadAccess = (BOOLEAN)((DesiredAccess & (FILE_EXECUTE | FILE_READ_DATA)) != 0);
    FileObject->WriteAccess = (BOOLEAN)((DesiredAccess & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0);
    FileObject->DeleteAccess = (BOOLEAN)((DesiredAccess & DELETE) != 0);
    if (FileObject->ReadAccess || FileObject->WriteAccess || FileObject->DeleteAccess) {
        FileObject->SharedRead = (BOOLEAN)((DesiredShareAccess & FILE_SHARE_READ) != 0);
        FileObject->SharedWrite = (BOOLEAN)((DesiredShareAccess & FILE_SHARE_WRITE) != 0);
        FileObject->SharedDelete = (BOOLEAN)((DesiredShareAccess & FILE_SHARE_DELETE) != 0);
    }
}

static BOOLEAN HostCounts(PFILE_OBJECT FileObject)
{
    return (BOOLEAN)(FileObject->ReadAccess || FileObject->WriteAccess || FileObject->DeleteAccess);
}

VOID IoUpdateShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    (VOID) HostEnter(IoUpdateShareAccess);
    if (HostCounts(FileObject)) {
        ShareAccess->OpenCount++;
        ShareAccess->Readers += FileObject->ReadAccess;
        ShareAccess->Writers += FileObject->WriteAccess;
        ShareAccess->Deleters += FileObject->DeleteAccess;
        ShareAccess->SharedRead += FileObject->SharedRead;
        ShareAccess->SharedWrite += FileObject->SharedWrite;
        ShareAccess->SharedDelete += FileObject->SharedDelete;
    }
}

/* STATUS_SHARING_VIOLATION. */
NTSTATUS IoCheckShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                            PSHARE_ACCESS ShareAccess, BOOLEAN Update)
{
    (VOID) HostEnter(IoCheckShareAccess);
    HostNoteAccess(DesiredAccess, DesiredShareAccess, FileObject);
    if (HostCounts(FileObject)) {
        ULONG Opens = ShareAccess->OpenCount;

        if ((FileObject->ReadAccess && ShareAccess->SharedRead < Opens) ||
            (FileObject->WriteAccess && ShareAccess->SharedWrite < Opens) ||
            (FileObject->DeleteAccess && ShareAccess->SharedDelete < Opens) ||
            (ShareAccess->Readers != 0 && !FileObject->SharedRead) ||
            (ShareAccess->Writers != 0 && !FileObject->SharedWrite) ||
            (ShareAccess->Deleters != 0 && !FileObject->SharedDelete)) {
            return STATUS_SHARING_VIOLATION;
        }
        if (Update) {
            IoUpdateShareAccess(FileObject, ShareAccess);
        }
    }
    return STATUS_SUCCESS;
}

VOID IoSetShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                      PSHARE_ACCESS ShareAccess)
{
    (VOID) HostEnter(IoSetShareAccess);
    HostNoteAccess(DesiredAccess, DesiredShareAccess, FileObject);
    RtlZeroMemory(ShareAccess, sizeof(*ShareAccess));
    IoUpdateShareAccess(FileObject, ShareAccess);
}

VOID IoRemoveShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    (VOID) HostEnter(IoRemoveShareAccess);
    if (HostCounts(FileObject)) {
        ShareAccess->OpenCount--;
        ShareAccess->Readers -= FileObject->ReadAccess;
        ShareAccess->Writers -= FileObject->WriteAccess;
        ShareAccess->Deleters -= FileObject->DeleteAccess;
        ShareAccess->SharedRead -= FileObject->SharedRead;
        ShareAccess->SharedWrite -= FileObject->SharedWrite;
        ShareAccess->SharedDelete -= FileObject->SharedDelete;
    }
}
