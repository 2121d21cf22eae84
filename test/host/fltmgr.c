/* Filter Manager: what it promises to minifilters. */
#include "harness.h"
#include "minifilter.h"

#include <stdio.h>

#define FILE_NAME L"\\DosDevices\\M:\\file.txt"

static void CheckSteps(const char *Expected, int Line)
{
    if (strcmp(MinifilterSteps, Expected) != 0) {
        printf("# %s:%d: %s, not %s\n", __FILE__, Line, MinifilterSteps, Expected);
        CHECK(FALSE);
    }
    MinifilterSteps[0] = '\0';
}
#define CHECK_STEPS(Expected) CheckSteps(Expected, __LINE__)

static void ByAltitude(void)
{
    IO_STATUS_BLOCK IoStatus;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    HOST_INSTANCE Told;
    HANDLE Handle = NULL;
    char Buffer[8] = "content";

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(HostNextInstance(L'M', 0, &Told), STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(HostNextInstance(L'M', 0, &Told), STATUS_SUCCESS);
    CHECK(Told.FilterName[4] == L'A' && Told.Altitude[0] == L'3' && Told.InstanceName[0] == L'T');
    CHECK_STATUS(HostNextInstance(L'm', 1, &Told), STATUS_SUCCESS);
    CHECK(Told.FilterName[4] == L'B');
    CHECK_STATUS(HostNextInstance(L'M', 2, &Told), STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(HostNextInstance(L'X', 0, &Told), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    CHECK_STEPS("A>00 B>00 B<00 A<00");
    CHECK_STATUS(NtWriteFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), &Offset, NULL),
                 STATUS_SUCCESS);
    CHECK_STEPS("A>04 B>04 B<04 A<04");
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STEPS("A>12 B>12 B<12 A<12 A>02 B>02 B<02 A<02");
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(MinifilterA.TeardownStarts == 1 && MinifilterA.TeardownCompletes == 1);
    CHECK(StopMinifilters());
}

int main(void)
{
    RunTest("minifilters are called by altitude, whichever was loaded first", ByAltitude);
    return EndTests();
}
