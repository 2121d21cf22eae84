// The transport, and in Windows all of it: the control device and files, opened and asked by system services.
#include "transport.h"

#include <utility>

#include <psctx/abi.h>

#include "nt.h"

namespace psctx {
namespace {

constexpr std::size_t kMaximumPathUnits = 32767; // a UNICODE_STRING has no more
constexpr std::size_t kPrefixUnits = 4;          // \\?\ or \\.\ or \??\ .

// Both namespaces of Win32 are the directory \??. A file's id, which may end a path, has any units. [fileio/naming-a-file]
Status ToObjectPath(const std::u16string &path, bool endsInId, std::u16string *objectPath)
{
    if (path.size() > kMaximumPathUnits) {
        return kStatusNameTooLong;
    }
    if (path.size() <= kPrefixUnits ||
        (path.compare(0, kPrefixUnits, u"\\\\?\\") != 0 && path.compare(0, kPrefixUnits, u"\\\\.\\") != 0)) {
        return kStatusObjectPathSyntaxBad;
    }
    if (!endsInId && path.find(u'\0') != std::u16string::npos) {
        return kStatusObjectNameInvalid;
    }
    *objectPath = u"\\??\\" + path.substr(kPrefixUnits);
    return kStatusSuccess;
}

Status OpenObject(std::u16string name, const FileOptions &options, std::uint64_t *handle)
{
    ObjectName object(std::move(name));
    IO_STATUS_BLOCK ioStatus = {};
    HANDLE opened = nullptr;
    const Status status = FromNt(NtCreateFile(&opened, options.desiredAccess, object.Attributes(), &ioStatus, nullptr,
                                              FILE_ATTRIBUTE_NORMAL, options.shareAccess, options.disposition,
                                              options.createOptions, nullptr, 0));

    *handle = Succeeded(status) ? reinterpret_cast<std::uintptr_t>(opened) : 0;
    return status;
}

} // namespace

Transport::~Transport()
{
    std::string leftovers;

    Transport::Close(&leftovers);
}

Status Transport::OpenControl(bool readOnly)
{
    const InProcess inProcess(process_);
    const ACCESS_MASK access = SYNCHRONIZE | FILE_READ_DATA | (readOnly ? 0u : static_cast<unsigned>(FILE_WRITE_DATA));

    return OpenObject(
        reinterpret_cast<const char16_t *>(PSCTX_DEVICE_NAME),
        {access, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE},
        &control_);
}

Status Transport::OpenStream(const std::u16string &path, std::uint64_t *handle)
{
    return OpenFile(path,
                    {SYNCHRONIZE | FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                     FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT},
                    handle);
}

Status Transport::OpenFile(const std::u16string &path, const FileOptions &options, std::uint64_t *handle)
{
    std::u16string objectPath;
    const Status status = ToObjectPath(path, (options.createOptions & FILE_OPEN_BY_FILE_ID) != 0, &objectPath);

    *handle = 0;
    if (!Succeeded(status)) {
        return status;
    }
    const InProcess inProcess(process_);

    return OpenObject(std::move(objectPath), options, handle);
}

Status Transport::CloseHandle(std::uint64_t handle)
{
    const InProcess inProcess(process_);

    return FromNt(NtClose(ToHandle(handle)));
}

Status Transport::Control(const Request &request, std::uint32_t *returned)
{
    const InProcess inProcess(process_);
    IO_STATUS_BLOCK ioStatus = {};
    const Status status = FromNt(NtDeviceIoControlFile(ToHandle(control_), nullptr, nullptr, nullptr, &ioStatus,
                                                       request.code, const_cast<void *>(request.input),
                                                       request.inputLength, request.output, request.outputLength));

    *returned = BytesOf(status, ioStatus);
    return status;
}

Status Transport::QueryDrive(char16_t letter, std::u16string *device)
{
    ObjectName name(std::u16string(u"\\??\\") + letter + u':');
    HANDLE link = nullptr;
    const InProcess inProcess(process_);
    NTSTATUS status = NtOpenSymbolicLinkObject(&link, SYMBOLIC_LINK_QUERY, name.Attributes());

    if (Succeeded(FromNt(status))) {
        UNICODE_STRING target = {};

        device->resize(kMaximumPathUnits);
        target.MaximumLength = static_cast<USHORT>(kMaximumPathUnits * sizeof(WCHAR));
        target.Buffer = reinterpret_cast<PWSTR>(device->data());
        status = NtQuerySymbolicLinkObject(link, &target, nullptr);
        device->resize(target.Length / sizeof(WCHAR));
        NtClose(link);
    }
    return FromNt(status);
}

Status Transport::Close(std::string *)
{
    const std::uint64_t control = std::exchange(control_, 0);

    return control == 0 ? kStatusSuccess : FromNt(NtClose(ToHandle(control)));
}

} // namespace psctx
