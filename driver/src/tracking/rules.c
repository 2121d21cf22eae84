/*
 * Tracking rules: a stream that is opened and whose name matches gets a context of the rule's session, with that name.
 *
 * Creates read the rules without a lock: in an array that never changes, and is replaced as a whole when a rule comes or goes. A create
 * takes a reference on the array while run-down protection keeps it, and is done with the protection before it goes on. What one
 * thread's create waits for, and how long a suspended one stays in it, is therefore nobody else's concern.
 */
#include "tracking/count.h"
#include "tracking/name.h"
#include "tracking/tracking.h"

/*
 * A rule; it frees itself with its last reference. Immutable but for Removed and its counters, which are changed with interlocked
 * operations.
 */
typedef struct _PSCTX_RULE {
    volatile LONG References; /* one of each array that it is in */
    volatile LONG Removed;    /* set once: it matches nothing more, and the next array is without it */
    PPSCTX_SESSION Session;   /* referenced */
    ULONG64 Number;
    ULONG64 OwnerKey;
    ULONG64 Instance;
    PDEVICE_OBJECT VolumeDevice; /* of the volume that the rule is for, referenced; NULL: of every volume */
    ULONG Tracked;               /* PSCTX_TRACKED_*, of the contexts that it brings */
    volatile LONG64 Matched;
    volatile LONG64 Inserted;
    volatile LONG64 Missed;
    PSCTX_EXPRESSION Pattern; /* upcased; behind this record */
} PSCTX_RULE, *PPSCTX_RULE;

/*
 * All rules there are. Those that name one context stand together, the ones that count before the others. It frees itself with its
 * last reference.
 */
typedef struct _PSCTX_RULES {
    volatile LONG References; /* one while creates find it, one of each create that uses it */
    ULONG Count;
    PPSCTX_RULE Rules[ANYSIZE_ARRAY];
} PSCTX_RULES, *PPSCTX_RULES;

/* Where creates find the rules. Of the two one is current, and the other is run down: nobody reads it. */
typedef struct _PSCTX_RULES_SLOT {
    EX_RUNDOWN_REF Rundown;
    PPSCTX_RULES volatile Rules; /* NULL: none */
} PSCTX_RULES_SLOT, *PPSCTX_RULES_SLOT;

/* Of a rule's name for the stream, or of several rules' that name one context, what is to be inserted. */
typedef struct _PSCTX_TRACKED_OPEN {
    const PSCTX_STREAM *Stream; /* NULL: none that takes contexts */
    UNICODE_STRING Name;
    BOOLEAN NameTruncated;
} PSCTX_TRACKED_OPEN, *PPSCTX_TRACKED_OPEN;

static FAST_MUTEX PsctxRulesLock; /* held by whoever changes the rules */
static PSCTX_RULES_SLOT PsctxRulesSlots[2];
static PSCTX_OPEN_BEGINS PsctxBeginOpen;
static PSCTX_OPEN_SUCCEEDS PsctxTrackOpen;
static PSCTX_OPEN_ENDS PsctxEndOpen;

static volatile LONG PsctxRulesSlot; /* which one is current; changed under the lock */
_Guarded_by_(PsctxRulesLock) static ULONG64 PsctxRuleNumber;

static SIZE_T PsctxRuleSize(_In_ ULONG PatternLength)
{
    return sizeof(PSCTX_RULE) + PatternLength;
}

_IRQL_requires_max_(APC_LEVEL) PSCTX_PAGE static VOID PsctxDereferenceRule(_In_ PPSCTX_RULE Rule)
{
    const PPSCTX_SESSION session = Rule->Session;

    PAGED_CODE();

    if (InterlockedDecrement(&Rule->References) == 0) {
        if (Rule->VolumeDevice != NULL) {
            ObDereferenceObject(Rule->VolumeDevice);
        }
        PsctxFreeRecord(&session->Account, PSCTX_POOL_PAGED, PsctxRuleSize(Rule->Pattern.Text.MaximumLength), Rule);
        PsctxDereferenceSession(session);
    }
}

_IRQL_requires_max_(APC_LEVEL) PSCTX_PAGE static VOID PsctxDereferenceRules(_In_opt_ PPSCTX_RULES Rules)
{
    ULONG index;

    PAGED_CODE();

    if (Rules != NULL && InterlockedDecrement(&Rules->References) == 0) {
        for (index = 0; index < Rules->Count; index += 1) {
            PsctxDereferenceRule(Rules->Rules[index]);
        }
        PsctxFree(Rules);
    }
}

