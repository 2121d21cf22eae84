/*
 * Tracking rules: a stream that is opened under a name that matches gets a context of the rule's session, with that
 * name.
 *
 * A rule is used without the lock, which would serialise creates and bar the routines that want PASSIVE_LEVEL: a create
 * takes references to all rules, matches, and keeps those that match until the file system has answered.
 */
#include "filter.h"

#define PSCTX_EXPRESSION_UNITS (PSCTX_MAXIMUM_PATTERN_LENGTH / sizeof(WCHAR))
#define PSCTX_WORD_BITS 32u

/* A rule; it frees itself with its last reference. Immutable but for Links, which are under the rules' lock. */
typedef struct _PSCTX_RULE {
    LIST_ENTRY Links;
    volatile LONG References; /* one while it is linked, one of each create that uses it */
    PPSCTX_SESSION Session;   /* referenced */
    ULONG64 Number;
    ULONG64 OwnerKey;
    ULONG64 Instance;
    PDEVICE_OBJECT VolumeDevice; /* of the volume that the rule is for, referenced; NULL: of every volume */
    ULONG Tracked;               /* PSCTX_TRACKED_*, of the contexts that it brings */
    UNICODE_STRING Pattern;      /* upcased; behind this record */
} PSCTX_RULE, *PPSCTX_RULE;

/* What a create that is under way has to do once it has succeeded. */
typedef struct _PSCTX_TRACKED_CREATE {
    UNICODE_STRING Name; /* as opened: without the volume, behind the name of the file it is relative to */
    PPSCTX_RULE *Rules;  /* those that match, each referenced */
    ULONG RuleCount;
} PSCTX_TRACKED_CREATE, *PPSCTX_TRACKED_CREATE;

/* A set of positions in an expression, its end included. */
typedef struct _PSCTX_POSITIONS {
    ULONG Words[PSCTX_EXPRESSION_UNITS / PSCTX_WORD_BITS + 1];
} PSCTX_POSITIONS, *PPSCTX_POSITIONS;

static FAST_MUTEX PsctxRulesLock;
_Guarded_by_(PsctxRulesLock) static LIST_ENTRY PsctxRules;
_Guarded_by_(PsctxRulesLock) static ULONG64 PsctxRuleNumber;
_Write_guarded_by_(PsctxRulesLock) static volatile LONG PsctxRuleCount;

/*
 * Makes the empty list of rules. It holds nothing that would have to be given back.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartTracking(VOID)
{
    PAGED_CODE();

    ExInitializeFastMutex(&PsctxRulesLock);
    InitializeListHead(&PsctxRules);
    PsctxRuleNumber = 0;
    PsctxRuleCount = 0;
}

/*
 * Whether any rule exists. Asked by every create, without the lock: one that runs while a rule is added may miss it.
 * Any IRQL.
 */
BOOLEAN PsctxIsTracking(VOID)
{
    return ReadNoFence(&PsctxRuleCount) != 0;
}

_IRQL_requires_max_(APC_LEVEL) PSCTX_PAGE static VOID PsctxDereferenceRule(_In_ PPSCTX_RULE Rule)
{
    PAGED_CODE();

    if (InterlockedDecrement(&Rule->References) == 0) {
        PsctxDereferenceSession(Rule->Session);
        if (Rule->VolumeDevice != NULL) {
            ObDereferenceObject(Rule->VolumeDevice);
        }
        PsctxFree(Rule);
    }
}

