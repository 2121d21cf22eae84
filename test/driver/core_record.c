/*
 * Records what the tests send to the control device, as seeds for test/fuzz/requests.c, in the directory that PSCTX_RECORD names.
 */
#include "core_record.h"

#include <psctx/abi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORE_LARGEST_SEED 512u
#define CORE_FIRST_PRIME 1099511628211ull

/* Handles are a table's numbers: a seed has their index. */
static ULONG64 CoreSymbol(_In_ ULONG64 Handle)
{
    return Handle != 0 && Handle < 256 ? (Handle / 4) % 63 + 1 : Handle;
}

static VOID CoreNameHandle(_In_ ULONG Operation, _Inout_updates_bytes_(Length) PUCHAR Request, _In_ ULONG Length)
{
    ULONG64 handle;

    if (Length >= sizeof(PSCTX_STREAM_REQUEST) && Operation >= PSCTX_OPERATION_QUERY_STREAM &&
        Operation <= PSCTX_OPERATION_INSPECT) {
        memcpy(&handle, Request + sizeof(PSCTX_HEADER), sizeof(handle));
        handle = CoreSymbol(handle);
        memcpy(Request + sizeof(PSCTX_HEADER), &handle, sizeof(handle));
    }
}

static const char *CoreRecordDirectory;

/* Once, before there are threads. */
__attribute__((constructor)) static VOID CoreFindRecordDirectory(VOID)
{
    CoreRecordDirectory = getenv("PSCTX_RECORD");
}

static VOID CoreWriteSeed(_In_ ULONG Code, _In_ const VOID *Input, _In_ ULONG InputLength, _In_ ULONG OutputLength)
{
    const ULONG operation = ((Code >> 2) & 0xFFF) - PSCTX_FUNCTION_BASE;
    UCHAR seed[4 + CORE_LARGEST_SEED] = {(UCHAR)operation, operation == PSCTX_OPERATION_WAIT ? 8 : 0,
                                         (UCHAR)OutputLength, (UCHAR)(OutputLength >> 8)};
    ULONG64 hash = 14695981039346656037ull;
    char path[4096];
    ULONG index;
    FILE *file;

    if (operation >= PSCTX_OPERATION_COUNT || InputLength > CORE_LARGEST_SEED) {
        return;
    }
    memcpy(seed + 4, Input, InputLength);
    if (operation != PSCTX_OPERATION_BATCH && operation != PSCTX_OPERATION_LOOKUP_BATCH) {
        CoreNameHandle(operation, seed + 4, InputLength);
    }
    for (index = 0; index < InputLength + 4; index += 1) {
        hash = (hash ^ seed[index]) * CORE_FIRST_PRIME;
    }
    (VOID) snprintf(path, sizeof(path), "%s/%016llx", CoreRecordDirectory, (unsigned long long)hash);
    file = fopen(path, "wb");
    if (file != NULL) {
        (VOID) fwrite(seed, 1, InputLength + 4, file);
        (VOID) fclose(file);
    }
}

VOID CoreRecord(ULONG Code, const VOID *Input, ULONG InputLength, ULONG OutputLength)
{
    if (CoreRecordDirectory == NULL || Input == NULL) {
        return;
    }
    CoreWriteSeed(Code, Input, InputLength, OutputLength);
    if ((Code == PSCTX_IOCTL_LOOKUP || Code == PSCTX_IOCTL_REMOVE) && OutputLength > sizeof(PSCTX_CONTEXT_REPLY)) {
        CoreWriteSeed(Code, Input, InputLength, sizeof(PSCTX_CONTEXT_REPLY)); /* of whose data nothing fits */
    }
}