/* Whether two rules name one context. */
static BOOLEAN PsctxIsSameContext(_In_ const PSCTX_RULE *Rule, _In_ const PSCTX_RULE *Other)
{
    return Rule->Session == Other->Session && Rule->OwnerKey == Other->OwnerKey && Rule->Instance == Other->Instance;
}

/*
 * The rules that creates find now, NULL if there are none; the lock is held.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxRulesLock) PSCTX_PAGE static PPSCTX_RULES PsctxGetRules(VOID)
{
    PAGED_CODE();

    return PsctxRulesSlots[ReadNoFence(&PsctxRulesSlot)].Rules;
}

/*
 * Has creates find other rules, and returns those that they have found before; the lock is held. From then on creates turn to the other
 * slot, so that those which still read this one, in critical regions, are few and soon done.
 * [wdm/nf-wdm-exwaitforrundownprotectionrelease]
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxRulesLock) PSCTX_PAGE static PPSCTX_RULES
    PsctxPublishRules(_In_opt_ PPSCTX_RULES Rules)
{
    const LONG current = ReadNoFence(&PsctxRulesSlot);
    const PPSCTX_RULES_SLOT previous = &PsctxRulesSlots[current];
    const PPSCTX_RULES_SLOT next = &PsctxRulesSlots[1 - current];
    PPSCTX_RULES replaced;

    PAGED_CODE();

    next->Rules = Rules;
    ExReInitializeRundownProtection(&next->Rundown);
    InterlockedExchange(&PsctxRulesSlot, 1 - current);
    ExWaitForRundownProtectionRelease(&previous->Rundown);
    replaced = previous->Rules;
    previous->Rules = NULL;
    return replaced;
}

/*
 * Puts a rule, whose reference becomes the array's, behind those that name the same context, but before the ones that count less.
 */
PSCTX_PAGE static VOID PsctxPlaceRule(_Inout_ PPSCTX_RULES Rules, _In_ PPSCTX_RULE Rule)
{
    ULONG place = Rules->Count;
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Rules->Count; index += 1) {
        if (PsctxIsSameContext(Rules->Rules[index], Rule)) {
            place = index + 1;
            if (Rules->Rules[index]->Tracked < Rule->Tracked) {
                place = index;
                break;
            }
        }
    }
    for (index = Rules->Count; index > place; index -= 1) {
        Rules->Rules[index] = Rules->Rules[index - 1];
    }
    Rules->Rules[place] = Rule;
    Rules->Count += 1;
}

