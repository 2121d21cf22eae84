/*
 * Names of files, as the file system below the instance tells them: the volume's name, and what the file system says. Nothing is cached.
 *
 * Before a file is open, its name is made of what its opener said: parts that are not there, or are spelt otherwise, stay as they are.
 */
#include "fltmgr.h"

#define FLTP_NAME_MAGIC 0x466c744e616d6521ULL
#define FLTP_NAME_GUESS 512u

typedef struct _FLTP_NAME {
    ULONG64 Magic;
    volatile LONG References;
    PFLT_FILTER Filter; /* that asked; kept, or NULL */
    ULONG Sum;          /* of the name: it is not the asker's to change */
    FLT_FILE_NAME_INFORMATION Information;
    WCHAR Text[];
} FLTP_NAME, *PFLTP_NAME;

static ULONG FltpSum(PCUNICODE_STRING Name)
{
    ULONG Sum = Name->Length;

    for (ULONG Index = 0; Index < Name->Length / sizeof(WCHAR); Index++) {
        Sum = Sum * 31u + Name->Buffer[Index];
    }
    return Sum;
}

static PFLTP_NAME FltpNameOf(PFLT_FILE_NAME_INFORMATION Information, const char *Routine)
{
    PFLTP_NAME Name = Information == NULL ? NULL : CONTAINING_RECORD(Information, FLTP_NAME, Information);

    if (Name == NULL || Name->Magic != FLTP_NAME_MAGIC || ReadAcquire(&Name->References) <= 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "%p is no file name information, or released",
                      (PVOID)Information);
    }
    if (FltpSum(&Information->Name) != Name->Sum || Information->Name.Buffer != Name->Text) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "the file name information at %p has been changed",
                      (PVOID)Information);
    }
    return Name;
}

VOID FltReferenceFileNameInformation(PFLT_FILE_NAME_INFORMATION Information)
{
    PFLTP_NAME Name;

    (VOID) HostEnter(FltReferenceFileNameInformation);
    Name = FltpNameOf(Information, "FltReferenceFileNameInformation");
    (VOID) InterlockedIncrement(&Name->References);
}

VOID FltReleaseFileNameInformation(PFLT_FILE_NAME_INFORMATION Information)
{
    PFLTP_NAME Name;
    PFLT_FILTER Filter;

    (VOID) HostEnter(FltReleaseFileNameInformation);
    Name = FltpNameOf(Information, "FltReleaseFileNameInformation");
    if (InterlockedDecrement(&Name->References) != 0) {
        return;
    }
    Filter = Name->Filter;
    Name->Magic = 0;
    HostFreePool(Name, FLTP_NAME_TAG, "FltReleaseFileNameInformation");
    if (Filter != NULL) {
        (VOID) InterlockedDecrement(&Filter->NamesOut);
        (VOID) InterlockedDecrement(&Filter->Outstanding);
        HostWake(&Filter->Outstanding);
        FltpLetGo(Filter);
    }
}

