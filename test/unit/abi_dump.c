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

static const ABI_VALUE version[] = {
    {"abi", PSCTX_ABI_VERSION},
};

static const ABI_VALUE operation[] = {
    {"queryVersion", PSCTX_OPERATION_QUERY_VERSION},
    {"queryStatistics", PSCTX_OPERATION_QUERY_STATISTICS},
    {"queryStream", PSCTX_OPERATION_QUERY_STREAM},
    {"insert", PSCTX_OPERATION_INSERT},
    {"lookup", PSCTX_OPERATION_LOOKUP},
    {"remove", PSCTX_OPERATION_REMOVE},
    {"removeAll", PSCTX_OPERATION_REMOVE_ALL},
    {"list", PSCTX_OPERATION_LIST},
    {"batch", PSCTX_OPERATION_BATCH},
    {"lookupBatch", PSCTX_OPERATION_LOOKUP_BATCH},
    {"track", PSCTX_OPERATION_TRACK},
    {"untrack", PSCTX_OPERATION_UNTRACK},
    {"subscribe", PSCTX_OPERATION_SUBSCRIBE},
    {"wait", PSCTX_OPERATION_WAIT},
    {"enumerate", PSCTX_OPERATION_ENUMERATE},
    {"listVolumes", PSCTX_OPERATION_LIST_VOLUMES},
    {"inspect", PSCTX_OPERATION_INSPECT},
    {"queryRule", PSCTX_OPERATION_QUERY_RULE},
};

static const ABI_VALUE limits[] = {
    {"dataLength", PSCTX_MAXIMUM_DATA_LENGTH},
    {"batchOperations", PSCTX_MAXIMUM_BATCH_OPERATIONS},
    {"transfer", PSCTX_MAXIMUM_TRANSFER},
    {"patternLength", PSCTX_MAXIMUM_PATTERN_LENGTH},
    {"rules", PSCTX_MAXIMUM_RULES},
    {"readers", PSCTX_MAXIMUM_READERS},
    {"minimumEventCapacity", PSCTX_MINIMUM_EVENT_CAPACITY},
    {"maximumEventCapacity", PSCTX_MAXIMUM_EVENT_CAPACITY},
};

