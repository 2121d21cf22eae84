/*
 * What happens to contexts, told to the readers of their session's events.
 */
#include "core/index.h"

/*
 * Something has happened to a context, whose shard is locked. Its session's readers are told; without one, that is one look at a
 * counter.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxReportContext(ULONG Type, PPSCTX_CONTEXT Context)
{
    const PPSCTX_SESSION session = Context->Owner->Session;
    PSCTX_EVENT event;

    PAGED_CODE();

    if (!PsctxIsWatched(&session->Events)) {
        return;
    }
    PsctxInitializeEvent(&event, Type, Context->NameLength);
    event.Flags = Context->NameTruncated ? PSCTX_NAME_TRUNCATED : 0;
    event.OwnerKey = Context->Owner->Key;
    event.Instance = Context->Instance;
    event.Sequence = Context->Sequence;
    if (Type == PSCTX_EVENT_INSERTED) {
        event.Time = Context->InsertedSystemTime;
    }
    if (Type == PSCTX_EVENT_REMOVED || Type == PSCTX_EVENT_TORN_DOWN) {
        event.Age = KeQueryInterruptTime() - Context->Inserted;
    }
    if (Type != PSCTX_EVENT_TORN_DOWN) {
        event.ProcessId = (ULONG_PTR)PsGetCurrentProcessId();
    }

    if (PsctxReportEvent(&session->Events, &event, PsctxContextName(Context))) {
        PsctxDeliverAfterUnlock(Context->Header);
    }
}
