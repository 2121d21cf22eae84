/*
 * The ways in which a memory volume can be broken on purpose, and two in which file systems differ without being broken: what the
 * conformance suite is proven by. A volume has one of them or none; everything that a fault does is in fault.c.
 */
#ifndef PSCTX_HOST_FSD_FAULT_H
#define PSCTX_HOST_FSD_FAULT_H

/* By the name that a volume's definition has for it. */
#define FSD_FAULTS(FAULT) \
    /* Which streams say that they carry contexts. */ \
    FAULT(FlagsCleared, "flags-cleared") \
    FAULT(FlagsClearedOnNamedStreams, "flags-cleared-on-named-streams") \
    FAULT(FlagsClearedOnDirectories, "flags-cleared-on-directories") \
    FAULT(FlagsClearedOnReadOnlyFiles, "flags-cleared-on-read-only-files") \
    FAULT(FlagsClearedOnSparseFiles, "flags-cleared-on-sparse-files") \
    FAULT(FlagsClearedOnOpenById, "flags-cleared-on-open-by-id") \
    FAULT(FlagsSetOnPagingFile, "flags-set-on-paging-file") \
    FAULT(ListNotInitialized, "list-not-initialized-for-directories") \
    /* Which opens share a header. */ \
    FAULT(HeaderPerOpen, "header-per-open") \
    FAULT(HeaderPerLink, "header-per-link") \
    FAULT(HeaderPerCase, "header-per-case") \
    FAULT(HeaderPerOpenById, "header-per-open-by-id") \
    FAULT(HeaderPerFile, "header-per-file") \
    FAULT(HeaderPerVolume, "header-per-volume") \
    FAULT(ListReversed, "list-reversed-on-open") \
    /* When contexts are torn down though handles are open. */ \
    FAULT(LostOnClose, "torn-down-on-any-close") \
    FAULT(LostOnCleanup, "torn-down-on-last-cleanup") \
    FAULT(LostOnRename, "torn-down-on-rename") \
    FAULT(LostOnOverwrite, "torn-down-on-overwrite") \
    FAULT(LostOnSupersede, "torn-down-on-supersede") \
    FAULT(LostOnTruncate, "torn-down-on-truncate") \
    FAULT(LostOnExtend, "torn-down-on-extend") \
    FAULT(LostOnAttributes, "torn-down-on-attribute-change") \
    FAULT(LostOnSecurity, "torn-down-on-security-change") \
    FAULT(LostOnLock, "torn-down-on-byte-range-lock") \
    FAULT(LostOnFlush, "torn-down-on-flush") \
    /* What becomes of the list itself. */ \
    FAULT(HeaderReplacedOnRename, "header-replaced-on-rename") \
    FAULT(MovedOnRename, "contexts-moved-on-rename") \
    FAULT(Inherited, "contexts-inherited-from-deleted-file") \
    /* What is never torn down. */ \
    FAULT(NoTeardown, "no-teardown") \
    FAULT(NoTeardownOnDelete, "no-teardown-on-delete") \
    FAULT(NoTeardownOnDismount, "no-teardown-on-dismount") \
    FAULT(SometimesNoTeardown, "no-teardown-now-and-then") \
    FAULT(NoTeardownUnderLoad, "no-teardown-under-load") \
    /* No faults: how long a stream's structure stays when nobody has it open. */ \
    FAULT(KeepsStreams, "keeps-streams") \
    FAULT(LetsGoLate, "lets-go-late")

#define FSD_FAULT_ENUMERATOR(Name, Text) FsdFault##Name,
typedef enum _FSD_FAULT { FsdFaultNone, FSD_FAULTS(FSD_FAULT_ENUMERATOR) FsdFaultMaximum } FSD_FAULT;

#endif
