/* Where a minifilter stands: what its service's key says, as Filter Manager reads it. */
#include "../../../driver/host/fltmgr/fltmgr.h"

#define MAXIMUM_NAME 256u /* characters */
#define STRING_VALUE 1u   /* REG_SZ */

typedef struct _REGISTRY_NAME {
    UNICODE_STRING String;
    WCHAR Text[MAXIMUM_NAME];
} REGISTRY_NAME, *PREGISTRY_NAME;

static PUNICODE_STRING EmptyName(PREGISTRY_NAME Name)
{
    Name->String.Buffer = Name->Text;
    Name->String.Length = 0;
    Name->String.MaximumLength = sizeof(Name->Text);
    return &Name->String;
}

/* The string of a value, a REG_SZ. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH. */
static NTSTATUS QueryString(PUNICODE_STRING Key, PCWSTR ValueName, PUNICODE_STRING String)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION Information;
        UCHAR Room[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + MAXIMUM_NAME * sizeof(WCHAR)];
    } Value;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Handle;
    ULONG Length;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, Key, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&Handle, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlInitUnicodeString(&Name, ValueName);
    Status = ZwQueryValueKey(Handle, &Name, KeyValuePartialInformation, &Value, sizeof(Value), &Length);
    (VOID) ZwClose(Handle);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Value.Information.Type != STRING_VALUE || Value.Information.DataLength < sizeof(WCHAR) ||
        Value.Information.DataLength > String->MaximumLength) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    String->Length = (USHORT)(Value.Information.DataLength - sizeof(WCHAR)); /* without its end */
    RtlCopyMemory(String->Buffer, Value.Information.Data, String->Length);
    return STATUS_SUCCESS;
}

/*
 * Driver is the whole path of the service's key: that is what Wine has as ServiceKeyName. One thread at a time runs drivers' entries: the names
 * stay as they are until the next minifilter registers.
 */
NTSTATUS HostFindMinifilterInstance(PCUNICODE_STRING Driver, PUNICODE_STRING InstanceName, PUNICODE_STRING Altitude)
{
    static REGISTRY_NAME Instance;
    static REGISTRY_NAME Place;
    REGISTRY_NAME Key;
    NTSTATUS Status;

    (VOID) RtlAppendUnicodeStringToString(EmptyName(&Key), Driver);
    (VOID) RtlAppendUnicodeToString(&Key.String, L"\\Instances");
    Status = QueryString(&Key.String, L"DefaultInstance", EmptyName(&Instance));
    if (NT_SUCCESS(Status)) {
        (VOID) RtlAppendUnicodeToString(&Key.String, L"\\");
        (VOID) RtlAppendUnicodeStringToString(&Key.String, &Instance.String);
        Status = QueryString(&Key.String, L"Altitude", EmptyName(&Place));
    }
    *InstanceName = Instance.String;
    *Altitude = Place.String;
    return NT_SUCCESS(Status) ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}
