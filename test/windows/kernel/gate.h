/* The device above the control device of the driver under test: see gate.c. */
#ifndef PSCTX_TEST_GATE_H
#define PSCTX_TEST_GATE_H

#include "proxy.h"

/* For a new device that has a name, before anything is sent to it; does nothing for other drivers' devices. */
VOID GateDevice(_Inout_ PDEVICE_OBJECT DeviceObject);
/* For a device that goes, gated or not. */
VOID UngateDevice(_Inout_ PDEVICE_OBJECT DeviceObject);

#endif
