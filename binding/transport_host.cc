// The transport over the embedded kernel: boots it with the process's first filter, loads psctx into it, mounts volumes,
// gives each filter a client process of its own, and shuts it all down with the last filter.
#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include <psctx/abi.h>

#include "host_services.h"

extern "C" DRIVER_INITIALIZE DriverEntry;
// Where the driver's pageable section lies, with its FreeCallback: the linker's names for it.
extern "C" const UCHAR __start_PAGE[] __attribute__((visibility("hidden")));
extern "C" const UCHAR __stop_PAGE[] __attribute__((visibility("hidden")));

namespace psctx {
namespace {

// PSCTX_TAG of the driver, 'xtCP'.
constexpr ULONG kDriverPoolTag = 0x78744350u;

constexpr std::size_t kMaximumPathUnits = UNICODE_STRING_MAX_CHARS;
constexpr std::size_t kPrefixUnits = 4; // \\?\ or \\.\ or \??\ .

// A volume that filters share. Guarded by Kernel's mutex.
struct Volume {
    VolumeDefinition definition;
    unsigned filters = 0;
    bool isMounted = false;
};

using VolumeList = std::vector<std::shared_ptr<Volume>>;

std::string DescribeLeftovers(const HOST_AUDIT &audit)
{
    const std::pair<const char *, ULONG64> counts[] = {
        {"pool bytes", audit.PoolBytes},
        {"pool allocations", audit.PoolAllocations},
        {"handles", audit.Handles},
        {"objects", audit.Objects},
        {"IRPs", audit.Irps},
        {"locks", audit.Locks},
    };
    std::string text;

    for (const auto &[name, count] : counts) {
        if (count != 0) {
            text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
        }
    }
    return text;
}

// The embedded kernel of this operating-system process, which every filter in it shares, whatever thread it is on.
class Kernel {
  public:
    static Kernel &Get()
    {
        static Kernel kernel;
        return kernel;
    }

    // Counts one more filter in: boots and loads the driver if it is the first, mounts what it asks for.
    // On failure everything is as before.
    Status Join(const std::vector<VolumeDefinition> &definitions, VolumeList *joined)
    {
        const std::lock_guard<std::mutex> guard(mutex_);
        Status status = kStatusSuccess;
        std::string leftovers;

        if (filters_ == 0) {
            status = Start();
        }
        if (!Succeeded(status)) {
            return status;
        }
        filters_ += 1;
        for (const VolumeDefinition &definition : definitions) {
            status = JoinVolume(definition, joined);
            if (!Succeeded(status)) {
                LeaveLocked(joined, &leftovers);
                return status;
            }
        }
        return kStatusSuccess;
    }

    // Counts a filter out, whose process is gone: dismounts what nobody uses, stops the kernel with the last filter and
    // says what it still held.
    void Leave(VolumeList *joined, std::string *leftovers)
    {
        const std::lock_guard<std::mutex> guard(mutex_);

        LeaveLocked(joined, leftovers);
    }

    Status Dismount(const VolumeList &joined, char16_t letter)
    {
        const std::lock_guard<std::mutex> guard(mutex_);

        for (const std::shared_ptr<Volume> &volume : joined) {
            if (volume->definition.letter == letter && volume->isMounted) {
                return DismountLocked(volume);
            }
        }
        return kStatusObjectNameNotFound;
    }

  private:
    Status Start()
    {
        Status status = FromNt(HostBoot());

        if (!Succeeded(status)) {
            return status;
        }
        status = FromNt(HostSetServiceValue(L"PsCtx", L"AllowUnload", 1));
        if (Succeeded(status)) {
            status = FromNt(HostLoadDriver(L"PsCtx", FALSE, DriverEntry, &driver_));
        }
        if (Succeeded(status)) {
            HostSetDriverImage(driver_, __start_PAGE, static_cast<SIZE_T>(__stop_PAGE - __start_PAGE));
        }
        if (!Succeeded(status)) {
            HOST_AUDIT audit = {};

            driver_ = nullptr;
            HostShutdown(&audit);
        }
        return status;
    }

    static NTSTATUS Mount(const VolumeDefinition &definition)
    {
        const WCHAR letter = static_cast<WCHAR>(definition.letter);

        if (!definition.fault.empty()) {
            return HostMountFaultyVolume(letter, definition.fault.c_str());
        }
        return definition.isDirectory
                   ? HostMountVolume(letter, HOST_FILE_SYSTEM_DIRECTORY, definition.directory.c_str())
                   : HostMountVolume(letter, HOST_FILE_SYSTEM_MEMORY, nullptr);
    }

