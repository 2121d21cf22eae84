/* Handles: a table for each process and one for the kernel; what a handle may do, and to what it leads. */
#include "kernel.h"

#define HOST_FIRST_HANDLES 64u

HOST_HANDLE_TABLE HostKernelHandles;

VOID HostInitializeHandles(PHOST_HANDLE_TABLE Table)
{
    RtlZeroMemory(Table, sizeof(*Table));
    PlatformInitializeMutex(&Table->Mutex);
}

VOID HostDeleteHandles(PHOST_HANDLE_TABLE Table)
{
    PlatformFree(Table->Entries);
    Table->Entries = NULL;
    PlatformDeleteMutex(&Table->Mutex);
}

/* Index zero is never given out, so that no handle is NULL. Mutex held. */
static ULONG HostTakeEntry(PHOST_HANDLE_TABLE Table)
{
    ULONG Index = Table->FirstFree;

    if (Index == 0) {
        ULONG Count = Table->Count == 0 ? HOST_FIRST_HANDLES : Table->Count * 2;

        Table->Entries = PlatformReallocate(Table->Entries, Count * sizeof(*Table->Entries));
        for (ULONG New = Count - 1; New >= max(Table->Count, 1u); New--) {
            Table->Entries[New].Object = NULL;
            Table->Entries[New].NextFree = Table->FirstFree;
            Table->FirstFree = New;
        }
        Table->Count = Count;
        Index = Table->FirstFree;
    }
    Table->FirstFree = Table->Entries[Index].NextFree;
    return Index;
}

/* NULL for what is in no table that Mode may use: a kernel handle in user mode, the caller's own pseudo handles. */
static PHOST_HANDLE_TABLE HostTableOf(HANDLE Handle, KPROCESSOR_MODE Mode, PULONG Index)
{
    ULONG_PTR Value = (ULONG_PTR)Handle;
    PHOST_HANDLE_TABLE Table;

    if (Handle == NtCurrentProcess() || Handle == NtCurrentThread()) {
        Table = NULL;
    } else if ((Value & HOST_KERNEL_HANDLE_BIT) == HOST_KERNEL_HANDLE_BIT) {
        Table = Mode == KernelMode ? &HostKernelHandles : NULL;
        Value &= ~HOST_KERNEL_HANDLE_BIT;
    } else {
        Table = &PsGetCurrentProcess()->Handles;
    }
    if ((Value >> 2) > MAXULONG) {
        Table = NULL;
    }
    *Index = (ULONG)(Value >> 2);
    return Table;
}

/* In a client's process a driver has handles of the kernel's alone: the client could close any other, and put another object there. */
static VOID HostCheckKernelUse(BOOLEAN Kernel, KPROCESSOR_MODE Mode, const char *Use)
{
    if (!Kernel && Mode == KernelMode && HostCurrentThread()->Home != NULL) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "handle", "a client's handle is %s in kernel mode", Use);
    }
}

/* The new handle has a reference of its own on the object. */
HANDLE HostCreateHandle(PVOID Object, ACCESS_MASK GrantedAccess, ULONG Attributes)
{
    PHOST_OBJECT Header = HostCheckObject(Object, "handle");
    BOOLEAN Kernel = (BOOLEAN)((Attributes & OBJ_KERNEL_HANDLE) != 0);
    PHOST_HANDLE_TABLE Table = Kernel ? &HostKernelHandles : &PsGetCurrentProcess()->Handles;
    ULONG Index;

    HostCheckKernelUse(Kernel, HostCurrentThread()->PreviousMode, "created");
    (VOID) InterlockedIncrement64(&Header->References);
    (VOID) InterlockedIncrement64(&Header->Handles);
    PlatformLock(&Table->Mutex);
    Index = HostTakeEntry(Table);
    Table->Entries[Index].Object = Object;
    Table->Entries[Index].GrantedAccess = GrantedAccess;
    Table->Entries[Index].Attributes = Attributes;
    Table->Open++;
    PlatformUnlock(&Table->Mutex);
    return (HANDLE)(((ULONG_PTR)Index << 2) | (Kernel ? HOST_KERNEL_HANDLE_BIT : 0));
}

NTSTATUS HostReferenceHandle(HANDLE Handle, KPROCESSOR_MODE Mode, POBJECT_TYPE Type, ACCESS_MASK DesiredAccess,
                             PVOID *Object, PACCESS_MASK GrantedAccess, PULONG Attributes)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PHOST_HANDLE_TABLE Table;
    HOST_HANDLE_ENTRY Entry = {0};
    ULONG Index;

    *Object = NULL;
    if (Handle == NtCurrentProcess() || Handle == NtCurrentThread()) {
        BOOLEAN Process = (BOOLEAN)(Handle == NtCurrentProcess());

        if (Type != NULL && Type != (Process ? &HostProcessType : &HostThreadType)) {
            return STATUS_OBJECT_TYPE_MISMATCH;
        }
        Entry.Object = Process ? (PVOID)PsGetCurrentProcess() : (PVOID)PsGetCurrentThread();
        Entry.GrantedAccess = PROCESS_ALL_ACCESS;
        (VOID) InterlockedIncrement64(&HostHeaderOf(Entry.Object)->References);
    } else {
        Table = HostTableOf(Handle, Mode, &Index);
        if (Table == NULL) {
            return STATUS_INVALID_HANDLE;
        }
        HostCheckKernelUse((BOOLEAN)(Table == &HostKernelHandles), Mode, "referenced");
        PlatformLock(&Table->Mutex);
        if (Index != 0 && Index < Table->Count && Table->Entries[Index].Object != NULL) {
            Entry = Table->Entries[Index];
            if (Type != NULL && HostHeaderOf(Entry.Object)->Type != Type) {
                Status = STATUS_OBJECT_TYPE_MISMATCH;
            } else if (Mode != KernelMode && (DesiredAccess & ~Entry.GrantedAccess) != 0) {
                Status = STATUS_ACCESS_DENIED;
            } else {
                (VOID) InterlockedIncrement64(&HostHeaderOf(Entry.Object)->References);
            }
        } else {
            Status = STATUS_INVALID_HANDLE;
        }
        PlatformUnlock(&Table->Mutex);
    }
    if (NT_SUCCESS(Status)) {
        *Object = Entry.Object;
        if (GrantedAccess != NULL) {
            *GrantedAccess = Entry.GrantedAccess;
        }
        if (Attributes != NULL) {
            *Attributes = Entry.Attributes;
        }
    }
    return Status;
}

