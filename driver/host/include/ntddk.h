/* The same interface as ntifs.h, under the name that device drivers include. */
#ifndef HOST_NTDDK_H
#define HOST_NTDDK_H

#include <ntifs.h>

#endif
