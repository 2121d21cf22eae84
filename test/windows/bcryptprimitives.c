/* bcryptprimitives.dll with the one routine that Node.js imports and Wine 8 lacks: random bytes, from advapi32. */
#include <windows.h>

/* RtlGenRandom's exported name. */
BOOLEAN NTAPI SystemFunction036(PVOID Buffer, ULONG Length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE Buffer, SIZE_T Length)
{
    while (Length != 0) {
        const ULONG part = Length > MAXLONG ? MAXLONG : (ULONG)Length;

        if (!SystemFunction036(Buffer, part)) {
            return FALSE;
        }
        Buffer += part;
        Length -= part;
    }
    return TRUE;
}
