/*
 * Tests of what the driver does with the answers of kernel routines: the table in core_refusals.c has their sentences.
 */
#ifndef CORE_ANSWERED_H
#define CORE_ANSWERED_H

#include "core_answers.h"
#include "core_fixture.h"
#include "core_probe.h"

/* core_starts.c */
CORE_TEST_ROUTINE CoreStartsFailWhole;
CORE_TEST_ROUTINE CoreBlockedFiltersLeaveHandlesTheirContexts;
CORE_TEST_ROUTINE CoreAKeyThatCannotBeReadAllowsNothing;
CORE_TEST_ROUTINE CoreAKeyWithoutTheValueAllowsNothing;
CORE_TEST_ROUTINE CoreAValueOfAnotherTypeAllowsNothing;
CORE_TEST_ROUTINE CoreAValueOfAnotherLengthAllowsNothing;

/* core_variants.c */
CORE_TEST_ROUTINE CoreListLocksNeedBothTheirRoutines;
CORE_TEST_ROUTINE CoreModulesAreReadAsFarAsTheyAreTold;
CORE_TEST_ROUTINE CoreMemoryIsNotExecutableFromWindows8On;
CORE_TEST_ROUTINE CoreNamesAreNormalizedFromWindows8On;
CORE_TEST_ROUTINE CoreMachinesOfEachClassHaveTheirLimits;
CORE_TEST_ROUTINE CoreKernelsThatLackARoutineServe;

/* core_images.c */
CORE_TEST_ROUTINE CoreImagesThatDoNotSayTearDown;
CORE_TEST_ROUTINE CoreKernelsWithoutATeardownAreTakenToTearDown;
CORE_TEST_ROUTINE CoreMoreFileSystemsThanAreKeptAreLookedAt;
CORE_TEST_ROUTINE CoreNamesAreTrimmedWhereverTheyEnd;
CORE_TEST_ROUTINE CoreOpenedNamesThatSayNothingMatchEverything;
CORE_TEST_ROUTINE CoreExpressionsMatchWhateverTheirLength;

/* core_opens.c */
CORE_TEST_ROUTINE CoreOpensAreWhatTheirDeviceIs;
CORE_TEST_ROUTINE CoreWhatIsNoFileIsNotTracked;
CORE_TEST_ROUTINE CoreNamesAreWholeWhateverTheirLength;
CORE_TEST_ROUTINE CoreMissedOpensAreMissedOnce;
CORE_TEST_ROUTINE CorePendingOpensAreWaitedFor;
CORE_TEST_ROUTINE CoreSpoiltNamesAreNone;
CORE_TEST_ROUTINE CoreCdRomsAreVolumes;

/* core_callbacks.c */
CORE_TEST_ROUTINE CoreCallsOfNothingChangeNothing;
CORE_TEST_ROUTINE CoreRedirectorsAreNotListed;
CORE_TEST_ROUTINE CoreVolumesWithoutAnInstanceAreTold;

/* core_devices.c */
CORE_TEST_ROUTINE CoreNamesAreAsLongAsTheyAre;
CORE_TEST_ROUTINE CoreListsHaveWhatHasComeMeanwhile;
CORE_TEST_ROUTINE CoreBareDevicesAreNoVolumes;
CORE_TEST_ROUTINE CoreHousekeepingHasNobodyToTell;
CORE_TEST_ROUTINE CoreHousekeepingSleepsWhenItIsDone;
CORE_TEST_ROUTINE CoreVolumesAreWaitedForWithinBounds;
CORE_TEST_ROUTINE CoreOwnFilesAreNotAcquired;

/* core_volumes.c */
CORE_TEST_ROUTINE CoreEveryOrderIsSorted;
CORE_TEST_ROUTINE CoreVolumesThatDoNotFitTellWhatTheFirstNeeds;
CORE_TEST_ROUTINE CoreStorageIsAskedForItsNameOnce;
CORE_TEST_ROUTINE CoreStorageIsToldByOneOfTwoOpens;
CORE_TEST_ROUTINE CoreVolumesOfEveryFileSystemAreLookedFor;
CORE_TEST_ROUTINE CoreFileSystemsAreKeptUntilTheDriverIsUnloaded;

/* core_refusals.c */
CORE_TEST_ROUTINE CoreRefusedMountsAreMountsAllTheSame;

/* A rule that every open matches; PSCTX_TRACK_*. */
VOID CoreTrackEverything(_In_ HANDLE Control, _In_ ULONG Flags);

/* core_volumes.c: the DriverEntry of a file system that registers a control device, and mounts nothing. */
DRIVER_INITIALIZE CoreStartFileSystem;

#endif