static const ABI_VALUE support[] = {
    {"yes", PSCTX_SUPPORT_YES},
    {"notAFileSystem", PSCTX_SUPPORT_NOT_A_FILE_SYSTEM},
    {"volume", PSCTX_SUPPORT_VOLUME},
    {"noStreamContext", PSCTX_SUPPORT_NO_STREAM_CONTEXT},
    {"noAdvancedHeader", PSCTX_SUPPORT_NO_ADVANCED_HEADER},
    {"noFilterContexts", PSCTX_SUPPORT_NO_FILTER_CONTEXTS},
    {"listNotInitialized", PSCTX_SUPPORT_LIST_NOT_INITIALIZED},
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

static const ABI_VALUE match[] = {
    {"instance", PSCTX_MATCH_INSTANCE},
    {"owner", PSCTX_MATCH_OWNER},
    {"first", PSCTX_MATCH_FIRST},
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

static const ABI_VALUE tracked[] = {
    {"no", PSCTX_TRACKED_NO},
    {"yes", PSCTX_TRACKED_YES},
    {"counted", PSCTX_TRACKED_COUNTED},
};

static const ABI_VALUE trackFlags[] = {
    {"count", PSCTX_TRACK_COUNT},
};

static const ABI_VALUE eventType[] = {
    {"inserted", PSCTX_EVENT_INSERTED},
    {"removed", PSCTX_EVENT_REMOVED},
    {"tornDown", PSCTX_EVENT_TORN_DOWN},
    {"tracked", PSCTX_EVENT_TRACKED},
    {"cleanup", PSCTX_EVENT_CLEANUP},
    {"volumeAttached", PSCTX_EVENT_VOLUME_ATTACHED},
    {"volumeDetached", PSCTX_EVENT_VOLUME_DETACHED},
    {"dropped", PSCTX_EVENT_DROPPED},
    {"missed", PSCTX_EVENT_MISSED},
};

static const ABI_VALUE nameFlags[] = {
    {"truncated", PSCTX_NAME_TRUNCATED},
};

static const ABI_VALUE front[] = {
    {"legacy", PSCTX_FRONT_LEGACY},
    {"minifilter", PSCTX_FRONT_MINIFILTER},
};

static const ABI_VALUE attachment[] = {
    {"yes", PSCTX_ATTACHMENT_YES},
    {"snapshot", PSCTX_ATTACHMENT_SNAPSHOT},
    {"failed", PSCTX_ATTACHMENT_FAILED},
};

static const ABI_VALUE ownerKind[] = {
    {"unknown", PSCTX_OWNER_UNKNOWN},
    {"device", PSCTX_OWNER_DEVICE},
    {"driver", PSCTX_OWNER_DRIVER},
};

static const ABI_VALUE header[] = {
    {"size", sizeof(PSCTX_HEADER)},
    {"bufferSize", offsetof(PSCTX_HEADER, Size)},
    {"version", offsetof(PSCTX_HEADER, Version)},
    {"operation", offsetof(PSCTX_HEADER, Operation)},
};

static const ABI_VALUE streamRequest[] = {
    {"size", sizeof(PSCTX_STREAM_REQUEST)},
    {"handle", offsetof(PSCTX_STREAM_REQUEST, Handle)},
};

static const ABI_VALUE insertRequest[] = {
    {"size", sizeof(PSCTX_INSERT_REQUEST)},
    {"handle", offsetof(PSCTX_INSERT_REQUEST, Handle)},
    {"ownerKey", offsetof(PSCTX_INSERT_REQUEST, OwnerKey)},
    {"instance", offsetof(PSCTX_INSERT_REQUEST, Instance)},
    {"ifExists", offsetof(PSCTX_INSERT_REQUEST, IfExists)},
    {"pool", offsetof(PSCTX_INSERT_REQUEST, Pool)},
    {"lifetime", offsetof(PSCTX_INSERT_REQUEST, Lifetime)},
    {"dataLength", offsetof(PSCTX_INSERT_REQUEST, DataLength)},
};

static const ABI_VALUE matchRequest[] = {
    {"size", sizeof(PSCTX_MATCH_REQUEST)},
    {"handle", offsetof(PSCTX_MATCH_REQUEST, Handle)},
    {"ownerKey", offsetof(PSCTX_MATCH_REQUEST, OwnerKey)},
    {"instance", offsetof(PSCTX_MATCH_REQUEST, Instance)},
    {"match", offsetof(PSCTX_MATCH_REQUEST, Match)},
    {"reserved", offsetof(PSCTX_MATCH_REQUEST, Reserved)},
};

static const ABI_VALUE listRequest[] = {
    {"size", sizeof(PSCTX_LIST_REQUEST)},
    {"handle", offsetof(PSCTX_LIST_REQUEST, Handle)},
    {"before", offsetof(PSCTX_LIST_REQUEST, Before)},
};

static const ABI_VALUE batchRequest[] = {
    {"size", sizeof(PSCTX_BATCH_REQUEST)},
    {"count", offsetof(PSCTX_BATCH_REQUEST, Count)},
    {"replyCapacity", offsetof(PSCTX_BATCH_REQUEST, ReplyCapacity)},
};

static const ABI_VALUE trackRequest[] = {
    {"size", sizeof(PSCTX_TRACK_REQUEST)},
    {"ownerKey", offsetof(PSCTX_TRACK_REQUEST, OwnerKey)},
    {"instance", offsetof(PSCTX_TRACK_REQUEST, Instance)},
    {"volumeHandle", offsetof(PSCTX_TRACK_REQUEST, VolumeHandle)},
    {"patternLength", offsetof(PSCTX_TRACK_REQUEST, PatternLength)},
    {"flags", offsetof(PSCTX_TRACK_REQUEST, Flags)},
};

static const ABI_VALUE subscribeRequest[] = {
    {"size", sizeof(PSCTX_SUBSCRIBE_REQUEST)},
    {"session", offsetof(PSCTX_SUBSCRIBE_REQUEST, Session)},
    {"types", offsetof(PSCTX_SUBSCRIBE_REQUEST, Types)},
    {"capacity", offsetof(PSCTX_SUBSCRIBE_REQUEST, Capacity)},
};

static const ABI_VALUE enumerateRequest[] = {
    {"size", sizeof(PSCTX_ENUMERATE_REQUEST)},
    {"volumeHandle", offsetof(PSCTX_ENUMERATE_REQUEST, VolumeHandle)},
    {"cursor", offsetof(PSCTX_ENUMERATE_REQUEST, Cursor)},
};

static const ABI_VALUE volumesRequest[] = {
    {"size", sizeof(PSCTX_VOLUMES_REQUEST)},
    {"after", offsetof(PSCTX_VOLUMES_REQUEST, After)},
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
    {"session", offsetof(PSCTX_VERSION_REPLY, Session)},
    {"maximumStreamContexts", offsetof(PSCTX_VERSION_REPLY, MaximumStreamContexts)},
    {"maximumSessions", offsetof(PSCTX_VERSION_REPLY, MaximumSessions)},
    {"maximumPagedRecordBytes", offsetof(PSCTX_VERSION_REPLY, MaximumPagedRecordBytes)},
    {"maximumNonPagedRecordBytes", offsetof(PSCTX_VERSION_REPLY, MaximumNonPagedRecordBytes)},
    {"maximumReaders", offsetof(PSCTX_VERSION_REPLY, MaximumReaders)},
    {"maximumWaits", offsetof(PSCTX_VERSION_REPLY, MaximumWaits)},
    {"front", offsetof(PSCTX_VERSION_REPLY, Front)},
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
    {"sessionPagedRecordBytes", offsetof(PSCTX_STATISTICS_REPLY, SessionPagedRecordBytes)},
    {"sessionNonPagedRecordBytes", offsetof(PSCTX_STATISTICS_REPLY, SessionNonPagedRecordBytes)},
    {"totalPagedRecordBytes", offsetof(PSCTX_STATISTICS_REPLY, TotalPagedRecordBytes)},
    {"totalNonPagedRecordBytes", offsetof(PSCTX_STATISTICS_REPLY, TotalNonPagedRecordBytes)},
    {"sessionMissed", offsetof(PSCTX_STATISTICS_REPLY, SessionMissed)},
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
    {"tracked", offsetof(PSCTX_LIST_ENTRY, Tracked)},
    {"inserted", offsetof(PSCTX_LIST_ENTRY, Inserted)},
    {"flags", offsetof(PSCTX_LIST_ENTRY, Flags)},
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

static const ABI_VALUE tracking[] = {
    {"size", sizeof(PSCTX_TRACKING)},
    {"opens", offsetof(PSCTX_TRACKING, Opens)},
    {"cleanups", offsetof(PSCTX_TRACKING, Cleanups)},
    {"reads", offsetof(PSCTX_TRACKING, Reads)},
    {"writes", offsetof(PSCTX_TRACKING, Writes)},
    {"bytesRead", offsetof(PSCTX_TRACKING, BytesRead)},
    {"bytesWritten", offsetof(PSCTX_TRACKING, BytesWritten)},
    {"firstProcessId", offsetof(PSCTX_TRACKING, FirstProcessId)},
    {"lastProcessId", offsetof(PSCTX_TRACKING, LastProcessId)},
};

static const ABI_VALUE ruleRecord[] = {
    {"size", sizeof(PSCTX_RULE_RECORD)},
    {"rule", offsetof(PSCTX_RULE_RECORD, Rule)},
};

static const ABI_VALUE ruleReply[] = {
    {"size", sizeof(PSCTX_RULE_REPLY)},
    {"matched", offsetof(PSCTX_RULE_REPLY, Matched)},
    {"inserted", offsetof(PSCTX_RULE_REPLY, Inserted)},
    {"missed", offsetof(PSCTX_RULE_REPLY, Missed)},
};

static const ABI_VALUE waitReply[] = {
    {"size", sizeof(PSCTX_WAIT_REPLY)},
    {"count", offsetof(PSCTX_WAIT_REPLY, Count)},
};

static const ABI_VALUE event[] = {
    {"size", sizeof(PSCTX_EVENT)},
    {"eventSize", offsetof(PSCTX_EVENT, Size)},
    {"type", offsetof(PSCTX_EVENT, Type)},
    {"number", offsetof(PSCTX_EVENT, Number)},
    {"time", offsetof(PSCTX_EVENT, Time)},
    {"ownerKey", offsetof(PSCTX_EVENT, OwnerKey)},
    {"instance", offsetof(PSCTX_EVENT, Instance)},
    {"sequence", offsetof(PSCTX_EVENT, Sequence)},
    {"age", offsetof(PSCTX_EVENT, Age)},
    {"count", offsetof(PSCTX_EVENT, Count)},
    {"processId", offsetof(PSCTX_EVENT, ProcessId)},
    {"nameLength", offsetof(PSCTX_EVENT, NameLength)},
    {"flags", offsetof(PSCTX_EVENT, Flags)},
};

static const ABI_VALUE enumerateReply[] = {
    {"size", sizeof(PSCTX_ENUMERATE_REPLY)},
    {"nextCursor", offsetof(PSCTX_ENUMERATE_REPLY, NextCursor)},
    {"count", offsetof(PSCTX_ENUMERATE_REPLY, Count)},
    {"nextSize", offsetof(PSCTX_ENUMERATE_REPLY, NextSize)},
};

static const ABI_VALUE volumesReply[] = {
    {"size", sizeof(PSCTX_VOLUMES_REPLY)},
    {"count", offsetof(PSCTX_VOLUMES_REPLY, Count)},
    {"remaining", offsetof(PSCTX_VOLUMES_REPLY, Remaining)},
    {"nextSize", offsetof(PSCTX_VOLUMES_REPLY, NextSize)},
};

static const ABI_VALUE volumeEntry[] = {
    {"size", sizeof(PSCTX_VOLUME_ENTRY)},
    {"entrySize", offsetof(PSCTX_VOLUME_ENTRY, Size)},
    {"attachment", offsetof(PSCTX_VOLUME_ENTRY, Attachment)},
    {"number", offsetof(PSCTX_VOLUME_ENTRY, Number)},
    {"contexts", offsetof(PSCTX_VOLUME_ENTRY, Contexts)},
    {"bytes", offsetof(PSCTX_VOLUME_ENTRY, Bytes)},
    {"status", offsetof(PSCTX_VOLUME_ENTRY, Status)},
    {"deviceType", offsetof(PSCTX_VOLUME_ENTRY, DeviceType)},
    {"tearsDown", offsetof(PSCTX_VOLUME_ENTRY, TearsDown)},
    {"deviceNameLength", offsetof(PSCTX_VOLUME_ENTRY, DeviceNameLength)},
    {"fileSystemLength", offsetof(PSCTX_VOLUME_ENTRY, FileSystemLength)},
};

static const ABI_VALUE inspectReply[] = {
    {"size", sizeof(PSCTX_INSPECT_REPLY)},
    {"count", offsetof(PSCTX_INSPECT_REPLY, Count)},
    {"remaining", offsetof(PSCTX_INSPECT_REPLY, Remaining)},
};

static const ABI_VALUE inspectEntry[] = {
    {"size", sizeof(PSCTX_INSPECT_ENTRY)},
    {"entrySize", offsetof(PSCTX_INSPECT_ENTRY, Size)},
    {"holder", offsetof(PSCTX_INSPECT_ENTRY, Holder)},
    {"ownerKey", offsetof(PSCTX_INSPECT_ENTRY, OwnerKey)},
    {"instance", offsetof(PSCTX_INSPECT_ENTRY, Instance)},
    {"sequence", offsetof(PSCTX_INSPECT_ENTRY, Sequence)},
    {"ownerToken", offsetof(PSCTX_INSPECT_ENTRY, OwnerToken)},
    {"instanceToken", offsetof(PSCTX_INSPECT_ENTRY, InstanceToken)},
    {"callbackOffset", offsetof(PSCTX_INSPECT_ENTRY, CallbackOffset)},
    {"dataLength", offsetof(PSCTX_INSPECT_ENTRY, DataLength)},
    {"ownerKind", offsetof(PSCTX_INSPECT_ENTRY, OwnerKind)},
    {"moduleLength", offsetof(PSCTX_INSPECT_ENTRY, ModuleLength)},
    {"ownerNameLength", offsetof(PSCTX_INSPECT_ENTRY, OwnerNameLength)},
};

static const ABI_TABLE tables[] = {
    TABLE(limits),           TABLE(support),        TABLE(ifExists),       TABLE(pool),
    TABLE(lifetime),         TABLE(outcome),        TABLE(holder),         TABLE(versionReply),
    TABLE(statisticsReply),  TABLE(streamReply),    TABLE(insertReply),    TABLE(contextReply),
    TABLE(countReply),       TABLE(listReply),      TABLE(listEntry),      TABLE(batchReply),
    TABLE(batchResult),      TABLE(tracked),        TABLE(trackFlags),     TABLE(eventType),
    TABLE(attachment),       TABLE(ownerKind),      TABLE(tracking),       TABLE(ruleRecord),
    TABLE(waitReply),        TABLE(event),          TABLE(enumerateReply), TABLE(volumesReply),
    TABLE(volumeEntry),      TABLE(inspectReply),   TABLE(inspectEntry),   TABLE(nameFlags),
    TABLE(ruleReply),        TABLE(version),        TABLE(operation),      TABLE(match),
    TABLE(header),           TABLE(streamRequest),  TABLE(insertRequest),  TABLE(matchRequest),
    TABLE(listRequest),      TABLE(batchRequest),   TABLE(trackRequest),   TABLE(subscribeRequest),
    TABLE(enumerateRequest), TABLE(volumesRequest), TABLE(front),
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