/*
 * Takes a rule off the list; the lock is held, and the list's reference becomes the caller's.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxRulesLock) PSCTX_PAGE static VOID
    PsctxUnlinkRule(_Inout_ PPSCTX_RULE Rule)
{
    PAGED_CODE();

    RemoveEntryList(&Rule->Links);
    InterlockedDecrement(&PsctxRuleCount);
}

/*
 * Removes every rule of a session that has been marked as ended. A create under way may still hold some:
 * PsctxInsertContext refuses what it wants to insert.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxEndTracking(PPSCTX_SESSION Session)
{
    PLIST_ENTRY entry;
    PLIST_ENTRY following;
    LIST_ENTRY removed;

    PAGED_CODE();

    InitializeListHead(&removed);
    ExAcquireFastMutex(&PsctxRulesLock);
    for (entry = PsctxRules.Flink; entry != &PsctxRules; entry = following) {
        const PPSCTX_RULE rule = CONTAINING_RECORD(entry, PSCTX_RULE, Links);

        following = entry->Flink;
        if (rule->Session == Session) {
            PsctxUnlinkRule(rule);
            InsertTailList(&removed, &rule->Links);
        }
    }
    ExReleaseFastMutex(&PsctxRulesLock);

    while (!IsListEmpty(&removed)) {
        PsctxDereferenceRule(CONTAINING_RECORD(RemoveHeadList(&removed), PSCTX_RULE, Links));
    }
}

/*
 * Makes a rule from a request that has been checked; PsctxDereferenceRule frees it. STATUS_INSUFFICIENT_RESOURCES; those of
 * PsctxReferenceVolumeDevice.
 * [wdm/nf-wdm-rtlupcaseunicodestring]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxCreateRule(_In_ PPSCTX_SESSION Session, _In_ const PSCTX_TRACK_REQUEST *Input, _Outptr_ PPSCTX_RULE *Rule)
{
    const USHORT length = (USHORT)Input->PatternLength;
    UNICODE_STRING pattern;
    PPSCTX_RULE rule;
    NTSTATUS status;

    PAGED_CODE();

    *Rule = NULL;
    rule = PsctxAllocate(PagedPool, sizeof(*rule) + length);
    if (rule == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    pattern.Buffer = (PWCH)(Input + 1);
    pattern.Length = length;
    pattern.MaximumLength = length;
    rule->Pattern.Buffer = (PWCH)(rule + 1);
    rule->Pattern.MaximumLength = length;
    status = RtlUpcaseUnicodeString(&rule->Pattern, &pattern, FALSE);
    if (!NT_SUCCESS(status)) {
        PsctxFree(rule);
        return status;
    }

    PsctxReferenceSession(Session);
    rule->References = 1;
    rule->Session = Session;
    rule->OwnerKey = Input->OwnerKey;
    rule->Instance = Input->Instance;
    rule->Tracked = FlagOn(Input->Flags, PSCTX_TRACK_COUNT) ? PSCTX_TRACKED_COUNTED : PSCTX_TRACKED_YES;
    status = PsctxReferenceVolumeDevice(Input->VolumeHandle, &rule->VolumeDevice);
    if (!NT_SUCCESS(status)) {
        PsctxDereferenceRule(rule);
        return status;
    }
    *Rule = rule;
    return STATUS_SUCCESS;
}

/*
 * Links a rule, which then has a number, and whose reference is the list's. STATUS_FILE_CLOSED once its session has
 * ended: its mark is set before PsctxEndTracking takes the lock. STATUS_QUOTA_EXCEEDED beyond PSCTX_MAXIMUM_RULES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS PsctxLinkRule(_Inout_ PPSCTX_RULE Rule, _Out_ PULONG64 Number)
{
    NTSTATUS status = STATUS_SUCCESS;
    PLIST_ENTRY entry;
    ULONG count = 0;

    PAGED_CODE();

    *Number = 0;
    ExAcquireFastMutex(&PsctxRulesLock);
    for (entry = PsctxRules.Flink; entry != &PsctxRules; entry = entry->Flink) {
        if (CONTAINING_RECORD(entry, PSCTX_RULE, Links)->Session == Rule->Session) {
            count += 1;
        }
    }
    if (ReadNoFence(&Rule->Session->Ended) != 0) {
        status = STATUS_FILE_CLOSED;
    } else if (count >= PSCTX_MAXIMUM_RULES) {
        status = STATUS_QUOTA_EXCEEDED;
    } else {
        PsctxRuleNumber += 1;
        Rule->Number = PsctxRuleNumber;
        *Number = PsctxRuleNumber;
        InsertTailList(&PsctxRules, &Rule->Links);
        InterlockedIncrement(&PsctxRuleCount);
    }
    ExReleaseFastMutex(&PsctxRulesLock);
    return status;
}

/*
 * Adds a rule: PSCTX_TRACK_REQUEST and its pattern. The reply tells its number.
 *
 * STATUS_INVALID_PARAMETER: no pattern, one too long or of half a character, one with a NUL in it, or unknown Flags.
 * STATUS_INFO_LENGTH_MISMATCH: the request is not as long as its record and its pattern. STATUS_QUOTA_EXCEEDED,
 * STATUS_INSUFFICIENT_RESOURCES, STATUS_FILE_CLOSED. Those of PsctxReferenceVolumeDevice.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleTrack(PPSCTX_REQUEST Request)
{
    const PSCTX_TRACK_REQUEST *input = Request->Input;
    const WCHAR *pattern = (const WCHAR *)(input + 1);
    PSCTX_RULE_RECORD *reply = Request->Output;
    PPSCTX_RULE rule;
    ULONG64 number;
    ULONG index;
    NTSTATUS status;

    PAGED_CODE();

    if ((input->Flags & ~PSCTX_TRACK_COUNT) != 0 || input->PatternLength == 0 ||
        input->PatternLength > PSCTX_MAXIMUM_PATTERN_LENGTH || input->PatternLength % sizeof(WCHAR) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Request->InputLength != sizeof(*input) + input->PatternLength) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    for (index = 0; index < input->PatternLength / sizeof(WCHAR); index += 1) {
        if (pattern[index] == 0) {
            return STATUS_INVALID_PARAMETER;
        }
    }

    status = PsctxCreateRule(Request->Session, input, &rule);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxLinkRule(rule, &number);
    if (!NT_SUCCESS(status)) {
        PsctxDereferenceRule(rule);
        return status;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    reply->Rule = number;
    PsctxSetReplyHeader(Request, sizeof(*reply));
    return STATUS_SUCCESS;
}

/*
 * Removes a rule of the asking session: PSCTX_RULE_RECORD. The contexts that it brought stay. STATUS_NOT_FOUND.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleUntrack(PPSCTX_REQUEST Request)
{
    const ULONG64 number = ((const PSCTX_RULE_RECORD *)Request->Input)->Rule;
    PPSCTX_RULE found = NULL;
    PLIST_ENTRY entry;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxRulesLock);
    for (entry = PsctxRules.Flink; entry != &PsctxRules && found == NULL; entry = entry->Flink) {
        const PPSCTX_RULE rule = CONTAINING_RECORD(entry, PSCTX_RULE, Links);

        if (rule->Session == Request->Session && rule->Number == number) {
            found = rule;
        }
    }
    if (found != NULL) {
        PsctxUnlinkRule(found);
    }
    ExReleaseFastMutex(&PsctxRulesLock);

    if (found == NULL) {
        return STATUS_NOT_FOUND;
    }
    PsctxDereferenceRule(found);
    PsctxSetReplyHeader(Request, sizeof(PSCTX_HEADER));
    return STATUS_SUCCESS;
}

static VOID PsctxAddPosition(_Inout_ PPSCTX_POSITIONS Positions, _In_ ULONG Position)
{
    Positions->Words[Position / PSCTX_WORD_BITS] |= 1u << (Position % PSCTX_WORD_BITS);
}

static BOOLEAN PsctxHasPosition(_In_ const PSCTX_POSITIONS *Positions, _In_ ULONG Position)
{
    return (Positions->Words[Position / PSCTX_WORD_BITS] & (1u << (Position % PSCTX_WORD_BITS))) != 0;
}

/*
 * One step of the match at Position: what may follow without taking the character goes into Current, beyond Position,
 * what follows when it is taken goes into Next. Character is 0 at the end of the name; Final says that no period
 * follows it.
 */
