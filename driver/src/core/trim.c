/*
 * What names a file, of a name that a file system tells.
 */
#include "core/core.h"

/*
 * Leaves of a name what names the file: not the type of its stream, nor a colon before no stream; not what some redirectors
 * put before the server, which is a component that begins with a semicolon.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxTrimName(BOOLEAN Redirector, PUNICODE_STRING Name)
{
    ULONG count = Name->Length / sizeof(WCHAR);
    ULONG first = 0;
    ULONG colon = count;
    ULONG index;

    PAGED_CODE();

    while (Redirector && first + 1 < count && Name->Buffer[first + 1] == L';') {
        do {
            first += 1;
        } while (first < count && Name->Buffer[first] != L'\\');
    }
    for (index = count; index > first && Name->Buffer[index - 1] != L'\\'; index -= 1) {
        if (Name->Buffer[index - 1] == L':') {
            if (colon != count) {
                count = colon;
            }
            colon = index - 1;
        }
    }
    if (colon + 1 == count) {
        count = colon;
    }
    Name->Buffer += first;
    Name->Length = (USHORT)((count - first) * sizeof(WCHAR));
    Name->MaximumLength = Name->Length;
}
