/* The registry's service keys: the DWORD values that drivers read of their own, and the instances of minifilters. */
#include "kernel.h"

#define HOST_SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

typedef struct _HOST_VALUE {
    LIST_ENTRY Links;
    UNICODE_STRING Driver;
    UNICODE_STRING Name;
    ULONG Value;
    WCHAR Text[1];
} HOST_VALUE, *PHOST_VALUE;

typedef struct _HOST_KEY {
    UNICODE_STRING Driver;
} HOST_KEY, *PHOST_KEY;

static VOID HostDeleteKey(PVOID Object)
{
    PlatformFree(((PHOST_KEY)Object)->Driver.Buffer);
}

OBJECT_TYPE HostKeyType = {"Key", FALSE, FALSE, FALSE, 0, {KEY_READ, 0x20006, KEY_READ, 0xf003f}, NULL, HostDeleteKey};

static HOST_MUTEX HostRegistryMutex = HOST_MUTEX_INITIALIZER;
static LIST_ENTRY HostValues = {&HostValues, &HostValues};

static BOOLEAN HostEqual(PCUNICODE_STRING First, PCUNICODE_STRING Second)
{
    return (BOOLEAN)(First->Length == Second->Length && HostCompareStrings(First, Second, TRUE) == 0);
}

/* Mutex held. */
static PHOST_VALUE HostFindValue(PCUNICODE_STRING Driver, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Entry = HostValues.Flink; Entry != &HostValues; Entry = Entry->Flink) {
        PHOST_VALUE Value = CONTAINING_RECORD(Entry, HOST_VALUE, Links);

        if (HostEqual(&Value->Driver, Driver) && HostEqual(&Value->Name, Name)) {
            return Value;
        }
    }
    return NULL;
}

NTSTATUS HostSetServiceValue(PCWSTR DriverName, PCWSTR ValueName, ULONG Number)
{
    UNICODE_STRING Driver;
    UNICODE_STRING Name;
    PHOST_VALUE Value;

    RtlInitUnicodeString(&Driver, DriverName);
    RtlInitUnicodeString(&Name, ValueName);
    PlatformLock(&HostRegistryMutex);
    Value = HostFindValue(&Driver, &Name);
    if (Value == NULL) {
        Value = PlatformAllocate(sizeof(*Value) + Driver.Length + Name.Length);
        Value->Driver = Driver;
        Value->Driver.Buffer = Value->Text;
        Value->Name = Name;
        Value->Name.Buffer = Value->Text + Driver.Length / sizeof(WCHAR);
        memcpy(Value->Driver.Buffer, Driver.Buffer, Driver.Length);
        memcpy(Value->Name.Buffer, Name.Buffer, Name.Length);
        InsertTailList(&HostValues, &Value->Links);
    }
    Value->Value = Number;
    PlatformUnlock(&HostRegistryMutex);
    return STATUS_SUCCESS;
}

typedef struct _HOST_MINIFILTER {
    LIST_ENTRY Links;
    UNICODE_STRING Driver;
    UNICODE_STRING InstanceName;
    UNICODE_STRING Altitude;
    WCHAR Text[1];
} HOST_MINIFILTER, *PHOST_MINIFILTER;

static LIST_ENTRY HostMinifilters = {&HostMinifilters, &HostMinifilters}; /* the latest first */

static PWCH HostPlace(PUNICODE_STRING String, PWCH Text)
{
    memcpy(Text, String->Buffer, String->Length);
    String->Buffer = Text;
    return Text + String->Length / sizeof(WCHAR);
}

/* What was said before stays, for who has it. */
NTSTATUS HostSetMinifilterInstance(PCWSTR DriverName, PCWSTR InstanceName, PCWSTR Altitude)
{
    UNICODE_STRING Driver;
    UNICODE_STRING Name;
    UNICODE_STRING Height;
    PHOST_MINIFILTER Minifilter;

    RtlInitUnicodeString(&Driver, DriverName);
    RtlInitUnicodeString(&Name, InstanceName);
    RtlInitUnicodeString(&Height, Altitude);
    Minifilter = PlatformAllocate(sizeof(*Minifilter) + Driver.Length + Name.Length + Height.Length);
    Minifilter->Driver = Driver;
    Minifilter->InstanceName = Name;
    Minifilter->Altitude = Height;
    (VOID) HostPlace(&Minifilter->Altitude,
                     HostPlace(&Minifilter->InstanceName, HostPlace(&Minifilter->Driver, Minifilter->Text)));
    PlatformLock(&HostRegistryMutex);
    InsertHeadList(&HostMinifilters, &Minifilter->Links);
    PlatformUnlock(&HostRegistryMutex);
    return STATUS_SUCCESS;
}

