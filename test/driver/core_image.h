/*
 * Where the headers of a driver's image have what is looked at: of an image of this machine's word size. [debug/pe-format]
 */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#define CORE_PE32 0x10Bu
#define CORE_PE32_PLUS 0x20Bu
#define CORE_OPTIONAL_MAGIC (sizeof(ULONG_PTR) == 8 ? CORE_PE32_PLUS : CORE_PE32)
#define CORE_OTHER_MAGIC (sizeof(ULONG_PTR) == 8 ? CORE_PE32 : CORE_PE32_PLUS)

/* From the signature on: the optional header, in it the number of directories, and that of import addresses. */
#define CORE_OPTIONAL_HEADER 24u
#define CORE_DIRECTORIES (CORE_OPTIONAL_HEADER + (sizeof(ULONG_PTR) == 8 ? 112u : 96u))
#define CORE_DIRECTORY_COUNT (CORE_DIRECTORIES - 4u)
#define CORE_IMPORT_DIRECTORY (CORE_DIRECTORIES + 12u * 8u)
#define CORE_HEADERS_LENGTH (CORE_DIRECTORIES + 13u * 8u)

#endif
