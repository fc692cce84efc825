/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Strings in buffers of a known size: what fits is there, with a NUL, whatever
 * the status says.  Cb counts bytes, Cch characters.
 *
 * The formats of the Printf forms are the kernel's; they exist for bytes alone.
 */
#ifndef _KMCL_NT_NTSTRSAFE_H
#define _KMCL_NT_NTSTRSAFE_H

#include <linux/kernel.h>
#include <linux/stdarg.h>
#include <linux/string.h>

#include <ntdef.h>

#define NTSTRSAFE_MAX_CCH	2147483647

typedef char *NTSTRSAFE_PSTR;
typedef const char *NTSTRSAFE_PCSTR;
typedef WCHAR *NTSTRSAFE_PWSTR;
typedef const WCHAR *NTSTRSAFE_PCWSTR;

static inline bool kmcl_nt_cch_ok(size_t cch)
{
	return cch && cch <= NTSTRSAFE_MAX_CCH;
}

static inline NTSTATUS __printf(3, 0)
RtlStringCchVPrintfA(NTSTRSAFE_PSTR Dest, size_t DestCch, NTSTRSAFE_PCSTR Format, va_list Args)
{
	if (!kmcl_nt_cch_ok(DestCch))
		return STATUS_INVALID_PARAMETER;
	return vsnprintf(Dest, DestCch, Format, Args) < DestCch ? STATUS_SUCCESS :
								  STATUS_BUFFER_OVERFLOW;
}

static inline NTSTATUS __printf(3, 4)
RtlStringCchPrintfA(NTSTRSAFE_PSTR Dest, size_t DestCch, NTSTRSAFE_PCSTR Format, ...)
{
	NTSTATUS status;
	va_list args;

	va_start(args, Format);
	status = RtlStringCchVPrintfA(Dest, DestCch, Format, args);
	va_end(args);
	return status;
}

/* One body for both kinds of characters; @most of @src at most. */
#define kmcl_nt_copy(dest, cch, src, most)					\
({										\
	typeof(*(dest)) *__d = (dest);						\
	size_t __n = (cch), __m = (most), __i;					\
	NTSTATUS __s = STATUS_INVALID_PARAMETER;				\
										\
	if (kmcl_nt_cch_ok(__n)) {						\
		for (__i = 0; __i < __n - 1 && __i < __m && (src)[__i]; __i++)	\
			__d[__i] = (src)[__i];					\
		__s = __i < __m && (src)[__i] ? STATUS_BUFFER_OVERFLOW :	\
						STATUS_SUCCESS;			\
		__d[__i] = 0;							\
	}									\
	__s;									\
})

/* Where a string of less than @cch characters ends, or @cch. */
#define kmcl_nt_end(s, cch)							\
({										\
	size_t __e, __c = (cch);						\
										\
	for (__e = 0; __e < __c && (s)[__e]; __e++)				\
		;								\
	__e;									\
})

#define KMCL_NT_STRING_FUNCTIONS(suffix, type)					\
static inline NTSTATUS RtlStringCchCopyN##suffix(type *Dest, size_t DestCch,	\
						 const type *Src, size_t Most)	\
{										\
	if (Most > NTSTRSAFE_MAX_CCH)						\
		return STATUS_INVALID_PARAMETER;				\
	return kmcl_nt_copy(Dest, DestCch, Src, Most);				\
}										\
										\
static inline NTSTATUS RtlStringCchCopy##suffix(type *Dest, size_t DestCch,	\
						const type *Src)		\
{										\
	return kmcl_nt_copy(Dest, DestCch, Src, NTSTRSAFE_MAX_CCH);		\
}										\
										\
static inline NTSTATUS RtlStringCchCatN##suffix(type *Dest, size_t DestCch,	\
						const type *Src, size_t Most)	\
{										\
	size_t end;								\
										\
	if (!kmcl_nt_cch_ok(DestCch) || Most > NTSTRSAFE_MAX_CCH)		\
		return STATUS_INVALID_PARAMETER;				\
	end = kmcl_nt_end(Dest, DestCch);					\
	return kmcl_nt_copy(Dest + end, DestCch - end, Src, Most);		\
}										\
										\
static inline NTSTATUS RtlStringCchCat##suffix(type *Dest, size_t DestCch,	\
					       const type *Src)			\
{										\
	return RtlStringCchCatN##suffix(Dest, DestCch, Src, NTSTRSAFE_MAX_CCH);	\
}										\
										\
static inline NTSTATUS RtlStringCchLength##suffix(const type *Src, size_t MaxCch, \
						  size_t *Cch)			\
{										\
	size_t end = 0;								\
										\
	if (Src && kmcl_nt_cch_ok(MaxCch))					\
		end = kmcl_nt_end(Src, MaxCch);					\
	else									\
		MaxCch = 0;							\
	if (Cch)								\
		*Cch = end < MaxCch ? end : 0;					\
	return end < MaxCch ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;	\
}										\
										\
static inline NTSTATUS RtlStringCbLength##suffix(const type *Src, size_t MaxCb,	\
						 size_t *Cb)			\
{										\
	NTSTATUS status = RtlStringCchLength##suffix(Src, MaxCb / sizeof(type), Cb); \
										\
	if (Cb)									\
		*Cb *= sizeof(type);						\
	return status;								\
}

KMCL_NT_STRING_FUNCTIONS(A, CHAR)
KMCL_NT_STRING_FUNCTIONS(W, WCHAR)

#define RtlStringCbPrintfA(Dest, DestCb, ...)	RtlStringCchPrintfA(Dest, DestCb, __VA_ARGS__)
#define RtlStringCbVPrintfA(Dest, DestCb, Format, Args)				\
	RtlStringCchVPrintfA(Dest, DestCb, Format, Args)
#define RtlStringCbCopyA(Dest, DestCb, Src)	RtlStringCchCopyA(Dest, DestCb, Src)
#define RtlStringCbCopyNA(Dest, DestCb, Src, Cb) RtlStringCchCopyNA(Dest, DestCb, Src, Cb)
#define RtlStringCbCatA(Dest, DestCb, Src)	RtlStringCchCatA(Dest, DestCb, Src)
#define RtlStringCbCatNA(Dest, DestCb, Src, Cb)	RtlStringCchCatNA(Dest, DestCb, Src, Cb)
#define RtlStringCbCopyW(Dest, DestCb, Src)					\
	RtlStringCchCopyW(Dest, (DestCb) / sizeof(WCHAR), Src)
#define RtlStringCbCopyNW(Dest, DestCb, Src, Cb)				\
	RtlStringCchCopyNW(Dest, (DestCb) / sizeof(WCHAR), Src, (Cb) / sizeof(WCHAR))
#define RtlStringCbCatW(Dest, DestCb, Src)					\
	RtlStringCchCatW(Dest, (DestCb) / sizeof(WCHAR), Src)
#define RtlStringCbCatNW(Dest, DestCb, Src, Cb)					\
	RtlStringCchCatNW(Dest, (DestCb) / sizeof(WCHAR), Src, (Cb) / sizeof(WCHAR))

#endif /* _KMCL_NT_NTSTRSAFE_H */
