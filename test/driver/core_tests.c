/*
 * The functional tests of the driver's core, by their sentences.
 */
#include "core_tests.h"

static const CORE_TEST CoreTests[] = {
    {"an ordinary user cannot open the control device", CoreOrdinaryUserIsRefused},
    {"an administrator can open it, and each open is a session", CoreAdministratorMayOpen},
    {"names below the control device and relative opens are refused", CoreNamesBelowAndRelativeOpensAreRefused},
    {"a handle opened for reading only looks", CoreReadOnlyHandleOnlyLooks},
    {"a lookup batch changes nothing", CoreLookupBatchChangesNothing},
    {"handles in a request mean the calling process, and a session lasts as long as its last handle",
     CoreHandlesMeanTheCallingProcess},
    {"a session keeps the process that has opened it", CoreSessionsKeepTheirProcess},

    {"a request of another length than its record's is refused", CoreRequestOfAnotherLengthIsRefused},
    {"an output buffer too short for the reply is refused", CoreShortOutputIsRefused},
    {"a header with a wrong size, version or operation is refused", CoreWrongHeaderIsRefused},
    {"unknown control codes are refused", CoreUnknownCodesAreRefused},
    {"the control device refuses requests other than control codes", CoreOtherRequestsAreRefused},
    {"an insertion with a member out of range is refused", CoreInsertFieldsOutOfRangeAreRefused},
    {"a match with a member out of range is refused", CoreMatchFieldsOutOfRangeAreRefused},
    {"a transfer above the limit is refused", CoreTransfersAboveTheLimitAreRefused},
    {"a malformed batch is refused whole", CoreMalformedBatchesAreRefusedWhole},
    {"a batch runs operations on streams, and no others", CoreOperationsThatStandAloneAreNotBatched},
    {"an operation in a batch fails by itself", CoreBatchedOperationsFailByThemselves},

    {"every byte of a reply is defined and none is written behind it", CoreRepliesHaveNoStrayByte},
    {"listed entries have the stream's name, zero padding and no stray byte", CoreListedEntriesHaveNoStrayByte},
    {"the slots of a batch are zero behind their replies", CoreBatchRepliesHaveNoStrayByte},
    {"data that does not fit is an overflow that removes nothing", CoreShortDataIsAnOverflowThatRemovesNothing},
    {"a list that does not fit comes in pages", CoreListPages},

    {"handles of nothing, of no file and of the kernel are refused", CoreHandlesOfNothingAreRefused},
    {"a handle is taken whole, never as another one that has its lower half", CoreHandlesAreTakenWhole},
    {"handles of other devices are refused and their FsContext is not read", CoreHandlesOfOtherDevicesAreRefused},
    {"handles of a volume or a disk are refused", CoreHandlesOfAVolumeAreRefused},
    {"a paging file takes no contexts", CorePagingFileTakesNoContexts},
    {"files, directories and named streams take contexts", CoreFilesDirectoriesAndNamedStreamsTakeContexts},

    {"a redirector's own opens are told by their file objects, and their FsContext is not read",
     CoreRedirectorsOwnOpensAreNotRead},
    {"a redirector's other structures are refused and read no further than their first word",
     CoreRedirectorsOtherStructuresAreRefused},
    {"a redirector's header needs every sign of one", CoreRedirectorsHeadersNeedEverySign},
    {"a redirector is not taken at its word: only what it imports, or the provider of all of them, tears down",
     CoreRedirectorsAreNotTakenAtTheirWord},
    {"what a file system is able to do is forgotten with it", CoreFileSystemsAreForgotten},
    {"a redirector whose image does not say what it imports may tear down", CoreImagesThatDoNotTellMayTearDown},

    {"instance zero is one instance of many", CoreInstanceZeroIsOneOfMany},
    {"owners and sessions do not see each other's contexts", CoreOwnersAndSessionsDoNotMeet},
    {"an existing context is kept, replaced or refused as asked", CoreExistingContextIsKeptReplacedOrRefused},
    {"duplicates are told apart, youngest first", CoreDuplicatesAreToldApart},
    {"remove-all removes what is meant and counts it", CoreRemoveAllCounts},
    {"the first context on a stream is told whole only to its session", CoreFirstTellsOnlyWhoseItIs},
    {"hard links share a stream's contexts and named streams do not", CoreHardLinksShareAStreamAndNamedStreamsDoNot},
    {"contexts that the file system has lost are not found", CoreLostContextsAreNotThere},

    {"contexts are told apart where the kernel compares owners alone", CoreOwnerAloneIsMatched},

    {"the last close of a stream tears its contexts down once", CoreLastCloseTearsDown},
    {"the end of a session removes its contexts and no others", CoreSessionEndRemovesItsContextsOnly},
    {"a context with the stream's lifetime outlives its session", CoreStreamLifetimeOutlivesTheSession},
    {"the death of a process ends its sessions", CoreProcessDeathEndsItsSessions},
    {"contexts on a dismounted volume go with the last handle", CoreDismountTearsDownWithTheLastHandle},
    {"unloading frees live contexts", CoreUnloadFreesLiveContexts},
    {"the driver loads again after it was unloaded", CoreDriverLoadsAgain},

    {"subscriptions out of range are refused", CoreSubscriptionsOutOfRangeAreRefused},
    {"only sessions of the same process are read", CoreOnlyOwnProcessIsRead},
    {"a session has a limited number of readers", CoreReadersAreLimited},
    {"a wait needs a subscription and room for the longest event", CoreWaitsNeedASubscriptionAndRoom},
    {"events tell whole what happened, in order", CoreEventsTellWhatHappenedInOrder},
    {"only the types asked for are told", CoreOnlyTheTypesAskedForAreTold},
    {"an event ends a wait of each reader", CoreAnEventEndsAWait},
    {"waits are cancelled, and events stay", CoreWaitsAreCancelled},
    {"the death of a process ends its waits", CoreProcessDeathEndsItsWaits},
    {"the end of a session is told, and then that it is closed", CoreTheEndOfASessionIsTold},
    {"the oldest events are dropped and counted", CoreTheOldestEventsAreDroppedAndCounted},
    {"a wait takes as many events as fit", CoreWaitsTakeAsManyEventsAsFit},
    {"volumes that come and go are told to every reader", CoreVolumesThatComeAndGoAreTold},
    {"unloading after a reader leaves nothing", CoreUnloadingAfterAReaderLeavesNothing},

    {"every context of the session is enumerated once, whatever the page", CoreEveryContextIsEnumeratedOnce},
    {"the contexts of one volume are enumerated", CoreOneVolumeIsEnumerated},
    {"a cursor that was not told to the session is refused", CoreForgedCursorsAreRefused},
    {"cursors tell nothing of the order of contexts", CoreCursorsTellNothingOfTheOrder},
    {"enumerations of what is no volume are refused", CoreEnumerationsOfNoVolumeAreRefused},
    {"an entry that does not fit is an overflow", CoreEntriesThatDoNotFitAreAnOverflow},
    {"streams that go during an enumeration make it miss no other", CoreStreamsThatGoDuringAnEnumerationAreNotMissed},
    {"volumes are listed with what they carry", CoreVolumesAreListed},

    {"a session has a limited number of owners", CoreOwnersAreLimited},
    {"a session has a limited number of nonpaged bytes", CoreNonPagedBytesAreLimited},
    {"the largest data and batches work", CoreLargestDataAndBatchWork},
};

int main(int argc, char **argv)
{
    return CoreRunTests(CoreTests, RTL_NUMBER_OF(CoreTests), argc > 1 ? argv[1] : NULL);
}