/* The three parts after each other. STATUS_NAME_TOO_LONG, STATUS_INSUFFICIENT_RESOURCES. */
static NTSTATUS FltpMakeName(PFLT_FILTER Filter, FLT_FILE_NAME_OPTIONS Format, PCUNICODE_STRING Volume,
                             PCUNICODE_STRING Parent, PCUNICODE_STRING Rest, PFLT_FILE_NAME_INFORMATION *Information)
{
    const UNICODE_STRING *Before = Parent->Length != 0 ? Parent : Volume;
    const BOOLEAN Joins =
        (BOOLEAN)(Before->Length != 0 && Before->Buffer[Before->Length / sizeof(WCHAR) - 1] != L'\\' &&
                  Rest->Length != 0 && Rest->Buffer[0] != L'\\' && Rest->Buffer[0] != L':');
    const ULONG Length = (ULONG)Volume->Length + Parent->Length + Rest->Length + (Joins ? (ULONG)sizeof(WCHAR) : 0);
    PFLTP_NAME Name;
    PUCHAR Target;

    if (Length > UNICODE_STRING_MAX_BYTES) {
        return STATUS_NAME_TOO_LONG;
    }
    Name = HostAllocatePool(PagedPool, sizeof(*Name) + Length + sizeof(WCHAR), FLTP_NAME_TAG, TRUE,
                            __builtin_return_address(0));
    if (Name == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Target = (PUCHAR)Name->Text;
    if (Volume->Length != 0) {
        memcpy(Target, Volume->Buffer, Volume->Length);
        Target += Volume->Length;
    }
    if (Parent->Length != 0) {
        memcpy(Target, Parent->Buffer, Parent->Length);
        Target += Parent->Length;
    }
    if (Joins) {
        memcpy(Target, L"\\", sizeof(WCHAR));
        Target += sizeof(WCHAR);
    }
    if (Rest->Length != 0) {
        memcpy(Target, Rest->Buffer, Rest->Length);
    }
    Name->Magic = FLTP_NAME_MAGIC;
    Name->References = 1;
    Name->Information.Size = sizeof(Name->Information);
    Name->Information.Format = Format;
    Name->Information.Name.Length = (USHORT)Length;
    Name->Information.Name.MaximumLength = (USHORT)Length;
    Name->Information.Name.Buffer = Name->Text;
    Name->Information.Volume.Length = Volume->Length;
    Name->Information.Volume.MaximumLength = Volume->Length;
    Name->Information.Volume.Buffer = Volume->Length != 0 ? Name->Text : NULL;
    Name->Sum = FltpSum(&Name->Information.Name);
    if (Filter != NULL) {
        Name->Filter = Filter;
        FltpKeep(Filter);
        (VOID) InterlockedIncrement(&Filter->NamesOut);
        (VOID) InterlockedIncrement(&Filter->Outstanding);
    }
    *Information = &Name->Information;
    return STATUS_SUCCESS;
}

/* What the file system answers to a class of names. The caller frees *Answer with HostFreePool. */
static NTSTATUS FltpQueryName(PFLT_VOLUME Volume, PFLT_INSTANCE Below, PFILE_OBJECT FileObject,
                              FILE_INFORMATION_CLASS Class, PFILE_NAME_INFORMATION *Answer)
{
    ULONG Length = FLTP_NAME_GUESS;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;

    for (;;) {
        *Answer = HostAllocatePool(NonPagedPoolNx, Length, FLTP_NAME_TAG, TRUE, __builtin_return_address(0));
        if (*Answer == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Status = FltpAsk(Volume, Below, FileObject, IRP_MJ_QUERY_INFORMATION, Class, *Answer, Length, &IoStatus);
        if (Status == STATUS_SUCCESS) {
            return STATUS_SUCCESS;
        }
        if (Status != STATUS_BUFFER_OVERFLOW ||
            Length >= (ULONG)sizeof(FILE_NAME_INFORMATION) + (*Answer)->FileNameLength) {
            break;
        }
        Length = (ULONG)sizeof(FILE_NAME_INFORMATION) + (*Answer)->FileNameLength;
        HostFreePool(*Answer, FLTP_NAME_TAG, "FltMgr");
    }
    HostFreePool(*Answer, FLTP_NAME_TAG, "FltMgr");
    *Answer = NULL;
    return NT_SUCCESS(Status) ? STATUS_UNSUCCESSFUL : Status;
}

/* A file system that does not know a class; another answer is its answer. */
static BOOLEAN FltpIsUnknownClass(NTSTATUS Status)
{
    return (BOOLEAN)(Status == STATUS_INVALID_INFO_CLASS || Status == STATUS_INVALID_PARAMETER ||
                     Status == STATUS_NOT_SUPPORTED || Status == STATUS_NOT_IMPLEMENTED ||
                     Status == STATUS_INVALID_DEVICE_REQUEST);
}

/* Of a file that is open. */
static NTSTATUS FltpNameOpened(PFLT_VOLUME Volume, PFLT_INSTANCE Below, PFLT_FILTER Filter, PFILE_OBJECT FileObject,
                               FLT_FILE_NAME_OPTIONS Format, PFLT_FILE_NAME_INFORMATION *Information)
{
    const UNICODE_STRING None = {0, 0, NULL};
    PFILE_NAME_INFORMATION Answer = NULL;
    UNICODE_STRING Rest;
    NTSTATUS Status;

    if (FlagOn(FileObject->Flags, FO_VOLUME_OPEN)) {
        return Format == FLT_FILE_NAME_SHORT ? STATUS_FLT_INVALID_NAME_REQUEST
                                             : FltpMakeName(Filter, Format, &Volume->Name, &None, &None, Information);
    }
    switch (Format) {
    case FLT_FILE_NAME_SHORT:
        Status = FltpQueryName(Volume, Below, FileObject, FileAlternateNameInformation, &Answer);
        break;
    case FLT_FILE_NAME_NORMALIZED:
        Status = FltpQueryName(Volume, Below, FileObject, FileNormalizedNameInformation, &Answer);
        if (FltpIsUnknownClass(Status)) {
            Status = FltpQueryName(Volume, Below, FileObject, FileNameInformation, &Answer);
        }
        break;
    default:
        Status = FltpQueryName(Volume, Below, FileObject, FileNameInformation, &Answer);
        break;
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Answer->FileNameLength > UNICODE_STRING_MAX_BYTES) {
        Status = STATUS_NAME_TOO_LONG;
    } else {
        Rest.Length = Rest.MaximumLength = (USHORT)Answer->FileNameLength;
        Rest.Buffer = Answer->FileName;
        Status = FltpMakeName(Filter, Format, Format == FLT_FILE_NAME_SHORT ? &None : &Volume->Name, &None, &Rest,
                              Information);
    }
    HostFreePool(Answer, FLTP_NAME_TAG, "FltMgr");
    return Status;
}

/* Of a file that is about to be opened; an open by an id has no name yet. */
static NTSTATUS FltpNameOpening(PFLTP_OPERATION Operation, PFLT_INSTANCE Below, FLT_FILE_NAME_OPTIONS Format,
                                PFLT_FILE_NAME_INFORMATION *Information)
{
    PFILE_OBJECT FileObject = Operation->Iopb.TargetFileObject;
    PFLT_VOLUME Volume = Operation->Volume;
    UNICODE_STRING Rest = FileObject->FileName;
    UNICODE_STRING Parent = {0, 0, NULL};
    PFILE_NAME_INFORMATION Answer = NULL;
    NTSTATUS Status;

    if (Format == FLT_FILE_NAME_SHORT || FlagOn(Operation->Iopb.Parameters.Create.Options, FILE_OPEN_BY_FILE_ID)) {
        return STATUS_FLT_INVALID_NAME_REQUEST;
    }
    if (FlagOn(Operation->Iopb.OperationFlags, SL_OPEN_TARGET_DIRECTORY)) {
        while (Rest.Length > sizeof(WCHAR) && Rest.Buffer[Rest.Length / sizeof(WCHAR) - 1] != L'\\') {
            Rest.Length = (USHORT)(Rest.Length - sizeof(WCHAR));
        }
        if (Rest.Length > sizeof(WCHAR)) {
            Rest.Length = (USHORT)(Rest.Length - sizeof(WCHAR));
        }
    }
    if (FileObject->RelatedFileObject != NULL && !FlagOn(FileObject->RelatedFileObject->Flags, FO_VOLUME_OPEN)) {
        Status = FltpQueryName(Volume, Below, FileObject->RelatedFileObject, FileNameInformation, &Answer);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        if (Answer->FileNameLength > UNICODE_STRING_MAX_BYTES) {
            HostFreePool(Answer, FLTP_NAME_TAG, "FltMgr");
            return STATUS_NAME_TOO_LONG;
        }
        Parent.Length = Parent.MaximumLength = (USHORT)Answer->FileNameLength;
        Parent.Buffer = Answer->FileName;
    }
    Status = FltpMakeName(Below->Filter, Format, &Volume->Name, &Parent, &Rest, Information);
    if (Answer != NULL) {
        HostFreePool(Answer, FLTP_NAME_TAG, "FltMgr");
    }
    return Status;
}

/* Whether the file system may be asked from here: not when the thread is in it already, nor when what wakes its waits is held back. */
static BOOLEAN FltpIsSafeToAsk(VOID)
{
    return (BOOLEAN)(IoGetTopLevelIrp() == NULL && !KeAreAllApcsDisabled());
}

/* STATUS_INVALID_PARAMETER for options that are none; else what Unsafe is, or STATUS_SUCCESS. */
static NTSTATUS FltpCheckOptions(FLT_FILE_NAME_OPTIONS Options, BOOLEAN Safe)
{
    const ULONG Format = FltGetFileNameFormat(Options);
    const ULONG Method = FltGetFileNameQueryMethod(Options);

    if (Format == 0 || Format > FLT_FILE_NAME_SHORT || Method < FLT_FILE_NAME_QUERY_DEFAULT ||
        Method > FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP ||
        (Options &
         ~(ULONG)(FLT_VALID_FILE_NAME_FORMATS | FLT_VALID_FILE_NAME_QUERY_METHODS | FLT_VALID_FILE_NAME_FLAGS)) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Method == FLT_FILE_NAME_QUERY_CACHE_ONLY) {
        return STATUS_FLT_NAME_CACHE_MISS;
    }
    if (!Safe) {
        return Method == FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP ? STATUS_FLT_NAME_CACHE_MISS
                                                                       : STATUS_FLT_INVALID_NAME_REQUEST;
    }
    return STATUS_SUCCESS;
}

/*
 * IRQL <= APC_LEVEL; what it takes is refused at APC_LEVEL. STATUS_FLT_INVALID_NAME_REQUEST for paging I/O, a thread with a top-level request,
 * after close, a create that has failed or is to be reparsed, the short name before a create; STATUS_FLT_NAME_CACHE_MISS,
 * STATUS_INSUFFICIENT_RESOURCES and what the file system answers. [fltkernel/nf-fltkernel-fltgetfilenameinformation]
 */
NTSTATUS FltGetFileNameInformation(PFLT_CALLBACK_DATA CallbackData, FLT_FILE_NAME_OPTIONS NameOptions,
                                   PFLT_FILE_NAME_INFORMATION *RetInformation)
{
    const ULONG Format = FltGetFileNameFormat(NameOptions);
    PFLTP_OPERATION Operation;
    PFLT_INSTANCE Instance;
    BOOLEAN Post;
    NTSTATUS Status;

    (VOID) HostEnter(FltGetFileNameInformation);
    *RetInformation = NULL;
    Operation = FltpOperationOf(CallbackData, "FltGetFileNameInformation");
    Instance = Operation->Iopb.TargetInstance;
    Post = BooleanFlagOn(CallbackData->Flags, FLTFL_CALLBACK_DATA_POST_OPERATION);
    Status = FltpCheckOptions(NameOptions, FltpIsSafeToAsk());
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Operation->Iopb.TargetFileObject == NULL || FlagOn(CallbackData->Flags, FLTFL_CALLBACK_DATA_DRAINING_IO) ||
        (Operation->Irp != NULL && FlagOn(Operation->Iopb.IrpFlags, IRP_PAGING_IO)) ||
        (Operation->Iopb.MajorFunction == IRP_MJ_CLOSE && Post)) {
        return STATUS_FLT_INVALID_NAME_REQUEST;
    }
    if (Operation->Iopb.MajorFunction == IRP_MJ_CREATE && Operation->Irp != NULL) {
        if (!Post) {
            return FltpNameOpening(Operation, Instance, Format, RetInformation);
        }
        if (!NT_SUCCESS(CallbackData->IoStatus.Status) ||
            (CallbackData->IoStatus.Status == STATUS_REPARSE &&
             !FlagOn(NameOptions, FLT_FILE_NAME_ALLOW_QUERY_ON_REPARSE))) {
            return STATUS_FLT_INVALID_NAME_REQUEST;
        }
    }
    return FltpNameOpened(Operation->Volume, Instance, Instance->Filter, Operation->Iopb.TargetFileObject, Format,
                          RetInformation);
}

/* The same of an open file, without an operation. [fltkernel/nf-fltkernel-fltgetfilenameinformationunsafe] */
NTSTATUS FltGetFileNameInformationUnsafe(PFILE_OBJECT FileObject, PFLT_INSTANCE Instance,
                                         FLT_FILE_NAME_OPTIONS NameOptions, PFLT_FILE_NAME_INFORMATION *RetInformation)
{
    PFLT_VOLUME Volume;
    NTSTATUS Status;

    (VOID) HostEnter(FltGetFileNameInformationUnsafe);
    (VOID) HostCheckObject(FileObject, "FltGetFileNameInformationUnsafe");
    *RetInformation = NULL;
    if (Instance != NULL) {
        (VOID) FltpCheckObject(Instance, FltpInstanceKind, "FltGetFileNameInformationUnsafe");
    }
    Status = FltpCheckOptions(NameOptions, (BOOLEAN)!KeAreAllApcsDisabled());
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Volume = FltpVolumeOfDevice(HostBaseDevice(FileObject));
    if (Volume == NULL) {
        return STATUS_FLT_INVALID_NAME_REQUEST;
    }
    Status = FltpNameOpened(Volume, Instance, Instance != NULL ? Instance->Filter : NULL, FileObject,
                            FltGetFileNameFormat(NameOptions), RetInformation);
    FltpLetGo(Volume);
    return Status;
}

/* A part of the name; NULL's buffer for none. */
static UNICODE_STRING FltpPart(PCUNICODE_STRING Name, ULONG Start, ULONG End)
{
    UNICODE_STRING Part = {(USHORT)((End - Start) * sizeof(WCHAR)), (USHORT)((End - Start) * sizeof(WCHAR)), NULL};

    if (End != Start) {
        Part.Buffer = Name->Buffer + Start;
    }
    return Part;
}

/* IRQL <= APC_LEVEL. STATUS_INVALID_PARAMETER for a short name. [fltkernel/nf-fltkernel-fltparsefilenameinformation] */
NTSTATUS FltParseFileNameInformation(PFLT_FILE_NAME_INFORMATION Information)
{
    PFLTP_NAME Name;
    ULONG End;
    ULONG Start;
    ULONG Final;
    ULONG Stream;
    ULONG Extension;

    (VOID) HostEnter(FltParseFileNameInformation);
    Name = FltpNameOf(Information, "FltParseFileNameInformation");
    if (Information->Format == FLT_FILE_NAME_SHORT) {
        return STATUS_INVALID_PARAMETER;
    }
    End = Information->Name.Length / (ULONG)sizeof(WCHAR);
    Start = Information->Volume.Length / (ULONG)sizeof(WCHAR);
    Final = End;
    while (Final > Start && Name->Text[Final - 1] != L'\\') {
        Final--;
    }
    Stream = Final;
    while (Stream < End && Name->Text[Stream] != L':') {
        Stream++;
    }
    Extension = Stream;
    while (Extension > Final && Name->Text[Extension - 1] != L'.') {
        Extension--;
    }
    if (Extension == Final) {
        Extension = Stream;
    }
    PlatformLock(&FltpMutex);
    Information->FinalComponent = FltpPart(&Information->Name, Final, End);
    Information->Stream = FltpPart(&Information->Name, Stream, End);
    Information->Extension = FltpPart(&Information->Name, Extension, Stream);
    Information->ParentDir = FltpPart(&Information->Name, Start, Final);
    Information->NamesParsed = FLTFL_FILE_NAME_PARSED_FINAL_COMPONENT | FLTFL_FILE_NAME_PARSED_EXTENSION |
                               FLTFL_FILE_NAME_PARSED_STREAM | FLTFL_FILE_NAME_PARSED_PARENT_DIR;
    PlatformUnlock(&FltpMutex);
    return STATUS_SUCCESS;
}