/*
 * Replaces the rules by those that are not removed, and by the one that is added; the lock is held. The caller dereferences what is
 * replaced when it is not any more. STATUS_INSUFFICIENT_RESOURCES, with everything as it was: removed rules match nothing all the same. Never
 * for the last rule that goes. The array takes a pointer for each rule, which nobody is charged for.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxRulesLock) PSCTX_PAGE static NTSTATUS
    PsctxReplaceRules(_In_opt_ PPSCTX_RULE Added, _Outptr_result_maybenull_ PPSCTX_RULES *Replaced)
{
    const PPSCTX_RULES current = PsctxGetRules();
    const ULONG count = (ULONG)ReadNoFence(&PsctxListening.Opens) + (Added != NULL);
    PPSCTX_RULES rules = NULL;
    ULONG index;

    PAGED_CODE();

    if (count != 0) {
        rules = PsctxAllocate(PagedPool, FIELD_OFFSET(PSCTX_RULES, Rules) + (SIZE_T)count * sizeof(PPSCTX_RULE));
        if (rules == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        rules->References = 1;
        for (index = 0; current != NULL && index < current->Count; index += 1) {
            const PPSCTX_RULE rule = current->Rules[index];

            if (ReadNoFence(&rule->Removed) == 0) {
                InterlockedIncrement(&rule->References);
                rules->Rules[rules->Count] = rule;
                rules->Count += 1;
            }
        }
        if (Added != NULL) {
            PsctxPlaceRule(rules, Added);
        }
    }
    *Replaced = PsctxPublishRules(rules);
    return STATUS_SUCCESS;
}

/*
 * Marks a rule as removed; the lock is held.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxRulesLock) PSCTX_PAGE static VOID
    PsctxMarkRemoved(_Inout_ PPSCTX_RULE Rule)
{
    PAGED_CODE();

    InterlockedExchange(&Rule->Removed, TRUE);
    InterlockedDecrement(&PsctxListening.Opens);
}

/*
 * The rule of a session with this number that is not removed, or NULL; the lock is held.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxRulesLock) PSCTX_PAGE static PPSCTX_RULE
    PsctxFindRule(_In_ const PSCTX_SESSION *Session, _In_ ULONG64 Number)
{
    const PPSCTX_RULES rules = PsctxGetRules();
    ULONG index;

    PAGED_CODE();

    for (index = 0; rules != NULL && index < rules->Count; index += 1) {
        const PPSCTX_RULE rule = rules->Rules[index];

        if (rule->Session == Session && rule->Number == Number && ReadNoFence(&rule->Removed) == 0) {
            return rule;
        }
    }
    return NULL;
}

/*
 * Removes every rule of a session that has been marked as ended. A create under way may still hold some:
 * PsctxInsertContext refuses what it wants to insert.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxEndTracking(PPSCTX_SESSION Session)
{
    PPSCTX_RULES replaced = NULL;
    PPSCTX_RULES rules;
    BOOLEAN removed = FALSE;
    ULONG index;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxRulesLock);
    rules = PsctxGetRules();
    for (index = 0; rules != NULL && index < rules->Count; index += 1) {
        const PPSCTX_RULE rule = rules->Rules[index];

        if (rule->Session == Session && ReadNoFence(&rule->Removed) == 0) {
            PsctxMarkRemoved(rule);
            removed = TRUE;
        }
    }
    if (removed) {
        (VOID) PsctxReplaceRules(NULL, &replaced);
    }
    ExReleaseFastMutex(&PsctxRulesLock);
    PsctxDereferenceRules(replaced);
}

/*
 * Makes a rule from a request that has been checked; PsctxDereferenceRule frees it. STATUS_QUOTA_EXCEEDED, STATUS_INSUFFICIENT_RESOURCES;
 * those of PsctxReferenceVolumeDevice.
 * [wdm/nf-wdm-rtlupcaseunicodestring]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxCreateRule(_In_ PPSCTX_SESSION Session, _In_ const PSCTX_TRACK_REQUEST *Input, _Outptr_ PPSCTX_RULE *Rule)
{
    const USHORT length = (USHORT)Input->PatternLength;
    const UNICODE_STRING pattern = {length, length, (PWCH)(Input + 1)};
    PPSCTX_RULE rule;
    PVOID record;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxAllocateRecord(&Session->Account, PSCTX_POOL_PAGED, PsctxRuleSize(length), &record);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    rule = record;
    PsctxReferenceSession(Session);
    rule->References = 1;
    rule->Session = Session;
    rule->OwnerKey = Input->OwnerKey;
    rule->Instance = Input->Instance;
    rule->Tracked = FlagOn(Input->Flags, PSCTX_TRACK_COUNT) ? PSCTX_TRACKED_COUNTED : PSCTX_TRACKED_YES;
    rule->Pattern.Text.Buffer = (PWCH)(rule + 1);
    rule->Pattern.Text.MaximumLength = length;
    status = RtlUpcaseUnicodeString(&rule->Pattern.Text, &pattern, FALSE);
    if (NT_SUCCESS(status)) {
        PsctxMeasureExpression(&rule->Pattern);
        status = PsctxReferenceVolumeDevice(Input->VolumeHandle, &rule->VolumeDevice);
    }
    if (!NT_SUCCESS(status)) {
        PsctxDereferenceRule(rule);
        return status;
    }
    *Rule = rule;
    return STATUS_SUCCESS;
}

/*
 * Enters a rule, which then has a number, and whose reference is the array's. STATUS_FILE_CLOSED once its session has
 * ended: its mark is set before PsctxEndTracking takes the lock. STATUS_QUOTA_EXCEEDED beyond PSCTX_MAXIMUM_RULES.
 * STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxEnterRule(_Inout_ PPSCTX_RULE Rule, _Out_ PULONG64 Number)
{
    NTSTATUS status = STATUS_SUCCESS;
    PPSCTX_RULES replaced = NULL;
    PPSCTX_RULES rules;
    ULONG count = 0;
    ULONG index;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxRulesLock);
    rules = PsctxGetRules();
    for (index = 0; rules != NULL && index < rules->Count; index += 1) {
        if (rules->Rules[index]->Session == Rule->Session && ReadNoFence(&rules->Rules[index]->Removed) == 0) {
            count += 1;
        }
    }
    if (ReadNoFence(&Rule->Session->Ended) != 0) {
        status = STATUS_FILE_CLOSED;
    } else if (count >= PSCTX_MAXIMUM_RULES) {
        status = STATUS_QUOTA_EXCEEDED;
    } else {
        Rule->Number = PsctxRuleNumber + 1;
        *Number = Rule->Number;
        status = PsctxReplaceRules(Rule, &replaced);
    }
    if (NT_SUCCESS(status)) {
        PsctxRuleNumber += 1;
        InterlockedIncrement(&PsctxListening.Opens);
    }
    ExReleaseFastMutex(&PsctxRulesLock);
    PsctxDereferenceRules(replaced);
    return status;
}

/*
 * Adds a rule of a session, as a request that has been checked says, and tells its number. STATUS_QUOTA_EXCEEDED,
 * STATUS_INSUFFICIENT_RESOURCES, STATUS_FILE_CLOSED; those of PsctxReferenceVolumeDevice.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxAddRule(PPSCTX_SESSION Session, const PSCTX_TRACK_REQUEST *Input,
                                                        PULONG64 Number)
{
    PPSCTX_RULE rule;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxCreateRule(Session, Input, &rule);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxEnterRule(rule, Number);
    if (!NT_SUCCESS(status)) {
        PsctxDereferenceRule(rule);
    }
    return status;
}

/*
 * Removes the rule of a session that has this number. The contexts that it brought stay. FALSE if there is none.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxRemoveRule(PPSCTX_SESSION Session, ULONG64 Number)
{
    PPSCTX_RULES replaced = NULL;
    PPSCTX_RULE rule;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxRulesLock);
    rule = PsctxFindRule(Session, Number);
    if (rule != NULL) {
        PsctxMarkRemoved(rule);
        (VOID) PsctxReplaceRules(NULL, &replaced);
    }
    ExReleaseFastMutex(&PsctxRulesLock);
    PsctxDereferenceRules(replaced);
    return rule != NULL;
}

/*
 * Tells what the rule of a session that has this number has done. Each counter is right by itself. FALSE if there is none.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxQueryRule(PPSCTX_SESSION Session, ULONG64 Number,
                                                         PSCTX_RULE_REPLY *Reply)
{
    PPSCTX_RULE rule;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxRulesLock);
    rule = PsctxFindRule(Session, Number);
    if (rule != NULL) {
        Reply->Matched = PsctxReadCounter(&rule->Matched);
        Reply->Inserted = PsctxReadCounter(&rule->Inserted);
        Reply->Missed = PsctxReadCounter(&rule->Missed);
    }
    ExReleaseFastMutex(&PsctxRulesLock);
    return rule != NULL;
}

/*
 * Whether a rule is for a volume, and not removed. Any IRQL.
 */
