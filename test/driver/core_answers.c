/*
 * Kernel routines that answer as a test wants: see core_answers.h. The linker has every call of a routine X go to __wrap_X, and calls X itself
 * __real_X.
 */
#include "core_answers.h"

#include <fltKernel.h>
#include <string.h>

#include "core_fixture.h"

static struct {
    const char *Routine;
    ULONG Call;
    NTSTATUS Status;
    ULONG Count;
    ULONG Refused;
    const PCWSTR *Hidden;
    PCWSTR Replaced;
    PVOID Replacement;
    ULONG Major;
    ULONG Minor;
    POOL_TYPE Pool;
} CoreAnswers;

VOID CoreRefuse(const char *Routine, ULONG Call, NTSTATUS Status)
{
    CoreAnswers.Routine = Routine;
    CoreAnswers.Call = Call;
    CoreAnswers.Status = Status;
    CoreAnswers.Count = 0;
    CoreAnswers.Refused = 0;
}

ULONG CoreRefused(VOID)
{
    return CoreAnswers.Refused;
}

VOID CoreHideRoutines(const PCWSTR *Names)
{
    CoreAnswers.Hidden = Names;
}

VOID CoreReplaceRoutine(PCWSTR Name, PVOID Routine)
{
    CoreAnswers.Replaced = Name;
    CoreAnswers.Replacement = Routine;
}

VOID CoreSetVersion(ULONG Major, ULONG Minor)
{
    CoreAnswers.Major = Major;
    CoreAnswers.Minor = Minor;
}

POOL_TYPE CoreLastPool(VOID)
{
    return CoreAnswers.Pool;
}

static const char *CoreInterrupted;
static VOID (*CoreInterruption)(VOID);

VOID CoreInterrupt(const char *Routine, VOID (*Interruption)(VOID))
{
    CoreInterrupted = Routine;
    CoreInterruption = Interruption;
}

static BOOLEAN CoreIsRefused(_In_z_ const char *Routine)
{
    if (CoreInterrupted != NULL && strcmp(CoreInterrupted, Routine) == 0) {
        CoreInterrupted = NULL;
        CoreInterruption();
    }
    if (CoreAnswers.Routine == NULL || strcmp(CoreAnswers.Routine, Routine) != 0) {
        return FALSE;
    }
    CoreAnswers.Count += 1;
    if (CoreAnswers.Call != 0 && CoreAnswers.Call != CoreAnswers.Count) {
        return FALSE;
    }
    CoreAnswers.Refused += 1;
    return TRUE;
}

#define CORE_TURN (-100 * 10000ll)

static volatile LONG CoreTurnsHurry;
static volatile LONG CoreTurnCount;
static volatile LONG CoreTurnsSleep;
static PVOID volatile CoreTurnEvent;

VOID CoreHurryTurns(BOOLEAN Hurry)
{
    InterlockedExchange(&CoreTurnCount, 0);
    InterlockedExchange(&CoreTurnsSleep, FALSE);
    InterlockedExchangePointer(&CoreTurnEvent, NULL);
    InterlockedExchange(&CoreTurnsHurry, Hurry);
}

ULONG CoreTurns(PBOOLEAN Sleeps)
{
    *Sleeps = ReadAcquire(&CoreTurnsSleep) != 0;
    return (ULONG)ReadAcquire(&CoreTurnCount);
}

extern __typeof__(KeWaitForSingleObject) __real_KeWaitForSingleObject;
NTSTATUS __wrap_KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason, KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                                      PLARGE_INTEGER Timeout);
NTSTATUS __wrap_KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason, KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                                      PLARGE_INTEGER Timeout)
{
    LARGE_INTEGER moment = {.QuadPart = -1000};

    if (ReadAcquire(&CoreTurnsHurry) != 0 && Timeout != NULL && Timeout->QuadPart == CORE_TURN) {
        InterlockedIncrement(&CoreTurnCount);
        InterlockedExchangePointer(&CoreTurnEvent, Object);
        Timeout = &moment;
    } else if (Timeout == NULL && Object == ReadPointerAcquire(&CoreTurnEvent)) {
        InterlockedExchange(&CoreTurnsSleep, TRUE);
    }
    return __real_KeWaitForSingleObject(Object, Reason, Mode, Alertable, Timeout);
}