    Status JoinVolume(const VolumeDefinition &definition, VolumeList *joined)
    {
        std::shared_ptr<Volume> volume;
        Status status;

        for (const std::shared_ptr<Volume> &other : volumes_) {
            if (other->definition.letter == definition.letter) {
                volume = other;
            }
        }
        if (volume != nullptr) {
            if (volume->definition.isDirectory != definition.isDirectory ||
                volume->definition.directory != definition.directory || volume->definition.fault != definition.fault ||
                std::find(joined->begin(), joined->end(), volume) != joined->end()) {
                return kStatusObjectNameCollision;
            }
        } else {
            status = FromNt(Mount(definition));
            if (!Succeeded(status)) {
                return status;
            }
            volume = std::make_shared<Volume>();
            volume->definition = definition;
            volume->isMounted = true;
            volumes_.push_back(volume);
        }
        volume->filters += 1;
        joined->push_back(std::move(volume));
        return kStatusSuccess;
    }

    Status DismountLocked(const std::shared_ptr<Volume> &volume)
    {
        const Status status = FromNt(HostDismountVolume(static_cast<WCHAR>(volume->definition.letter)));

        if (Succeeded(status)) {
            volume->isMounted = false;
            volumes_.erase(std::find(volumes_.begin(), volumes_.end(), volume));
        }
        return status;
    }

    void LeaveLocked(VolumeList *joined, std::string *leftovers)
    {
        HOST_AUDIT audit = {};
        Status status;

        filters_ -= 1;
        for (const std::shared_ptr<Volume> &volume : *joined) {
            volume->filters -= 1;
            if (volume->filters == 0 && volume->isMounted) {
                DismountLocked(volume);
            }
        }
        joined->clear();
        if (filters_ != 0) {
            return;
        }
        status = FromNt(HostUnloadDriver(driver_));
        driver_ = nullptr;
        if (!Succeeded(status)) {
            *leftovers = "the driver, which did not unload";
            return;
        }
        status = FromNt(HostShutdown(&audit));
        *leftovers = Succeeded(status) ? DescribeLeftovers(audit) : "processes or drivers, so that it did not stop";
    }

    std::mutex mutex_;
    unsigned filters_ = 0;
    PDRIVER_OBJECT driver_ = nullptr;
    VolumeList volumes_; // those that are mounted
};

// The object-manager path of a Win32 namespace path: both prefixes name the directory \?? .
Status ToObjectPath(const std::u16string &path, std::u16string *objectPath)
{
    if (path.size() > kMaximumPathUnits) {
        return kStatusNameTooLong;
    }
    if (path.size() <= kPrefixUnits ||
        (path.compare(0, kPrefixUnits, u"\\\\?\\") != 0 && path.compare(0, kPrefixUnits, u"\\\\.\\") != 0)) {
        return kStatusObjectPathSyntaxBad;
    }
    if (path.find(u'\0') != std::u16string::npos) {
        return kStatusObjectNameInvalid;
    }
    *objectPath = u"\\??\\" + path.substr(kPrefixUnits);
    return kStatusSuccess;
}

class HostTransport final : public Transport, public HostKernel {
  public:
    explicit HostTransport(VolumeList volumes) : volumes_(std::move(volumes)) {}

    HostTransport(const HostTransport &) = delete;
    HostTransport &operator=(const HostTransport &) = delete;

    ~HostTransport() override
    {
        std::string leftovers;

        Close(&leftovers);
    }

    Status Start(bool readOnly)
    {
        FileOpenOptions options;
        std::uint64_t handle = 0;
        Status status = FromNt(HostCreateProcess(TRUE, &process_));

        if (!Succeeded(status)) {
            process_ = nullptr;
            return status;
        }
        options.desiredAccess = SYNCHRONIZE | FILE_READ_DATA | (readOnly ? 0u : static_cast<unsigned>(FILE_WRITE_DATA));
        options.shareAccess = FILE_SHARE_READ | FILE_SHARE_WRITE;
        options.disposition = FILE_OPEN;
        options.createOptions = FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE;
        status = OpenFile(u"\\\\.\\PsCtx", options, &handle);
        control_ = ToHandle(handle);
        return status;
    }

    Status OpenStream(const std::u16string &path, std::uint64_t *handle) override
    {
        FileOpenOptions options;

        options.desiredAccess = SYNCHRONIZE | FILE_READ_ATTRIBUTES;
        options.shareAccess = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
        options.disposition = FILE_OPEN;
        options.createOptions = FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT;
        const std::shared_lock<std::shared_mutex> lock(opening_);
        return process_ == nullptr ? kStatusFileClosed : OpenFile(path, options, handle);
    }

    Status CloseHandle(std::uint64_t handle) override
    {
        if (process_ == nullptr) {
            return kStatusFileClosed; // closed with the process
        }
        const InProcess inProcess(process_);

        return FromNt(NtClose(ToHandle(handle)));
    }

