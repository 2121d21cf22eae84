/*
 * Included ahead of everything when driver/host's sources and ours are compiled for Windows images: what their
 * headers declare as variables are imports there.
 */
#ifndef PSCTX_TEST_IMAGE_H
#define PSCTX_TEST_IMAGE_H

#include <ntifs.h>

/* The import's slot, which holds the variable's address: what the headers' declaration means. */
extern POBJECT_TYPE *ImportedFileType __asm__("__imp_IoFileObjectType");
extern POBJECT_TYPE *ImportedDriverType __asm__("__imp_IoDriverObjectType");
extern POBJECT_TYPE *ImportedDeviceType __asm__("__imp_IoDeviceObjectType");
#define IoFileObjectType ImportedFileType
#define IoDriverObjectType ImportedDriverType
#define IoDeviceObjectType ImportedDeviceType

/* The images' own sections are Wine's matter. */
#define HOST_WITHOUT_PAGING

#endif
