/*
 * What the driver reads out of images that it does not know, and out of names.
 */
#include "core_answered.h"

#include <string.h>

#include "core/core.h"
#include "core_image.h"
#include "tracking/name.h"
#include "volumes/volumes.h"

#define CORE_IMPORTS 0x800u
#define CORE_HEADERS 0x80u
#define CORE_LAST_HEADERS (0x1000u - CORE_HEADERS_LENGTH) /* that end with the first page */
#define CORE_DIRECTORY (CORE_HEADERS + CORE_IMPORT_DIRECTORY)
#define CORE_MET 32u /* file systems that are kept */

/* An image with a table of two imports, behind which stands the address of the routine; and a field of it that is spoilt. */
static union {
    UCHAR Bytes[0x2000];
    ULONG_PTR Addresses[0x2000 / sizeof(ULONG_PTR)];
} CoreImage;

static VOID CorePut(_In_ ULONG Offset, _In_ ULONG Value, _In_ ULONG Length)
{
    memcpy(&CoreImage.Bytes[Offset], &Value, Length);
}

static VOID CoreMakeImage(_In_ ULONG Headers)
{
    memset(&CoreImage, 0, sizeof(CoreImage));
    CorePut(0, 0x5A4D, sizeof(USHORT));
    CorePut(0x3C, Headers, sizeof(ULONG));
    CorePut(Headers, 0x4550, sizeof(ULONG));
    CorePut(Headers + CORE_OPTIONAL_HEADER, CORE_OPTIONAL_MAGIC, sizeof(USHORT));
    CorePut(Headers + CORE_DIRECTORY_COUNT, 16, sizeof(ULONG));
    CorePut(Headers + CORE_IMPORT_DIRECTORY, CORE_IMPORTS, sizeof(ULONG));
    CorePut(Headers + CORE_IMPORT_DIRECTORY + 4, 2 * sizeof(ULONG_PTR), sizeof(ULONG));
    CoreImage.Addresses[CORE_IMPORTS / sizeof(ULONG_PTR)] = (ULONG_PTR)FsRtlInsertPerStreamContext;
    CoreImage.Addresses[CORE_IMPORTS / sizeof(ULONG_PTR) + 1] = (ULONG_PTR)IoCreateDevice;
    CoreImage.Addresses[CORE_IMPORTS / sizeof(ULONG_PTR) + 2] = (ULONG_PTR)FsRtlTeardownPerStreamContexts;
}

static VOID CoreMakeWholeImage(VOID)
{
    CoreMakeImage(CORE_HEADERS);
}

static const struct {
    ULONG Offset;
    ULONG Value;
    ULONG Length;
} CoreSpoilings[] = {
    {0, 0x4D5A, sizeof(USHORT)},                                             /* no executable */
    {0x3C, 0x1000, sizeof(ULONG)},                                           /* headers beyond the first page */
    {0x3C, 0xFFFFFF80, sizeof(ULONG)},                                       /* or before it */
    {0x80, 0x454E, sizeof(ULONG)},                                           /* of an older kind */
    {CORE_HEADERS + CORE_OPTIONAL_HEADER, CORE_OTHER_MAGIC, sizeof(USHORT)}, /* of the other word size */
    {CORE_HEADERS + CORE_DIRECTORY_COUNT, 12, sizeof(ULONG)},              /* without a directory of import addresses */
    {CORE_DIRECTORY, 0, sizeof(ULONG)},                                    /* with an empty one */
    {CORE_DIRECTORY, CORE_IMPORTS + sizeof(ULONG_PTR) / 2, sizeof(ULONG)}, /* between two words */
    {CORE_DIRECTORY, 0x4000, sizeof(ULONG)},                               /* beyond the image's end */
    {CORE_DIRECTORY + 4, 0x2000, sizeof(ULONG)},                           /* that ends there */
    {CORE_DIRECTORY + 4, 0, sizeof(ULONG)},                                /* of no entry */
};

