// The system services of NT that the transport is made of: ntdll's in Windows, elsewhere those of the embedded kernel.
#ifndef PSCTX_BINDING_NT_H
#define PSCTX_BINDING_NT_H

#include <cstdint>
#include <string>
#include <utility>

#ifdef _WIN32
#include <windows.h>
#include <winioctl.h>
#include <winternl.h>

// What winternl.h leaves out: as ntifs.h has it, where these begin with Zw, but for NtCancelIoFile, which is CancelIo.
extern "C" {
NTSTATUS NTAPI NtCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                             int EventType, BOOLEAN InitialState);
NTSTATUS NTAPI NtCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI NtDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle, HANDLE TargetProcessHandle,
                                 PHANDLE TargetHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes,
                                 ULONG Options);
NTSTATUS NTAPI NtLockFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key,
                          BOOLEAN FailImmediately, BOOLEAN ExclusiveLock);
NTSTATUS NTAPI NtUnlockFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER ByteOffset,
                            PLARGE_INTEGER Length, ULONG Key);
NTSTATUS NTAPI NtQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length, PULONG LengthNeeded);
NTSTATUS NTAPI NtSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                   PSECURITY_DESCRIPTOR SecurityDescriptor);
NTSTATUS NTAPI NtCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                               PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection, ULONG AllocationAttributes,
                               HANDLE FileHandle);
NTSTATUS NTAPI NtReadFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset,
                          PULONG Key);
NTSTATUS NTAPI NtWriteFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                           PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset,
                           PULONG Key);
NTSTATUS NTAPI NtFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI NtQueryInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation,
                                      ULONG Length, FILE_INFORMATION_CLASS FileInformationClass);
NTSTATUS NTAPI NtSetInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation,
                                    ULONG Length, FILE_INFORMATION_CLASS FileInformationClass);
NTSTATUS NTAPI NtFsControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK IoStatusBlock, ULONG FsControlCode, PVOID InputBuffer,
                               ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength);
NTSTATUS NTAPI NtOpenSymbolicLinkObject(PHANDLE LinkHandle, ACCESS_MASK DesiredAccess,
                                        POBJECT_ATTRIBUTES ObjectAttributes);
NTSTATUS NTAPI NtQuerySymbolicLinkObject(HANDLE LinkHandle, PUNICODE_STRING LinkTarget, PULONG ReturnedLength);
}
constexpr int NotificationEvent = 0;
constexpr ACCESS_MASK SYMBOLIC_LINK_QUERY = 0x0001;
#else
#include <host.h>
#endif

#include "status.h"

namespace psctx {

static_assert(sizeof(WCHAR) == sizeof(char16_t), "compile with -fshort-wchar where wchar_t has 32 bits");

// System services act for a filter's process while one of these is in scope. In Windows that is this process in any case.
class InProcess {
  public:
#ifdef _WIN32
    explicit InProcess(void *) noexcept {}
    ~InProcess() {}
#else
    explicit InProcess(void *process) { HostEnterProcess(static_cast<PEPROCESS>(process)); }
    ~InProcess() { HostLeaveProcess(); }
#endif
    InProcess(const InProcess &) = delete;
    InProcess &operator=(const InProcess &) = delete;
};

inline Status FromNt(NTSTATUS status) noexcept
{
    return static_cast<Status>(status);
}

inline HANDLE ToHandle(std::uint64_t handle) noexcept
{
    return reinterpret_cast<HANDLE>(static_cast<std::uintptr_t>(handle));
}

// How many bytes a request has left behind: none when it has failed.
inline std::uint32_t BytesOf(Status status, const IO_STATUS_BLOCK &ioStatus) noexcept
{
    return IsError(status) ? 0u : static_cast<std::uint32_t>(ioStatus.Information);
}

// An object's name, in whatever case.
class ObjectName {
  public:
    explicit ObjectName(std::u16string name) : text_(std::move(name))
    {
        name_.Length = static_cast<USHORT>(text_.size() * sizeof(WCHAR));
        name_.MaximumLength = name_.Length;
        name_.Buffer = reinterpret_cast<PWSTR>(text_.data());
        InitializeObjectAttributes(&attributes_, &name_, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
    }

    ObjectName(const ObjectName &) = delete;
    ObjectName &operator=(const ObjectName &) = delete;

    POBJECT_ATTRIBUTES Attributes() noexcept { return &attributes_; }

  private:
    std::u16string text_;
    UNICODE_STRING name_ = {};
    OBJECT_ATTRIBUTES attributes_ = {};
};

} // namespace psctx

#endif
