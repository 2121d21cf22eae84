/* The child process of the test that kills one. */
#include "hold.h"
#include "reader.h"
#include "tests.h"

#define HOLD_MILLISECONDS 60000u

static ULONG InsertAll(const SESSION *session, HANDLE file)
{
    LONG status = STATUS_SUCCESS;

    for (ULONG instance = 0; instance < HELD_CONTEXTS && status == STATUS_SUCCESS; instance += 1) {
        status = Insert(session, HandleValue(file), 1, instance, NULL, "held", 4, NULL);
    }
    return (ULONG)status;
}

/* Has a request for events pend, of the session that is not to end with this process. */
static ULONG WaitForEvents(const SESSION *watched, HOLD_RECORD *record)
{
    static READER reader;
    PSCTX_VERSION_REPLY version;
    LONG status;

    if (!OpenReader(&reader, watched, PSCTX_EVENT_TYPES, PSCTX_MINIMUM_EVENT_CAPACITY)) {
        return (ULONG)STATUS_UNSUCCESSFUL;
    }
    status = QueryVersion(watched, &version);
    if (status != STATUS_SUCCESS) {
        return (ULONG)status;
    }
    record->Session = version.Session;
    status = StartWait(&reader);
    return status == STATUS_PENDING ? 0 : (ULONG)STATUS_UNSUCCESSFUL;
}

static ULONG Hold(HOLD_RECORD *record)
{
    SESSION dying;
    SESSION kept;
    HANDLE file;
    ULONG error;

    file = CreateFileW(Options.File, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                       OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        return GetLastError();
    }
    error = TryToOpenSession(&dying, READ_WRITE);
    if (error == ERROR_SUCCESS) {
        error = TryToOpenSession(&kept, READ_WRITE);
    }
    if (error == ERROR_SUCCESS) {
        error = InsertAll(&dying, file);
    }
    if (error == ERROR_SUCCESS) {
        error = InsertAll(&kept, file);
        record->Kept = (ULONG)HandleValue(kept.Handle);
    }
    if (error == ERROR_SUCCESS) {
        error = WaitForEvents(&kept, record);
    }
    return error;
}

int HoldContexts(void)
{
    const HANDLE section = OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, Options.Hold);
    HOLD_RECORD *record;

    if (section == NULL) {
        return 1;
    }
    record = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(*record));
    if (record == NULL) {
        return 1;
    }
    record->Error = Hold(record);
    (void)InterlockedExchange(&record->Ready, record->Error == 0 ? 1 : -1);
    Sleep(HOLD_MILLISECONDS);
    return 1;
}