    Status Control(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                   std::uint32_t outputLength, std::uint32_t *returned) override
    {
        const InProcess inProcess(process_);
        IO_STATUS_BLOCK ioStatus = {};
        const Status status =
            FromNt(NtDeviceIoControlFile(control_, nullptr, nullptr, nullptr, &ioStatus, code,
                                         const_cast<void *>(input), inputLength, output, outputLength));

        *returned = IsError(status) ? 0u : static_cast<std::uint32_t>(ioStatus.Information);
        return status;
    }

    Status OpenPending(std::function<void()> completed, std::unique_ptr<PendingDevice> *device) override
    {
        return OpenHostPending(process_, std::move(completed), device);
    }

    Status QueryDrive(char16_t letter, std::u16string *device) override
    {
        std::u16string path = std::u16string(u"\\??\\") + letter + u':';
        UNICODE_STRING name = ToUnicodeString(&path);
        OBJECT_ATTRIBUTES attributes;
        HANDLE link = nullptr;
        ULONG length = 0;
        UNICODE_STRING target = {};
        const InProcess inProcess(process_);
        NTSTATUS status;

        InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
        status = NtOpenSymbolicLinkObject(&link, SYMBOLIC_LINK_QUERY, &attributes);
        if (!NT_SUCCESS(status)) {
            return FromNt(status);
        }
        status = NtQuerySymbolicLinkObject(link, &target, &length);
        if (status == STATUS_BUFFER_TOO_SMALL) {
            device->resize(length / sizeof(WCHAR));
            target = ToUnicodeString(device);
            status = NtQuerySymbolicLinkObject(link, &target, nullptr);
            device->resize(target.Length / sizeof(WCHAR)); // the length counts the terminator
        }
        NtClose(link);
        return FromNt(status);
    }

    Status Close(std::string *leftovers) override
    {
        const std::lock_guard<std::shared_mutex> lock(opening_);

        if (process_ != nullptr) {
            KillProcess();
            HostDereferenceProcess(process_);
            process_ = nullptr;
        }
        if (hasJoined_) {
            hasJoined_ = false;
            Kernel::Get().Leave(&volumes_, leftovers);
        }
        return kStatusSuccess;
    }

    HostKernel *Host() noexcept override { return this; }

    Status OpenFile(const std::u16string &path, const FileOpenOptions &options, std::uint64_t *handle) override
    {
        std::u16string objectPath;
        Status status = ToObjectPath(path, &objectPath);

        *handle = 0;
        if (!Succeeded(status)) {
            return status;
        }

        UNICODE_STRING name = ToUnicodeString(&objectPath);
        OBJECT_ATTRIBUTES attributes;
        IO_STATUS_BLOCK ioStatus = {};
        HANDLE opened = nullptr;
        const InProcess inProcess(process_);

        InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
        status =
            FromNt(NtCreateFile(&opened, options.desiredAccess, &attributes, &ioStatus, nullptr, FILE_ATTRIBUTE_NORMAL,
                                options.shareAccess, options.disposition, options.createOptions, nullptr, 0));
        if (Succeeded(status)) {
            *handle = reinterpret_cast<std::uintptr_t>(opened);
        }
        return status;
    }

    Status ReadFile(std::uint64_t handle, std::uint64_t position, void *data, std::uint32_t length,
                    std::uint32_t *transferred) override
    {
        const InProcess inProcess(process_);
        IO_STATUS_BLOCK ioStatus = {};
        LARGE_INTEGER offset = {};

        offset.QuadPart = static_cast<LONGLONG>(position);
        const Status status =
            FromNt(NtReadFile(ToHandle(handle), nullptr, nullptr, nullptr, &ioStatus, data, length, &offset, nullptr));
        *transferred = IsError(status) ? 0u : static_cast<std::uint32_t>(ioStatus.Information);
        return status;
    }

    Status WriteFile(std::uint64_t handle, std::uint64_t position, const void *data, std::uint32_t length,
                     std::uint32_t *transferred) override
    {
        const InProcess inProcess(process_);
        IO_STATUS_BLOCK ioStatus = {};
        LARGE_INTEGER offset = {};

        offset.QuadPart = static_cast<LONGLONG>(position);
        const Status status = FromNt(NtWriteFile(ToHandle(handle), nullptr, nullptr, nullptr, &ioStatus,
                                                 const_cast<void *>(data), length, &offset, nullptr));
        *transferred = IsError(status) ? 0u : static_cast<std::uint32_t>(ioStatus.Information);
        return status;
    }

    Status QuerySize(std::uint64_t handle, std::uint64_t *size) override
    {
        const InProcess inProcess(process_);
        FILE_STANDARD_INFORMATION information = {};
        IO_STATUS_BLOCK ioStatus = {};
        const Status status = FromNt(NtQueryInformationFile(ToHandle(handle), &ioStatus, &information,
                                                            sizeof(information), FileStandardInformation));

        *size = static_cast<std::uint64_t>(information.EndOfFile.QuadPart);
        return status;
    }

