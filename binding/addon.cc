// The module psctx.node: opens filters, each an object of functions and of the memory that requests and replies pass through.
//
// Functions return a number: the length of a reply, the number of a handle, or an NTSTATUS, which is negative, of an error or a warning.
// They throw a TypeError only for what the package never calls them with.
#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <napi.h>

#include "arguments.h"
#include "opening.h"
#include "reader.h"
#include "session.h"

#ifdef _WIN32
#include "system_win32.h"
#else
#include "transport_host.h"
#endif

namespace psctx {
namespace {

constexpr std::uint64_t kMaximumInteger = (std::uint64_t{1} << 53) - 1;

#define OPERATION(Function, Name, Request, Reply, HandleOffset, IsHandleOptional) \
    {Function,      PSCTX_IOCTL_##Name, PSCTX_OPERATION_##Name, sizeof(Request), \
     sizeof(Reply), HandleOffset,       IsHandleOptional}

constexpr std::uint32_t kHandle = offsetof(PSCTX_STREAM_REQUEST, Handle);
static_assert(kHandle == offsetof(PSCTX_INSERT_REQUEST, Handle) && kHandle == offsetof(PSCTX_MATCH_REQUEST, Handle) &&
                  kHandle == offsetof(PSCTX_LIST_REQUEST, Handle) &&
                  kHandle == offsetof(PSCTX_ENUMERATE_REQUEST, VolumeHandle),
              "the handle of a stream, where there is one, follows the header");

// The reply is left in the filter's memory.
constexpr Operation kOperations[] = {
    OPERATION("queryVersion", QUERY_VERSION, PSCTX_HEADER, PSCTX_VERSION_REPLY, 0, false),
    OPERATION("queryStatistics", QUERY_STATISTICS, PSCTX_HEADER, PSCTX_STATISTICS_REPLY, 0, false),
    OPERATION("queryStream", QUERY_STREAM, PSCTX_STREAM_REQUEST, PSCTX_STREAM_REPLY, kHandle, false),
    OPERATION("insert", INSERT, PSCTX_INSERT_REQUEST, PSCTX_INSERT_REPLY, kHandle, false),
    OPERATION("lookup", LOOKUP, PSCTX_MATCH_REQUEST, PSCTX_CONTEXT_REPLY, kHandle, false),
    OPERATION("remove", REMOVE, PSCTX_MATCH_REQUEST, PSCTX_CONTEXT_REPLY, kHandle, false),
    OPERATION("removeAll", REMOVE_ALL, PSCTX_MATCH_REQUEST, PSCTX_COUNT_REPLY, kHandle, false),
    OPERATION("list", LIST, PSCTX_LIST_REQUEST, PSCTX_LIST_REPLY, kHandle, false),
    OPERATION("track", TRACK, PSCTX_TRACK_REQUEST, PSCTX_RULE_RECORD, offsetof(PSCTX_TRACK_REQUEST, VolumeHandle),
              true),
    OPERATION("untrack", UNTRACK, PSCTX_RULE_RECORD, PSCTX_HEADER, 0, false),
    OPERATION("queryRule", QUERY_RULE, PSCTX_RULE_RECORD, PSCTX_RULE_REPLY, 0, false),
    OPERATION("listVolumes", LIST_VOLUMES, PSCTX_VOLUMES_REQUEST, PSCTX_VOLUMES_REPLY, 0, false),
};

// The reply is left in the Uint8Array that the function is called with.
constexpr Operation kPagedOperations[] = {
    OPERATION("enumerate", ENUMERATE, PSCTX_ENUMERATE_REQUEST, PSCTX_ENUMERATE_REPLY, kHandle, true),
    OPERATION("inspect", INSPECT, PSCTX_STREAM_REQUEST, PSCTX_INSPECT_REPLY, kHandle, false),
};

#undef OPERATION

// What a function made by Bind is called with.
struct Binding {
    std::shared_ptr<Session> session;
    const Operation *operation; // NULL: a batch
};

Napi::Function Bind(Napi::Env env, const std::shared_ptr<Session> &session, const Operation *operation,
                    const char *name, napi_callback routine)
{
    auto binding = std::make_unique<Binding>(Binding{session, operation});
    napi_value value = nullptr;

    NAPI_THROW_IF_FAILED(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, routine, binding.get(), &value),
                         Napi::Function());
    Napi::Function function(env, value);
    function.AddFinalizer([](Napi::Env, Binding *unused) { delete unused; }, binding.get());
    [[maybe_unused]] const Binding *const owned = binding.release(); // by the finalizer
    return function;
}

// Plain Node-API, and nothing converted but the number that is returned: this is what every request costs.
napi_value Send(napi_env env, napi_callback_info info)
{
    void *data = nullptr;
    napi_value result = nullptr;

    if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) == napi_ok) {
        const auto *binding = static_cast<const Binding *>(data);

        napi_create_int32(env, binding->session->Send(*binding->operation), &result);
    }
    return result;
}

