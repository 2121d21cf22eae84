/* Files of a volume under test, by short calls: every one is a system service of the process that the thread has entered. */
#ifndef PSCTX_TEST_FSD_FILES_H
#define PSCTX_TEST_FSD_FILES_H

#include <ntifs.h>

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define ALL_ACCESS (FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE)

/* Names are relative to the volume's root and begin with a backslash; the volume is the one that UseVolume said. */
void UseVolume(WCHAR Letter);
NTSTATUS OpenAs(const WCHAR *Name, ACCESS_MASK Access, ULONG Disposition, ULONG Options, ULONG Share, HANDLE *Handle);
NTSTATUS OpenCounted(const WCHAR *Name, ULONG Units, ULONG Disposition, HANDLE *Handle);
NTSTATUS OpenRelative(HANDLE Root, const WCHAR *Name, ULONG Disposition, HANDLE *Handle);
NTSTATUS OpenFile(const WCHAR *Name, HANDLE *Handle);
NTSTATUS CreateNew(const WCHAR *Name, HANDLE *Handle);
NTSTATUS MakeDirectory(const WCHAR *Name);
NTSTATUS MakeFile(const WCHAR *Name);
NTSTATUS Remove(const WCHAR *Name);
NTSTATUS OpenOnly(const WCHAR *Name); /* opens and closes */
NTSTATUS Write(HANDLE Handle, LONGLONG Offset, const void *Bytes, ULONG Length);
NTSTATUS Read(HANDLE Handle, LONGLONG Offset, void *Bytes, ULONG Length, ULONG *Transferred);
NTSTATUS SetDelete(HANDLE Handle, BOOLEAN Delete);
NTSTATUS Rename(HANDLE Handle, const WCHAR *Name, BOOLEAN Replace);
NTSTATUS Link(HANDLE Handle, const WCHAR *Name, BOOLEAN Replace);
NTSTATUS Query(HANDLE Handle, FILE_INFORMATION_CLASS Class, void *Buffer, ULONG Length);
NTSTATUS List(HANDLE Directory, const WCHAR *Pattern, ULONG *Count);
BOOLEAN HasName(HANDLE Handle, const WCHAR *Name);
NTSTATUS DismountHere(void);

#endif
