// The addon's File: an open file of the embedded kernel, for programs that act on files to see what contexts do.
#ifndef PSCTX_BINDING_FILE_OBJECT_H
#define PSCTX_BINDING_FILE_OBJECT_H

#include <cstdint>
#include <memory>

#include <napi.h>

#include "arguments.h"
#include "session.h"

namespace psctx {

class FileObject : public Napi::ObjectWrap<FileObject> {
  public:
    static Napi::Function Define(Napi::Env env);

    // new File(filter: Filter, path: string, desiredAccess, shareAccess, disposition, createOptions: number)
    explicit FileObject(const Napi::CallbackInfo &info);
    ~FileObject() override;

  private:
    Napi::Value Read(const Napi::CallbackInfo &info);  // (buffer, position) → bytes read, zero at the end
    Napi::Value Write(const Napi::CallbackInfo &info); // (data, position) → bytes written
    Napi::Value Size(const Napi::CallbackInfo &info);  // () → bytes
    void SetDeletion(const Napi::CallbackInfo &info);  // (deleteOnClose: boolean)
    void ChangeName(const Napi::CallbackInfo &info);   // (newPath: string, isLink: boolean, replaceIfExists: boolean)
    void Close(const Napi::CallbackInfo &info);

    HostKernel &Kernel(Napi::Env env, const char *operation) const;
    Bytes GetTransfer(const Napi::CallbackInfo &info, const char *operation) const;

    std::shared_ptr<Session> session_;
    std::uint64_t handle_ = 0;
};

} // namespace psctx

#endif
