/*
 * What the core is started with, and who listens to it.
 */
#include "core/index.h"

PSCTX_LISTENING PsctxListening;
volatile LONG PsctxSessionCount;
volatile LONG64 PsctxSequence;

/*
 * Makes the empty index. It holds nothing that would have to be given back, and nobody listens.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartCore(VOID)
{
    PAGED_CODE();

    PsctxSequence = 0;
    PsctxStartIndex();
}
