/*
 * Prints what src/abi.ts says about the ABI, taken from the compiled header, as one JSON object.
 */
#include <stdio.h>

#include <psctx/abi.h>

typedef struct _ABI_VALUE {
    const char *Name;
    unsigned long long Value;
} ABI_VALUE;

typedef struct _ABI_TABLE {
    const char *Name;
    const ABI_VALUE *Values;
    size_t Count;
} ABI_TABLE;

#define TABLE(Name) {#Name, Name, sizeof(Name) / sizeof(Name[0])}

static const ABI_VALUE limits[] = {
    {"dataLength", PSCTX_MAXIMUM_DATA_LENGTH},
    {"batchOperations", PSCTX_MAXIMUM_BATCH_OPERATIONS},
    {"transfer", PSCTX_MAXIMUM_TRANSFER},
};

static const ABI_VALUE support[] = {
    {"yes", PSCTX_SUPPORT_YES},
    {"notAFileSystem", PSCTX_SUPPORT_NOT_A_FILE_SYSTEM},
    {"volume", PSCTX_SUPPORT_VOLUME},
    {"noStreamContext", PSCTX_SUPPORT_NO_STREAM_CONTEXT},
    {"noAdvancedHeader", PSCTX_SUPPORT_NO_ADVANCED_HEADER},
    {"noFilterContexts", PSCTX_SUPPORT_NO_FILTER_CONTEXTS},
};

static const ABI_VALUE ifExists[] = {
    {"fail", PSCTX_IF_EXISTS_FAIL},
    {"keep", PSCTX_IF_EXISTS_KEEP},
    {"replace", PSCTX_IF_EXISTS_REPLACE},
    {"add", PSCTX_IF_EXISTS_ADD},
};

static const ABI_VALUE pool[] = {
    {"paged", PSCTX_POOL_PAGED},
    {"nonpaged", PSCTX_POOL_NONPAGED},
};

static const ABI_VALUE lifetime[] = {
    {"session", PSCTX_LIFETIME_SESSION},
    {"stream", PSCTX_LIFETIME_STREAM},
};

static const ABI_VALUE outcome[] = {
    {"inserted", PSCTX_OUTCOME_INSERTED},
    {"kept", PSCTX_OUTCOME_KEPT},
    {"replaced", PSCTX_OUTCOME_REPLACED},
    {"added", PSCTX_OUTCOME_ADDED},
};

static const ABI_VALUE holder[] = {
    {"self", PSCTX_HOLDER_SELF},
    {"otherSession", PSCTX_HOLDER_OTHER_SESSION},
    {"otherFilter", PSCTX_HOLDER_OTHER_FILTER},
};

static const ABI_VALUE versionReply[] = {
    {"size", sizeof(PSCTX_VERSION_REPLY)},
    {"driverVersion", offsetof(PSCTX_VERSION_REPLY, DriverVersion)},
    {"maximumDataLength", offsetof(PSCTX_VERSION_REPLY, MaximumDataLength)},
    {"maximumContexts", offsetof(PSCTX_VERSION_REPLY, MaximumContexts)},
    {"maximumOwners", offsetof(PSCTX_VERSION_REPLY, MaximumOwners)},
    {"maximumPagedBytes", offsetof(PSCTX_VERSION_REPLY, MaximumPagedBytes)},
    {"maximumNonPagedBytes", offsetof(PSCTX_VERSION_REPLY, MaximumNonPagedBytes)},
    {"maximumBatchOperations", offsetof(PSCTX_VERSION_REPLY, MaximumBatchOperations)},
    {"maximumTransfer", offsetof(PSCTX_VERSION_REPLY, MaximumTransfer)},
};

static const ABI_VALUE statisticsReply[] = {
    {"size", sizeof(PSCTX_STATISTICS_REPLY)},
    {"sessionContexts", offsetof(PSCTX_STATISTICS_REPLY, SessionContexts)},
    {"sessionPagedBytes", offsetof(PSCTX_STATISTICS_REPLY, SessionPagedBytes)},
    {"sessionNonPagedBytes", offsetof(PSCTX_STATISTICS_REPLY, SessionNonPagedBytes)},
    {"sessionInserted", offsetof(PSCTX_STATISTICS_REPLY, SessionInserted)},
    {"sessionRemoved", offsetof(PSCTX_STATISTICS_REPLY, SessionRemoved)},
    {"sessionTornDown", offsetof(PSCTX_STATISTICS_REPLY, SessionTornDown)},
    {"totalContexts", offsetof(PSCTX_STATISTICS_REPLY, TotalContexts)},
    {"totalPagedBytes", offsetof(PSCTX_STATISTICS_REPLY, TotalPagedBytes)},
    {"totalNonPagedBytes", offsetof(PSCTX_STATISTICS_REPLY, TotalNonPagedBytes)},
    {"totalSessions", offsetof(PSCTX_STATISTICS_REPLY, TotalSessions)},
    {"attachedVolumes", offsetof(PSCTX_STATISTICS_REPLY, AttachedVolumes)},
    {"attachedFileSystems", offsetof(PSCTX_STATISTICS_REPLY, AttachedFileSystems)},
};

