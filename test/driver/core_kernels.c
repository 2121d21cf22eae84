/*
 * The same tests on kernels that differ from the documented one.
 */
#include "core_tests.h"

/* What a session sees of contexts rests on no more of FsRtl's matching than that the owner is compared. */
VOID CoreOwnerAloneIsMatched(VOID)
{
    static CORE_TEST_ROUTINE *const routines[] = {
        CoreInstanceZeroIsOneOfMany,
        CoreOwnersAndSessionsDoNotMeet,
        CoreExistingContextIsKeptReplacedOrRefused,
        CoreDuplicatesAreToldApart,
        CoreRemoveAllCounts,
        CoreFirstTellsOnlyWhoseItIs,
        CoreHardLinksShareAStreamAndNamedStreamsDoNot,
        CoreLostContextsAreNotThere,
        CoreLastCloseTearsDown,
        CoreSessionEndRemovesItsContextsOnly,
        CoreStreamLifetimeOutlivesTheSession,
        CoreProcessDeathEndsItsSessions,
        CoreUnloadFreesLiveContexts,
    };
    ULONG index;

    HostSetQuirks(HOST_QUIRK_OWNER_ALONE_MATCHES);
    for (index = 0; index < RTL_NUMBER_OF(routines); index += 1) {
        routines[index]();
    }
    HostSetQuirks(0);
}