static VOID PsctxStep(_In_ WCHAR Symbol, _In_ ULONG Position, _In_ WCHAR Character, _In_ BOOLEAN Final,
                      _Inout_ PPSCTX_POSITIONS Current, _Inout_ PPSCTX_POSITIONS Next)
{
    const BOOLEAN ended = Character == 0;
    BOOLEAN skip = FALSE; /* the symbol may match nothing here */
    BOOLEAN take = FALSE; /* the symbol may match the character */
    BOOLEAN stay = FALSE; /* and then match more */

    switch (Symbol) {
    case L'*':
        skip = TRUE;
        take = stay = !ended;
        break;
    case L'<': /* DOS_STAR */
        skip = TRUE;
        take = stay = !ended && (Character != L'.' || !Final);
        break;
    case L'?':
        take = !ended;
        break;
    case L'>': /* DOS_QM */
        skip = ended || Character == L'.';
        take = !skip;
        break;
    case L'"': /* DOS_DOT */
        skip = ended;
        take = Character == L'.';
        break;
    default:
        take = Character == Symbol;
        break;
    }
    if (skip) {
        PsctxAddPosition(Current, Position + 1);
    }
    if (take) {
        PsctxAddPosition(Next, stay ? Position : Position + 1);
    }
}

/*
 * Whether the name matches the upcased expression, as FsRtlIsNameInExpression would say, without regard to case. That
 * raises STATUS_NO_MEMORY when memory is short, and an exception that nobody handles in the path of a create is a
 * crash; this routine needs no memory but its stack, and does not raise.
 * [ntifs/nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlisnameinexpression]
 *
 * The expression is at most PSCTX_MAXIMUM_PATTERN_LENGTH bytes long; a name with a NUL in it, which no file system
 * takes, matches nothing. All positions that the expression can be at are followed at once, so that the time is at most
 * the product of the lengths.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsNameInExpression(PCUNICODE_STRING Expression, PCUNICODE_STRING Name)
{
    const ULONG symbols = Expression->Length / sizeof(WCHAR);
    const ULONG characters = Name->Length / sizeof(WCHAR);
    PSCTX_POSITIONS sets[2];
    PPSCTX_POSITIONS current = &sets[0];
    PPSCTX_POSITIONS next = &sets[1];
    ULONG lastPeriod = 0;
    ULONG position;
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < characters; index += 1) {
        if (Name->Buffer[index] == L'.') {
            lastPeriod = index;
        }
    }

    RtlZeroMemory(current, sizeof(*current));
    PsctxAddPosition(current, 0);
    for (index = 0; index <= characters; index += 1) {
        const WCHAR character = index < characters ? RtlUpcaseUnicodeChar(Name->Buffer[index]) : 0;

        RtlZeroMemory(next, sizeof(*next));
        for (position = 0; position < symbols; position += 1) {
            if (PsctxHasPosition(current, position)) {
                PsctxStep(Expression->Buffer[position], position, character, index >= lastPeriod, current, next);
            }
        }
        if (index < characters) {
            PPSCTX_POSITIONS const previous = current;

            current = next;
            next = previous;
        }
    }
    return PsctxHasPosition(current, symbols);
}

/*
 * Whether a create opens a file stream by name on a device where streams are opened: not by file id, which is no text;
 * not a paging file, whose stream takes no contexts; not the directory that a rename moves a file to, under the file's
 * name.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN
    PsctxOpensStreamByName(_In_ PDEVICE_OBJECT DeviceObject, _In_ const IO_STACK_LOCATION *Location)
{
    const PPSCTX_FILTER_EXTENSION extension = DeviceObject->DeviceExtension;

    PAGED_CODE();

    return (extension->Kind == PsctxVolumeFilter || DeviceObject->DeviceType == FILE_DEVICE_NETWORK_FILE_SYSTEM) &&
           !FlagOn(Location->Flags, SL_OPEN_PAGING_FILE | SL_OPEN_TARGET_DIRECTORY) &&
           !FlagOn(Location->Parameters.Create.Options, FILE_OPEN_BY_FILE_ID);
}

/*
 * The name that a file is being opened by, in memory that the caller gives to PsctxFree. FileName is valid in the path
 * of a create; before it goes the name that the file object it is relative to has kept. What begins with a colon, as
 * ":stream" does, follows a file's name directly.
 *
 * STATUS_OBJECT_NAME_INVALID: there is none, as in the open of a volume, it is longer than a name may be, or of half a
 * character. STATUS_INSUFFICIENT_RESOURCES. [wdm/ns-wdm-_file_object]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxCopyOpenedName(_In_ PFILE_OBJECT FileObject, _Out_ PUNICODE_STRING Name)
{
    const UNICODE_STRING *file = &FileObject->FileName;
    UNICODE_STRING base = {0};
    BOOLEAN separate;
    ULONG length;

    PAGED_CODE();

    RtlZeroMemory(Name, sizeof(*Name));
    if (FileObject->RelatedFileObject != NULL) {
        base = FileObject->RelatedFileObject->FileName;
    }
    if ((base.Length | file->Length) % sizeof(WCHAR) != 0) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    separate = FileObject->RelatedFileObject != NULL && file->Length != 0 && file->Buffer[0] != L':' &&
               (base.Length == 0 || base.Buffer[base.Length / sizeof(WCHAR) - 1] != L'\\');
    length = base.Length + (separate ? (ULONG)sizeof(WCHAR) : 0) + file->Length;
    if (length == 0 || length > PSCTX_MAXIMUM_NAME_LENGTH) {
        return STATUS_OBJECT_NAME_INVALID;
    }

    Name->Buffer = PsctxAllocate(PagedPool, length);
    if (Name->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Name->MaximumLength = (USHORT)length;
    (VOID) RtlAppendUnicodeStringToString(Name, &base); /* they fit: the length is their sum */
    if (separate) {
        Name->Buffer[Name->Length / sizeof(WCHAR)] = L'\\';
        Name->Length += sizeof(WCHAR);
    }
    (VOID) RtlAppendUnicodeStringToString(Name, file);
    return STATUS_SUCCESS;
}

