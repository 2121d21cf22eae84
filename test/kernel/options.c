/* Reads the command line. */
#include "options.h"

#include <psctx/abi.h>

#define TEXT_CAPACITY 2048u
#define MAXIMUM_STRESS_SECONDS 86400u
#define DEFAULT_CYCLES 10000u
#define MAXIMUM_CYCLES 100000000u

OPTIONS Options = {.Device = PSCTX_WIN32_GLOBAL_NAME, .Cycles = DEFAULT_CYCLES};

static WCHAR Text[TEXT_CAPACITY];

static const char Usage[] =
    "usage: psctx-selftest.exe [--driver path\\image.sys] [--native] [--device \\\\.\\Global\\PsCtx]\n"
    "                          [--volume directory] [--only name] [--stress seconds]\n"
    "                          [--conformance [--cycles number] [--dismount]]\n"
    "--driver loads psctx.sys or psctx-minifilter.sys, and removes it again; --native does so without a service "
    "manager.\n"
    "--conformance judges the file system of the volume. --dismount has it dismount the volume, whoever has files open "
    "there.\n";

void PrintUsage(void)
{
    DWORD written;

    (void)WriteFile(GetStdHandle(STD_ERROR_HANDLE), Usage, sizeof(Usage) - 1, &written, NULL);
}

/*
 * The next word of the command line, copied to the end of Text, or NULL. Quotation marks keep blanks together; no path has one in it.
 */
static const WCHAR *NextWord(const WCHAR **line, size_t *used)
{
    WCHAR *word = Text + *used;
    BOOL quoted = FALSE;

    while (**line == L' ' || **line == L'\t') {
        *line += 1;
    }
    if (**line == 0) {
        return NULL;
    }
    for (; **line != 0 && (quoted || (**line != L' ' && **line != L'\t')); *line += 1) {
        if (**line == L'"') {
            quoted = !quoted;
        } else if (*used + 1 < TEXT_CAPACITY) {
            Text[*used] = **line;
            *used += 1;
        }
    }
    Text[*used] = 0;
    *used += *used + 1 < TEXT_CAPACITY ? 1 : 0;
    return word;
}

static BOOL ParseNumber(const WCHAR *word, ULONG maximum, ULONG *number)
{
    ULONG value = 0;

    if (word == NULL || *word == 0) {
        return FALSE;
    }
    for (; *word != 0; word += 1) {
        if (*word < L'0' || *word > L'9') {
            return FALSE;
        }
        value = value * 10 + (ULONG)(*word - L'0');
        if (value > maximum) {
            return FALSE;
        }
    }
    *number = value;
    return TRUE;
}

static BOOL ParseText(const WCHAR *word, const WCHAR **option)
{
    *option = word;
    return word != NULL && *word != 0;
}

BOOL ParseOptions(void)
{
    const WCHAR *line = GetCommandLineW();
    const WCHAR *word;
    size_t used = 0;
    BOOL valid = NextWord(&line, &used) != NULL;

    while (valid && (word = NextWord(&line, &used)) != NULL) {
        if (WideEqual(word, L"--native")) {
            Options.Native = TRUE;
        } else if (WideEqual(word, L"--driver")) {
            valid = ParseText(NextWord(&line, &used), &Options.Driver);
        } else if (WideEqual(word, L"--device")) {
            valid = ParseText(NextWord(&line, &used), &Options.Device);
        } else if (WideEqual(word, L"--volume")) {
            valid = ParseText(NextWord(&line, &used), &Options.Volume);
        } else if (WideEqual(word, L"--only")) {
            valid = ParseText(NextWord(&line, &used), &Options.Only);
        } else if (WideEqual(word, L"--stress")) {
            valid = ParseNumber(NextWord(&line, &used), MAXIMUM_STRESS_SECONDS, &Options.StressSeconds);
        } else if (WideEqual(word, L"--conformance")) {
            Options.Conformance = TRUE;
        } else if (WideEqual(word, L"--cycles")) {
            valid = ParseNumber(NextWord(&line, &used), MAXIMUM_CYCLES, &Options.Cycles);
        } else if (WideEqual(word, L"--dismount")) {
            Options.Dismount = TRUE;
        } else if (WideEqual(word, L"--internal-hold")) {
            valid =
                ParseText(NextWord(&line, &used), &Options.Hold) && ParseText(NextWord(&line, &used), &Options.File);
        } else {
            valid = FALSE;
        }
    }
    return valid && (!Options.Native || Options.Driver != NULL) && (!Options.Dismount || Options.Conformance);
}
