/* What LIST_VOLUMES tells, for whoever wants to know of one volume. */
#ifndef SELFTEST_VOLUMES_H
#define SELFTEST_VOLUMES_H

#include "device.h"

/* Asks for a page of the volumes with a number above after; reply's length is at least that of PSCTX_VOLUMES_REPLY. */
LONG ListVolumes(const SESSION *session, ULONG64 after, void *reply, ULONG replyLength);

/* The volume that a file is on: the one that shows a context more when the file has one more. FALSE if none does. */
BOOL FindVolumeOf(const SESSION *session, ULONG64 file, PSCTX_VOLUME_ENTRY *found);

#endif
