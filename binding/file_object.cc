// The addon's File: an open file of the embedded kernel, for programs that act on files to see what contexts do.
#include "file_object.h"

#include <limits>
#include <string>

#include "errors.h"
#include "filter_object.h"
#include "wrapped.h"

namespace psctx {

Napi::Function FileObject::Define(Napi::Env env)
{
    return DefineClass(
        env, "File",
        {InstanceMethod<&FileObject::Read>("read"), InstanceMethod<&FileObject::Write>("write"),
         InstanceMethod<&FileObject::Size>("size"), InstanceMethod<&FileObject::SetDeletion>("setDeletion"),
         InstanceMethod<&FileObject::ChangeName>("changeName"), InstanceMethod<&FileObject::Close>("close")});
}

FileObject::FileObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<FileObject>(info)
{
    constexpr const char *operation = "openFile";
    constexpr std::uint32_t any = std::numeric_limits<std::uint32_t>::max();
    const Napi::Env env = info.Env();
    FileOpenOptions options;
    Status status;

    session_ = UnwrapArgument<FilterObject>(env, info[0], kFilterTag, operation, "filter")->GetSession();
    if (session_->IsClosed()) {
        throw MakeError(env, operation, kStatusFileClosed);
    }
    if (session_->Host() == nullptr) {
        throw MakeError(env, operation, kStatusNotSupported);
    }
    options.desiredAccess = GetUint32(env, info[2], any, operation, "access");
    options.shareAccess = GetUint32(env, info[3], any, operation, "share");
    options.disposition = GetUint32(env, info[4], any, operation, "disposition");
    options.createOptions = GetUint32(env, info[5], any, operation, "options");
    status = session_->Host()->OpenFile(GetPath(env, info[1], operation, "path"), options, &handle_);
    if (!Succeeded(status)) {
        throw MakeError(env, operation, status);
    }
    info.This().As<Napi::Object>().TypeTag(&kFileTag);
}

// The session's end closes what is still open.
FileObject::~FileObject()
{
    if (handle_ != 0 && session_->Host() != nullptr) {
        session_->Host()->CloseFile(handle_);
    }
}

HostKernel &FileObject::Kernel(Napi::Env env, const char *operation) const
{
    if (handle_ == 0 || session_->Host() == nullptr) {
        throw MakeError(env, operation, kStatusFileClosed);
    }
    return *session_->Host();
}

Bytes FileObject::GetTransfer(const Napi::CallbackInfo &info, const char *operation) const
{
    const Bytes bytes = GetBytes(info.Env(), info[0], operation, "data");

    if (bytes.length > std::numeric_limits<std::uint32_t>::max()) {
        throw MakeArgumentError(info.Env(), operation, "data");
    }
    return bytes;
}

Napi::Value FileObject::Read(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "readFile";
    HostKernel &kernel = Kernel(info.Env(), operation);
    const std::uint64_t position = GetIdentifier(info.Env(), info[1], operation, "position");
    const Bytes buffer = GetTransfer(info, operation);
    std::uint32_t transferred = 0;
    const Status status =
        kernel.ReadFile(handle_, position, buffer.data, static_cast<std::uint32_t>(buffer.length), &transferred);

    if (!Succeeded(status) && status != kStatusEndOfFile) {
        throw MakeError(info.Env(), operation, status);
    }
    return Napi::Number::New(info.Env(), transferred);
}

Napi::Value FileObject::Write(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "writeFile";
    HostKernel &kernel = Kernel(info.Env(), operation);
    const std::uint64_t position = GetIdentifier(info.Env(), info[1], operation, "position");
    const Bytes data = GetTransfer(info, operation);
    std::uint32_t transferred = 0;
    const Status status =
        kernel.WriteFile(handle_, position, data.data, static_cast<std::uint32_t>(data.length), &transferred);

    if (!Succeeded(status)) {
        throw MakeError(info.Env(), operation, status);
    }
    return Napi::Number::New(info.Env(), transferred);
}

Napi::Value FileObject::Size(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "readFile";
    std::uint64_t size = 0;
    const Status status = Kernel(info.Env(), operation).QuerySize(handle_, &size);

    if (!Succeeded(status)) {
        throw MakeError(info.Env(), operation, status);
    }
    return Napi::Number::New(info.Env(), static_cast<double>(size));
}

void FileObject::SetDeletion(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "deleteOnClose";
    HostKernel &kernel = Kernel(info.Env(), operation);

    if (!info[0].IsBoolean()) {
        throw MakeArgumentError(info.Env(), operation, "deleteOnClose");
    }
    const Status status = kernel.SetDeletion(handle_, info[0].As<Napi::Boolean>().Value());
    if (!Succeeded(status)) {
        throw MakeError(info.Env(), operation, status);
    }
}

void FileObject::ChangeName(const Napi::CallbackInfo &info)
{
    const bool isLink = info[1].ToBoolean().Value();
    const char *operation = isLink ? "link" : "rename";
    HostKernel &kernel = Kernel(info.Env(), operation);
    const std::u16string newPath = GetPath(info.Env(), info[0], operation, "newPath");
    const Status status = kernel.ChangeName(handle_, isLink ? NameChange::Link : NameChange::Rename, newPath,
                                            info[2].ToBoolean().Value());

    if (!Succeeded(status)) {
        throw MakeError(info.Env(), operation, status);
    }
}

void FileObject::Close(const Napi::CallbackInfo &)
{
    if (handle_ != 0 && session_->Host() != nullptr) {
        session_->Host()->CloseFile(handle_);
    }
    handle_ = 0;
}

} // namespace psctx