static BOOLEAN PsctxIsForVolume(_In_ const PSCTX_RULE *Rule, _In_ PDEVICE_OBJECT VolumeDevice)
{
    return ReadNoFence(&Rule->Removed) == 0 && (Rule->VolumeDevice == NULL || Rule->VolumeDevice == VolumeDevice);
}

/*
 * The rules, referenced, if any of them can match a file that is opened by this name; else NULL. Neither allocates nor waits: where the slot
 * that was current is being run down, the other one has become it.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static PPSCTX_RULES
    PsctxReferenceRules(_In_ PDEVICE_OBJECT VolumeDevice, _In_ const PSCTX_OPENED_NAME *Opened)
{
    PPSCTX_RULES found = NULL;
    PPSCTX_RULES_SLOT slot;
    PPSCTX_RULES rules;
    ULONG index;

    PAGED_CODE();

    KeEnterCriticalRegion();
    do {
        slot = &PsctxRulesSlots[ReadAcquire(&PsctxRulesSlot)];
    } while (!ExAcquireRundownProtection(&slot->Rundown));
    rules = slot->Rules;
    for (index = 0; rules != NULL && index < rules->Count && found == NULL; index += 1) {
        const PPSCTX_RULE rule = rules->Rules[index];

        if (PsctxIsForVolume(rule, VolumeDevice) && PsctxCanMatch(&rule->Pattern, Opened)) {
            InterlockedIncrement(&rules->References);
            found = rules;
        }
    }
    ExReleaseRundownProtection(&slot->Rundown);
    KeLeaveCriticalRegion();
    return found;
}

/*
 * Counts and reports an open that a rule has no context for. Needs no memory.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxMissOpen(_Inout_ PPSCTX_RULE Rule)
{
    PAGED_CODE();

    InterlockedIncrement64(&Rule->Missed);
    InterlockedIncrement64(&Rule->Session->Missed);
    PsctxReportMiss(&Rule->Session->Events, Rule->Number, Rule->OwnerKey, Rule->Instance);
}

/*
 * Hangs a rule's context on the stream that was opened, if there is none yet, and notes the open. STATUS_FILE_CLOSED and
 * STATUS_DELETE_PENDING: the rule's session or the driver has ended. Else why the stream has no context of the rule.
 *
 * A file object that is being opened is no anchor: the I/O manager may have it on its stack. A context that counts is nonpaged:
 * see count.c. [ifs/associating-a-per-stream-context-with-a-file-stream]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxInsertTracked(_Inout_ PPSCTX_RULE Rule, _In_ const PSCTX_TRACKED_OPEN *Open)
{
    const PSCTX_IDENTITY identity = {Rule->Session, Rule->OwnerKey, Rule->Instance, PSCTX_MATCH_INSTANCE};
    PSCTX_INSERTION insertion;
    ULONG64 sequence;
    ULONG outcome;
    NTSTATUS status;

    PAGED_CODE();

    if (Open->Stream == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (PsctxNoteOpen(Open->Stream->Header, &identity)) {
        return STATUS_SUCCESS;
    }
    if (Open->Stream->NeedsAnchor) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    RtlZeroMemory(&insertion, sizeof(insertion));
    insertion.Session = Rule->Session;
    insertion.OwnerKey = Rule->OwnerKey;
    insertion.Instance = Rule->Instance;
    insertion.IfExists = PSCTX_IF_EXISTS_KEEP;
    insertion.Pool = Rule->Tracked == PSCTX_TRACKED_COUNTED ? PSCTX_POOL_NONPAGED : PSCTX_POOL_PAGED;
    insertion.Lifetime = PSCTX_LIFETIME_SESSION;
    insertion.Tracked = Rule->Tracked;
    insertion.Name = Open->Name;
    insertion.NameTruncated = Open->NameTruncated;
    status = PsctxInsertContext(Open->Stream, &insertion, &outcome, &sequence);
    if (NT_SUCCESS(status)) {
        if (outcome == PSCTX_OUTCOME_INSERTED) {
            InterlockedIncrement64(&Rule->Inserted);
        }
        (VOID) PsctxNoteOpen(Open->Stream->Header, &identity);
    }
    return status;
}

/*
 * The end of a name that a context of a rule may keep, in whole characters. TRUE if that is not all of it.
 */
