/* Requests at random: refused or not, nothing crashes and nobody else's contexts are touched. */
#include "tests.h"

#define REQUESTS 4000u
#define BUFFER_LENGTH 4096u
#define SENTINEL_OWNER 0xC0FFEEull

static BYTE Input[BUFFER_LENGTH];
static BYTE Output[BUFFER_LENGTH];

static ULONG RandomCode(ULONG *seed)
{
    const ULONG code = ControlCodes[RandomBelow(seed, PSCTX_OPERATION_COUNT)];

    switch (RandomBelow(seed, 8)) {
    case 0:
        return Random(seed);
    case 1:
        return code ^ (1u << RandomBelow(seed, 32));
    case 2:
        return (code & 0xFFFF0000u) | (Random(seed) & 0xFFFFu);
    default:
        return code;
    }
}

/* Bytes at random, then some of the fields as they should be, so that requests get past the first checks. */
static ULONG RandomInput(ULONG *seed, ULONG code, ULONG64 file)
{
    static const ULONG lengths[] = {0, 4, 8, 16, 24, 32, 40, 41, 48, 49, 56, 64, 96, 128, 512, BUFFER_LENGTH};
    const ULONG length = RandomBelow(seed, 4) == 0 ? RandomBelow(seed, BUFFER_LENGTH + 1)
                                                   : lengths[RandomBelow(seed, (ULONG)COUNT_OF(lengths))];
    const BOOL sparse = RandomBelow(seed, 2) == 0;

    for (ULONG index = 0; index < length; index += 1) {
        Input[index] = sparse && RandomBelow(seed, 8) != 0 ? 0 : (BYTE)Random(seed);
    }
    if (length >= sizeof(PSCTX_HEADER) && RandomBelow(seed, 8) != 0) {
        SetHeader((PSCTX_HEADER *)Input, length, ((code >> 2) & 0xFFFu) - PSCTX_FUNCTION_BASE);
    }
    if (length >= sizeof(PSCTX_STREAM_REQUEST) && RandomBelow(seed, 2) != 0) {
        ((PSCTX_STREAM_REQUEST *)Input)->Handle = file;
    }
    return length;
}

static void SendRandom(const SESSION *session, ULONG *seed, ULONG64 file)
{
    for (ULONG count = 0; count < REQUESTS; count += 1) {
        const ULONG code = RandomCode(seed);
        const ULONG inputLength = RandomInput(seed, code, file);
        const ULONG outputLength = RandomBelow(seed, BUFFER_LENGTH + 1);
        ULONG returned = 0;
        LONG status;

        /* Below METHOD_BUFFERED's are the only codes that the I/O manager hands addresses of ours to a driver for; ours take none. */
        status = Control(session, code, Input, inputLength, Output, outputLength, &returned);
        if (!EXPECT(returned <= outputLength)) {
            Note("request %u, code %x: status %x, %u bytes returned", count, code, (ULONG)status, returned);
            return;
        }
    }
}

static void Fuzz(ULONG64 file, BOOL withContexts)
{
    ULONG seed = GetTickCount() ^ (GetCurrentProcessId() << 16);
    CONTEXT_BUFFER context;
    SESSION sentinel;
    SESSION session;
    SESSION reader;

    Note("seed %u", seed);
    if (!OpenSession(&sentinel, READ_WRITE) || !OpenSession(&session, READ_WRITE) || !OpenSession(&reader, READ_ONLY)) {
        return;
    }
    if (withContexts) {
        (void)EXPECT_SUCCESS(Insert(&sentinel, file, SENTINEL_OWNER, 1, NULL, "sentinel", 8, NULL));
    }
    SendRandom(&session, &seed, file);
    SendRandom(&reader, &seed, file);
    if (withContexts) {
        (void)EXPECT_SUCCESS(Lookup(&sentinel, file, SENTINEL_OWNER, 1, &context));
        (void)EXPECT(memcmp(context.Data, "sentinel", 8) == 0);
    }
}

static void TestWithStream(void)
{
    Fuzz(HandleValue(OpenSample(0)), TRUE);
}

static void TestWithoutStream(void)
{
    Fuzz(0, FALSE);
}

static const TEST Tests[] = {
    {"requests at random, on a stream", TestWithStream, NEEDS_CONTEXTS},
    {"requests at random, on nothing", TestWithoutStream, 0},
};

const TEST_GROUP FuzzTests = {Tests, COUNT_OF(Tests)};
