// The transport over the embedded kernel: boots it with the process's first filter, loads psctx into it, mounts volumes,
// gives each filter a client process of its own, and shuts it all down with the last filter.
#include "transport_host.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <fronts.h>

#include "nt.h"

// Where the driver's pageable section lies, with its FreeCallback: the linker's names for it.
extern "C" const UCHAR __start_PAGE[] __attribute__((visibility("hidden")));
extern "C" const UCHAR __stop_PAGE[] __attribute__((visibility("hidden")));

namespace psctx {

// A volume that filters share. Guarded by Kernel's mutex.
struct Volume {
    VolumeDefinition definition;
    unsigned filters = 0;
    bool isMounted = false;
};

namespace {

// PSCTX_TAG of the driver, 'xtCP'.
constexpr ULONG kDriverPoolTag = 0x78744350u;

std::u16string ToText(const WCHAR *text)
{
    return reinterpret_cast<const char16_t *>(text);
}

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
    // On failure everything is as before. STATUS_IMAGE_ALREADY_LOADED: the driver is loaded, with the other front.
    Status Join(std::uint32_t front, const std::vector<VolumeDefinition> &definitions, VolumeList *joined)
    {
        const std::lock_guard<std::mutex> guard(mutex_);
        Status status = kStatusSuccess;
        std::string leftovers;

        if (filters_ == 0) {
            status = Start(front);
        } else if (front != front_) {
            status = kStatusImageAlreadyLoaded;
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

        const auto volume = std::find_if(joined.begin(), joined.end(), [letter](const auto &candidate) {
            return candidate->definition.letter == letter && candidate->isMounted;
        });

        return volume != joined.end() ? DismountLocked(*volume) : kStatusObjectNameNotFound;
    }

  private:
    Status Start(std::uint32_t front)
    {
        Status status = FromNt(HostBoot());

        if (!Succeeded(status)) {
            return status;
        }
        status = FromNt(PsctxLoadFront(front, &driver_));
        if (Succeeded(status)) {
            front_ = front;
            HostSetDriverImage(driver_, __start_PAGE,
                               reinterpret_cast<ULONG_PTR>(__stop_PAGE) - reinterpret_cast<ULONG_PTR>(__start_PAGE));
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
        return !definition.directory.empty()
                   ? HostMountVolume(letter, HOST_FILE_SYSTEM_DIRECTORY, definition.directory.c_str())
                   : HostMountVolume(letter, HOST_FILE_SYSTEM_MEMORY, nullptr);
    }

    Status JoinVolume(const VolumeDefinition &definition, VolumeList *joined)
    {
        const auto existing = std::find_if(volumes_.begin(), volumes_.end(), [&definition](const auto &other) {
            return other->definition.letter == definition.letter;
        });
        std::shared_ptr<Volume> volume;
        Status status;

        if (existing != volumes_.end()) {
            volume = *existing;
            if (volume->definition.directory != definition.directory || volume->definition.fault != definition.fault ||
                std::find(joined->begin(), joined->end(), volume) != joined->end()) {
                return kStatusObjectNameCollision;
            }
        } else {
            status = FromNt(Mount(definition));
            if (!Succeeded(status)) {
                return status;
            }
            volume = std::make_shared<Volume>(Volume{definition, 0, true});
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
                // Nobody is left to be told of a want of memory, and the next filter's volume of that letter is to be another one.
                while (DismountLocked(volume) == kStatusInsufficientResources) {}
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
    std::uint32_t front_ = 0; // while there are filters
    PDRIVER_OBJECT driver_ = nullptr;
    VolumeList volumes_; // those that are mounted
};

} // namespace

HostTransport::~HostTransport()
{
    std::string leftovers;

    HostTransport::Close(&leftovers);
}

Status HostTransport::Start(const OpenOptions &options)
{
    PEPROCESS process = nullptr;
    Status status = Kernel::Get().Join(options.front, options.volumes, &volumes_);

    hasJoined_ = Succeeded(status);
    if (hasJoined_) {
        status = FromNt(HostCreateProcess(TRUE, &process));
    }
    if (!Succeeded(status)) {
        return status;
    }
    process_ = process;
    return OpenControl(options.readOnly);
}

Status HostTransport::OpenStream(const std::u16string &path, std::uint64_t *handle)
{
    const std::shared_lock<std::shared_mutex> lock(opening_);

    return process_ == nullptr ? kStatusFileClosed : Transport::OpenStream(path, handle);
}

// What is not open any more was closed with the process.
Status HostTransport::CloseHandle(std::uint64_t handle)
{
    return process_ == nullptr ? kStatusFileClosed : Transport::CloseHandle(handle);
}

Status HostTransport::Close(std::string *leftovers)
{
    const std::lock_guard<std::shared_mutex> lock(opening_);

    control_ = 0; // closed with the process
    if (process_ != nullptr) {
        KillProcess();
        HostDereferenceProcess(static_cast<PEPROCESS>(process_));
        process_ = nullptr;
    }
    if (hasJoined_) {
        hasJoined_ = false;
        Kernel::Get().Leave(&volumes_, leftovers);
    }
    return kStatusSuccess;
}

Status HostTransport::Dismount(char16_t letter)
{
    return Kernel::Get().Dismount(volumes_, letter);
}

void HostTransport::KillProcess()
{
    HostExitProcess(static_cast<PEPROCESS>(process_)); // nothing the second time
}

void HostTransport::FailAllocation(std::uint64_t countdown)
{
    HostFailAllocation(countdown);
}

std::vector<std::pair<const char *, std::uint64_t>> HostTransport::Audit()
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

Status ListMinifilters(std::uint64_t, const std::u16string &drive, std::vector<MinifilterInstance> *instances)
{
    HOST_INSTANCE found = {};
    Status status = drive.size() == 1 ? kStatusSuccess : kStatusObjectNameNotFound;

    for (ULONG index = 0; Succeeded(status); index += 1) {
        status = FromNt(HostNextInstance(static_cast<WCHAR>(drive[0]), index, &found));
        if (Succeeded(status)) {
            instances->push_back({ToText(found.FilterName), ToText(found.InstanceName), ToText(found.Altitude)});
        }
    }
    return status == kStatusNoMoreEntries ? kStatusSuccess : status;
}

Status OpenTransport(const OpenOptions &options, std::shared_ptr<Transport> *transport)
{
    if (!options.isHost) {
        return kStatusObjectNameNotFound;
    }
    const auto opened = std::make_shared<HostTransport>();
    const Status status = opened->Start(options);

    if (Succeeded(status)) {
        *transport = opened;
    }
    return status;
}

} // namespace psctx
