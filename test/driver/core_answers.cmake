# The routines that core_answers.c stands in front of, for the linker.
set(CORE_ANSWERED
    ExAcquireRundownProtection ExAllocatePoolWithTag ExInitializeResourceLite
    FltAttachVolume FltEnumerateVolumes FltGetDeviceObject FltGetFileNameInformation
    FltGetVolumeContext FltGetVolumeName FltIsVolumeSnapshot FltRegisterFilter FltSetVolumeContext FltStartFiltering
    FsRtlInsertPerStreamContext FsRtlRemovePerStreamContext
    IoAttachDeviceToDeviceStackSafe IoCreateDevice IoCreateSymbolicLink IoEnumerateDeviceObjectList
    IoGetDeviceAttachmentBaseRef IoGetDiskDeviceObject IoGetRequestorProcess IoRegisterFsRegistrationChange
    KeDelayExecutionThread KeWaitForSingleObject MmGetSystemRoutineAddress ObOpenObjectByPointer ObQueryNameString PsCreateSystemThread PsGetVersion
    RtlAddAccessAllowedAce RtlCreateAcl RtlCreateSecurityDescriptor RtlInitializeSid RtlMultiByteToUnicodeN
    RtlSetDaclSecurityDescriptor ZwOpenKey ZwQueryValueKey ZwSetSecurityObject
)
list(TRANSFORM CORE_ANSWERED PREPEND "-Wl,--wrap=")