// A batch and its reply lie in memory of their own: (request: ArrayBuffer, reply: ArrayBuffer).
napi_value SendBatch(napi_env env, napi_callback_info info)
{
    napi_value arguments[2];
    std::size_t count = 2;
    void *data = nullptr;
    void *request = nullptr;
    void *reply = nullptr;
    std::size_t requestLength = 0;
    std::size_t replyLength = 0;
    Answer answer = ToAnswer(kStatusInvalidParameter);
    napi_value result = nullptr;

    if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) == napi_ok) {
        if (napi_get_arraybuffer_info(env, arguments[0], &request, &requestLength) == napi_ok &&
            napi_get_arraybuffer_info(env, arguments[1], &reply, &replyLength) == napi_ok) {
            answer = static_cast<const Binding *>(data)->session->SendBatch(static_cast<const std::uint8_t *>(request),
                                                                            requestLength, reply, replyLength);
        }
        napi_create_int32(env, answer, &result);
    }
    return result;
}

// The number of a handle, or the status that there is none for.
Napi::Value AddHandle(Napi::Env env, Session &session, Status status, std::uint64_t handle)
{
    const std::uint64_t number = Succeeded(status) ? session.AddHandle(handle) : 0;

    if (Succeeded(status) && number == 0) {
        status = kStatusInsufficientResources;
    }
    return number != 0 ? Napi::Number::New(env, static_cast<double>(number)) : Napi::Number::New(env, ToAnswer(status));
}

// A function that is called with the session's transport while that is open, and otherwise returns STATUS_FILE_CLOSED.
template <typename Routine>
void Define(Napi::Object object, const char *name, const std::shared_ptr<Session> &session, Routine routine)
{
    const auto function = [session, routine](const Napi::CallbackInfo &info) -> Napi::Value {
        if (session->GetTransport() == nullptr) {
            return Napi::Number::New(info.Env(), ToAnswer(kStatusFileClosed));
        }
        return routine(info, *session, *session->GetTransport());
    };

    object.Set(name, Napi::Function::New(object.Env(), function, name));
}

constexpr std::uint32_t kAnyUint32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMaximumTransfer = std::size_t{1} << 30;
constexpr std::uint64_t kMaximumClass = 63; // of FILE_INFORMATION_CLASS, whose members are below that

// What acts on the bytes of an open file, or on a record of it. Parameter is a position, or the record's class.
struct Transfer {
    const char *name;
    Status (Transport::*routine)(std::uint64_t handle, std::uint64_t parameter, void *data, std::uint32_t length,
                                 std::uint32_t *transferred);
    std::uint64_t maximumParameter;
    std::size_t alignment; // of the data
};

constexpr Transfer kTransfers[] = {
    {"readFile", &Transport::ReadFile, kMaximumInteger, 1},
    {"writeFile", &Transport::WriteFile, kMaximumInteger, 1},
    {"queryInformation", &Transport::QueryInformation, kMaximumClass, alignof(std::uint64_t)},
    {"setInformation", &Transport::SetInformation, kMaximumClass, alignof(std::uint64_t)},
};

