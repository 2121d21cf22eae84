/* Ctrl+C, and a console that is closed: the run ends early, and what it made is removed. */
#ifndef SELFTEST_INTERRUPT_H
#define SELFTEST_INTERRUPT_H

#include "nt.h"

void CatchInterrupts(void);
BOOL IsInterrupted(void);

#endif
