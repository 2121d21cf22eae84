/*
 * What fuzz targets are made of: a case is a string of bytes, and each starts from the same state.
 *
 * A target is a program of its own. By itself it runs cases that it is given as files, and then seeded mutations of them; with
 * PSCTX_FUZZER it is one of libFuzzer's.
 */
#ifndef PSCTX_FUZZ_H
#define PSCTX_FUZZ_H

#include "core_runner.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The bytes of a case, consumed from the front; zeros when there are no more. */
typedef struct _FUZZ_INPUT {
    const uint8_t *Next;
    size_t Remaining;
} FUZZ_INPUT, *PFUZZ_INPUT;

static inline ULONG FuzzTake(_Inout_ PFUZZ_INPUT Input)
{
    if (Input->Remaining == 0) {
        return 0;
    }
    Input->Remaining -= 1;
    return *Input->Next++;
}

/* Room for replies is filled before each request, and is still so behind the reply. */
#define FUZZ_FILL 0xA5

static inline BOOLEAN FuzzIsFilled(_In_reads_(Length) const UCHAR *Memory, _In_ size_t Length)
{
    return Length == 0 || (Memory[0] == FUZZ_FILL && memcmp(Memory, Memory + 1, Length - 1) == 0);
}

/* A target: what all cases start from, what a case does, and, at the end of a seeded run, whether everything was reached. */
VOID FuzzStart(VOID);
VOID FuzzRun(_Inout_ PFUZZ_INPUT Input);
VOID FuzzCheckReached(VOID);

/* How many bytes a case that is made up has at most. */
extern const size_t FuzzMaximumLength;

#endif
