#include <windows.h>
#include <stdio.h>
#include <string.h>
#include <psctx/abi.h>

static HANDLE Control(void)
{
    return CreateFileW(PSCTX_WIN32_NAME, GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
}

static void Command(HANDLE c, const wchar_t *text)
{
    DWORD n = 0;
    unsigned char out[64] = {0};
    BOOL w = WriteFile(c, text, (DWORD)(wcslen(text) * 2), &n, NULL);
    BOOL r = ReadFile(c, out, sizeof(out), &n, NULL);
    printf("command %ls: write %d read %d n %lu status %08lx", text, w, r, n, *(ULONG *)out);
    for (DWORD i = 4; i + 8 <= n; i += 8) {
        ULONG64 v;
        memcpy(&v, out + i, 8);
        printf(" %llu", v);
    }
    printf(" (%lu)\n", GetLastError());
}

static void Stats(HANDLE p)
{
    PSCTX_HEADER h = {sizeof(h), PSCTX_ABI_VERSION, PSCTX_OPERATION_QUERY_STATISTICS};
    PSCTX_STATISTICS_REPLY r = {0};
    DWORD n = 0;
    BOOL ok = DeviceIoControl(p, PSCTX_IOCTL_QUERY_STATISTICS, &h, sizeof(h), &r, sizeof(r), &n, NULL);
    printf("stats ok %d: session %llu ins %llu rem %llu torn %llu total %llu sessions %llu vol %llu fs %llu\n", ok,
           r.SessionContexts, r.SessionInserted, r.SessionRemoved, r.SessionTornDown, r.TotalContexts, r.TotalSessions,
           r.AttachedVolumes, r.AttachedFileSystems);
}

static void Query(HANDLE p, HANDLE f, const char *what)
{
    PSCTX_STREAM_REQUEST q = {{sizeof(q), PSCTX_ABI_VERSION, PSCTX_OPERATION_QUERY_STREAM}, (ULONG_PTR)f};
    PSCTX_STREAM_REPLY r = {0};
    DWORD n = 0;
    BOOL ok = DeviceIoControl(p, PSCTX_IOCTL_QUERY_STREAM, &q, sizeof(q), &r, sizeof(r), &n, NULL);
    printf("query %s (%p): ok %d err %lu support %u type %u version %u\n", what, f, ok, GetLastError(), r.Support,
           r.DeviceType, r.HeaderVersion);
}

static int Insert(HANDLE p, HANDLE f, ULONG64 instance)
{
    struct {
        PSCTX_INSERT_REQUEST r;
        char data[8];
    } q = {{{sizeof(q), PSCTX_ABI_VERSION, PSCTX_OPERATION_INSERT}, (ULONG_PTR)f, 1, instance, 0, 0, 0, 8}, "abcdefg"};
    PSCTX_INSERT_REPLY r = {0};
    DWORD n = 0;
    BOOL ok = DeviceIoControl(p, PSCTX_IOCTL_INSERT, &q, sizeof(q), &r, sizeof(r), &n, NULL);
    printf("insert: ok %d err %lu outcome %u seq %llu\n", ok, ok ? 0 : GetLastError(), r.Outcome, r.Sequence);
    return ok;
}

static void Match(HANDLE p, HANDLE f, ULONG64 instance, int remove)
{
    PSCTX_MATCH_REQUEST q = {{sizeof(q), PSCTX_ABI_VERSION, remove ? PSCTX_OPERATION_REMOVE : PSCTX_OPERATION_LOOKUP},
                             (ULONG_PTR)f,
                             1,
                             instance,
                             0,
                             0};
    struct {
        PSCTX_CONTEXT_REPLY r;
        char data[64];
    } r = {0};
    DWORD n = 0;
    BOOL ok =
        DeviceIoControl(p, remove ? PSCTX_IOCTL_REMOVE : PSCTX_IOCTL_LOOKUP, &q, sizeof(q), &r, sizeof(r), &n, NULL);
    printf("%s: ok %d err %lu n %lu data '%s'\n", remove ? "remove" : "lookup", ok, ok ? 0 : GetLastError(), n, r.data);
}

static void List(HANDLE p, HANDLE f)
{
    PSCTX_LIST_REQUEST q = {{sizeof(q), PSCTX_ABI_VERSION, PSCTX_OPERATION_LIST}, (ULONG_PTR)f, 0};
    union {
        PSCTX_LIST_REPLY r;
        char b[1024];
    } r = {{{0}}};
    DWORD n = 0;
    BOOL ok = DeviceIoControl(p, PSCTX_IOCTL_LIST, &q, sizeof(q), &r, sizeof(r), &n, NULL);
    PSCTX_LIST_ENTRY *e = (PSCTX_LIST_ENTRY *)(r.b + sizeof(r.r));
    printf("list: ok %d count %u name %.*ls\n", ok, r.r.Count, ok && r.r.Count ? (int)(e->NameLength / 2) : 0,
           (wchar_t *)(e + 1));
}

int wmain(int argc, wchar_t **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    HANDLE p = Control();
    HANDLE c = CreateFileW(L"\\\\.\\PsHostFsControl", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    printf("control %p %p (%lu)\n", p, c, GetLastError());
    if (argc > 1 && wcscmp(argv[1], L"hang") == 0) {
        Command(c, L"create|hang.txt");
        HANDLE f =
            CreateFileW(L"\\\\.\\PsHostFs\\hang.txt", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
        Insert(p, f, 1);
        printf("hanging\n");
        Sleep(100000);
    }
    Stats(p);
    Command(c, L"audit");
    Command(c, L"create|a.txt:one");
    HANDLE f = CreateFileW(L"\\\\.\\PsHostFs\\A.TXT", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE g =
        CreateFileW(L"\\\\.\\PsHostFs\\a.txt::$DATA", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE h =
        CreateFileW(L"\\\\.\\PsHostFs\\a.txt:one:$DATA", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    printf("open %p %p %p (%lu)\n", f, g, h, GetLastError());
    DWORD n = 0;
    char text[32] = {0};
    BOOL w = WriteFile(f, "hello", 5, &n, NULL);
    printf("write %d %lu\n", w, n);
    OVERLAPPED o = {0};
    o.Offset = 1;
    w = ReadFile(g, text, 31, &n, &o);
    printf("read %d %lu '%s' (%lu)\n", w, n, text, GetLastError());
    Query(p, f, "file");
    HANDLE v = CreateFileW(L"\\\\.\\PsHostFs\\volume", GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    Query(p, v, "volume");
    HANDLE s = CreateFileW(L"\\\\.\\PsHostFs\\pagefile.sys", GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    Query(p, s, "pagefile");
    Query(p, p, "control device");
    HANDLE cf = CreateFileW(L"C:\\windows\\win.ini", GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    Query(p, cf, "win.ini");
    HANDLE r1, w1;
    CreatePipe(&r1, &w1, NULL, 0);
    Query(p, r1, "pipe");
    Query(p, (HANDLE)0x5550, "bad");
    Query(p, NULL, "null");
    Query(p, INVALID_HANDLE_VALUE, "invalid");
    HANDLE ev = CreateEventW(NULL, 0, 0, NULL);
    Query(p, ev, "event");
    Insert(p, f, 7);
    Match(p, g, 7, 0);
    Match(p, h, 7, 0);
    List(p, g);
    Command(c, L"audit");
    Match(p, g, 7, 1);
    Insert(p, f, 8);
    Insert(p, h, 9);
    Command(c, L"link|a.txt|b.txt");
    HANDLE b =
        CreateFileW(L"\\\\.\\PsHostFs\\b.txt:one", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    Match(p, b, 9, 0);
    CloseHandle(b);
    Command(c, L"rename|b.txt|c.txt");
    b = CreateFileW(L"\\\\.\\PsHostFs\\c.txt", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    Match(p, b, 8, 0);
    CloseHandle(b);
    Command(c, L"delete|c.txt");
    Command(c, L"mkdir|dir");
    Command(c, L"create|dir\\x.txt");
    Command(c, L"rename|dir|dir2");
    b = CreateFileW(L"\\\\.\\PsHostFs\\dir2\\x.txt", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    Query(p, b, "dir2\\x.txt");
    CloseHandle(b);
    b = CreateFileW(L"\\\\.\\PsHostFs\\dir2::$INDEX_ALLOCATION", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING,
                    FILE_FLAG_BACKUP_SEMANTICS, NULL);
    Query(p, b, "dir2");
    CloseHandle(b);
    Command(c, L"delete|a.txt");
    b = CreateFileW(L"\\\\.\\PsHostFs\\a.txt", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    printf("deleted: %p %lu\n", b, GetLastError());
    Match(p, g, 8, 0);
    Stats(p);
    CloseHandle(f);
    CloseHandle(g);
    CloseHandle(h);
    Stats(p);
    Command(c, L"fault|1");
    HANDLE p2 = Control();
    Stats(p2);
    CloseHandle(p2);
    Command(c, L"create|d.txt");
    f = CreateFileW(L"\\\\.\\PsHostFs\\d.txt", GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    for (int i = 1; i < 6; i++) {
        wchar_t t[16];
        swprintf(t, 16, L"fault|%d", i);
        Command(c, t);
        Insert(p, f, 100 + i);
    }
    Command(c, L"audit");
    LARGE_INTEGER t0, t1, fr;
    QueryPerformanceFrequency(&fr);
    QueryPerformanceCounter(&t0);
    for (int i = 0; i < 2000; i++) {
        PSCTX_MATCH_REQUEST q = {{sizeof(q), PSCTX_ABI_VERSION, PSCTX_OPERATION_LOOKUP}, (ULONG_PTR)f, 1, 101, 0, 0};
        char r[128];
        DeviceIoControl(p, PSCTX_IOCTL_LOOKUP, &q, sizeof(q), r, sizeof(r), &n, NULL);
    }
    QueryPerformanceCounter(&t1);
    printf("lookup %.1f us\n", (double)(t1.QuadPart - t0.QuadPart) * 1e6 / (double)fr.QuadPart / 2000);
    HANDLE e =
        CreateFileW(L"\\\\.\\PsHostFs\\pending", GENERIC_READ, 7, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    OVERLAPPED po = {0};
    po.hEvent = CreateEventW(NULL, 1, 0, NULL);
    w = ReadFile(e, text, 4, &n, &po);
    printf("pending read %d (%lu)\n", w, GetLastError());
    printf("cancel %d\n", CancelIo(e));
    w = GetOverlappedResult(e, &po, &n, TRUE);
    printf("result %d (%lu)\n", w, GetLastError());
    Command(c, L"dismount");
    Stats(p);
    Command(c, L"mount");
    Stats(p);
    w = ReadFile(f, text, 4, &n, NULL);
    printf("read after dismount %d (%lu)\n", w, GetLastError());
    Match(p, f, 101, 0);
    CloseHandle(f);
    CloseHandle(v);
    CloseHandle(s);
    CloseHandle(e);
    Stats(p);
    Command(c, L"audit");
    return 0;
}
