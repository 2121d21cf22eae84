// The addon's Filter: one open of the control device, and what can be asked of the driver and of the embedded kernel as such.
#include "filter_object.h"

#include <cstring>
#include <string>
#include <utility>

#include "arguments.h"
#include "environment.h"
#include "errors.h"
#include "stream_object.h"
#include "wrapped.h"

namespace psctx {
namespace {

constexpr const char *kOpenFilter = "openFilter";

char16_t GetLetter(Napi::Env env, napi_value value, const char *operation)
{
    std::u16string text = GetPath(env, value, operation, "volumes");

    if (text.size() == 1 && text[0] >= u'a' && text[0] <= u'z') {
        text[0] = static_cast<char16_t>(text[0] - u'a' + u'A');
    }
    if (text.size() != 1 || text[0] < u'A' || text[0] > u'Z') {
        throw MakeArgumentError(env, operation, "volumes");
    }
    return text[0];
}

VolumeDefinition GetVolume(Napi::Env env, const Napi::Value &value)
{
    VolumeDefinition definition;

    if (!value.IsArray()) {
        throw MakeArgumentError(env, kOpenFilter, "volumes");
    }
    const Napi::Array pair = value.As<Napi::Array>();
    const Napi::Value directory = pair.Get(1u);
    definition.letter = GetLetter(env, pair.Get(0u), kOpenFilter);
    if (!directory.IsUndefined()) {
        if (!directory.IsString()) {
            throw MakeArgumentError(env, kOpenFilter, "volumes");
        }
        definition.isDirectory = true;
        definition.directory = directory.As<Napi::String>().Utf8Value();
        if (definition.directory.find('\0') != std::string::npos) {
            throw MakeArgumentError(env, kOpenFilter, "volumes");
        }
    }
    return definition;
}

OpenOptions GetOpenOptions(const Napi::CallbackInfo &info)
{
    const Napi::Env env = info.Env();
    OpenOptions options;

    if (!info[0].IsString()) {
        throw MakeArgumentError(env, kOpenFilter, "kernel");
    }
    const std::string kernel = info[0].As<Napi::String>().Utf8Value();
    if (kernel != "windows" && kernel != "host") {
        throw MakeArgumentError(env, kOpenFilter, "kernel");
    }
    options.kernel = kernel == "host" ? KernelKind::Host : KernelKind::Windows;
    if (!info[1].IsBoolean()) {
        throw MakeArgumentError(env, kOpenFilter, "readOnly");
    }
    options.readOnly = info[1].As<Napi::Boolean>().Value();
    if (!info[2].IsArray()) {
        throw MakeArgumentError(env, kOpenFilter, "volumes");
    }
    const Napi::Array volumes = info[2].As<Napi::Array>();
    for (std::uint32_t index = 0; index < volumes.Length(); index += 1) {
        options.volumes.push_back(GetVolume(env, volumes.Get(index)));
    }
    return options;
}

} // namespace

Napi::Function FilterObject::Define(Napi::Env env)
{
    return DefineClass(
        env, "Filter",
        {InstanceMethod<&FilterObject::Reply>("reply"), InstanceMethod<&FilterObject::QueryVersion>("queryVersion"),
         InstanceMethod<&FilterObject::QueryStatistics>("queryStatistics"),
         InstanceMethod<&FilterObject::Track>("track"), InstanceMethod<&FilterObject::Untrack>("untrack"),
         InstanceMethod<&FilterObject::QueryRule>("queryRule"), InstanceMethod<&FilterObject::Enumerate>("enumerate"),
         InstanceMethod<&FilterObject::ListVolumes>("listVolumes"), InstanceMethod<&FilterObject::Drives>("drives"),
         InstanceMethod<&FilterObject::Close>("close"), InstanceAccessor<&FilterObject::IsClosed>("closed"),
         InstanceMethod<&FilterObject::Dismount>("dismount"), InstanceMethod<&FilterObject::KillProcess>("killProcess"),
         InstanceMethod<&FilterObject::FailAllocation>("failAllocation"),
         InstanceMethod<&FilterObject::Audit>("audit")});
}

FilterObject::FilterObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<FilterObject>(info)
{
    const Napi::Env env = info.Env();
    const Status status = Session::Open(GetOpenOptions(info), env.GetInstanceData<Environment>()->sessions, &session_);

    if (!Succeeded(status)) {
        throw MakeError(env, kOpenFilter, status);
    }
    info.This().As<Napi::Object>().TypeTag(&kFilterTag);
}

Napi::Value FilterObject::Reply(const Napi::CallbackInfo &info)
{
    return ShareMemory(info.Env(), session_->Reply(), Session::kReplyLength);
}

Napi::Value FilterObject::Send(Napi::Env env, const char *operation, std::uint32_t code, std::uint32_t requestLength,
                               void *reply, std::uint32_t capacity, std::size_t minimumReply)
{
    std::uint32_t returned = 0;
    const Status status =
        session_->Send(code, requestLength, reply, capacity, static_cast<std::uint32_t>(minimumReply), &returned);

    if (!Succeeded(status)) {
        throw MakeError(env, operation, status);
    }
    return Napi::Number::New(env, returned);
}

Napi::Value FilterObject::Query(const Napi::CallbackInfo &info, const char *operation, std::uint32_t code,
                                std::uint32_t number, std::uint32_t replySize)
{
    const PSCTX_HEADER request = MakeHeader(number, sizeof(request));

    std::memcpy(session_->Request(), &request, sizeof(request));
    return Send(info.Env(), operation, code, sizeof(request), session_->Reply().get(), replySize, replySize);
}

Napi::Value FilterObject::QueryVersion(const Napi::CallbackInfo &info)
{
    return Query(info, "queryVersion", PSCTX_IOCTL_QUERY_VERSION, PSCTX_OPERATION_QUERY_VERSION,
                 sizeof(PSCTX_VERSION_REPLY));
}

Napi::Value FilterObject::QueryStatistics(const Napi::CallbackInfo &info)
{
    return Query(info, "statistics", PSCTX_IOCTL_QUERY_STATISTICS, PSCTX_OPERATION_QUERY_STATISTICS,
                 sizeof(PSCTX_STATISTICS_REPLY));
}

// The handle of a file of the volume that is meant, or zero for undefined: every volume.
std::uint64_t FilterObject::GetVolumeFile(Napi::Env env, const Napi::Value &value, const char *operation) const
{
    if (value.IsUndefined()) {
        return 0;
    }
    const StreamObject *stream = UnwrapArgument<StreamObject>(env, value, kStreamTag, operation, "volume");
    if (stream->GetSession() != session_) {
        throw MakeArgumentError(env, operation, "volume");
    }
    if (stream->GetHandle() == 0) {
        throw MakeError(env, operation, kStatusFileClosed);
    }
    return stream->GetHandle();
}

Napi::Value FilterObject::Track(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "track";
    const Napi::Env env = info.Env();
    const std::u16string pattern = GetPath(env, info[3], operation, "match");
    TrackingRule rule;

    rule.owner = GetIdentifier(env, info[0], operation, "owner");
    rule.instance = GetIdentifier(env, info[1], operation, "instance");
    rule.volumeHandle = GetVolumeFile(env, info[2], operation);
    rule.flags = GetUint32(env, info[4], PSCTX_TRACK_COUNT, operation, "flags");
    if (pattern.size() > PSCTX_MAXIMUM_PATTERN_LENGTH / sizeof(char16_t)) {
        throw MakeArgumentError(env, operation, "match");
    }
    rule.pattern = pattern.data();
    rule.patternLength = static_cast<std::uint32_t>(pattern.size() * sizeof(char16_t));
    return Send(env, operation, PSCTX_IOCTL_TRACK, EncodeTrackRequest(session_->Request(), rule),
                session_->Reply().get(), sizeof(PSCTX_RULE_RECORD), sizeof(PSCTX_RULE_RECORD));
}

Napi::Value FilterObject::Untrack(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "untrack";
    const std::uint64_t rule = GetIdentifier(info.Env(), info[0], operation, "rule");

    return Send(info.Env(), operation, PSCTX_IOCTL_UNTRACK,
                EncodeRuleRequest(session_->Request(), PSCTX_OPERATION_UNTRACK, rule), session_->Reply().get(),
                sizeof(PSCTX_HEADER), sizeof(PSCTX_HEADER));
}

Napi::Value FilterObject::QueryRule(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "statistics";
    const std::uint64_t rule = GetIdentifier(info.Env(), info[0], operation, "rule");

    return Send(info.Env(), operation, PSCTX_IOCTL_QUERY_RULE,
                EncodeRuleRequest(session_->Request(), PSCTX_OPERATION_QUERY_RULE, rule), session_->Reply().get(),
                sizeof(PSCTX_RULE_REPLY), sizeof(PSCTX_RULE_REPLY));
}

Napi::Value FilterObject::Enumerate(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "contexts";
    const Napi::Env env = info.Env();
    const Bytes page = GetBytes(env, info[0], operation, "page");
    const std::uint64_t volume = GetVolumeFile(env, info[1], operation);
    const std::uint64_t cursor[2] = {GetIdentifier(env, info[2], operation, "cursor"),
                                     GetIdentifier(env, info[3], operation, "cursor")};

    if (page.length > PSCTX_MAXIMUM_TRANSFER) {
        throw MakeArgumentError(env, operation, "page");
    }
    return Send(env, operation, PSCTX_IOCTL_ENUMERATE, EncodeEnumerateRequest(session_->Request(), volume, cursor),
                page.data, static_cast<std::uint32_t>(page.length), sizeof(PSCTX_ENUMERATE_REPLY));
}

Napi::Value FilterObject::ListVolumes(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "volumes";
    const std::uint64_t after = GetIdentifier(info.Env(), info[0], operation, "after");

    return Send(info.Env(), operation, PSCTX_IOCTL_LIST_VOLUMES, EncodeVolumesRequest(session_->Request(), after),
                session_->Reply().get(), Session::kReplyLength, sizeof(PSCTX_VOLUMES_REPLY));
}

Napi::Value FilterObject::Drives(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "volumes";
    const Napi::Env env = info.Env();
    const Napi::Array drives = Napi::Array::New(env);

    for (char16_t letter = u'A'; letter <= u'Z'; letter = static_cast<char16_t>(letter + 1)) {
        std::u16string device;
        const Status status = session_->QueryDrive(letter, &device);

        if (Succeeded(status)) {
            const Napi::Array drive = Napi::Array::New(env, 2);

            drive.Set(0u, Napi::String::New(env, std::u16string{letter, u':'}));
            drive.Set(1u, Napi::String::New(env, device));
            drives.Set(drives.Length(), drive);
        } else if (status != kStatusObjectNameNotFound) {
            throw MakeError(env, operation, status);
        }
    }
    return drives;
}

void FilterObject::Close(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "close";
    std::string leftovers;
    const Status status = session_->Close(&leftovers);

    if (!Succeeded(status)) {
        throw MakeError(info.Env(), operation, status);
    }
    if (!leftovers.empty()) {
        throw MakeLeftoversError(info.Env(), operation, leftovers);
    }
}

Napi::Value FilterObject::IsClosed(const Napi::CallbackInfo &info)
{
    return Napi::Boolean::New(info.Env(), session_->IsClosed());
}

HostKernel &FilterObject::Host(Napi::Env env, const char *operation)
{
    if (session_->IsClosed()) {
        throw MakeError(env, operation, kStatusFileClosed);
    }
    if (session_->Host() == nullptr) {
        throw MakeError(env, operation, kStatusNotSupported);
    }
    return *session_->Host();
}

void FilterObject::Dismount(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "dismount";
    const char16_t letter = GetLetter(info.Env(), info[0], operation);
    const Status status = Host(info.Env(), operation).Dismount(letter);

    if (!Succeeded(status)) {
        throw MakeError(info.Env(), operation, status);
    }
}

void FilterObject::KillProcess(const Napi::CallbackInfo &info)
{
    Host(info.Env(), "killProcess").KillProcess();
}

void FilterObject::FailAllocation(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "setAllocationFault";
    const std::uint64_t countdown = GetIdentifier(info.Env(), info[0], operation, "countdown");

    Host(info.Env(), operation).FailAllocation(countdown);
}

Napi::Value FilterObject::Audit(const Napi::CallbackInfo &info)
{
    const Napi::Env env = info.Env();
    const HostAuditCounts counts = Host(env, "audit").Audit();
    const std::pair<const char *, std::uint64_t> members[] = {
        {"poolBytes", counts.poolBytes},
        {"poolAllocations", counts.poolAllocations},
        {"handles", counts.handles},
        {"objects", counts.objects},
        {"irps", counts.irps},
        {"locks", counts.locks},
        {"contextBytes", counts.contextBytes},
    };
    Napi::Object audit = Napi::Object::New(env);

    for (const auto &[name, count] : members) {
        audit.Set(name, Napi::Number::New(env, static_cast<double>(count)));
    }
    return audit;
}

} // namespace psctx
