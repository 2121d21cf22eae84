/* Filter Manager's interface: the one that builds with mingw-w64 have, which the layouts of the WDK are held against. */
#ifndef HOST_FLTKERNEL_H
#define HOST_FLTKERNEL_H

#include "../../compat/fltKernel.h"

#endif