static BOOLEAN PsctxTruncateName(_Inout_ PUNICODE_STRING Name)
{
    const USHORT surplus = Name->Length > PSCTX_MAXIMUM_TRACKED_NAME_LENGTH
                               ? (USHORT)(Name->Length - PSCTX_MAXIMUM_TRACKED_NAME_LENGTH)
                               : 0;

    Name->Buffer += surplus / sizeof(WCHAR);
    Name->Length = (USHORT)(Name->Length - surplus);
    if (surplus != 0 && (Name->Buffer[0] & 0xFC00) == 0xDC00) {
        Name->Buffer += 1;
        Name->Length = (USHORT)(Name->Length - sizeof(WCHAR));
    }
    Name->MaximumLength = Name->Length;
    return surplus != 0;
}

/*
 * A file has been opened, and the file system has told its name: each rule that it matches gets its context. Of several that name one
 * context the first acts, which counts if any does, so that the open is counted once.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID
    PsctxTrackName(_In_ const PSCTX_RULES *Rules, _In_ PDEVICE_OBJECT VolumeDevice, _In_opt_ const PSCTX_STREAM *Stream,
                   _In_ PCUNICODE_STRING Name)
{
    PSCTX_TRACKED_OPEN open = {Stream, *Name, FALSE};
    PPSCTX_RULE previous = NULL;
    ULONG index;
    NTSTATUS status;

    PAGED_CODE();

    open.NameTruncated = PsctxTruncateName(&open.Name);
    for (index = 0; index < Rules->Count; index += 1) {
        const PPSCTX_RULE rule = Rules->Rules[index];

        if (!PsctxIsForVolume(rule, VolumeDevice) || !PsctxIsNameInExpression(&rule->Pattern.Text, Name)) {
            continue;
        }
        InterlockedIncrement64(&rule->Matched);
        if (previous != NULL && PsctxIsSameContext(rule, previous)) {
            continue;
        }
        previous = rule;
        status = PsctxInsertTracked(rule, &open);
        if (!NT_SUCCESS(status) && status != STATUS_FILE_CLOSED && status != STATUS_DELETE_PENDING) {
            PsctxMissOpen(rule);
        }
    }
}

/*
 * A file has been opened whose name cannot be told: every rule that it can match has missed it.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID
    PsctxMissName(_In_ const PSCTX_RULES *Rules, _In_ PDEVICE_OBJECT VolumeDevice, _In_ const PSCTX_OPENED_NAME *Opened)
{
    PPSCTX_RULE previous = NULL;
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Rules->Count; index += 1) {
        const PPSCTX_RULE rule = Rules->Rules[index];

        if (PsctxIsForVolume(rule, VolumeDevice) && PsctxCanMatch(&rule->Pattern, Opened) &&
            (previous == NULL || !PsctxIsSameContext(rule, previous))) {
            previous = rule;
            PsctxMissOpen(rule);
        }
    }
}

/*
 * A file is about to be opened by this name, which is good as long as the file object's is. TRUE, and the rules are referenced and what the
 * name says is kept beyond that, if any of them can match.
 */
