/* The machine's memory, as the C library has it. */
#include "host_platform.h"

#include <stdlib.h>

PVOID PlatformAllocate(SIZE_T Size)
{
    PVOID Memory = calloc(1, Size);

    if (Memory == NULL) {
        PlatformAbort();
    }
    return Memory;
}

PVOID PlatformAllocateRaw(SIZE_T Size)
{
    return malloc(Size);
}

PVOID PlatformReallocate(PVOID Memory, SIZE_T Size)
{
    PVOID Larger = realloc(Memory, Size);

    if (Larger == NULL) {
        PlatformAbort();
    }
    return Larger;
}

VOID PlatformFree(PVOID Memory)
{
    free(Memory);
}
