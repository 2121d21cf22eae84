// The NTSTATUS behind a Win32 call that has failed.
#include "status_win32.h"

#include "win32.h"

namespace psctx {
namespace {

// Routines of ntdll that the import libraries do not have. Either may be absent.
struct NativeRoutines {
    LONG(NTAPI *rtlGetLastNtStatus)() = nullptr;
    ULONG(NTAPI *rtlNtStatusToDosError)(LONG) = nullptr;
};

NativeRoutines FindNativeRoutines() noexcept
{
    const HMODULE module = ::GetModuleHandleW(L"ntdll.dll");
    NativeRoutines routines;

    if (module != nullptr) {
        routines.rtlGetLastNtStatus =
            reinterpret_cast<LONG(NTAPI *)()>(reinterpret_cast<void *>(::GetProcAddress(module, "RtlGetLastNtStatus")));
        routines.rtlNtStatusToDosError = reinterpret_cast<ULONG(NTAPI *)(LONG)>(
            reinterpret_cast<void *>(::GetProcAddress(module, "RtlNtStatusToDosError")));
    }
    return routines;
}

struct ErrorMeaning {
    DWORD error;
    Status status;
};

// What opens and control requests answer. Where RtlNtStatusToDosError gives several statuses one error, the one that they use.
constexpr ErrorMeaning kErrorMeanings[] = {
    {ERROR_INVALID_FUNCTION, kStatusInvalidDeviceRequest},
    {ERROR_FILE_NOT_FOUND, kStatusObjectNameNotFound},
    {ERROR_PATH_NOT_FOUND, kStatusObjectPathNotFound},
    {ERROR_ACCESS_DENIED, kStatusAccessDenied},
    {ERROR_INVALID_HANDLE, kStatusInvalidHandle},
    {ERROR_NOT_ENOUGH_MEMORY, kStatusInsufficientResources},
    {ERROR_BAD_LENGTH, kStatusInfoLengthMismatch},
    {ERROR_SHARING_VIOLATION, kStatusSharingViolation},
    {ERROR_NOT_SUPPORTED, kStatusNotSupported},
    {ERROR_INVALID_PARAMETER, kStatusInvalidParameter},
    {ERROR_INSUFFICIENT_BUFFER, kStatusBufferTooSmall},
    {ERROR_INVALID_NAME, kStatusObjectNameInvalid},
    {ERROR_BAD_PATHNAME, kStatusObjectPathSyntaxBad},
    {ERROR_ALREADY_EXISTS, kStatusObjectNameCollision},
    {ERROR_FILENAME_EXCED_RANGE, kStatusNameTooLong},
    {ERROR_MORE_DATA, kStatusBufferOverflow},
    {ERROR_DELETE_PENDING, kStatusDeletePending},
    {ERROR_NOT_FOUND, kStatusNotFound},
    {ERROR_REVISION_MISMATCH, kStatusRevisionMismatch},
    {ERROR_PRIVILEGE_NOT_HELD, kStatusPrivilegeNotHeld},
    {ERROR_NO_SYSTEM_RESOURCES, kStatusInsufficientResources},
    {ERROR_INVALID_USER_BUFFER, kStatusInvalidBufferSize},
    {ERROR_NOT_ENOUGH_QUOTA, kStatusQuotaExceeded},
};

// Found when the addon is loaded: finding them leaves marks of its own in what they tell.
const NativeRoutines nativeRoutines = FindNativeRoutines();

// The status that a Win32 error stands for, where the system service's own is not known.
Status FromWin32(DWORD error) noexcept
{
    for (const ErrorMeaning &meaning : kErrorMeanings) {
        if (meaning.error == error) {
            return meaning.status;
        }
    }
    return kStatusUnsuccessful;
}

} // namespace

Status LastStatus() noexcept
{
    const DWORD error = ::GetLastError();

    if (nativeRoutines.rtlGetLastNtStatus != nullptr && nativeRoutines.rtlNtStatusToDosError != nullptr) {
        const LONG last = nativeRoutines.rtlGetLastNtStatus();

        if (!Succeeded(static_cast<Status>(last)) && nativeRoutines.rtlNtStatusToDosError(last) == error) {
            return static_cast<Status>(last);
        }
    }
    return FromWin32(error);
}

} // namespace psctx
