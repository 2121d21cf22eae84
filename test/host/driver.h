/* A driver whose control codes say what it does with the request: rightly or wrongly. */
#ifndef PSCTX_TEST_HOST_DRIVER_H
#define PSCTX_TEST_HOST_DRIVER_H

#include <host.h>

#define TEST_CODE(Function, Access) CTL_CODE(0x8000u, 0x800u + (Function), METHOD_BUFFERED, (Access))

typedef enum _TEST_ACTION {
    CompleteOnce,
    CompleteTwice,
    CompleteWithPending,
    ReturnOtherStatus,
    ReturnPendingUnmarked,
    MarkAndReturnSuccess,
    TellTooMuch,
    ReturnInCriticalRegion,
    ReturnRaised,
    QueueIt,
    NeverComplete,
    OverDereference,
    CallWithoutLocation,
    ForwardAsAnother,
    MarkCompleted,
    CallHook,
    EchoReversed,
    FailWithOutput,
    Warn,
    FailOldest,
    TakeCarelessly,
    TakeUnderMutex,
    ReadCompleted,
    CompleteUnderSpinLock,
    CompleteWithCancelRoutine,
    ForwardWithCancelRoutine,
    KeepCancelLock,
    QueueWithContext,
    TakeByContext,
    TakeOldest,
    FastReturnWithLock,
    FastReturnRaised,
    FastReturnInCriticalRegion
} TEST_ACTION;

typedef struct _TEST_KERNEL {
    PDRIVER_OBJECT Driver;
    PEPROCESS Process;
    HANDLE Handle;
} TEST_KERNEL;

/* Boots, loads the driver as \Device\HostTest, enters an administrator's process and opens the device. */
NTSTATUS StartTestKernel(TEST_KERNEL *Kernel, ULONG CreateOptions);
/* Undoes it; TRUE when the audit is all zero. */
BOOLEAN StopTestKernel(TEST_KERNEL *Kernel);
NTSTATUS TestControl(HANDLE Handle, ULONG Code, PVOID Buffer, ULONG Input, ULONG Output, PIO_STATUS_BLOCK IoStatus);
NTSTATUS TestOpen(PCWSTR Name, ACCESS_MASK Access, ULONG Options, PHANDLE Handle);

extern volatile LONG TestCreates;
extern volatile LONG TestCleanups;
extern volatile LONG TestCloses;
extern KIRQL TestCloseIrql;            /* of the last close */
extern BOOLEAN TestCleanupTerminating; /* whether the thread of the last cleanup was */

/* A stream with one context, which the dispatch routine removes at the major function TestRemoveAt. */
extern FSRTL_ADVANCED_FCB_HEADER TestStream;
extern FSRTL_PER_STREAM_CONTEXT TestContext;
extern volatile LONG TestRemoveAt;
/* What FastIoQueryOpen answers, and with which size of file; a request answers with one more. */
extern BOOLEAN TestQueryOpenAnswer;
#define TEST_QUERY_OPEN_SIZE 77
/* How many bytes a read says it has returned. */
extern ULONG_PTR TestReadInformation;
/* What CallHook calls. */
extern PHOST_ROUTINE TestHook;

#endif
