// Facts about the Windows system that the CLI's doctor judges: plain values, no judgement.
#include "system_win32.h"

#include <string>
#include <vector>

#include "arguments.h"
#include "win32.h"
#include "win32_error.h"

#include <winevt.h>

namespace psctx {
namespace {

// SystemCodeIntegrityInformation and its record. [winternl/nf-winternl-ntquerysysteminformation]
constexpr ULONG kSystemCodeIntegrityInformation = 103;

struct CodeIntegrityInformation {
    ULONG length;
    ULONG options; // CODEINTEGRITY_OPTION_*
};

constexpr DWORD kEventTimeoutMilliseconds = 2000;
constexpr std::uint32_t kMaximumEvents = 100;

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
    const Napi::Env env = info.Env();
    const auto isWow64Process2 =
        FindRoutine<BOOL(WINAPI *)(HANDLE, USHORT *, USHORT *)>(::GetModuleHandleW(L"kernel32.dll"), "IsWow64Process2");

    if (isWow64Process2 != nullptr) {
        USHORT process = 0;
        USHORT machine = 0;

        if (!isWow64Process2(::GetCurrentProcess(), &process, &machine)) {
            throw MakeWin32Error(env, "nativeMachine", ::GetLastError());
        }
        return Napi::Number::New(env, machine);
    }
    // Before Windows 10 1511 there is no emulation but that of x86, which GetNativeSystemInfo sees through.
    SYSTEM_INFO system = {};
    ::GetNativeSystemInfo(&system);
    return Napi::Number::New(env, system.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_AMD64
                                      ? IMAGE_FILE_MACHINE_AMD64
                                      : IMAGE_FILE_MACHINE_I386);
}

// codeIntegrity(): CODEINTEGRITY_OPTION_* flags.
Napi::Value CodeIntegrity(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "codeIntegrity";
    const Napi::Env env = info.Env();
    const HMODULE module = ::GetModuleHandleW(L"ntdll.dll");
    const auto query = FindRoutine<LONG(NTAPI *)(ULONG, void *, ULONG, ULONG *)>(module, "NtQuerySystemInformation");
    const auto toDosError = FindRoutine<ULONG(NTAPI *)(LONG)>(module, "RtlNtStatusToDosError");
    CodeIntegrityInformation information = {sizeof(CodeIntegrityInformation), 0};

    if (query == nullptr || toDosError == nullptr) {
        throw MakeWin32Error(env, operation, ERROR_PROC_NOT_FOUND);
    }
    const LONG status = query(kSystemCodeIntegrityInformation, &information, sizeof(information), nullptr);
    if (status < 0) {
        throw MakeWin32Error(env, operation, toDosError(status));
    }
    return Napi::Number::New(env, information.options);
}

// readDword(key, value): a REG_DWORD below HKEY_LOCAL_MACHINE, or undefined when key or value is not there.
Napi::Value ReadDword(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "readDword";
    const Napi::Env env = info.Env();
    const std::u16string path = GetString(info[0], "key");
    const std::u16string value = GetString(info[1], "value");
    DWORD number = 0;
    DWORD size = sizeof(number);
    HKEY key = nullptr;

    LSTATUS error = ::RegOpenKeyExW(HKEY_LOCAL_MACHINE, AsWide(path), 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key);
    if (error == ERROR_SUCCESS) {
        error = ::RegGetValueW(key, nullptr, AsWide(value), RRF_RT_REG_DWORD, nullptr, &number, &size);
        ::RegCloseKey(key);
    }
    if (error == ERROR_FILE_NOT_FOUND) {
        return env.Undefined();
    }
    if (error != ERROR_SUCCESS) {
        throw MakeWin32Error(env, operation, static_cast<std::uint32_t>(error));
    }
    return Napi::Number::New(env, number);
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

// The routines of wevtapi.dll, which is loaded only by who asks for events.
struct EventRoutines {
    decltype(&::EvtQuery) query = nullptr;
    decltype(&::EvtNext) next = nullptr;
    decltype(&::EvtRender) render = nullptr;
    decltype(&::EvtClose) close = nullptr;

    explicit EventRoutines(HMODULE module) noexcept
        : query(FindRoutine<decltype(query)>(module, "EvtQuery")), next(FindRoutine<decltype(next)>(module, "EvtNext")),
          render(FindRoutine<decltype(render)>(module, "EvtRender")),
          close(FindRoutine<decltype(close)>(module, "EvtClose"))
    {
    }

    bool Complete() const noexcept
    {
        return query != nullptr && next != nullptr && render != nullptr && close != nullptr;
    }
};

class EventHandle {
  public:
    EventHandle(const EventRoutines &routines, EVT_HANDLE handle) noexcept : routines_(routines), handle_(handle) {}
    EventHandle(const EventHandle &) = delete;
    EventHandle &operator=(const EventHandle &) = delete;

    ~EventHandle()
    {
        if (handle_ != nullptr) {
            routines_.close(handle_);
        }
    }

    EVT_HANDLE get() const noexcept { return handle_; }

  private:
    const EventRoutines &routines_;
    EVT_HANDLE handle_;
};

// An event as XML. False, with the last error, when that fails.
bool RenderEvent(const EventRoutines &routines, EVT_HANDLE event, std::u16string *xml)
{
    std::vector<WCHAR> buffer;
    DWORD used = 0;
    DWORD properties = 0;

    if (!routines.render(nullptr, event, EvtRenderEventXml, 0, nullptr, &used, &properties) &&
        ::GetLastError() != ERROR_INSUFFICIENT_BUFFER) {
        return false;
    }
    buffer.resize(used / sizeof(WCHAR) + 1);
    if (!routines.render(nullptr, event, EvtRenderEventXml, static_cast<DWORD>(buffer.size() * sizeof(WCHAR)),
                         buffer.data(), &used, &properties)) {
        return false;
    }
    *xml = FromWide(buffer.data());
    return true;
}

// events(channel, query, maximum): the newest events that match an XPath query, as XML, newest first.
Napi::Value Events(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "events";
    const Napi::Env env = info.Env();
    const std::u16string channel = GetString(info[0], "channel");
    const std::u16string query = GetString(info[1], "query");
    const std::uint32_t maximum = GetUint32(info[2], kMaximumEvents, "maximum");
    // Stays loaded: to unload it would save nothing.
    const HMODULE module = ::LoadLibraryExW(L"wevtapi.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);

    if (module == nullptr) {
        throw MakeWin32Error(env, operation, ::GetLastError());
    }
    const EventRoutines routines(module);
    if (!routines.Complete()) {
        throw MakeWin32Error(env, operation, ERROR_PROC_NOT_FOUND);
    }
    const EventHandle results(routines, routines.query(nullptr, AsWide(channel), AsWide(query),
                                                       EvtQueryChannelPath | EvtQueryReverseDirection));
    if (results.get() == nullptr) {
        throw MakeWin32Error(env, operation, ::GetLastError());
    }

    Napi::Array events = Napi::Array::New(env);
    while (events.Length() < maximum) {
        EVT_HANDLE next = nullptr;
        DWORD returned = 0;
        std::u16string xml;

        if (!routines.next(results.get(), 1, &next, kEventTimeoutMilliseconds, 0, &returned)) {
            if (::GetLastError() == ERROR_NO_MORE_ITEMS) {
                break;
            }
            throw MakeWin32Error(env, operation, ::GetLastError());
        }
        const EventHandle event(routines, next);
        if (!RenderEvent(routines, event.get(), &xml)) {
            throw MakeWin32Error(env, operation, ::GetLastError());
        }
        events.Set(events.Length(), Napi::String::New(env, xml));
    }
    return events;
}

} // namespace

Napi::Object DefineSystem(Napi::Env env)
{
    Napi::Object system = Napi::Object::New(env);

    system.Set("elevated", Napi::Function::New<Elevated>(env, "elevated"));
    system.Set("nativeMachine", Napi::Function::New<NativeMachine>(env, "nativeMachine"));
    system.Set("codeIntegrity", Napi::Function::New<CodeIntegrity>(env, "codeIntegrity"));
    system.Set("readDword", Napi::Function::New<ReadDword>(env, "readDword"));
    system.Set("drives", Napi::Function::New<Drives>(env, "drives"));
    system.Set("events", Napi::Function::New<Events>(env, "events"));
    return system;
}

} // namespace psctx
