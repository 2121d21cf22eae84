/* Holds the enforced IRQL of each kernel routine against what the WDK declares: never looser. */
#include "harness.h"
#include "kernel.h"

#include <stdio.h>

static KIRQL LevelOf(const char *Name)
{
    if (strcmp(Name, "APC_LEVEL") == 0) {
        return APC_LEVEL;
    }
    if (strcmp(Name, "DISPATCH_LEVEL") == 0 || strcmp(Name, "DPC_LEVEL") == 0) {
        return DISPATCH_LEVEL;
    }
    return strcmp(Name, "PASSIVE_LEVEL") == 0 ? PASSIVE_LEVEL : HIGH_LEVEL;
}

/* How many routines a table of the WDK's tells of that have a rule. */
static int CompareWith(const char *Path)
{
    char Line[256];
    char Name[128];
    char Low[32];
    char High[32];
    char Remark[64];
    int Compared = 0;
    FILE *File = fopen(Path, "r");

    CHECK(File != NULL);
    while (File != NULL && fgets(Line, sizeof(Line), File) != NULL) {
        Remark[0] = '\0';
        if (Line[0] == '#' || sscanf(Line, "%127s %31s %31s %63[^\n]", Name, Low, High, Remark) < 3) {
            continue;
        }
        for (ULONG Index = 0; Index < HostRoutineCount; Index++) {
            const HOST_ROUTINE_RULE *Rule = &HostRoutineRules[Index];

            if (strcmp(Rule->Name, Name) == 0) {
                BOOLEAN Depends = (BOOLEAN)(strncmp(Remark, "depends", 7) == 0);

                Compared++;
                if ((strcmp(High, "-") != 0 && !Depends && Rule->Maximum > LevelOf(High)) ||
                    (strcmp(Low, "-") != 0 && Rule->Minimum < LevelOf(Low))) {
                    printf("# %s: %u to %u, the WDK says %s to %s\n", Name, Rule->Minimum, Rule->Maximum, Low, High);
                    CHECK(FALSE);
                }
            }
        }
    }
    if (File != NULL) {
        (void)fclose(File);
    }
    return Compared;
}

static void IrqlTable(void)
{
    CHECK(CompareWith(PSCTX_TEST_DATA "/wdk-irql.txt") > 90);
    CHECK(CompareWith(PSCTX_TEST_DATA "/wdk-flt-irql.txt") > 60);
}

int main(void)
{
    RunTest("every routine enforces the IRQL that the WDK declares, or a stricter one", IrqlTable);
    return EndTests();
}
