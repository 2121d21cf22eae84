/* Volumes as the driver lists them. */
#include "volumes.h"

#define VOLUMES 256u
#define PROBE_OWNER 0x50524F4245ull

static union {
    PSCTX_VOLUMES_REPLY Reply;
    BYTE Bytes[65536];
} Page;

static PSCTX_VOLUME_ENTRY Before[VOLUMES];
static PSCTX_VOLUME_ENTRY After[VOLUMES];

LONG ListVolumes(const SESSION *session, ULONG64 after, void *reply, ULONG replyLength)
{
    PSCTX_VOLUMES_REQUEST request;

    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_LIST_VOLUMES);
    request.After = after;
    return Ask(session, &request.Header, reply, replyLength);
}

/* Returns how many there are, without their names, as far as there is room. */
static ULONG ReadVolumes(const SESSION *session, PSCTX_VOLUME_ENTRY *volumes)
{
    ULONG count = 0;

    do {
        const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)(&Page.Reply + 1);
        const ULONG64 after = count == 0 ? 0 : volumes[count - 1].Number;

        if (ListVolumes(session, after, &Page, sizeof(Page)) != STATUS_SUCCESS) {
            return 0;
        }
        for (ULONG index = 0; index < Page.Reply.Count && count < VOLUMES; index += 1) {
            volumes[count] = *entry;
            count += 1;
            entry = (const PSCTX_VOLUME_ENTRY *)((const BYTE *)entry + entry->Size);
        }
    } while (Page.Reply.Remaining != 0 && Page.Reply.Count != 0 && count < VOLUMES);
    return count;
}

BOOL FindVolumeOf(const SESSION *session, ULONG64 file, PSCTX_VOLUME_ENTRY *found)
{
    const ULONG before = ReadVolumes(session, Before);
    ULONG count;

    if (Insert(session, file, PROBE_OWNER, 0, NULL, NULL, 0, NULL) != STATUS_SUCCESS) {
        return FALSE;
    }
    count = ReadVolumes(session, After);
    (void)Remove(session, file, PROBE_OWNER, 0, NULL);
    for (ULONG index = 0; index < count; index += 1) {
        ULONG64 had = 0;

        for (ULONG other = 0; other < before; other += 1) {
            had = Before[other].Number == After[index].Number ? Before[other].Contexts : had;
        }
        if (After[index].Contexts > had) {
            *found = After[index];
            return TRUE;
        }
    }
    return FALSE;
}