static VOID CoreCheckImages(PVOID Context)
{
    DRIVER_OBJECT driver;
    DEVICE_OBJECT device;
    ULONG index;

    UNREFERENCED_PARAMETER(Context);
    memset(&driver, 0, sizeof(driver));
    memset(&device, 0, sizeof(device));
    device.DriverObject = &driver;
    device.DeviceType = FILE_DEVICE_DISK_FILE_SYSTEM;
    CHECK(PsctxTearsDown(&device));
    driver.DriverStart = &CoreImage;
    driver.DriverSize = sizeof(CoreImage);
    CoreMakeWholeImage();
    CHECK(!PsctxTearsDown(&device));
    CoreImage.Addresses[CORE_IMPORTS / sizeof(ULONG_PTR) + 1] = (ULONG_PTR)FsRtlTeardownPerStreamContexts;
    CHECK(PsctxTearsDown(&device));
    CoreMakeWholeImage();
    driver.DriverSize = 0xFFF;
    CHECK(PsctxTearsDown(&device));
    driver.DriverSize = 0x1000;
    CHECK(!PsctxTearsDown(&device));
    driver.DriverSize = sizeof(CoreImage);
    CoreMakeImage(CORE_LAST_HEADERS);
    CHECK(!PsctxTearsDown(&device));
    CoreMakeImage(CORE_LAST_HEADERS + sizeof(ULONG64));
    CHECK(PsctxTearsDown(&device));
    for (index = 0; index < RTL_NUMBER_OF(CoreSpoilings); index += 1) {
        CoreMakeWholeImage();
        CHECK(!PsctxTearsDown(&device));
        CorePut(CoreSpoilings[index].Offset, CoreSpoilings[index].Value, CoreSpoilings[index].Length);
        CHECK(PsctxTearsDown(&device));
    }
}

static VOID CoreRunLoaded(_In_ PHOST_ROUTINE Routine)
{
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    CoreRunInKernel(Routine, NULL);
    CoreUnloadProbe();
    CoreStop(&core);
}

VOID CoreImagesThatDoNotSayTearDown(VOID)
{
    CoreRunLoaded(CoreCheckImages);
}

static VOID CoreCheckWholeImage(PVOID Context)
{
    DRIVER_OBJECT driver;
    DEVICE_OBJECT device;

    UNREFERENCED_PARAMETER(Context);
    memset(&driver, 0, sizeof(driver));
    memset(&device, 0, sizeof(device));
    device.DriverObject = &driver;
    driver.DriverStart = &CoreImage;
    driver.DriverSize = sizeof(CoreImage);
    CoreMakeWholeImage();
    CHECK(PsctxTearsDown(&device));
}

VOID CoreKernelsWithoutATeardownAreTakenToTearDown(VOID)
{
    static const PCWSTR hidden[] = {L"FsRtlTeardownPerStreamContexts", NULL};

    CoreHideRoutines(hidden);
    CoreRunLoaded(CoreCheckWholeImage);
    CoreHideRoutines(NULL);
}

/* A file system that tears nothing down. */
static NTSTATUS CoreStartImage(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HostSetDriverImage(DriverObject, &CoreImage, sizeof(CoreImage));
    return CoreStartFileSystem(DriverObject, RegistryPath);
}

static PDEVICE_OBJECT CoreAsked;

static VOID CoreCheckTearsNothingDown(PVOID Context)
{
    CHECK(!PsctxTearsDown(Context));
}

/* Whether it is kept what an image says, whatever becomes of that. */
static VOID CoreCountKept(PVOID Context)
{
    PULONG count = Context;

    *count += PsctxTearsDown(CoreAsked) ? 0 : 1;
}