static VOID (*CoreDelayRoutine)(ULONG Count);
static ULONG CoreDelayCount;

VOID CoreSetDelayRoutine(VOID (*Routine)(ULONG Count))
{
    CoreDelayRoutine = Routine;
    CoreDelayCount = 0;
}

extern __typeof__(KeDelayExecutionThread) __real_KeDelayExecutionThread;
NTSTATUS __wrap_KeDelayExecutionThread(KPROCESSOR_MODE Mode, BOOLEAN Alertable, PLARGE_INTEGER Interval);
NTSTATUS __wrap_KeDelayExecutionThread(KPROCESSOR_MODE Mode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    LARGE_INTEGER moment = {.QuadPart = -1000};

    if (CoreDelayRoutine != NULL && Interval->QuadPart == CORE_TURN) {
        CoreDelayCount += 1;
        CoreDelayRoutine(CoreDelayCount);
        Interval = &moment;
    }
    return __real_KeDelayExecutionThread(Mode, Alertable, Interval);
}

/* A routine with a status. */
#define CORE_ANSWERED(Routine, Parameters, Arguments) \
    extern __typeof__(Routine) __real_##Routine; \
    NTSTATUS __wrap_##Routine Parameters; \
    NTSTATUS __wrap_##Routine Parameters \
    { \
        return CoreIsRefused(#Routine) ? CoreAnswers.Status : __real_##Routine Arguments; \
    }

CORE_ANSWERED(ExInitializeResourceLite, (PERESOURCE Resource), (Resource))
CORE_ANSWERED(FltAttachVolume, (PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Name, PFLT_INSTANCE *Instance),
              (Filter, Volume, Name, Instance))
CORE_ANSWERED(FltGetDeviceObject, (PFLT_VOLUME Volume, PDEVICE_OBJECT *Device), (Volume, Device))
CORE_ANSWERED(FltGetFileNameInformation,
              (PFLT_CALLBACK_DATA Data, FLT_FILE_NAME_OPTIONS Options, PFLT_FILE_NAME_INFORMATION *Information),
              (Data, Options, Information))
CORE_ANSWERED(FltGetVolumeContext, (PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_CONTEXT *Context),
              (Filter, Volume, Context))
CORE_ANSWERED(FltGetVolumeName, (PFLT_VOLUME Volume, PUNICODE_STRING Name, PULONG Needed), (Volume, Name, Needed))
CORE_ANSWERED(FltRegisterFilter, (PDRIVER_OBJECT Driver, const FLT_REGISTRATION *Registration, PFLT_FILTER *Filter),
              (Driver, Registration, Filter))
CORE_ANSWERED(FltStartFiltering, (PFLT_FILTER Filter), (Filter))
CORE_ANSWERED(FsRtlInsertPerStreamContext, (PFSRTL_ADVANCED_FCB_HEADER Header, PFSRTL_PER_STREAM_CONTEXT Context),
              (Header, Context))
CORE_ANSWERED(IoCreateSymbolicLink, (PUNICODE_STRING Link, PUNICODE_STRING Name), (Link, Name))
CORE_ANSWERED(IoGetDiskDeviceObject, (PDEVICE_OBJECT Device, PDEVICE_OBJECT *Disk), (Device, Disk))
CORE_ANSWERED(IoRegisterFsRegistrationChange, (PDRIVER_OBJECT Driver, PDRIVER_FS_NOTIFICATION Routine),
              (Driver, Routine))
CORE_ANSWERED(ObOpenObjectByPointer,
              (PVOID Object, ULONG Attributes, PACCESS_STATE State, ACCESS_MASK Access, POBJECT_TYPE Type,
               KPROCESSOR_MODE Mode, PHANDLE Handle),
              (Object, Attributes, State, Access, Type, Mode, Handle))
CORE_ANSWERED(ObQueryNameString, (PVOID Object, POBJECT_NAME_INFORMATION Name, ULONG Length, PULONG Needed),
              (Object, Name, Length, Needed))
CORE_ANSWERED(PsCreateSystemThread,
              (PHANDLE Thread, ULONG Access, POBJECT_ATTRIBUTES Attributes, HANDLE Process, PCLIENT_ID Id,
               PKSTART_ROUTINE Routine, PVOID Context),
              (Thread, Access, Attributes, Process, Id, Routine, Context))
CORE_ANSWERED(RtlAddAccessAllowedAce, (PACL Acl, ULONG Revision, ACCESS_MASK Access, PSID Sid),
              (Acl, Revision, Access, Sid))
CORE_ANSWERED(RtlCreateAcl, (PACL Acl, ULONG Length, ULONG Revision), (Acl, Length, Revision))
CORE_ANSWERED(RtlCreateSecurityDescriptor, (PSECURITY_DESCRIPTOR Descriptor, ULONG Revision), (Descriptor, Revision))
CORE_ANSWERED(RtlInitializeSid, (PSID Sid, PSID_IDENTIFIER_AUTHORITY Authority, UCHAR Count), (Sid, Authority, Count))
CORE_ANSWERED(RtlMultiByteToUnicodeN, (PWCH Text, ULONG Size, PULONG Length, const CHAR *Bytes, ULONG Count),
              (Text, Size, Length, Bytes, Count))
CORE_ANSWERED(RtlSetDaclSecurityDescriptor,
              (PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Present, PACL Acl, BOOLEAN Defaulted),
              (Descriptor, Present, Acl, Defaulted))
CORE_ANSWERED(ZwOpenKey, (PHANDLE Key, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes), (Key, Access, Attributes))
CORE_ANSWERED(ZwSetSecurityObject, (HANDLE Handle, SECURITY_INFORMATION Information, PSECURITY_DESCRIPTOR Descriptor),
              (Handle, Information, Descriptor))

/* Those that answer otherwise, and those that other drivers' calls go past. */

static BOOLEAN CoreIsOurs(_In_ PDRIVER_OBJECT Driver)
{
    UNICODE_STRING names[2];

    RtlInitUnicodeString(&names[0], L"\\Driver\\PsCtx");
    RtlInitUnicodeString(&names[1], L"\\FileSystem\\PsCtx-Minifilter");
    return RtlEqualUnicodeString(&Driver->DriverName, &names[0], TRUE) ||
           RtlEqualUnicodeString(&Driver->DriverName, &names[1], TRUE);
}

extern __typeof__(IoCreateDevice) __real_IoCreateDevice;
NTSTATUS __wrap_IoCreateDevice(PDRIVER_OBJECT Driver, ULONG Size, PUNICODE_STRING Name, DEVICE_TYPE Type,
                               ULONG Characteristics, BOOLEAN Exclusive, PDEVICE_OBJECT *Device);
NTSTATUS __wrap_IoCreateDevice(PDRIVER_OBJECT Driver, ULONG Size, PUNICODE_STRING Name, DEVICE_TYPE Type,
                               ULONG Characteristics, BOOLEAN Exclusive, PDEVICE_OBJECT *Device)
{
    return CoreIsOurs(Driver) && CoreIsRefused("IoCreateDevice")
               ? CoreAnswers.Status
               : __real_IoCreateDevice(Driver, Size, Name, Type, Characteristics, Exclusive, Device);
}

extern __typeof__(IoAttachDeviceToDeviceStackSafe) __real_IoAttachDeviceToDeviceStackSafe;
NTSTATUS __wrap_IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target,
                                                PDEVICE_OBJECT *AttachedTo);