// (file, data: Uint8Array, parameter): how many bytes were transferred, or a status.
Answer Run(const Transfer &transfer, const Napi::CallbackInfo &info, const Session &session, Transport &transport)
{
    const std::uint64_t file = GetInteger(info[0], kMaximumInteger, "file");
    const Bytes bytes = GetBytes(info[1], "data");
    const std::uint64_t parameter = GetInteger(info[2], transfer.maximumParameter, "parameter");
    std::uint32_t transferred = 0;

    if (!session.HasHandle(file)) {
        return ToAnswer(kStatusFileClosed);
    }
    if (reinterpret_cast<std::uintptr_t>(bytes.data) % transfer.alignment != 0) {
        return ToAnswer(kStatusInvalidParameter);
    }
    const Status status = (transport.*transfer.routine)(
        Handles::ToHandle(file), parameter, bytes.data,
        static_cast<std::uint32_t>(std::min(bytes.length, kMaximumTransfer)), &transferred);
    return Succeeded(status) ? static_cast<Answer>(transferred) : ToAnswer(status);
}

// Files are acted on by the kernel's own services: openFile(path, access, share, disposition, options), the transfers above, operateFile(file,
// operation, position, length), mapFile(file).
void DefineFileFunctions(Napi::Object object, const std::shared_ptr<Session> &session)
{
    Define(object, "openFile", session, [](const Napi::CallbackInfo &info, Session &opener, Transport &transport) {
        std::uint64_t handle = 0;
        const FileOptions options = {GetUint32(info[1], kAnyUint32, "access"), GetUint32(info[2], kAnyUint32, "share"),
                                     GetUint32(info[3], kAnyUint32, "disposition"),
                                     GetUint32(info[4], kAnyUint32, "options")};
        const Status status = transport.OpenFile(GetString(info[0], "path"), options, &handle);

        return AddHandle(info.Env(), opener, status, handle);
    });
    for (const Transfer &transfer : kTransfers) {
        Define(object, transfer.name, session,
               [&transfer](const Napi::CallbackInfo &info, Session &owner, Transport &transport) {
                   return Napi::Number::New(info.Env(), Run(transfer, info, owner, transport));
               });
    }
    Define(object, "operateFile", session, [](const Napi::CallbackInfo &info, Session &owner, Transport &transport) {
        const std::uint64_t file = GetInteger(info[0], kMaximumInteger, "file");
        const auto operation = static_cast<FileOperation>(GetUint32(info[1], kFileOperations - 1, "operation"));
        const Range range = {GetInteger(info[2], kMaximumInteger, "position"),
                             GetInteger(info[3], kMaximumInteger, "length")};
        const Status status = owner.HasHandle(file) ? transport.OperateFile(Handles::ToHandle(file), operation, range)
                                                    : kStatusFileClosed;

        return Napi::Number::New(info.Env(), ToAnswer(status));
    });
    Define(object, "mapFile", session, [](const Napi::CallbackInfo &info, Session &opener, Transport &transport) {
        const std::uint64_t file = GetInteger(info[0], kMaximumInteger, "file");
        std::uint64_t section = 0;
        const Status status =
            opener.HasHandle(file) ? transport.MapFile(Handles::ToHandle(file), &section) : kStatusFileClosed;

        return AddHandle(info.Env(), opener, status, section);
    });
}

#ifdef _WIN32
// openDescriptor(descriptor): the number of a handle of the session's own, or a status.
void DefineSystemFunctions(Napi::Object object, const std::shared_ptr<Session> &session)
{
    Define(object, "openDescriptor", session, [](const Napi::CallbackInfo &info, Session &opener, Transport &) {
        std::uint64_t handle = 0;
        const std::uint32_t descriptor = GetUint32(info[0], std::numeric_limits<std::int32_t>::max(), "descriptor");
        const Status status = DuplicateDescriptor(static_cast<std::int32_t>(descriptor), &handle);

        return AddHandle(info.Env(), opener, status, handle);
    });
}
#else
// The embedded kernel's, of which each returns a status.
template <typename Routine>
void DefineHost(Napi::Object object, const char *name, const std::shared_ptr<Session> &session, Routine routine)
{
    Define(object, name, session, [routine](const Napi::CallbackInfo &info, Session &owner, Transport &transport) {
        return Napi::Number::New(info.Env(), routine(info, owner, static_cast<HostTransport &>(transport)));
    });
}