/* As many as are kept, and some more, which are looked at each time; they go in the order in which they came. */
VOID CoreMoreFileSystemsThanAreKeptAreLookedAt(VOID)
{
    PDRIVER_OBJECT drivers[CORE_MET + 8];
    WCHAR name[] = L"CoreFs00";
    ULONG kept = 0;
    ULONG index;
    CORE core;

    CoreMakeWholeImage();
    CoreStart(&core);
    CoreLoadProbe();
    for (index = 0; index < RTL_NUMBER_OF(drivers); index += 1) {
        name[6] = (WCHAR)(L'0' + index / 10);
        name[7] = (WCHAR)(L'0' + index % 10);
        CHECK_STATUS(HostLoadDriver(name, TRUE, CoreStartImage, &drivers[index]), STATUS_SUCCESS);
        CoreRunInKernel(CoreCheckTearsNothingDown, drivers[index]->DeviceObject);
    }
    memset(&CoreImage, 0, sizeof(CoreImage));
    for (index = 0; index < RTL_NUMBER_OF(drivers); index += 1) {
        CoreAsked = drivers[index]->DeviceObject;
        CoreRunInKernel(CoreCountKept, &kept);
    }
    /* Two are those of the kernel's own file systems. A minifilter meets file systems with their volumes, and these have none. */
    CHECK_EQUAL(kept, CoreFront() == PSCTX_FRONT_MINIFILTER ? 0 : CORE_MET - 2);
    CoreMakeWholeImage();
    for (index = 0; index < RTL_NUMBER_OF(drivers); index += 1) {
        CoreRunInKernel(CoreCheckTearsNothingDown, drivers[index]->DeviceObject);
        CHECK_STATUS(HostUnloadDriver(drivers[index]), STATUS_SUCCESS);
    }
    CoreUnloadProbe();
    CoreStop(&core);
}

/* Behind the name stands what would be more of it. */
static VOID CoreCheckTrimmed(_In_ BOOLEAN Redirector, _In_z_ PCWSTR Whole, _In_z_ PCWSTR Trimmed)
{
    static const WCHAR behind[] = {L';', L':', L'\\'};
    UNICODE_STRING expected;
    UNICODE_STRING name;
    WCHAR text[64];
    ULONG index;

    for (index = 0; index < RTL_NUMBER_OF(behind); index += 1) {
        RtlInitUnicodeString(&name, Whole);
        memcpy(text, name.Buffer, name.Length);
        text[name.Length / sizeof(WCHAR)] = behind[index];
        name.Buffer = text;
        RtlInitUnicodeString(&expected, Trimmed);
        PsctxTrimName(Redirector, &name);
        CHECK(RtlEqualUnicodeString(&name, &expected, FALSE));
        CHECK_EQUAL(name.MaximumLength, name.Length);
    }
}

static VOID CoreCheckTrimming(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CoreCheckTrimmed(TRUE, L"\\;Z:0\\server\\file", L"\\server\\file");
    CoreCheckTrimmed(TRUE, L"\\;Z:0", L"");
    CoreCheckTrimmed(TRUE, L"\\;a\\;b\\server", L"\\server");
    CoreCheckTrimmed(TRUE, L"\\;", L"");
    CoreCheckTrimmed(TRUE, L"\\", L"\\");
    CoreCheckTrimmed(TRUE, L"", L"");
    CoreCheckTrimmed(FALSE, L"\\;Z:0", L"\\;Z:0");
    CoreCheckTrimmed(FALSE, L"file", L"file");
    CoreCheckTrimmed(FALSE, L"file:stream:$DATA", L"file:stream");
    CoreCheckTrimmed(FALSE, L"file::$DATA", L"file");
    CoreCheckTrimmed(FALSE, L"file:", L"file");
    CoreCheckTrimmed(FALSE, L"\\a:b\\file", L"\\a:b\\file");
}

VOID CoreNamesAreTrimmedWhereverTheyEnd(VOID)
{
    CoreRunLoaded(CoreCheckTrimming);
}

/* Whether a file that is opened by this name, of so many bytes, can match the expression, which is upcased. */
static BOOLEAN CoreCanMatch(_In_z_ PCWSTR Text, _In_z_ PCWSTR Opened, _In_ USHORT Length, _In_ ULONG Options,
                            _In_opt_ PFILE_OBJECT Related)
{
    PSCTX_EXPRESSION expression;
    PSCTX_OPENED_NAME name;
    FILE_OBJECT file;

    memset(&expression, 0, sizeof(expression));
    RtlInitUnicodeString(&expression.Text, Text);
    PsctxMeasureExpression(&expression);
    memset(&file, 0, sizeof(file));
    RtlInitUnicodeString(&file.FileName, Opened);
    file.RelatedFileObject = Related;
    if (Length != 0) {
        file.FileName.Length = Length;
    }
    PsctxExamineOpenedName(&file, Options, FALSE, &name);
    return PsctxCanMatch(&expression, &name);
}

