/*
 * Keeps what the tests send, for the fuzzer to start from.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <ntdef.h>

/* One request to the control device; nothing is done unless the environment has PSCTX_RECORD. */
VOID CoreRecord(_In_ ULONG Code, _In_reads_bytes_opt_(InputLength) const VOID *Input, _In_ ULONG InputLength,
                _In_ ULONG OutputLength);

#endif
