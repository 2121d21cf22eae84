// Facts about the Windows system that the CLI's doctor judges: plain values, no judgement.
#include "system_win32.h"

#include "arguments.h"
#include "nt.h"

namespace psctx {
namespace {

// A class that winternl.h has the record of, and not the name. [winternl/nf-winternl-ntquerysysteminformation]
constexpr ULONG kSystemCodeIntegrityInformation = 103;

// elevated(): whether the process runs with an administrator's full token.
Napi::Value Elevated(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "elevated";
    const Napi::Env env = info.Env();
    TOKEN_ELEVATION elevation = {};
    DWORD length = 0;
    HANDLE token = nullptr;

    if (!::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &token)) {
        throw MakeWin32Error(env, operation, ::GetLastError());
    }
    const BOOL done = ::GetTokenInformation(token, TokenElevation, &elevation, sizeof(elevation), &length);
    const DWORD error = ::GetLastError();
    ::CloseHandle(token);
    if (!done) {
        throw MakeWin32Error(env, operation, error);
    }
    return Napi::Boolean::New(env, elevation.TokenIsElevated != 0);
}

// nativeMachine(): the IMAGE_FILE_MACHINE_* of the system, whatever this process is emulated as.
Napi::Value NativeMachine(const Napi::CallbackInfo &info)
{
    USHORT process = 0;
    USHORT machine = 0;

    if (!::IsWow64Process2(::GetCurrentProcess(), &process, &machine)) {
        throw MakeWin32Error(info.Env(), "nativeMachine", ::GetLastError());
    }
    return Napi::Number::New(info.Env(), machine);
}

// codeIntegrity(): CODEINTEGRITY_OPTION_* flags.
Napi::Value CodeIntegrity(const Napi::CallbackInfo &info)
{
    // As winternl.h declares it, its first parameter cannot be this class.
    using Query = NTSTATUS(NTAPI *)(ULONG, void *, ULONG, ULONG *);
    const auto query = reinterpret_cast<Query>(reinterpret_cast<void *>(&NtQuerySystemInformation));
    SYSTEM_CODEINTEGRITY_INFORMATION information = {sizeof(SYSTEM_CODEINTEGRITY_INFORMATION), 0};
    const NTSTATUS status = query(kSystemCodeIntegrityInformation, &information, sizeof(information), nullptr);

    if (status < 0) {
        throw MakeWin32Error(info.Env(), "codeIntegrity", RtlNtStatusToDosError(status));
    }
    return Napi::Number::New(info.Env(), information.CodeIntegrityOptions);
}

// readDword(key, value): a REG_DWORD below HKEY_LOCAL_MACHINE, or undefined when key or value is not there.
Napi::Value ReadDword(const Napi::CallbackInfo &info)
{
    const std::u16string key = GetString(info[0], "key");
    const std::u16string value = GetString(info[1], "value");
    DWORD number = 0;
    DWORD size = sizeof(number);
    const LSTATUS error =
        ::RegGetValueW(HKEY_LOCAL_MACHINE, AsWide(key), AsWide(value), RRF_RT_REG_DWORD, nullptr, &number, &size);

    if (error == ERROR_FILE_NOT_FOUND) {
        return info.Env().Undefined();
    }
    if (error != ERROR_SUCCESS) {
        throw MakeWin32Error(info.Env(), "readDword", static_cast<std::uint32_t>(error));
    }
    return Napi::Number::New(info.Env(), number);
}

// readString(key, value): a REG_SZ, likewise.
Napi::Value ReadString(const Napi::CallbackInfo &info)
{
    const std::u16string key = GetString(info[0], "key");
    const std::u16string value = GetString(info[1], "value");
    std::u16string text(256, u'\0');
    LSTATUS error;
    DWORD size;

    do {
        text.resize(2 * text.size());
        size = static_cast<DWORD>(text.size() * sizeof(char16_t));
        error =
            ::RegGetValueW(HKEY_LOCAL_MACHINE, AsWide(key), AsWide(value), RRF_RT_REG_SZ, nullptr, text.data(), &size);
    } while (error == ERROR_MORE_DATA);
    if (error == ERROR_FILE_NOT_FOUND) {
        return info.Env().Undefined();
    }
    if (error != ERROR_SUCCESS) {
        throw MakeWin32Error(info.Env(), "readString", static_cast<std::uint32_t>(error));
    }
    return Napi::String::New(info.Env(), FromWide(AsWide(text)));
}

// What GetVolumeInformationW says of a drive's root. A network drive is not asked: its server may take a minute to answer.
Napi::Object DescribeDrive(Napi::Env env, char16_t letter)
{
    const std::u16string root = {letter, u':', u'\\'};
    const UINT type = ::GetDriveTypeW(AsWide(root));
    Napi::Object drive = Napi::Object::New(env);

    drive.Set("drive", Napi::String::New(env, root.substr(0, 2)));
    drive.Set("type", Napi::Number::New(env, type));
    if (type != DRIVE_REMOTE) {
        WCHAR fileSystem[MAX_PATH + 1] = {};
        DWORD flags = 0;

        if (::GetVolumeInformationW(AsWide(root), nullptr, 0, nullptr, nullptr, &flags, fileSystem, MAX_PATH + 1)) {
            drive.Set("fileSystem", Napi::String::New(env, FromWide(fileSystem)));
            drive.Set("flags", Napi::Number::New(env, flags));
        } else {
            drive.Set("win32", Napi::Number::New(env, ::GetLastError()));
        }
    }
    return drive;
}

// drives(): of each drive letter its type and its file system's name and flags, or the Win32 error that stands for them.
Napi::Value Drives(const Napi::CallbackInfo &info)
{
    const Napi::Env env = info.Env();
    const DWORD letters = ::GetLogicalDrives();
    Napi::Array drives = Napi::Array::New(env);
    DWORD previous = 0;

    if (letters == 0) {
        throw MakeWin32Error(env, "drives", ::GetLastError());
    }
    // No dialog that asks for a disk.
    ::SetThreadErrorMode(SEM_FAILCRITICALERRORS, &previous);
    for (unsigned index = 0; index < 26; index += 1) {
        if ((letters >> index & 1u) != 0) {
            drives.Set(drives.Length(), DescribeDrive(env, static_cast<char16_t>(u'A' + index)));
        }
    }
    ::SetThreadErrorMode(previous, nullptr);
    return drives;
}

} // namespace

Napi::Error MakeWin32Error(Napi::Env env, const char *operation, std::uint32_t error)
{
    Napi::Error failure =
        Napi::Error::New(env, std::string(operation) + " failed with Win32 error " + std::to_string(error));

    failure.Set("win32", Napi::Number::New(env, error));
    failure.Set("operation", Napi::String::New(env, operation));
    return failure;
}

Napi::Object DefineSystem(Napi::Env env)
{
    Napi::Object system = Napi::Object::New(env);

    system.Set("elevated", Napi::Function::New<Elevated>(env, "elevated"));
    system.Set("nativeMachine", Napi::Function::New<NativeMachine>(env, "nativeMachine"));
    system.Set("codeIntegrity", Napi::Function::New<CodeIntegrity>(env, "codeIntegrity"));
    system.Set("readDword", Napi::Function::New<ReadDword>(env, "readDword"));
    system.Set("readString", Napi::Function::New<ReadString>(env, "readString"));
    system.Set("drives", Napi::Function::New<Drives>(env, "drives"));
    return system;
}

} // namespace psctx