    Status SetDeletion(std::uint64_t handle, bool deleteFile) override
    {
        const InProcess inProcess(process_);
        FILE_DISPOSITION_INFORMATION information = {};
        IO_STATUS_BLOCK ioStatus = {};

        information.DeleteFile = deleteFile ? TRUE : FALSE;
        return FromNt(NtSetInformationFile(ToHandle(handle), &ioStatus, &information, sizeof(information),
                                           FileDispositionInformation));
    }

    Status ChangeName(std::uint64_t handle, NameChange change, const std::u16string &newPath,
                      bool replaceIfExists) override
    {
        static_assert(sizeof(FILE_RENAME_INFORMATION) == sizeof(FILE_LINK_INFORMATION) &&
                          offsetof(FILE_RENAME_INFORMATION, FileName) == offsetof(FILE_LINK_INFORMATION, FileName),
                      "the two records are one");
        const std::size_t separator = newPath.find_last_of(u'\\');
        FileOpenOptions options;
        std::uint64_t directory = 0;
        Status status;

        if (separator == std::u16string::npos || separator < kPrefixUnits) {
            return kStatusObjectPathSyntaxBad;
        }

        // The new name is told relative to its directory. [ntifs/ns-ntifs-_file_rename_information]
        options.desiredAccess = SYNCHRONIZE | FILE_TRAVERSE;
        options.shareAccess = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
        options.disposition = FILE_OPEN;
        options.createOptions = FILE_SYNCHRONOUS_IO_NONALERT | FILE_DIRECTORY_FILE;
        status = OpenFile(newPath.substr(0, separator + 1), options, &directory);
        if (Succeeded(status)) {
            status = SetName(handle, change, directory, newPath.substr(separator + 1), replaceIfExists);
            CloseHandle(directory);
        }
        return status;
    }

    Status Dismount(char16_t letter) override { return Kernel::Get().Dismount(volumes_, letter); }

    void KillProcess() override
    {
        if (!hasExited_) {
            hasExited_ = true;
            HostExitProcess(process_);
        }
    }

    void FailAllocation(std::uint64_t countdown) override { HostFailAllocation(countdown); }

    HostAuditCounts Audit() override
    {
        HOST_AUDIT audit = {};

        HostAudit(&audit);
        return {{"poolBytes", audit.PoolBytes},
                {"poolAllocations", audit.PoolAllocations},
                {"handles", audit.Handles},
                {"objects", audit.Objects},
                {"irps", audit.Irps},
                {"locks", audit.Locks},
                {"contextBytes", HostAuditPool(kDriverPoolTag)}};
    }

  private:
    Status SetName(std::uint64_t handle, NameChange change, std::uint64_t directory, const std::u16string &name,
                   bool replaceIfExists)
    {
        const std::size_t nameBytes = name.size() * sizeof(char16_t);
        const std::size_t length =
            std::max(offsetof(FILE_RENAME_INFORMATION, FileName) + nameBytes, sizeof(FILE_RENAME_INFORMATION));
        std::vector<ULONG64> memory(length / sizeof(ULONG64) + 1);
        const auto information = reinterpret_cast<PFILE_RENAME_INFORMATION>(memory.data());
        IO_STATUS_BLOCK ioStatus = {};
        const InProcess inProcess(process_);

        information->ReplaceIfExists = replaceIfExists ? TRUE : FALSE;
        information->RootDirectory = ToHandle(directory);
        information->FileNameLength = static_cast<ULONG>(nameBytes);
        std::memcpy(information->FileName, name.data(), nameBytes);
        return FromNt(NtSetInformationFile(ToHandle(handle), &ioStatus, information, static_cast<ULONG>(length),
                                           change == NameChange::Rename ? FileRenameInformation : FileLinkInformation));
    }

    VolumeList volumes_;
    std::shared_mutex opening_; // shared by opens, which Close waits for
    bool hasJoined_ = true;
    bool hasExited_ = false;
    PEPROCESS process_ = nullptr;
    HANDLE control_ = nullptr; // closed with the process
};

} // namespace

Status OpenTransport(const OpenOptions &options, std::unique_ptr<Transport> *transport)
{
    VolumeList volumes;
    Status status;

    transport->reset();
    if (options.kernel != KernelKind::Host) {
        return kStatusObjectNameNotFound;
    }
    status = Kernel::Get().Join(options.volumes, &volumes);
    if (!Succeeded(status)) {
        return status;
    }
    auto opened = std::make_unique<HostTransport>(std::move(volumes));
    status = opened->Start(options.readOnly);
    if (Succeeded(status)) {
        *transport = std::move(opened);
    }
    return status;
}

} // namespace psctx
