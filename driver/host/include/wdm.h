/* The same interface as ntifs.h, under the name that device drivers include. */
#ifndef HOST_WDM_H
#define HOST_WDM_H

#include <ntifs.h>

#endif