/*
 * IRQL PASSIVE_LEVEL. STATUS_INVALID_HANDLE (also for a kernel handle from user mode), STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_ACCESS_DENIED (user mode alone). The caller dereferences the object.
 */
NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                   KPROCESSOR_MODE AccessMode, PVOID *Object,
                                   POBJECT_HANDLE_INFORMATION HandleInformation)
{
    ACCESS_MASK Granted = 0;
    ULONG Attributes = 0;
    NTSTATUS Status;

    (VOID) HostEnter(ObReferenceObjectByHandle);
    Status = HostReferenceHandle(Handle, AccessMode, ObjectType, DesiredAccess, Object, &Granted, &Attributes);
    if (NT_SUCCESS(Status) && HandleInformation != NULL) {
        HandleInformation->GrantedAccess = Granted;
        HandleInformation->HandleAttributes = Attributes;
    }
    return Status;
}

static VOID HostReleaseHandle(PVOID Object)
{
    PHOST_OBJECT Header = HostHeaderOf(Object);
    LONG64 Remaining = InterlockedDecrement64(&Header->Handles);

    if (Header->Type->Close != NULL) {
        Header->Type->Close(Object, Remaining);
    }
    HostDereferenceRaw(Object, "NtClose");
}

static PVOID HostClearEntry(PHOST_HANDLE_TABLE Table, ULONG Index)
{
    PVOID Object = Table->Entries[Index].Object;

    Table->Entries[Index].Object = NULL;
    Table->Entries[Index].NextFree = Table->FirstFree;
    Table->FirstFree = Index;
    Table->Open--;
    return Object;
}

NTSTATUS HostCloseHandle(HANDLE Handle, KPROCESSOR_MODE Mode)
{
    ULONG Index;
    PHOST_HANDLE_TABLE Table = HostTableOf(Handle, Mode, &Index);
    PVOID Object = NULL;

    if (Table != NULL) {
        HostCheckKernelUse((BOOLEAN)(Table == &HostKernelHandles), Mode, "closed");
        PlatformLock(&Table->Mutex);
        if (Index != 0 && Index < Table->Count && Table->Entries[Index].Object != NULL) {
            Object = HostClearEntry(Table, Index);
        }
        PlatformUnlock(&Table->Mutex);
    }
    if (Object == NULL) {
        if (Table == &HostKernelHandles) {
            HostViolation(INVALID_KERNEL_HANDLE, "ZwClose", "%p is no open kernel handle", Handle);
        }
        return STATUS_INVALID_HANDLE;
    }
    HostReleaseHandle(Object);
    return STATUS_SUCCESS;
}

VOID HostCloseAllHandles(PHOST_HANDLE_TABLE Table)
{
    for (ULONG Index = 1;; Index++) {
        PVOID Object = NULL;
        BOOLEAN Last;

        PlatformLock(&Table->Mutex);
        Last = (BOOLEAN)(Index >= Table->Count);
        if (!Last && Table->Entries[Index].Object != NULL) {
            Object = HostClearEntry(Table, Index);
        }
        PlatformUnlock(&Table->Mutex);
        if (Last) {
            break;
        }
        if (Object != NULL) {
            HostReleaseHandle(Object);
        }
    }
}

/*
 * The kernel grants itself what it asks for; a user is checked against the security descriptor of a device.
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED. The caller closes the handle.
 */
NTSTATUS ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PACCESS_STATE PassedAccessState,
                               ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                               PHANDLE Handle)
{
    PHOST_OBJECT Header;
    ACCESS_MASK Granted = DesiredAccess;
    NTSTATUS Status = STATUS_SUCCESS;

    (VOID) HostEnter(ObOpenObjectByPointer);
    UNREFERENCED_PARAMETER(PassedAccessState);
    HostCheckKernelUse((BOOLEAN)((HandleAttributes & OBJ_KERNEL_HANDLE) != 0), AccessMode, "opened");
    Header = HostCheckObject(Object, "ObOpenObjectByPointer");
    if (ObjectType != NULL && ObjectType != Header->Type) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    RtlMapGenericMask(&Granted, &Header->Type->Mapping);
    if ((Granted & MAXIMUM_ALLOWED) != 0) {
        Granted = Header->Type->Mapping.GenericAll;
    }
    if (AccessMode != KernelMode && Header->Type == &HostDeviceType) {
        Status = HostCheckDeviceAccess(Object, PsGetCurrentProcess()->Token, DesiredAccess, &Granted);
    }
    if (NT_SUCCESS(Status)) {
        *Handle = HostCreateHandle(Object, Granted, HandleAttributes & (OBJ_KERNEL_HANDLE | OBJ_INHERIT));
    }
    return Status;
}
