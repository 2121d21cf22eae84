/* The groups of tests, and what a test needs of the volume. */
#ifndef SELFTEST_TESTS_H
#define SELFTEST_TESTS_H

#include "device.h"
#include "files.h"

#define NEEDS_CONTEXTS 0x01u /* a volume whose file streams support per-stream contexts */
#define NEEDS_WRITABLE 0x02u
#define NEEDS_STREAMS 0x04u  /* named ones */
#define NEEDS_WIN32 0x08u    /* files under Win32 names, with all of Win32's I/O */
#define NEEDS_SAMPLE 0x10u   /* a file, whether or not it supports contexts */
#define NEEDS_TWO 0x20u      /* two files */
#define NEEDS_TEARDOWN 0x40u /* a file system that tears contexts down */
#define NEEDS_ANCHOR 0x80u   /* one that does not: a context keeps its file open */

typedef struct _TEST {
    const char *Name;
    void (*Run)(void);
    ULONG Needs;
} TEST;

typedef struct _TEST_GROUP {
    const TEST *Tests;
    ULONG Count;
} TEST_GROUP;

extern const TEST_GROUP RequestTests;
extern const TEST_GROUP ContextTests;
extern const TEST_GROUP ListTests;
extern const TEST_GROUP BatchTests;
extern const TEST_GROUP StreamTests;
extern const TEST_GROUP HandleTests;
extern const TEST_GROUP SessionTests;
extern const TEST_GROUP TrackTests;
extern const TEST_GROUP NameTests;
extern const TEST_GROUP WaitTests;
extern const TEST_GROUP CountTests;
extern const TEST_GROUP SubscribeTests;
extern const TEST_GROUP EventTests;
extern const TEST_GROUP EnumerateTests;
extern const TEST_GROUP VolumeTests;
extern const TEST_GROUP InspectTests;
extern const TEST_GROUP FuzzTests;
extern const TEST_GROUP PassThroughTests;
extern const TEST_GROUP StressTests;

/* One context more than at the start may be left: of a stream that its file system keeps, and whose session has ended. */
void AcceptLeftContext(void);

/* What a child process does: opens the device and a file, hangs contexts on it, tells its parent, waits to be killed. Exit code. */
int HoldContexts(void);

#endif
