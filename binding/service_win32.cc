// The service manager of Windows, for the CLI: query, create, configure, start, stop and delete one driver service.
#include "system_win32.h"

#include <cstddef>

#include "arguments.h"

namespace psctx {
namespace {

// QueryServiceConfigW never asks for more. [winsvc/nf-winsvc-queryserviceconfigw]
constexpr DWORD kMaximumConfigurationSize = 8192;

class ServiceHandle {
  public:
    explicit ServiceHandle(SC_HANDLE handle) noexcept : handle_(handle) {}
    ServiceHandle(const ServiceHandle &) = delete;
    ServiceHandle &operator=(const ServiceHandle &) = delete;

    ~ServiceHandle()
    {
        if (handle_ != nullptr) {
            ::CloseServiceHandle(handle_);
        }
    }

    SC_HANDLE get() const noexcept { return handle_; }

  private:
    SC_HANDLE handle_;
};

// One call of JavaScript's: opens what it needs, and turns a call of Windows' that failed into an error of this operation.
class Call {
  public:
    Call(const Napi::CallbackInfo &info, const char *operation, DWORD managerAccess)
        : env_(info.Env()), operation_(operation), name_(GetString(info[0], "name")),
          manager_(Require(::OpenSCManagerW(nullptr, nullptr, managerAccess)))
    {
    }

    // What a call of Windows' returned; throws the last error when that is zero.
    template <typename Value> Value Require(Value value) const
    {
        if (!value) {
            throw MakeWin32Error(env_, operation_, ::GetLastError());
        }
        return value;
    }

    SC_HANDLE Open(DWORD access) const { return Require(::OpenServiceW(manager_.get(), AsWide(name_), access)); }

    SC_HANDLE Manager() const noexcept { return manager_.get(); }
    const std::u16string &Name() const noexcept { return name_; }

  private:
    Napi::Env env_;
    const char *operation_;
    std::u16string name_;
    ServiceHandle manager_;
};

// How a driver service is to be registered.
struct Registration {
    std::u16string displayName;
    std::u16string description;
    std::u16string imagePath;
    std::u16string group;
    std::u16string dependencies; // a list of strings, with a further zero at its end; of none when it is empty

    explicit Registration(const Napi::CallbackInfo &info)
        : displayName(GetString(info[1], "displayName")), description(GetString(info[2], "description")),
          imagePath(GetString(info[3], "imagePath")), group(GetString(info[4], "group")),
          dependencies(GetString(info[5], "dependency") + u'\0')
    {
    }

    void Describe(const Call &call, SC_HANDLE service)
    {
        SERVICE_DESCRIPTIONW text = {};

        text.lpDescription = reinterpret_cast<LPWSTR>(description.data());
        call.Require(::ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &text));
    }
};

// query(name): state, accepted controls and configuration, or undefined when there is no such service.
Napi::Value Query(const Napi::CallbackInfo &info)
{
    const Napi::Env env = info.Env();
    const Call call(info, "queryService", SC_MANAGER_CONNECT);
    const SC_HANDLE opened =
        ::OpenServiceW(call.Manager(), AsWide(call.Name()), SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG);

    if (opened == nullptr && ::GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST) {
        return env.Undefined();
    }
    const ServiceHandle service(call.Require(opened));

    SERVICE_STATUS_PROCESS status = {};
    DWORD needed = 0;
    call.Require(::QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO, reinterpret_cast<LPBYTE>(&status),
                                        sizeof(status), &needed));

    alignas(QUERY_SERVICE_CONFIGW) std::byte buffer[kMaximumConfigurationSize];
    auto *configuration = reinterpret_cast<QUERY_SERVICE_CONFIGW *>(buffer);
    call.Require(::QueryServiceConfigW(service.get(), configuration, sizeof(buffer), &needed));

    Napi::Object result = Napi::Object::New(env);
    result.Set("state", Napi::Number::New(env, status.dwCurrentState));
    result.Set("controlsAccepted", Napi::Number::New(env, status.dwControlsAccepted));
    result.Set("exitCode", Napi::Number::New(env, status.dwWin32ExitCode));
    result.Set("type", Napi::Number::New(env, configuration->dwServiceType));
    result.Set("startType", Napi::Number::New(env, configuration->dwStartType));
    result.Set("errorControl", Napi::Number::New(env, configuration->dwErrorControl));
    result.Set("imagePath", Napi::String::New(env, FromWide(configuration->lpBinaryPathName)));
    result.Set("group", Napi::String::New(env, FromWide(configuration->lpLoadOrderGroup)));
    result.Set("dependency", Napi::String::New(env, FromWide(configuration->lpDependencies)));
    return result;
}