NTSTATUS HostFindMinifilterInstance(PCUNICODE_STRING Driver, PUNICODE_STRING InstanceName, PUNICODE_STRING Altitude)
{
    NTSTATUS Status = STATUS_OBJECT_NAME_NOT_FOUND;

    PlatformLock(&HostRegistryMutex);
    for (PLIST_ENTRY Entry = HostMinifilters.Flink; Entry != &HostMinifilters && !NT_SUCCESS(Status);
         Entry = Entry->Flink) {
        PHOST_MINIFILTER Minifilter = CONTAINING_RECORD(Entry, HOST_MINIFILTER, Links);

        if (HostEqual(&Minifilter->Driver, Driver)) {
            *InstanceName = Minifilter->InstanceName;
            *Altitude = Minifilter->Altitude;
            Status = STATUS_SUCCESS;
        }
    }
    PlatformUnlock(&HostRegistryMutex);
    return Status;
}

VOID HostStopRegistry(VOID)
{
    PlatformLock(&HostRegistryMutex);
    while (!IsListEmpty(&HostMinifilters)) {
        PlatformFree(CONTAINING_RECORD(RemoveHeadList(&HostMinifilters), HOST_MINIFILTER, Links));
    }
    while (!IsListEmpty(&HostValues)) {
        PlatformFree(CONTAINING_RECORD(RemoveHeadList(&HostValues), HOST_VALUE, Links));
    }
    PlatformUnlock(&HostRegistryMutex);
}

/* STATUS_OBJECT_NAME_NOT_FOUND for anything but the key of a loaded driver or of one with values. */
NTSTATUS ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    static const WCHAR Prefix[] = HOST_SERVICES;
    UNICODE_STRING Services = {sizeof(Prefix) - sizeof(WCHAR), sizeof(Prefix), (PWCH)(ULONG_PTR)Prefix};
    PUNICODE_STRING Name = ObjectAttributes->ObjectName;
    UNICODE_STRING Driver;
    KPROCESSOR_MODE PreviousMode;
    PHOST_KEY Key;
    NTSTATUS Status;

    (VOID) HostEnter(ZwOpenKey);
    if (!RtlPrefixUnicodeString(&Services, Name, TRUE) || Name->Length == Services.Length) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    Driver.Buffer = Name->Buffer + Services.Length / sizeof(WCHAR);
    Driver.Length = Driver.MaximumLength = (USHORT)(Name->Length - Services.Length);
    for (ULONG Index = 0; Index < Driver.Length / sizeof(WCHAR); Index++) {
        if (Driver.Buffer[Index] == OBJ_NAME_PATH_SEPARATOR) {
            return STATUS_OBJECT_NAME_NOT_FOUND;
        }
    }
    Status = HostCreateObject(&HostKeyType, sizeof(*Key), (PVOID *)&Key);
    if (NT_SUCCESS(Status)) {
        Key->Driver = Driver;
        Key->Driver.Buffer = PlatformAllocate((SIZE_T)Driver.Length + sizeof(WCHAR));
        memcpy(Key->Driver.Buffer, Driver.Buffer, Driver.Length);
        RtlMapGenericMask(&DesiredAccess, &HostKeyType.Mapping);
        PreviousMode = HostBeginKernelCall(HostCurrentThread());
        *KeyHandle = HostCreateHandle(Key, DesiredAccess, ObjectAttributes->Attributes);
        HostEndKernelCall(HostCurrentThread(), PreviousMode);
        HostDereferenceRaw(Key, "ZwOpenKey");
    }
    return Status;
}

/* STATUS_OBJECT_NAME_NOT_FOUND, STATUS_BUFFER_TOO_SMALL when even the head does not fit, STATUS_BUFFER_OVERFLOW. */
NTSTATUS ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                         KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation, ULONG Length,
                         PULONG ResultLength)
{
    PKEY_VALUE_PARTIAL_INFORMATION Partial = KeyValueInformation;
    ULONG Head = (ULONG)offsetof(KEY_VALUE_PARTIAL_INFORMATION, Data);
    PHOST_VALUE Value;
    PHOST_KEY Key;
    ULONG Number = 0;
    NTSTATUS Status;

    (VOID) HostEnter(ZwQueryValueKey);
    if (KeyValueInformationClass != KeyValuePartialInformation) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = HostReferenceHandle(KeyHandle, KernelMode, &HostKeyType, KEY_QUERY_VALUE, (PVOID *)&Key, NULL, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    PlatformLock(&HostRegistryMutex);
    Value = HostFindValue(&Key->Driver, ValueName);
    if (Value != NULL) {
        Number = Value->Value;
    } else {
        Status = STATUS_OBJECT_NAME_NOT_FOUND;
    }
    PlatformUnlock(&HostRegistryMutex);
    HostDereferenceRaw(Key, "ZwQueryValueKey");
    if (NT_SUCCESS(Status)) {
        *ResultLength = Head + (ULONG)sizeof(ULONG);
        if (Length < Head) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        Partial->TitleIndex = 0;
        Partial->Type = REG_DWORD;
        Partial->DataLength = sizeof(ULONG);
        memcpy(Partial->Data, &Number, min(sizeof(ULONG), Length - Head));
        Status = Length < *ResultLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
    }
    return Status;
}
