/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counted strings.  Lengths are in bytes; a buffer need not end with a NUL.
 *
 * Case is that of ASCII and Latin-1.  Converting to and from an ANSI_STRING is
 * between UTF-16 and Latin-1: a character that has none becomes '?'.
 */
#ifndef _KMCL_NT_RTL_STRING_H
#define _KMCL_NT_RTL_STRING_H

#include <ntdef.h>

typedef struct _STRING {
	USHORT Length;
	USHORT MaximumLength;
	PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING;
typedef const STRING *PCSTRING, *PCANSI_STRING;

#define UNICODE_NULL		((WCHAR)0)
#define ANSI_NULL		((CHAR)0)
#define UNICODE_STRING_MAX_BYTES	((USHORT)65534)

SIZE_T kmcl_nt_wcsnlen(PCWSTR s, SIZE_T most);
#define wcslen(s)		kmcl_nt_wcsnlen(s, SIZE_MAX)
#define wcsnlen(s, most)	kmcl_nt_wcsnlen(s, most)

/**
 * RtlInitUnicodeString() - describe a string that ends with a NUL
 * @DestinationString: gets its address and length; MaximumLength counts the NUL
 * @SourceString: the string; of a longer one the first 65532 bytes; NULL for an
 *                empty one
 *
 * Context: any.
 */
VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString);
VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString);
#define RtlInitString(DestinationString, SourceString)				\
	RtlInitAnsiString(DestinationString, SourceString)

static inline VOID RtlInitEmptyUnicodeString(PUNICODE_STRING UnicodeString, PWCHAR Buffer,
					     USHORT BufferSize)
{
	UnicodeString->Length = 0;
	UnicodeString->MaximumLength = BufferSize;
	UnicodeString->Buffer = Buffer;
}

/**
 * RtlCopyUnicodeString() - copy as much as there is room for
 * @DestinationString: its MaximumLength is the room; a NUL follows if it fits
 * @SourceString: NULL for an empty string
 *
 * Context: any.
 */
VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);

/**
 * RtlAppendUnicodeStringToString() - append the whole or nothing
 * @Destination: its MaximumLength is the room; a NUL follows if it fits
 * @Source: what to append
 *
 * Context: any.
 * Return: STATUS_SUCCESS or STATUS_BUFFER_TOO_SMALL.
 */
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source);
NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source);

WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter);
WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter);

/* Below, at or above 0 as @String1 is less than, equal to or greater than @String2. */
LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
			     BOOLEAN CaseInSensitive);
BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
			      BOOLEAN CaseInSensitive);
/* Whether @String2 begins with @String1. */
BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
			       BOOLEAN CaseInSensitive);

/**
 * RtlUnicodeStringToInteger() - read a number
 * @String: white space, a sign, 0x or 0o or 0b, digits; ends where they do
 * @Base: 2, 8, 10 or 16; 0 believes the prefix, 10 without
 * @Value: where it goes; wraps around like any ULONG
 *
 * Context: any.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER for another base.
 */
NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value);

/**
 * RtlIntegerToUnicodeString() - write a number
 * @Value: the number
 * @Base: 2, 8, 10 or 16; 0 means 10
 * @String: its MaximumLength is the room; a NUL follows if it fits
 *
 * Context: any.
 * Return: STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW without room;
 * STATUS_INVALID_PARAMETER for another base.
 */
NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String);

/**
 * RtlUnicodeStringToAnsiString() - convert to bytes
 * @DestinationString: gets it, with a NUL
 * @SourceString: the string
 * @AllocateDestinationString: its buffer too, for RtlFreeAnsiString()
 *
 * Context: process, as on Windows.
 * Return: STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW without room for string and NUL;
 * STATUS_NO_MEMORY.
 */
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString,
				      PCUNICODE_STRING SourceString,
				      BOOLEAN AllocateDestinationString);

/* The other way round; STATUS_INVALID_PARAMETER_2 for what has no room in 64 KiB. */
NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString,
				      PCANSI_STRING SourceString,
				      BOOLEAN AllocateDestinationString);

VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString);
VOID RtlFreeAnsiString(PANSI_STRING AnsiString);

/* {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}, with the braces; for RtlFreeUnicodeString(). */
NTSTATUS RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString);
/* STATUS_INVALID_PARAMETER for anything else than such a string. */
NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid);

#endif /* _KMCL_NT_RTL_STRING_H */