NTSTATUS __wrap_IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target,
                                                PDEVICE_OBJECT *AttachedTo)
{
    return CoreIsOurs(Source->DriverObject) && CoreIsRefused("IoAttachDeviceToDeviceStackSafe")
               ? CoreAnswers.Status
               : __real_IoAttachDeviceToDeviceStackSafe(Source, Target, AttachedTo);
}

extern __typeof__(ExAcquireRundownProtection) __real_ExAcquireRundownProtection;
BOOLEAN __wrap_ExAcquireRundownProtection(PEX_RUNDOWN_REF Rundown);
BOOLEAN __wrap_ExAcquireRundownProtection(PEX_RUNDOWN_REF Rundown)
{
    return CoreIsRefused("ExAcquireRundownProtection") ? FALSE : __real_ExAcquireRundownProtection(Rundown);
}

extern __typeof__(FsRtlRemovePerStreamContext) __real_FsRtlRemovePerStreamContext;
PFSRTL_PER_STREAM_CONTEXT __wrap_FsRtlRemovePerStreamContext(PFSRTL_ADVANCED_FCB_HEADER Header, PVOID OwnerId,
                                                             PVOID InstanceId);
PFSRTL_PER_STREAM_CONTEXT __wrap_FsRtlRemovePerStreamContext(PFSRTL_ADVANCED_FCB_HEADER Header, PVOID OwnerId,
                                                             PVOID InstanceId)
{
    return CoreIsRefused("FsRtlRemovePerStreamContext")
               ? NULL
               : __real_FsRtlRemovePerStreamContext(Header, OwnerId, InstanceId);
}

