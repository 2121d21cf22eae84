/* The header a file system or file system filter includes: the kernel interface, by subject. */
#ifndef HOST_NTIFS_H
#define HOST_NTIFS_H

#include <nt_ex.h>
#include <nt_file.h>
#include <nt_fsrtl.h>
#include <nt_io.h>
#include <nt_ke.h>
#include <nt_ob.h>
#include <nt_ps.h>
#include <nt_rtl.h>
#include <nt_se.h>
#include <nt_zw.h>

#endif
