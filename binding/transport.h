// How requests reach the driver: one interface, implemented over the Windows driver and over the embedded kernel.
#ifndef PSCTX_BINDING_TRANSPORT_H
#define PSCTX_BINDING_TRANSPORT_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "status.h"

namespace psctx {

struct VolumeDefinition {
    char16_t letter = u'M';
    bool isDirectory = false;
    std::string directory; // UTF-8; only of a directory volume
    std::string fault;     // of a memory volume that is broken on purpose; else empty
};

enum class KernelKind { Windows, Host };

struct OpenOptions {
    KernelKind kernel = KernelKind::Host;
    bool readOnly = false;
    std::vector<VolumeDefinition> volumes;
};

struct FileOpenOptions {
    std::uint32_t desiredAccess = 0;
    std::uint32_t shareAccess = 0;
    std::uint32_t disposition = 0;
    std::uint32_t createOptions = 0;
};

// What the embedded kernel holds, by name.
using HostAuditCounts = std::vector<std::pair<const char *, std::uint64_t>>;

enum class NameChange { Rename, Link };

// What only the embedded kernel offers: files to act on, the client process's death, faults and the audit.
// Paths are as for Transport::OpenStream. Nothing here calls back into JavaScript.
class HostKernel {
  public:
    virtual ~HostKernel() = default;

    virtual Status OpenFile(const std::u16string &path, const FileOpenOptions &options, std::uint64_t *handle) = 0;
    virtual Status ReadFile(std::uint64_t handle, std::uint64_t position, void *data, std::uint32_t length,
                            std::uint32_t *transferred) = 0;
    virtual Status WriteFile(std::uint64_t handle, std::uint64_t position, const void *data, std::uint32_t length,
                             std::uint32_t *transferred) = 0;
    virtual Status QuerySize(std::uint64_t handle, std::uint64_t *size) = 0;
    virtual Status SetDeletion(std::uint64_t handle, bool deleteFile) = 0;
    virtual Status ChangeName(std::uint64_t handle, NameChange change, const std::u16string &newPath,
                              bool replaceIfExists) = 0;
    virtual Status Dismount(char16_t letter) = 0;
    virtual void KillProcess() = 0;
    virtual void FailAllocation(std::uint64_t countdown) = 0;
    virtual HostAuditCounts Audit() = 0;
};

// A further open of the control device, in the same process, with one request at a time, which may pend. Used by one thread, which
// also destroys it; only what it was told to call is called by another.
class PendingDevice {
  public:
    // Closes it as well.
    virtual ~PendingDevice() = default;

    // Sends a request and waits for it. Returned is as for Transport::Control.
    virtual Status Control(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                           std::uint32_t outputLength, std::uint32_t *returned) = 0;

    // Sends a request. kStatusPending: the routine that OpenPending was given will be called, once, and
    // then Finish tells the outcome; input and output stay until then. Otherwise this is the outcome, and it is not called.
    virtual Status Start(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                         std::uint32_t outputLength, std::uint32_t *returned) = 0;

    // The outcome of a request that was pending, after the routine has been called.
    virtual Status Finish(std::uint32_t *returned) = 0;

    // Cancels what is pending, and closes. When this returns the routine has been called for it, and is not called any more.
    // Nothing the second time.
    virtual void Close() noexcept = 0;
};

// An open control device. Used by one thread, but for OpenStream.
class Transport {
  public:
    virtual ~Transport() = default;

    // Opens a stream for reading its attributes, sharing everything. Path is a Win32 namespace path (\\?\… or \\.\…). On any
    // thread, also while the transport is closed or after that: STATUS_FILE_CLOSED, or a handle that is still to be closed.
    virtual Status OpenStream(const std::u16string &path, std::uint64_t *handle) = 0;
    // Closes a stream or, in the embedded kernel, a file.
    virtual Status CloseHandle(std::uint64_t handle) = 0;

    // One control request. Returned is how much of Output is valid: zero when the status is an error.
    virtual Status Control(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                           std::uint32_t outputLength, std::uint32_t *returned) = 0;

    // Opens the control device for reading once more, asynchronously. Completed is called on another thread, and must not wait.
    virtual Status OpenPending(std::function<void()> completed, std::unique_ptr<PendingDevice> *device) = 0;

    // The device that a drive letter, A to Z, stands for. STATUS_OBJECT_NAME_NOT_FOUND when there is no such drive.
    virtual Status QueryDrive(char16_t letter, std::u16string *device) = 0;

    // Closes the control device; no other open of it is left by then. Leftovers, when not empty, says what the kernel still held although all should be gone.
    virtual Status Close(std::string *leftovers) = 0;

    // NULL on a kernel that is not the embedded one.
    virtual HostKernel *Host() noexcept = 0;
};

// Opens the control device of the kernel asked for. STATUS_OBJECT_NAME_NOT_FOUND: this kernel or the driver is not here.
Status OpenTransport(const OpenOptions &options, std::unique_ptr<Transport> *transport);

} // namespace psctx

#endif