extern __typeof__(IoGetRequestorProcess) __real_IoGetRequestorProcess;
PEPROCESS __wrap_IoGetRequestorProcess(PIRP Irp);
PEPROCESS __wrap_IoGetRequestorProcess(PIRP Irp)
{
    return CoreIsRefused("IoGetRequestorProcess") ? NULL : __real_IoGetRequestorProcess(Irp);
}

extern __typeof__(ExAllocatePoolWithTag) __real_ExAllocatePoolWithTag;
PVOID __wrap_ExAllocatePoolWithTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag);
PVOID __wrap_ExAllocatePoolWithTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    CoreAnswers.Pool = Type;
    if (Tag == CORE_POOL_TAG && CoreIsRefused("ExAllocatePoolWithTag")) {
        return NULL;
    }
    return __real_ExAllocatePoolWithTag(Type, Size, Tag);
}

extern __typeof__(MmGetSystemRoutineAddress) __real_MmGetSystemRoutineAddress;
PVOID __wrap_MmGetSystemRoutineAddress(PUNICODE_STRING Name);
PVOID __wrap_MmGetSystemRoutineAddress(PUNICODE_STRING Name)
{
    UNICODE_STRING name;
    ULONG index;

    for (index = 0; CoreAnswers.Hidden != NULL && CoreAnswers.Hidden[index] != NULL; index += 1) {
        RtlInitUnicodeString(&name, CoreAnswers.Hidden[index]);
        if (RtlEqualUnicodeString(&name, Name, FALSE)) {
            return NULL;
        }
    }
    if (CoreAnswers.Replaced != NULL) {
        RtlInitUnicodeString(&name, CoreAnswers.Replaced);
        if (RtlEqualUnicodeString(&name, Name, FALSE)) {
            return CoreAnswers.Replacement;
        }
    }
    return __real_MmGetSystemRoutineAddress(Name);
}

extern __typeof__(PsGetVersion) __real_PsGetVersion;
BOOLEAN __wrap_PsGetVersion(PULONG Major, PULONG Minor, PULONG Build, PUNICODE_STRING ServicePack);
BOOLEAN __wrap_PsGetVersion(PULONG Major, PULONG Minor, PULONG Build, PUNICODE_STRING ServicePack)
{
    const BOOLEAN checked = __real_PsGetVersion(Major, Minor, Build, ServicePack);

    if (CoreAnswers.Major != 0 && Major != NULL) {
        *Major = CoreAnswers.Major;
    }
    if (CoreAnswers.Major != 0 && Minor != NULL) {
        *Minor = CoreAnswers.Minor;
    }
    return checked;
}

/* A value of another type and length than it has, where the query of it is "refused" with success. */
extern __typeof__(ZwQueryValueKey) __real_ZwQueryValueKey;
NTSTATUS __wrap_ZwQueryValueKey(HANDLE Key, PUNICODE_STRING Name, KEY_VALUE_INFORMATION_CLASS Class, PVOID Value,
                                ULONG Length, PULONG Needed);
NTSTATUS __wrap_ZwQueryValueKey(HANDLE Key, PUNICODE_STRING Name, KEY_VALUE_INFORMATION_CLASS Class, PVOID Value,
                                ULONG Length, PULONG Needed)
{
    const NTSTATUS status = __real_ZwQueryValueKey(Key, Name, Class, Value, Length, Needed);
    const PKEY_VALUE_PARTIAL_INFORMATION information = Value;

    if (!CoreIsRefused("ZwQueryValueKey")) {
        return status;
    }
    if (CoreAnswers.Status == STATUS_OBJECT_TYPE_MISMATCH) {
        information->Type = REG_DWORD - 1; /* REG_BINARY */
        return STATUS_SUCCESS;
    }
    if (CoreAnswers.Status == STATUS_INFO_LENGTH_MISMATCH) {
        information->DataLength = sizeof(USHORT);
        return STATUS_SUCCESS;
    }
    return CoreAnswers.Status;
}