PSCTX_PAGE _Use_decl_annotations_ static BOOLEAN PsctxBeginOpen(PFILE_OBJECT FileObject, ULONG CreateOptions,
                                                                BOOLEAN Redirector, PPSCTX_OPEN Open)
{
    PAGED_CODE();

    PsctxExamineOpenedName(FileObject, CreateOptions, Redirector, &Open->Name);
    Open->Rules = PsctxReferenceRules(Open->VolumeDevice, &Open->Name);
    if (Open->Rules == NULL) {
        return FALSE;
    }
    PsctxKeepOpenedName(&Open->Name, &Open->NameMemory);
    return TRUE;
}

/*
 * It has been opened, and each rule whose name it has brings its context. What is held for contexts is held in a critical region.
 */
PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxTrackOpen(const PSCTX_OPEN *Open, const PSCTX_STREAM *Stream,
                                                             PCUNICODE_STRING Name)
{
    PAGED_CODE();

    KeEnterCriticalRegion();
    if (Name != NULL) {
        PsctxTrackName(Open->Rules, Open->VolumeDevice, Stream, Name);
    } else {
        PsctxMissName(Open->Rules, Open->VolumeDevice, &Open->Name);
    }
    KeLeaveCriticalRegion();
}

PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxEndOpen(PPSCTX_OPEN Open)
{
    PAGED_CODE();

    PsctxFree(Open->NameMemory);
    PsctxDereferenceRules(Open->Rules);
}

static const PSCTX_LISTENER PsctxTracking = {
    .Linked = PsctxStartCounting,
    .Unlinked = PsctxStopCounting,
    .OpenBegins = PsctxBeginOpen,
    .OpenSucceeds = PsctxTrackOpen,
    .OpenEnds = PsctxEndOpen,
    .Cleanup = PsctxNoteCleanup,
    .Transfer = PsctxCountTransfer,
};

/*
 * Makes the empty set of rules, and listens. It holds nothing that would have to be given back.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartTracking(VOID)
{
    PAGED_CODE();

    PsctxStartCounts();
    ExInitializeFastMutex(&PsctxRulesLock);
    ExInitializeRundownProtection(&PsctxRulesSlots[0].Rundown);
    ExInitializeRundownProtection(&PsctxRulesSlots[1].Rundown);
    ExWaitForRundownProtectionRelease(&PsctxRulesSlots[1].Rundown);
    PsctxRulesSlot = 0;
    PsctxRuleNumber = 0;
    PsctxListening.Listener = &PsctxTracking;
}
