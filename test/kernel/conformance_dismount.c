/* What becomes of contexts when their volume is dismounted: the last check, since nothing of the volume is as it was then. */
#include "conformance.h"
#include "operations.h"

/* Another handle keeps the dismounted volume itself: the stream is to go by itself. */
static void CheckDismount(void)
{
    static const WCHAR name[] = L"dismounted";
    HANDLE other;
    STREAM stream;
    DWORD error;

    if (!Options.Dismount) {
        Skip("only with --dismount: it closes every file of the volume, whoever has it open");
        return;
    }
    if (!BeginStream(&stream, name)) {
        return;
    }
    other = OpenSample(0);
    error = FilesDismount();
    if (error != ERROR_SUCCESS) {
        Note("error %u", error);
        Skip("this volume is not dismounted");
        EndStream(&stream, name);
        return;
    }
    CloseKept(stream.File);
    (void)AwaitTeardown(&stream.Session, 1, NULL);
    CloseKept(other);
    if (Volume.Win32) {
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
    }
}

static const TEST Checks[] = {
    {"teardown.dismount", CheckDismount, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN},
};

const TEST_GROUP DismountChecks = {Checks, COUNT_OF(Checks)};