void DefineSystemFunctions(Napi::Object object, const std::shared_ptr<Session> &session)
{
    DefineHost(object, "dismount", session, [](const Napi::CallbackInfo &info, Session &, HostTransport &host) {
        return ToAnswer(host.Dismount(GetDrive(info[0], "drive")));
    });
    DefineHost(object, "killProcess", session, [](const Napi::CallbackInfo &, Session &, HostTransport &host) {
        host.KillProcess();
        return ToAnswer(kStatusSuccess);
    });
    DefineHost(object, "failAllocation", session, [](const Napi::CallbackInfo &info, Session &, HostTransport &host) {
        host.FailAllocation(GetInteger(info[0], kMaximumInteger, "countdown"));
        return ToAnswer(kStatusSuccess);
    });
    Define(object, "audit", session, [](const Napi::CallbackInfo &info, Session &, Transport &) {
        Napi::Object audit = Napi::Object::New(info.Env());

        for (const auto &[name, count] : HostTransport::Audit()) {
            audit.Set(name, Napi::Number::New(info.Env(), static_cast<double>(count)));
        }
        return audit;
    });
}
#endif

Napi::Value DescribeMinifilters(Napi::Env env, std::uint64_t file, const std::u16string &drive)
{
    std::vector<MinifilterInstance> instances;
    const Status status = ListMinifilters(file, drive, &instances);

    if (!Succeeded(status)) {
        return Napi::Number::New(env, ToAnswer(status));
    }
    Napi::Array told = Napi::Array::New(env);
    for (const MinifilterInstance &instance : instances) {
        Napi::Object one = Napi::Object::New(env);

        one.Set("filter", Napi::String::New(env, instance.filter));
        one.Set("instance", Napi::String::New(env, instance.instance));
        one.Set("altitude", Napi::String::New(env, instance.altitude));
        told.Set(told.Length(), one);
    }
    return told;
}

Napi::Object Describe(Napi::Env env, const std::shared_ptr<Session> &session)
{
    Napi::Object object = Napi::Object::New(env);

    object.Set("memory", session->Memory());
    for (const Operation &operation : kOperations) {
        object.Set(operation.name, Bind(env, session, &operation, operation.name, Send));
    }
    object.Set("batch", Bind(env, session, nullptr, "batch", SendBatch));
    for (const Operation &operation : kPagedOperations) {
        Define(object, operation.name, session,
               [&operation](const Napi::CallbackInfo &info, Session &sender, Transport &) {
                   const Bytes page = GetBytes(info[0], "page");

                   return Napi::Number::New(info.Env(), sender.SendInto(operation, page.data, page.length));
               });
    }
    Define(object, "openStream", session, [](const Napi::CallbackInfo &info, Session &opener, Transport &transport) {
        std::uint64_t handle = 0;
        const Status status = transport.OpenStream(GetString(info[0], "path"), &handle);

        return AddHandle(info.Env(), opener, status, handle);
    });
    // A function that abandons it.
    Define(object, "startOpening", session, [session](const Napi::CallbackInfo &info, Session &, Transport &) {
        return StartOpening(info.Env(), session, GetString(info[0], "path"), GetFunction(info[1], "callback"));
    });
    Define(object, "closeHandle", session, [](const Napi::CallbackInfo &info, Session &owner, Transport &) {
        owner.CloseHandle(GetInteger(info[0], kMaximumInteger, "handle"));
        return info.Env().Undefined();
    });
    // A string, or the status that there is none for.
    Define(object, "queryDrive", session,
           [](const Napi::CallbackInfo &info, Session &, Transport &transport) -> Napi::Value {
               std::u16string device;
               const Status status = transport.QueryDrive(GetDrive(info[0], "drive"), &device);

               return Succeeded(status) ? Napi::Value(Napi::String::New(info.Env(), device))
                                        : Napi::Value(Napi::Number::New(info.Env(), ToAnswer(status)));
           });
    // listMinifilters(file, drive): of each instance its filter, its name and its altitude; or a status.
    Define(object, "listMinifilters", session,
           [](const Napi::CallbackInfo &info, Session &owner, Transport &) -> Napi::Value {
               const std::uint64_t file = GetInteger(info[0], kMaximumInteger, "file");
               const std::u16string drive = GetString(info[1], "drive");

               return owner.HasHandle(file) ? DescribeMinifilters(info.Env(), Handles::ToHandle(file), drive)
                                            : Napi::Number::New(info.Env(), ToAnswer(kStatusFileClosed));
           });
    // A reader, or the status that there is none for.
    Define(object, "openReader", session, [session](const Napi::CallbackInfo &info, Session &, Transport &) {
        return Reader::Open(info.Env(), session);
    });
    // What the kernel still held although all should be gone, when that is not nothing, or a status.
    Define(object, "close", session, [](const Napi::CallbackInfo &info, Session &owner, Transport &) -> Napi::Value {
        std::string leftovers;
        const Status status = owner.Close(&leftovers);

        return leftovers.empty() ? Napi::Value(Napi::Number::New(info.Env(), ToAnswer(status)))
                                 : Napi::Value(Napi::String::New(info.Env(), leftovers));
    });
    DefineFileFunctions(object, session);
    DefineSystemFunctions(object, session);
    return object;
}