/*
 * References all rules there are, in an array that the caller gives to PsctxFree. Rules added meanwhile may be missed.
 * STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxReferenceRules(_Outptr_ PPSCTX_RULE **Rules, _Out_ PULONG Count)
{
    const ULONG capacity = (ULONG)ReadNoFence(&PsctxRuleCount);
    PPSCTX_RULE *rules;
    PLIST_ENTRY entry;
    ULONG count = 0;

    PAGED_CODE();

    *Rules = NULL;
    *Count = 0;
    if (capacity == 0) {
        return STATUS_SUCCESS;
    }
    rules = PsctxAllocate(PagedPool, (SIZE_T)capacity * sizeof(PPSCTX_RULE));
    if (rules == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ExAcquireFastMutex(&PsctxRulesLock);
    for (entry = PsctxRules.Flink; entry != &PsctxRules && count < capacity; entry = entry->Flink) {
        rules[count] = CONTAINING_RECORD(entry, PSCTX_RULE, Links);
        InterlockedIncrement(&rules[count]->References);
        count += 1;
    }
    ExReleaseFastMutex(&PsctxRulesLock);
    *Rules = rules;
    *Count = count;
    return STATUS_SUCCESS;
}

/*
 * Gives back what PsctxPrepareTracking has taken.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxFinishTracking(_Inout_ PPSCTX_TRACKED_CREATE Create)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Create->RuleCount; index += 1) {
        PsctxDereferenceRule(Create->Rules[index]);
    }
    PsctxFree(Create->Rules);
    PsctxFree(Create->Name.Buffer);
}

/*
 * The one among Count rules that names the same context as this one, or NULL.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE
    static PPSCTX_RULE *PsctxFindSameContext(_In_ const PSCTX_RULE *Rule, _In_reads_(Count) PPSCTX_RULE *Rules,
                                             _In_ ULONG Count)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Count; index += 1) {
        if (Rules[index]->Session == Rule->Session && Rules[index]->OwnerKey == Rule->OwnerKey &&
            Rules[index]->Instance == Rule->Instance) {
            return &Rules[index];
        }
    }
    return NULL;
}

/*
 * Finds the rules for the volume that match the name a file is being opened by; of several that name one context, the first that
 * counts, so that the open is counted once. FALSE, with nothing to give back, if there are none, or no memory to find
 * them: a create goes on untracked rather than fail.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN
    PsctxPrepareTracking(_In_ PDEVICE_OBJECT VolumeDevice, _In_ PFILE_OBJECT FileObject,
                         _Out_ PPSCTX_TRACKED_CREATE Create)
{
    PPSCTX_RULE *same;
    ULONG matching = 0;
    ULONG index;

    PAGED_CODE();

    RtlZeroMemory(Create, sizeof(*Create));
    if (!NT_SUCCESS(PsctxCopyOpenedName(FileObject, &Create->Name)) ||
        !NT_SUCCESS(PsctxReferenceRules(&Create->Rules, &Create->RuleCount))) {
        goto Finish;
    }
    for (index = 0; index < Create->RuleCount; index += 1) {
        const PPSCTX_RULE rule = Create->Rules[index];

        if ((rule->VolumeDevice != NULL && rule->VolumeDevice != VolumeDevice) ||
            !PsctxIsNameInExpression(&rule->Pattern, &Create->Name)) {
            PsctxDereferenceRule(rule);
            continue;
        }
        same = PsctxFindSameContext(rule, Create->Rules, matching);
        if (same == NULL) {
            Create->Rules[matching] = rule;
            matching += 1;
        } else if (rule->Tracked > (*same)->Tracked) {
            PsctxDereferenceRule(*same);
            *same = rule;
        } else {
            PsctxDereferenceRule(rule);
        }
    }
    Create->RuleCount = matching;

Finish:
    if (matching == 0) {
        PsctxFinishTracking(Create);
    }
    return matching != 0;
}

/*
 * Hangs a context of every matching rule on the stream that was opened, where there is none yet, and notes the open. What cannot be
 * inserted is left out: the create has succeeded, whatever becomes of its tracking. A context that counts is nonpaged: see count.c.
 * [ifs/associating-a-per-stream-context-with-a-file-stream]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID
    PsctxInsertTracked(_In_ PFILE_OBJECT FileObject, _In_ const PSCTX_TRACKED_CREATE *Create)
{
    PSCTX_INSERTION insertion;
    PSCTX_STREAM stream;
    ULONG64 sequence;
    ULONG outcome;
    ULONG index;

    PAGED_CODE();

    if (PsctxExamineStream(FileObject, &stream) != PSCTX_SUPPORT_YES || stream.NeedsAnchor) {
        return; /* a file object that is being opened is no anchor: the I/O manager may have it on its stack */
    }
    RtlZeroMemory(&insertion, sizeof(insertion));
    insertion.IfExists = PSCTX_IF_EXISTS_KEEP;
    insertion.Lifetime = PSCTX_LIFETIME_SESSION;
    insertion.Name = Create->Name;
    for (index = 0; index < Create->RuleCount; index += 1) {
        const PSCTX_RULE *rule = Create->Rules[index];
        const PSCTX_IDENTITY identity = {rule->Session, rule->OwnerKey, rule->Instance, PSCTX_MATCH_INSTANCE};

        if (PsctxNoteOpen(stream.Header, &identity)) {
            continue;
        }
        insertion.Session = rule->Session;
        insertion.OwnerKey = rule->OwnerKey;
        insertion.Instance = rule->Instance;
        insertion.Tracked = rule->Tracked;
        insertion.Pool = rule->Tracked == PSCTX_TRACKED_COUNTED ? PSCTX_POOL_NONPAGED : PSCTX_POOL_PAGED;
        if (NT_SUCCESS(PsctxInsertContext(&stream, &insertion, &outcome, &sequence))) {
            (VOID) PsctxNoteOpen(stream.Header, &identity);
        }
    }
}