static const ABI_VALUE streamReply[] = {
    {"size", sizeof(PSCTX_STREAM_REPLY)},
    {"support", offsetof(PSCTX_STREAM_REPLY, Support)},
    {"deviceType", offsetof(PSCTX_STREAM_REPLY, DeviceType)},
    {"headerVersion", offsetof(PSCTX_STREAM_REPLY, HeaderVersion)},
};

static const ABI_VALUE insertReply[] = {
    {"size", sizeof(PSCTX_INSERT_REPLY)},
    {"outcome", offsetof(PSCTX_INSERT_REPLY, Outcome)},
    {"sequence", offsetof(PSCTX_INSERT_REPLY, Sequence)},
};

static const ABI_VALUE contextReply[] = {
    {"size", sizeof(PSCTX_CONTEXT_REPLY)},
    {"ownerKey", offsetof(PSCTX_CONTEXT_REPLY, OwnerKey)},
    {"instance", offsetof(PSCTX_CONTEXT_REPLY, Instance)},
    {"sequence", offsetof(PSCTX_CONTEXT_REPLY, Sequence)},
    {"holder", offsetof(PSCTX_CONTEXT_REPLY, Holder)},
    {"pool", offsetof(PSCTX_CONTEXT_REPLY, Pool)},
    {"lifetime", offsetof(PSCTX_CONTEXT_REPLY, Lifetime)},
    {"dataLength", offsetof(PSCTX_CONTEXT_REPLY, DataLength)},
};

static const ABI_VALUE countReply[] = {
    {"size", sizeof(PSCTX_COUNT_REPLY)},
    {"count", offsetof(PSCTX_COUNT_REPLY, Count)},
};

static const ABI_VALUE listReply[] = {
    {"size", sizeof(PSCTX_LIST_REPLY)},
    {"count", offsetof(PSCTX_LIST_REPLY, Count)},
    {"remaining", offsetof(PSCTX_LIST_REPLY, Remaining)},
    {"nextSize", offsetof(PSCTX_LIST_REPLY, NextSize)},
};

static const ABI_VALUE listEntry[] = {
    {"size", sizeof(PSCTX_LIST_ENTRY)},
    {"entrySize", offsetof(PSCTX_LIST_ENTRY, Size)},
    {"nameLength", offsetof(PSCTX_LIST_ENTRY, NameLength)},
    {"ownerKey", offsetof(PSCTX_LIST_ENTRY, OwnerKey)},
    {"instance", offsetof(PSCTX_LIST_ENTRY, Instance)},
    {"sequence", offsetof(PSCTX_LIST_ENTRY, Sequence)},
    {"pool", offsetof(PSCTX_LIST_ENTRY, Pool)},
    {"lifetime", offsetof(PSCTX_LIST_ENTRY, Lifetime)},
    {"dataLength", offsetof(PSCTX_LIST_ENTRY, DataLength)},
};

static const ABI_VALUE batchReply[] = {
    {"size", sizeof(PSCTX_BATCH_REPLY)},
    {"count", offsetof(PSCTX_BATCH_REPLY, Count)},
    {"failed", offsetof(PSCTX_BATCH_REPLY, Failed)},
};

static const ABI_VALUE batchResult[] = {
    {"size", sizeof(PSCTX_BATCH_RESULT)},
    {"status", offsetof(PSCTX_BATCH_RESULT, Status)},
    {"replySize", offsetof(PSCTX_BATCH_RESULT, ReplySize)},
};

static const ABI_TABLE tables[] = {
    TABLE(limits),          TABLE(support),     TABLE(ifExists),    TABLE(pool),
    TABLE(lifetime),        TABLE(outcome),     TABLE(holder),      TABLE(versionReply),
    TABLE(statisticsReply), TABLE(streamReply), TABLE(insertReply), TABLE(contextReply),
    TABLE(countReply),      TABLE(listReply),   TABLE(listEntry),   TABLE(batchReply),
    TABLE(batchResult),
};

int main(void)
{
    size_t table;
    size_t value;

    for (table = 0; table < sizeof(tables) / sizeof(tables[0]); table += 1) {
        printf("%s\"%s\":{", table == 0 ? "{" : ",", tables[table].Name);
        for (value = 0; value < tables[table].Count; value += 1) {
            printf("%s\"%s\":%llu", value == 0 ? "" : ",", tables[table].Values[value].Name,
                   tables[table].Values[value].Value);
        }
        printf("}");
    }
    printf("}\n");
    return 0;
}
