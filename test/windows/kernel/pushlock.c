/* Push locks for drivers, which look these routines up; the kernel itself has driver/host's names for them. */
#include "proxy.h"

VOID ExAcquirePushLockSharedEx(PULONG_PTR PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    HostAcquirePushLock(PushLock, FALSE);
}

VOID ExReleasePushLockSharedEx(PULONG_PTR PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    HostReleasePushLock(PushLock, FALSE);
}
