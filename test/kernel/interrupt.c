/* Remembers that the run is to end. */
#include "interrupt.h"

#define CLOSE_MILLISECONDS 6000u

static volatile LONG Interrupted;

/* The run is told, and ends by itself; the system gives a console that is closed a few seconds. */
static BOOL WINAPI Interrupt(DWORD event)
{
    (void)InterlockedExchange(&Interrupted, 1);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) {
        Sleep(CLOSE_MILLISECONDS);
    }
    return TRUE;
}

void CatchInterrupts(void)
{
    (void)SetConsoleCtrlHandler(Interrupt, TRUE);
}

BOOL IsInterrupted(void)
{
    return Interrupted != 0;
}