static VOID CoreCheckOpenedNames(PVOID Context)
{
    static FILE_OBJECT directory;

    UNREFERENCED_PARAMETER(Context);
    CHECK(!CoreCanMatch(L"\\A*", L"\\b", 0, 0, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"\\a", 0, 0, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"\\b", 3, 0, NULL)); /* half a character */
    CHECK(CoreCanMatch(L"\\A*", L"\\b", 0, FILE_OPEN_BY_FILE_ID, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"\\b ", 0, 0, NULL)); /* names that file systems read otherwise */
    CHECK(CoreCanMatch(L"\\A*", L"\\b.", 0, 0, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"\\b\\", 0, 0, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"\\b \\c", 0, 0, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"\\b.\\c", 0, 0, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"\\\\b", 0, 0, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"\\b:c", 0, 0, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"\\b~1\\c", 0, 0, NULL));
    CHECK(CoreCanMatch(L"\\A*", L"b", 0, 0, &directory));
    CHECK(CoreCanMatch(L"\\A*", L"\\\x00E4", 0, 0, NULL)); /* beyond ASCII nothing is known */
    CHECK(CoreCanMatch(L"\\\x00C4*", L"\\b", 0, 0, NULL));
    CHECK(CoreCanMatch(L"*\x00C4", L"\\b", 0, 0, NULL));
    CHECK(CoreCanMatch(L"*A", L"\\\x00E4", 0, 0, NULL));
    CHECK(!CoreCanMatch(L"*A", L"\\b", 0, 0, NULL));
    CHECK(!CoreCanMatch(L"*[A", L"\\{a", 0, 0, NULL));
    CHECK(CoreCanMatch(L"*{A", L"\\{a", 0, 0, NULL));
    CHECK(!CoreCanMatch(L"\\ABC*", L"\\a", 0, 0, NULL)); /* shorter than the beginning */
}

VOID CoreOpenedNamesThatSayNothingMatchEverything(VOID)
{
    CoreRunLoaded(CoreCheckOpenedNames);
}

/* As many characters as a pattern may have, all of them letters, or the last one a wild card. */
static VOID CoreCheckLongExpressions(PVOID Context)
{
    enum { UNITS = PSCTX_MAXIMUM_PATTERN_LENGTH / sizeof(WCHAR) };
    static WCHAR pattern[UNITS];
    static WCHAR text[UNITS + 1];
    UNICODE_STRING expression = {sizeof(pattern), sizeof(pattern), pattern};
    UNICODE_STRING name = {sizeof(pattern), sizeof(text), text};
    ULONG index;

    UNREFERENCED_PARAMETER(Context);
    for (index = 0; index < UNITS; index += 1) {
        pattern[index] = (WCHAR)(L'A' + index % 26);
        text[index] = (WCHAR)(L'a' + index % 26);
    }
    text[UNITS] = L'z';
    CHECK(PsctxIsNameInExpression(&expression, &name));
    name.Length = (USHORT)(name.Length - sizeof(WCHAR));
    CHECK(!PsctxIsNameInExpression(&expression, &name));
    name.Length = sizeof(text);
    CHECK(!PsctxIsNameInExpression(&expression, &name));
    pattern[UNITS - 1] = L'*';
    CHECK(PsctxIsNameInExpression(&expression, &name));
    name.Length = sizeof(pattern) - sizeof(WCHAR);
    CHECK(PsctxIsNameInExpression(&expression, &name));
    name.Length = (USHORT)(name.Length - sizeof(WCHAR));
    CHECK(!PsctxIsNameInExpression(&expression, &name));
    name.Length = sizeof(pattern);
    for (index = 0; index < UNITS - 1; index += 93) {
        text[index] ^= 1;
        CHECK(!PsctxIsNameInExpression(&expression, &name));
        text[index] ^= 1;
    }
}

VOID CoreExpressionsMatchWhateverTheirLength(VOID)
{
    CoreRunLoaded(CoreCheckLongExpressions);
}
