/*
 * The devices of a driver, as they are at one moment, each referenced.
 */
#include "volumes/volumes.h"

#define PSCTX_LIST_ATTEMPTS 4u
#define PSCTX_LIST_SPARE 8u

/*
 * Lets the entry at Start sink to its place in a heap with the highest key on top, which the entries behind it are.
 */
PSCTX_PAGE static VOID PsctxSink(_Inout_updates_(Count) PPSCTX_KEYED Entries, _In_ ULONG Start, _In_ ULONG Count)
{
    const PSCTX_KEYED sinking = Entries[Start];
    ULONG place = Start;
    ULONG child = 2 * Start + 1;

    PAGED_CODE();

    while (child < Count) {
        if (child + 1 < Count && Entries[child + 1].Key > Entries[child].Key) {
            child += 1;
        }
        if (Entries[child].Key <= sinking.Key) {
            break;
        }
        Entries[place] = Entries[child];
        place = child;
        child = 2 * place + 1;
    }
    Entries[place] = sinking;
}

/*
 * Sorts by key, without recursion or memory.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxSort(PPSCTX_KEYED Entries, ULONG Count)
{
    ULONG start;
    ULONG end;

    PAGED_CODE();

    for (start = Count / 2; start != 0; start -= 1) {
        PsctxSink(Entries, start - 1, Count);
    }
    for (end = Count; end > 1; end -= 1) {
        const PSCTX_KEYED highest = Entries[0];

        Entries[0] = Entries[end - 1];
        Entries[end - 1] = highest;
        PsctxSink(Entries, 0, end - 1);
    }
}

/*
 * Lists the devices of a driver, in the order of their addresses; PsctxFreeDeviceList gives them back. The list may grow between asking
 * for its length and asking for it, and its memory is nonpaged, as the I/O manager demands. STATUS_INSUFFICIENT_RESOURCES, or
 * STATUS_BUFFER_TOO_SMALL if it grows without end. [ntifs/nf-ntifs-ioenumeratedeviceobjectlist]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxListDevices(PDRIVER_OBJECT DriverObject, PPSCTX_DEVICE_LIST List)
{
    PDEVICE_OBJECT *devices;
    ULONG capacity;
    ULONG count = 0;
    ULONG attempt;
    ULONG index;
    NTSTATUS status;

    PAGED_CODE();

    RtlZeroMemory(List, sizeof(*List));
    if (DriverObject->DeviceObject == NULL) {
        return STATUS_SUCCESS; /* not every kernel's routine looks */
    }
    status = IoEnumerateDeviceObjectList(DriverObject, NULL, 0, &count);
    for (attempt = 0; attempt < PSCTX_LIST_ATTEMPTS && status == STATUS_BUFFER_TOO_SMALL; attempt += 1) {
        capacity = count + PSCTX_LIST_SPARE;
        List->Entries = PsctxAllocate(NonPagedPool, (SIZE_T)capacity * (sizeof(*List->Entries) + sizeof(*devices)));
        if (List->Entries == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        devices = (PDEVICE_OBJECT *)(PVOID)(List->Entries + capacity);
        status = IoEnumerateDeviceObjectList(DriverObject, devices, capacity * (ULONG)sizeof(*devices), &count);
        /* When they do not fit, as many as do have been referenced; the rest is as it was allocated. */
        for (index = 0; index < capacity && devices[index] != NULL; index += 1) {
            List->Entries[index].Key = (ULONG_PTR)devices[index];
            List->Entries[index].Value = devices[index];
            List->Count += 1;
        }
        if (!NT_SUCCESS(status)) {
            PsctxFreeDeviceList(List);
        }
    }
    PsctxSort(List->Entries, List->Count);
    return status;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxFreeDeviceList(PPSCTX_DEVICE_LIST List)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < List->Count; index += 1) {
        ObDereferenceObject(List->Entries[index].Value);
    }
    PsctxFree(List->Entries);
    RtlZeroMemory(List, sizeof(*List));
}

/*
 * Where a device is in a list; List->Count if it is not.
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG PsctxFindInDeviceList(const PSCTX_DEVICE_LIST *List, PDEVICE_OBJECT Device)
{
    ULONG low = 0;
    ULONG high = List->Count;

    PAGED_CODE();

    while (low < high) {
        const ULONG middle = low + (high - low) / 2;

        if (List->Entries[middle].Key < (ULONG_PTR)Device) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < List->Count && List->Entries[low].Value == Device ? low : List->Count;
}