// A drive's letter and, of a directory volume, the directory, or, of a memory volume that is broken on purpose, its fault.
VolumeDefinition GetVolume(Napi::Value value)
{
    VolumeDefinition definition = {};

    if (!value.IsArray()) {
        throw Napi::TypeError::New(value.Env(), "the addon was called with a wrong volume");
    }
    const Napi::Array pair = value.As<Napi::Array>();
    const Napi::Value directory = pair.Get(1u);
    definition.letter = GetDrive(pair.Get(0u), "drive");
    if (!directory.IsUndefined()) {
        GetString(directory, "directory");
        definition.directory = directory.As<Napi::String>().Utf8Value();
    }
    if (!pair.Get(2u).IsUndefined()) {
        GetString(pair.Get(2u), "fault");
        definition.fault = pair.Get(2u).As<Napi::String>().Utf8Value();
    }
    return definition;
}

// open(kernel: 'windows' | 'host', readOnly: boolean, volumes: [letter, directory?, fault?][], front: PSCTX_FRONT_*): an object, or the
// status of an error.
Napi::Value Open(const Napi::CallbackInfo &info)
{
    OpenOptions options;
    std::shared_ptr<Transport> transport;

    options.isHost = GetString(info[0], "kernel") == u"host";
    options.readOnly = GetBoolean(info[1], "readOnly");
    if (!info[2].IsArray()) {
        throw Napi::TypeError::New(info.Env(), "the addon was called with wrong volumes");
    }
    const Napi::Array volumes = info[2].As<Napi::Array>();
    for (std::uint32_t index = 0; index < volumes.Length(); index += 1) {
        options.volumes.push_back(GetVolume(volumes.Get(index)));
    }
    options.front = GetUint32(info[3], PSCTX_FRONT_MINIFILTER, "front");
    const Status status = OpenTransport(options, &transport);
    if (!Succeeded(status)) {
        return Napi::Number::New(info.Env(), ToAnswer(status));
    }
    return Describe(info.Env(), std::make_shared<Session>(info.Env(), std::move(transport)));
}

// Where things lie in the memory.
Napi::Object DescribeLayout(Napi::Env env)
{
    const std::pair<const char *, std::uint32_t> members[] = {{"capacity", Session::kCapacityOffset},
                                                              {"reply", Session::kReplyOffset},
                                                              {"replyLength", Session::kReplyLength},
                                                              {"readerReply", Reader::kReplyOffset},
                                                              {"readerReplyLength", Reader::kReplyLength}};
    Napi::Object layout = Napi::Object::New(env);

    for (const auto &[name, value] : members) {
        layout.Set(name, Napi::Number::New(env, value));
    }
    return layout;
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports)
{
    exports.Set("open", Napi::Function::New<Open>(env, "open"));
    exports.Set("layout", DescribeLayout(env));
#ifdef _WIN32
    exports.Set("service", DefineService(env));
    exports.Set("system", DefineSystem(env));
#endif
    return exports;
}

} // namespace

NODE_API_MODULE(psctx, Initialize)

} // namespace psctx
