// How requests reach the driver: by system services of NT, which the kernel of Windows and the embedded one offer alike.
#ifndef PSCTX_BINDING_TRANSPORT_H
#define PSCTX_BINDING_TRANSPORT_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "status.h"

namespace psctx {

// A volume of the embedded kernel.
struct VolumeDefinition {
    char16_t letter;
    std::string directory; // UTF-8; empty: in memory
    std::string fault;     // of one in memory that is broken on purpose; else empty
};

struct OpenOptions {
    bool isHost = false; // whether the embedded kernel is meant
    bool readOnly = false;
    std::vector<VolumeDefinition> volumes;
    std::uint32_t front = 0; // PSCTX_FRONT_*, of the driver in the embedded kernel
};

// As NtCreateFile takes it.
struct FileOptions {
    std::uint32_t desiredAccess;
    std::uint32_t shareAccess;
    std::uint32_t disposition;
    std::uint32_t createOptions;
};

// A control request. Output is as long as the request's reply may be.
struct Request {
    std::uint32_t code;
    const void *input;
    std::uint32_t inputLength;
    void *output;
    std::uint32_t outputLength;
};

// A further open of the control device, in the same process, with one request at a time, which may pend. Used by one thread, which
// also destroys it: that cancels what is pending. What it was told to call is called by another thread.
class PendingDevice {
  public:
    virtual ~PendingDevice() = default;

    // As Transport::Control.
    virtual Status Control(const Request &request, std::uint32_t *returned) = 0;

    // Sends a request. kStatusPending: the routine that OpenPending was given will be called, once, before the device is gone, and
    // Finish tells the outcome then; input and output stay until then. Otherwise this is the outcome, and it is not called.
    virtual Status Start(const Request &request, std::uint32_t *returned) = 0;

    // The outcome of a request that was pending, after the routine has been called.
    virtual Status Finish(std::uint32_t *returned) = 0;
};

// What can be done to an open file beside transfers.
enum class FileOperation : std::uint32_t {
    Flush,
    Lock,            // exclusively; refused at once where others have locked a part
    Unlock,          // of that very range
    RewriteSecurity, // sets the DACL that the file has
    SetSparse,
    SetCompressed,
};
constexpr std::uint32_t kFileOperations = 6;

// Of bytes.
struct Range {
    std::uint64_t position;
    std::uint64_t length;
};

// A minifilter's instance on a volume.
struct MinifilterInstance {
    std::u16string filter;
    std::u16string instance;
    std::u16string altitude; // a decimal number
};

// An open control device. Used by one thread, but for OpenStream.
class Transport {
  public:
    Transport() = default;
    Transport(const Transport &) = delete;
    Transport &operator=(const Transport &) = delete;
    virtual ~Transport();

    // The first call.
    Status OpenControl(bool readOnly);

    // Opens a stream for reading its attributes, sharing everything. Path is a Win32 namespace path (\\?\… or \\.\…). On any
    // thread, also while the transport is closed or after that: STATUS_FILE_CLOSED, or a handle that is still to be closed.
    virtual Status OpenStream(const std::u16string &path, std::uint64_t *handle);
    Status OpenFile(const std::u16string &path, const FileOptions &options, std::uint64_t *handle);
    virtual Status CloseHandle(std::uint64_t handle);

    // NtReadFile and NtWriteFile at a position, NtQueryInformationFile and NtSetInformationFile of a class below 64: so many bytes of Data,
    // which is aligned as a record of the kernel's must be. Transferred is zero when the status is an error.
    Status ReadFile(std::uint64_t handle, std::uint64_t position, void *data, std::uint32_t length,
                    std::uint32_t *transferred);
    Status WriteFile(std::uint64_t handle, std::uint64_t position, void *data, std::uint32_t length,
                     std::uint32_t *transferred);
    Status QueryInformation(std::uint64_t handle, std::uint64_t informationClass, void *data, std::uint32_t length,
                            std::uint32_t *transferred);
    Status SetInformation(std::uint64_t handle, std::uint64_t informationClass, void *data, std::uint32_t length,
                          std::uint32_t *transferred);
    // The range is of Lock and Unlock alone.
    Status OperateFile(std::uint64_t handle, FileOperation operation, const Range &range);
    // A section of all of a file's bytes, to read, which keeps the file in use until it is closed.
    Status MapFile(std::uint64_t handle, std::uint64_t *section);

    // Sends a request, and waits. Returned is how much of its output is valid: zero when the status is an error.
    Status Control(const Request &request, std::uint32_t *returned);

    // Opens the control device for reading once more, asynchronously. Completed is called on another thread, and must not wait.
    Status OpenPending(std::function<void()> completed, std::unique_ptr<PendingDevice> *device);

    // The device that a drive letter, A to Z, stands for. STATUS_OBJECT_NAME_NOT_FOUND when there is no such drive.
    Status QueryDrive(char16_t letter, std::u16string *device);

    // Closes the control device; no other open of it is left by then. Leftovers, when not empty, says what the kernel still held
    // although all should be gone.
    virtual Status Close(std::string *leftovers);

  protected:
    void *process_ = nullptr;   // of the embedded kernel, while it can be acted for
    std::uint64_t control_ = 0; // zero: none
};

// The minifilter instances on the volume that an open file of this process' lies on; the embedded kernel's is told by its letter. In no order.
// STATUS_NOT_SUPPORTED: there is no Filter Manager that can be asked. What it says itself: a status of FACILITY_FILTER_MANAGER, or
// of a Win32 error's number (FACILITY_NTWIN32).
Status ListMinifilters(std::uint64_t handle, const std::u16string &drive, std::vector<MinifilterInstance> *instances);

// Opens the control device of the kernel asked for. STATUS_OBJECT_NAME_NOT_FOUND: this kernel or the driver is not here.
Status OpenTransport(const OpenOptions &options, std::shared_ptr<Transport> *transport);

} // namespace psctx

#endif