/* Lists for which there is never room enough have always more than was room for. */
extern __typeof__(FltEnumerateVolumes) __real_FltEnumerateVolumes;
NTSTATUS __wrap_FltEnumerateVolumes(PFLT_FILTER Filter, PFLT_VOLUME *Volumes, ULONG Size, PULONG Count);
NTSTATUS __wrap_FltEnumerateVolumes(PFLT_FILTER Filter, PFLT_VOLUME *Volumes, ULONG Size, PULONG Count)
{
    if (!CoreIsRefused("FltEnumerateVolumes")) {
        return __real_FltEnumerateVolumes(Filter, Volumes, Size, Count);
    }
    *Count = Size + 1;
    return CoreAnswers.Status;
}

/* The device is in no stack any more. */
extern __typeof__(IoGetDeviceAttachmentBaseRef) __real_IoGetDeviceAttachmentBaseRef;
PDEVICE_OBJECT __wrap_IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject);
PDEVICE_OBJECT __wrap_IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject)
{
    if (!CoreIsRefused("IoGetDeviceAttachmentBaseRef")) {
        return __real_IoGetDeviceAttachmentBaseRef(DeviceObject);
    }
    ObReferenceObject(DeviceObject);
    return DeviceObject;
}

extern __typeof__(IoEnumerateDeviceObjectList) __real_IoEnumerateDeviceObjectList;
NTSTATUS __wrap_IoEnumerateDeviceObjectList(PDRIVER_OBJECT Driver, PDEVICE_OBJECT *List, ULONG Size, PULONG Count);
NTSTATUS __wrap_IoEnumerateDeviceObjectList(PDRIVER_OBJECT Driver, PDEVICE_OBJECT *List, ULONG Size, PULONG Count)
{
    if (!CoreIsRefused("IoEnumerateDeviceObjectList")) {
        return __real_IoEnumerateDeviceObjectList(Driver, List, Size, Count);
    }
    *Count = Size / (ULONG)sizeof(PVOID) + 1;
    return CoreAnswers.Status;
}

/* Somebody else has set a context meanwhile, where it is said to be defined already. */
extern __typeof__(FltSetVolumeContext) __real_FltSetVolumeContext;
NTSTATUS __wrap_FltSetVolumeContext(PFLT_VOLUME Volume, FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT Context,
                                    PFLT_CONTEXT *Old);
NTSTATUS __wrap_FltSetVolumeContext(PFLT_VOLUME Volume, FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT Context,
                                    PFLT_CONTEXT *Old)
{
    if (!CoreIsRefused("FltSetVolumeContext")) {
        return __real_FltSetVolumeContext(Volume, Operation, Context, Old);
    }
    if (CoreAnswers.Status == STATUS_FLT_CONTEXT_ALREADY_DEFINED) {
        const NTSTATUS status = __real_FltSetVolumeContext(Volume, Operation, Context, NULL);

        if (!NT_SUCCESS(status)) {
            return status;
        }
        FltReferenceContext(Context);
        *Old = Context;
    }
    return CoreAnswers.Status;
}

/* A volume is a snapshot's, where the question is "refused" with success. */
extern __typeof__(FltIsVolumeSnapshot) __real_FltIsVolumeSnapshot;
NTSTATUS __wrap_FltIsVolumeSnapshot(PVOID Object, PBOOLEAN IsSnapshot);
NTSTATUS __wrap_FltIsVolumeSnapshot(PVOID Object, PBOOLEAN IsSnapshot)
{
    if (!CoreIsRefused("FltIsVolumeSnapshot")) {
        return __real_FltIsVolumeSnapshot(Object, IsSnapshot);
    }
    *IsSnapshot = NT_SUCCESS(CoreAnswers.Status);
    return CoreAnswers.Status;
}