/*
 * A create while there are rules. One that no rule matches is passed through; one that does is waited for, and its
 * stream gets its contexts before the opener has its handle. A reparse is a success without an open: the I/O manager
 * opens something else. The status is the file system's. [ifs/irp-mj-create]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxTrackCreate(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    const PFILE_OBJECT fileObject = location->FileObject;
    PSCTX_TRACKED_CREATE create;
    NTSTATUS status;

    PAGED_CODE();

    if (!PsctxOpensStreamByName(DeviceObject, location) || !ExAcquireRundownProtection(&PsctxGlobals.Rundown)) {
        return PsctxPassThrough(DeviceObject, Irp);
    }
    if (!PsctxPrepareTracking(((PPSCTX_FILTER_EXTENSION)DeviceObject->DeviceExtension)->Target, fileObject, &create)) {
        status = PsctxPassThrough(DeviceObject, Irp);
        goto ReleaseRundown;
    }

    status = PsctxForwardAndWait(DeviceObject, Irp);
    if (NT_SUCCESS(status) && status != STATUS_REPARSE) {
        PsctxInsertTracked(fileObject, &create);
    }
    PsctxFinishTracking(&create);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);

ReleaseRundown:
    ExReleaseRundownProtection(&PsctxGlobals.Rundown);
    return status;
}
