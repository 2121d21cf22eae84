/* Installs, starts, stops and removes the driver. */
#ifndef SELFTEST_SERVICE_H
#define SELFTEST_SERVICE_H

#include "front.h"
#include "tap.h"

/* Each says what is wrong, as a line of information, and is FALSE then. DriverUnload takes back whatever DriverLoad did. */
BOOL DriverLoad(void);
BOOL DriverUnload(void);

/* Once the driver was loaded, and unloaded: nothing answers, and the registry has no service. */
BOOL IsDriverGone(void *unused);

/* What DriverLoad has loaded. */
const FRONT *LoadedFront(void);

#endif
