/* The memory file system's bytes and attributes. */
#include "memory.h"

NTSTATUS MemoryRead(PVOID Store, PNODE Stream, LONGLONG Offset, PVOID Buffer, ULONG Length, PULONG Transferred)
{
    PMEMORY_STREAM MemoryStream = (PMEMORY_STREAM)Stream;
    ULONG64 Start = (ULONG64)Offset;

    UNREFERENCED_PARAMETER(Store);
    *Transferred = 0;
    if (Start < MemoryStream->Size) {
        *Transferred = (ULONG)min((ULONG64)Length, MemoryStream->Size - Start);
        RtlCopyMemory(Buffer, MemoryStream->Data + Start, *Transferred);
    }
    return STATUS_SUCCESS;
}

/* Makes room for Size bytes. STATUS_DISK_FULL beyond the volume, STATUS_INSUFFICIENT_RESOURCES. */
static NTSTATUS Reserve(PMEMORY_STORE Store, PMEMORY_STREAM Stream, ULONG64 Size)
{
    ULONG64 Capacity = max(Stream->Capacity, 64ull);
    PUCHAR Data;

    if (Size <= Stream->Capacity) {
        return STATUS_SUCCESS;
    }
    if (Size > MEMORY_VOLUME_BYTES) {
        return STATUS_DISK_FULL;
    }
    while (Capacity < Size) {
        Capacity *= 2;
    }
    if ((ULONG64)__atomic_load_n(&Store->DataBytes, __ATOMIC_RELAXED) + Capacity > MEMORY_VOLUME_BYTES) {
        return STATUS_DISK_FULL;
    }
    Data = ExAllocatePoolWithTag(PagedPool, (SIZE_T)Capacity, MEMORY_DATA_TAG);
    if (Data == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Stream->Data != NULL) {
        RtlCopyMemory(Data, Stream->Data, (SIZE_T)Stream->Size);
        ExFreePoolWithTag(Stream->Data, MEMORY_DATA_TAG);
    }
    __atomic_fetch_add(&Store->DataBytes, (LONG64)(Capacity - Stream->Capacity), __ATOMIC_RELAXED);
    Stream->Data = Data;
    Stream->Capacity = Capacity;
    return STATUS_SUCCESS;
}

NTSTATUS MemorySetSize(PVOID Store, PNODE Stream, LONGLONG Size)
{
    PMEMORY_STREAM MemoryStream = (PMEMORY_STREAM)Stream;
    ULONG64 NewSize = (ULONG64)Size;
    NTSTATUS Status = Reserve(Store, MemoryStream, NewSize);

    if (NT_SUCCESS(Status)) {
        if (NewSize > MemoryStream->Size) {
            RtlZeroMemory(MemoryStream->Data + MemoryStream->Size, (SIZE_T)(NewSize - MemoryStream->Size));
        }
        MemoryStream->Size = NewSize;
    }
    return Status;
}

NTSTATUS MemoryWrite(PVOID Store, PNODE Stream, LONGLONG Offset, const VOID *Buffer, ULONG Length)
{
    PMEMORY_STREAM MemoryStream = (PMEMORY_STREAM)Stream;
    ULONG64 End = (ULONG64)Offset + Length;
    NTSTATUS Status = STATUS_SUCCESS;

    if (End > MemoryStream->Size) {
        Status = MemorySetSize(Store, Stream, (LONGLONG)End);
    }
    if (NT_SUCCESS(Status)) {
        RtlCopyMemory(MemoryStream->Data + (ULONG64)Offset, Buffer, Length);
    }
    return Status;
}

NTSTATUS MemoryQuery(PVOID Store, PNODE Stream, PNODE_INFORMATION Information)
{
    PMEMORY_STREAM MemoryStream = (PMEMORY_STREAM)Stream;
    PMEMORY_FILE File = MemoryStream->File;

    UNREFERENCED_PARAMETER(Store);
    Information->CreationTime = File->CreationTime;
    Information->LastAccessTime = File->LastAccessTime;
    Information->LastWriteTime = File->LastWriteTime;
    Information->ChangeTime = File->ChangeTime;
    Information->EndOfFile.QuadPart = (LONGLONG)MemoryStream->Size;
    Information->AllocationSize.QuadPart = (LONGLONG)MemoryStream->Capacity;
    Information->FileAttributes = File->FileAttributes;
    Information->NumberOfLinks = File->NumberOfLinks;
    return STATUS_SUCCESS;
}

static VOID SetTime(PLARGE_INTEGER Time, LARGE_INTEGER NewTime)
{
    if (NewTime.QuadPart > 0) {
        *Time = NewTime;
    }
}

NTSTATUS MemorySetBasic(PVOID Store, PNODE Stream, const FILE_BASIC_INFORMATION *Information)
{
    PMEMORY_FILE File = ((PMEMORY_STREAM)Stream)->File;

    UNREFERENCED_PARAMETER(Store);
    SetTime(&File->CreationTime, Information->CreationTime);
    SetTime(&File->LastAccessTime, Information->LastAccessTime);
    SetTime(&File->LastWriteTime, Information->LastWriteTime);
    SetTime(&File->ChangeTime, Information->ChangeTime);
    if (Information->FileAttributes != 0) {
        File->FileAttributes = (File->FileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_SPARSE_FILE)) |
                               (Information->FileAttributes & FILE_ATTRIBUTE_VALID_SET_FLAGS &
                                ~(ULONG)(FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_NORMAL));
        if (File->FileAttributes == 0) {
            File->FileAttributes = FILE_ATTRIBUTE_NORMAL;
        }
    }
    return STATUS_SUCCESS;
}

PVOID *MemorySecurityOf(PNODE Stream)
{
    return &((PMEMORY_STREAM)Stream)->File->Security;
}

/* Holes take memory all the same. */
VOID MemorySetSparse(PNODE Stream)
{
    PMEMORY_FILE File = ((PMEMORY_STREAM)Stream)->File;

    File->FileAttributes = (File->FileAttributes & ~(ULONG)FILE_ATTRIBUTE_NORMAL) | FILE_ATTRIBUTE_SPARSE_FILE;
}

/* Memory is as far as the bytes go. */
NTSTATUS MemoryFlush(PVOID Store, PNODE Stream)
{
    UNREFERENCED_PARAMETER(Store);
    UNREFERENCED_PARAMETER(Stream);
    return STATUS_SUCCESS;
}

NTSTATUS MemoryQuerySpace(PVOID Store, PULONG64 TotalBytes, PULONG64 FreeBytes)
{
    PMEMORY_STORE MemoryStore = Store;

    *TotalBytes = MEMORY_VOLUME_BYTES;
    *FreeBytes = MEMORY_VOLUME_BYTES - (ULONG64)__atomic_load_n(&MemoryStore->DataBytes, __ATOMIC_RELAXED);
    return STATUS_SUCCESS;
}
