/*
 * Names, for the files that track: which files' names an expression can match, seen from what they are opened by, and which it does.
 */
#ifndef PSCTX_NAME_H
#define PSCTX_NAME_H

#include "core/core.h"

typedef struct _PSCTX_EXPRESSION {
    UNICODE_STRING Text; /* upcased */
    ULONG Head;          /* how many characters before its first wild card */
    ULONG Tail;          /* and behind its last one: all of them, both times, if there is none */
} PSCTX_EXPRESSION, *PPSCTX_EXPRESSION;

/* name.c */
VOID PsctxMeasureExpression(_Inout_ PPSCTX_EXPRESSION Expression);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxExamineOpenedName(_In_ PFILE_OBJECT FileObject, _In_ ULONG CreateOptions,
                                                           _In_ BOOLEAN Redirector, _Out_ PPSCTX_OPENED_NAME Name);
_IRQL_requires_(PASSIVE_LEVEL) VOID
    PsctxKeepOpenedName(_Inout_ PPSCTX_OPENED_NAME Name, _Outptr_result_maybenull_ PVOID *Memory);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN
    PsctxCanMatch(_In_ const PSCTX_EXPRESSION *Expression, _In_ const PSCTX_OPENED_NAME *Name);

/* expression.c */
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN
    PsctxIsNameInExpression(_In_ PCUNICODE_STRING Expression, _In_ PCUNICODE_STRING Name);

#endif
