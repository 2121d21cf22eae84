/*
 * What every test of the driver's core stands on: a booted kernel with a memory volume, the driver, a client process and its
 * session; and the operations, as a client sends them.
 */
#ifndef CORE_FIXTURE_H
#define CORE_FIXTURE_H

#include <host.h>
#include <psctx/abi.h>

#include "core_runner.h"

/* The driver's pool tag, as HostAuditPool takes it. */
#define CORE_POOL_TAG 0x78744350u

#define CORE_CONTROL L"\\??\\PsCtx"
#define CORE_FILE L"\\??\\M:\\files\\one.txt"
#define CORE_OTHER_FILE L"\\??\\M:\\files\\two.txt"

#define CORE_READ (FILE_READ_DATA | SYNCHRONIZE)
#define CORE_READ_WRITE (FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE)

/* What a limit of bytes comes to on this machine's kernel: a 32-bit one allows a sixteenth. */
#define CORE_LIMIT(Bytes) ((Bytes) >> (sizeof(PVOID) == sizeof(ULONG) ? 4u : 0u))

/* The longest ring of events that a session may have here. */
#define CORE_EVENT_CAPACITY ((ULONG)min(PSCTX_MAXIMUM_EVENT_CAPACITY, CORE_LIMIT(PSCTX_MAXIMUM_PAGED_RECORD_BYTES)))

typedef struct _CORE {
    PDRIVER_OBJECT Driver;
    PEPROCESS Process; /* an administrator's, entered by the test's thread */
    HANDLE Control;    /* its session, opened for reading and writing */
} CORE, *PCORE;

/* The front that the driver is loaded with, PSCTX_FRONT_*: the environment's PSCTX_FRONT may be "minifilter". */
ULONG CoreFront(VOID);

/*
 * What stands between the tests and the services that they call, or NULL: told before each call, and asked afterwards whether to call again.
 */
typedef struct _CORE_INTERFERENCE {
    VOID (*Before)(_In_ ULONG Code); /* the control code; zero: an open */
    BOOLEAN (*Again)(_In_ NTSTATUS Status);
} CORE_INTERFERENCE;

extern const CORE_INTERFERENCE *CoreInterference;

VOID CoreBoot(VOID);
PDRIVER_OBJECT CoreLoadDriver(VOID);
PEPROCESS CoreCreateProcess(_In_ BOOLEAN Administrator);
VOID CoreEndProcess(_In_ PEPROCESS Process);
VOID CoreShutdown(VOID);

VOID CoreStart(_Out_ PCORE Core);
VOID CoreStop(_In_ const CORE *Core);

/*
 * Files and handles of the calling process, asynchronous, so that nothing but the driver serialises requests of several threads.
 * CoreOpenFile and CoreOpenSession end the test if they fail.
 */
NTSTATUS CoreOpen(_In_z_ PCWSTR Path, _In_opt_ HANDLE Root, _In_ ACCESS_MASK Access, _In_ ULONG Disposition,
                  _In_ ULONG Options, _Out_ PHANDLE Handle);
HANDLE CoreOpenFile(_In_z_ PCWSTR Path);
HANDLE CoreOpenSession(_In_ ACCESS_MASK Access);
VOID CoreClose(_In_ HANDLE Handle);

/* One control call. Information is what the I/O manager reports, zero for an error. */
NTSTATUS CoreControl(_In_ HANDLE Control, _In_ ULONG Code, _In_reads_bytes_opt_(InputLength) const VOID *Input,
                     _In_ ULONG InputLength, _Out_writes_bytes_opt_(OutputLength) PVOID Output, _In_ ULONG OutputLength,
                     _Out_opt_ PULONG Information);

/* The operations. Members that are left out are zero; each reply's header is checked. */
typedef struct _CORE_INSERTION {
    HANDLE Stream;
    ULONG64 Owner;
    ULONG64 Instance;
    ULONG IfExists;
    ULONG Pool;
    ULONG Lifetime;
    ULONG DataLength;
    const VOID *Data;
} CORE_INSERTION;

NTSTATUS CoreInsert(_In_ HANDLE Control, _In_ const CORE_INSERTION *Insertion, _Out_opt_ PSCTX_INSERT_REPLY *Reply);

typedef struct _CORE_CONTEXT {
    PSCTX_CONTEXT_REPLY Reply;
    UCHAR Data[256];
} CORE_CONTEXT, *PCORE_CONTEXT;

NTSTATUS CoreLookup(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ ULONG Match, _In_ ULONG64 Owner,
                    _In_ ULONG64 Instance, _Out_opt_ PCORE_CONTEXT Context);
NTSTATUS CoreRemove(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ ULONG Match, _In_ ULONG64 Owner,
                    _In_ ULONG64 Instance, _Out_opt_ PCORE_CONTEXT Context);
NTSTATUS CoreRemoveAll(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ ULONG Match, _In_ ULONG64 Owner,
                       _In_ ULONG64 Instance, _Out_opt_ PULONG64 Count);
NTSTATUS CoreQueryStream(_In_ HANDLE Control, _In_ HANDLE Stream, _Out_ PSCTX_STREAM_REPLY *Reply);
PSCTX_STATISTICS_REPLY CoreStatistics(_In_ HANDLE Control);
PSCTX_VERSION_REPLY CoreLimits(_In_ HANDLE Control);

/* How many contexts the session has on the stream; zero for a handle that takes none. */
ULONG CoreCount(_In_ HANDLE Control, _In_ HANDLE Stream);

/* A well-formed request of any operation; none of them changes anything if it is run. */
typedef struct _CORE_REQUEST {
    ULONG Code;
    ULONG Length;       /* of the request */
    ULONG OutputLength; /* the least that it needs */
    DECLSPEC_ALIGN(8) UCHAR Bytes[96];
} CORE_REQUEST, *PCORE_REQUEST;

extern const ULONG CoreControlCodes[PSCTX_OPERATION_COUNT];

VOID CoreSetHeader(_Out_ PSCTX_HEADER *Header, _In_ ULONG Operation, _In_ ULONG Size);
CORE_REQUEST CoreMakeRequest(_In_ ULONG Operation, _In_ HANDLE Stream);

/* Whether each volume of a reply is of a file system, and not of what stands above that. */
BOOLEAN CoreAreFileSystems(_In_ const PSCTX_VOLUMES_REPLY *Reply);

/* Sends a request from and to buffers of exactly these lengths, so that a byte too far is an error of the sanitizer. */
NTSTATUS CoreSend(_In_ HANDLE Control, _In_ ULONG Code, _In_reads_bytes_(InputLength) const VOID *Input,
                  _In_ ULONG InputLength, _In_ ULONG OutputLength);

/* Everything that a session can see of itself and of a stream. */
typedef struct _CORE_STATE {
    PSCTX_STATISTICS_REPLY Statistics;
    ULONG ListLength;
    UCHAR List[8192];
    ULONG64 PoolBytes;
} CORE_STATE, *PCORE_STATE;

VOID CoreCapture(_In_ HANDLE Control, _In_ HANDLE Stream, _Out_ PCORE_STATE State);
VOID CoreCheckUnchanged(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ const CORE_STATE *State);

#endif