// create(name, displayName, description, imagePath, group, dependency): a file system driver that is started on demand, as its INF has it.
Napi::Value Create(const Napi::CallbackInfo &info)
{
    const Call call(info, "createService", SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    Registration registration(info);
    const ServiceHandle service(call.Require(::CreateServiceW(
        call.Manager(), AsWide(call.Name()), AsWide(registration.displayName), SERVICE_CHANGE_CONFIG,
        SERVICE_FILE_SYSTEM_DRIVER, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, AsWide(registration.imagePath),
        AsWide(registration.group), nullptr, AsWide(registration.dependencies), nullptr, nullptr)));

    registration.Describe(call, service.get());
    return info.Env().Undefined();
}

// configure(name, displayName, description, imagePath, group, dependency): gives a service that is there what create would.
Napi::Value Configure(const Napi::CallbackInfo &info)
{
    const Call call(info, "configureService", SC_MANAGER_CONNECT);
    Registration registration(info);
    const ServiceHandle service(call.Open(SERVICE_CHANGE_CONFIG));

    call.Require(::ChangeServiceConfigW(service.get(), SERVICE_FILE_SYSTEM_DRIVER, SERVICE_DEMAND_START,
                                        SERVICE_ERROR_NORMAL, AsWide(registration.imagePath),
                                        AsWide(registration.group), nullptr, AsWide(registration.dependencies), nullptr,
                                        nullptr, AsWide(registration.displayName)));
    registration.Describe(call, service.get());
    return info.Env().Undefined();
}

// start(name): returns when the driver's DriverEntry has.
Napi::Value Start(const Napi::CallbackInfo &info)
{
    const Call call(info, "startService", SC_MANAGER_CONNECT);
    const ServiceHandle service(call.Open(SERVICE_START));

    call.Require(::StartServiceW(service.get(), 0, nullptr));
    return info.Env().Undefined();
}

// stop(name): asks for it; the driver may be gone later, when its last handle is closed.
Napi::Value Stop(const Napi::CallbackInfo &info)
{
    const Call call(info, "stopService", SC_MANAGER_CONNECT);
    const ServiceHandle service(call.Open(SERVICE_STOP));
    SERVICE_STATUS status = {};

    call.Require(::ControlService(service.get(), SERVICE_CONTROL_STOP, &status));
    return info.Env().Undefined();
}

// delete(name): marks it; it goes when it has stopped and its last handle is closed.
Napi::Value Delete(const Napi::CallbackInfo &info)
{
    const Call call(info, "deleteService", SC_MANAGER_CONNECT);
    const ServiceHandle service(call.Open(DELETE));

    call.Require(::DeleteService(service.get()));
    return info.Env().Undefined();
}

// Sets a value of a key below the service's, which is made where it is not there; of the service's own when Below is empty.
LSTATUS WriteValue(const std::u16string &service, const std::u16string &below, const std::u16string &value, DWORD type,
                   const void *data, std::size_t length)
{
    const std::u16string path = u"SYSTEM\\CurrentControlSet\\Services\\" + service;
    HKEY serviceKey = nullptr;
    HKEY key = nullptr;

    // No key is made for a service that is not there.
    LSTATUS error = ::RegOpenKeyExW(HKEY_LOCAL_MACHINE, AsWide(path), 0,
                                    KEY_SET_VALUE | KEY_CREATE_SUB_KEY | KEY_WOW64_64KEY, &serviceKey);
    if (error != ERROR_SUCCESS) {
        return error;
    }
    error = ::RegCreateKeyExW(serviceKey, AsWide(below), 0, nullptr, REG_OPTION_NON_VOLATILE,
                              KEY_SET_VALUE | KEY_WOW64_64KEY, nullptr, &key, nullptr);
    if (error == ERROR_SUCCESS) {
        error =
            ::RegSetValueExW(key, AsWide(value), 0, type, static_cast<const BYTE *>(data), static_cast<DWORD>(length));
        ::RegCloseKey(key);
    }
    ::RegCloseKey(serviceKey);
    return error;
}

// write(name, key, value, data: number | string): a REG_DWORD or a REG_SZ, where the driver or Filter Manager reads it when the driver starts.
Napi::Value Write(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "configureService";
    const Napi::Env env = info.Env();
    const std::u16string name = GetString(info[0], "name");
    const std::u16string below = GetString(info[1], "key");
    const std::u16string value = GetString(info[2], "value");
    LSTATUS error;

    if (info[3].IsString()) {
        const std::u16string text = GetString(info[3], "data");

        error = WriteValue(name, below, value, REG_SZ, text.c_str(), (text.size() + 1) * sizeof(char16_t));
    } else {
        const DWORD number = GetUint32(info[3], 0xFFFFFFFFu, "data");

        error = WriteValue(name, below, value, REG_DWORD, &number, sizeof(number));
    }
    if (error != ERROR_SUCCESS) {
        throw MakeWin32Error(env, operation, static_cast<std::uint32_t>(error));
    }
    return env.Undefined();
}

} // namespace

Napi::Object DefineService(Napi::Env env)
{
    Napi::Object service = Napi::Object::New(env);

    service.Set("query", Napi::Function::New<Query>(env, "query"));
    service.Set("create", Napi::Function::New<Create>(env, "create"));
    service.Set("configure", Napi::Function::New<Configure>(env, "configure"));
    service.Set("start", Napi::Function::New<Start>(env, "start"));
    service.Set("stop", Napi::Function::New<Stop>(env, "stop"));
    service.Set("delete", Napi::Function::New<Delete>(env, "delete"));
    service.Set("write", Napi::Function::New<Write>(env, "write"));
    return service;
}

} // namespace psctx
