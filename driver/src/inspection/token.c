/*
 * Tokens: what stands for an address of the kernel outside it. Equal addresses have equal tokens while the driver is loaded, and
 * a token tells nothing of the address: it is its SipHash-2-4 under a key that nobody sees.
 *
 * The key is made when the first token is, at PASSIVE_LEVEL and long after the system has started.
 */
#include "inspection/inspection.h"

#define PSCTX_SEAL_ROUNDS 4u

static FAST_MUTEX PsctxTokenLock;
_Guarded_by_(PsctxTokenLock) static BOOLEAN PsctxHasTokenKey;
_Write_guarded_by_(PsctxTokenLock) static ULONG64 PsctxTokenKey[2];

PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartTokens(VOID)
{
    PAGED_CODE();

    ExInitializeFastMutex(&PsctxTokenLock);
    PsctxHasTokenKey = FALSE;
}

/*
 * Sees to it that there is a key, which then stays. Without the lock held, since requests are sent; of two that are
 * made at once, the first stays.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxNeedTokenKey(VOID)
{
    ULONG64 key[2];
    BOOLEAN has;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxTokenLock);
    has = PsctxHasTokenKey;
    ExReleaseFastMutex(&PsctxTokenLock);
    if (has) {
        return;
    }
    PsctxMakeKey(key);
    ExAcquireFastMutex(&PsctxTokenLock);
    if (!PsctxHasTokenKey) {
        PsctxTokenKey[0] = key[0];
        PsctxTokenKey[1] = key[1];
        PsctxHasTokenKey = TRUE;
    }
    ExReleaseFastMutex(&PsctxTokenLock);
    RtlZeroMemory(key, sizeof(key));
}

/*
 * The token of some words: never zero, which stands for no address.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static ULONG64
    PsctxMakeTokenOf(_In_reads_(Count) const ULONG64 *Words, _In_ ULONG Count)
{
    ULONG64 token;

    PAGED_CODE();

    PsctxNeedTokenKey();
    token = PsctxSipHash(PsctxTokenKey, Words, Count);
    return token != 0 ? token : 1;
}

/*
 * The token of an address; zero for NULL.
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG64 PsctxMakeToken(ULONG_PTR Address)
{
    const ULONG64 words[] = {Address};

    PAGED_CODE();

    return Address != 0 ? PsctxMakeTokenOf(words, RTL_NUMBER_OF(words)) : 0;
}

/*
 * The token of an address and a value of a client's.
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG64 PsctxMakePairToken(ULONG_PTR Address, ULONG64 Value)
{
    const ULONG64 words[] = {Address, Value};

    PAGED_CODE();

    return PsctxMakeTokenOf(words, RTL_NUMBER_OF(words));
}

/*
 * A round of the permutation that seals pairs: what one half is changed by, of the other. Its three words are what no token is made of.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static ULONG64 PsctxSealRound(_In_ ULONG Round, _In_ ULONG64 Half)
{
    const ULONG64 words[] = {Half, Round, 0};

    PAGED_CODE();

    return PsctxSipHash(PsctxTokenKey, words, RTL_NUMBER_OF(words));
}

/*
 * Turns two words into two others, which tell nothing of them, and back: a Feistel network of four rounds. Who makes up a
 * sealed pair gets words that he cannot foresee.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxSealPair(ULONG64 *Pair)
{
    ULONG round;

    PAGED_CODE();

    PsctxNeedTokenKey();
    for (round = 0; round < PSCTX_SEAL_ROUNDS; round += 1) {
        Pair[round % 2] ^= PsctxSealRound(round, Pair[(round + 1) % 2]);
    }
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxUnsealPair(ULONG64 *Pair)
{
    ULONG round;

    PAGED_CODE();

    PsctxNeedTokenKey();
    for (round = PSCTX_SEAL_ROUNDS; round != 0; round -= 1) {
        Pair[(round - 1) % 2] ^= PsctxSealRound(round - 1, Pair[round % 2]);
    }
}
