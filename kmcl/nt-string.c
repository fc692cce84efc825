// SPDX-License-Identifier: GPL-2.0
/*
 * Counted strings, <rtl-string.h>: what is more than a line.
 */
#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uuid.h>
#include <ntddk.h>
#include "compat.h"

/* {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx} */
#define GUID_CHARS	(UUID_STRING_LEN + 2)

static unsigned int chars(PCUNICODE_STRING s)
{
	return s->Length / sizeof(WCHAR);
}

/* The NUL is no part of the string, but there if there is room. */
static void set_length(PUNICODE_STRING s, size_t bytes)
{
	s->Length = bytes;
	if (bytes + sizeof(WCHAR) <= s->MaximumLength)
		s->Buffer[bytes / sizeof(WCHAR)] = 0;
}

SIZE_T kmcl_nt_wcsnlen(PCWSTR s, SIZE_T most)
{
	SIZE_T n;

	for (n = 0; n < most && s[n]; n++)
		;
	return n;
}
EXPORT_SYMBOL_GPL(kmcl_nt_wcsnlen);

VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
	const size_t most = (UNICODE_STRING_MAX_BYTES - sizeof(WCHAR)) / sizeof(WCHAR);

	DestinationString->Buffer = (PWCH)SourceString;
	DestinationString->Length = 0;
	DestinationString->MaximumLength = 0;
	if (SourceString) {
		DestinationString->Length = kmcl_nt_wcsnlen(SourceString, most) * sizeof(WCHAR);
		DestinationString->MaximumLength = DestinationString->Length + sizeof(WCHAR);
	}
}
EXPORT_SYMBOL_GPL(RtlInitUnicodeString);

VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString)
{
	DestinationString->Buffer = (PCHAR)SourceString;
	DestinationString->Length = 0;
	DestinationString->MaximumLength = 0;
	if (SourceString) {
		DestinationString->Length = strnlen(SourceString, U16_MAX - 1);
		DestinationString->MaximumLength = DestinationString->Length + 1;
	}
}
EXPORT_SYMBOL_GPL(RtlInitAnsiString);

VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
	size_t n = 0;

	if (SourceString) {
		n = min(SourceString->Length, DestinationString->MaximumLength);
		memmove(DestinationString->Buffer, SourceString->Buffer, n);
	}
	set_length(DestinationString, n);
}
EXPORT_SYMBOL_GPL(RtlCopyUnicodeString);

NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
	if (Source->Length > Destination->MaximumLength - Destination->Length)
		return STATUS_BUFFER_TOO_SMALL;
	memmove((u8 *)Destination->Buffer + Destination->Length, Source->Buffer, Source->Length);
	set_length(Destination, Destination->Length + Source->Length);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlAppendUnicodeStringToString);

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
	UNICODE_STRING s;

	RtlInitUnicodeString(&s, Source);
	return RtlAppendUnicodeStringToString(Destination, &s);
}
EXPORT_SYMBOL_GPL(RtlAppendUnicodeToString);

/* ---- case ---- */

WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
	WCHAR c = SourceCharacter;

	if ((c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7))
		return c - 0x20;
	/* y with diaeresis: its capital is not in Latin-1 */
	return c == 0xff ? 0x178 : c;
}
EXPORT_SYMBOL_GPL(RtlUpcaseUnicodeChar);

WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
	WCHAR c = SourceCharacter;

	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7))
		return c + 0x20;
	return c == 0x178 ? 0xff : c;
}
EXPORT_SYMBOL_GPL(RtlDowncaseUnicodeChar);

static LONG compare(const WCHAR *a, const WCHAR *b, unsigned int n, bool ignore_case)
{
	unsigned int i;
	LONG diff;

	for (i = 0; i < n; i++) {
		diff = ignore_case ? RtlUpcaseUnicodeChar(a[i]) - RtlUpcaseUnicodeChar(b[i]) :
				     a[i] - b[i];
		if (diff)
			return diff;
	}
	return 0;
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
			     BOOLEAN CaseInSensitive)
{
	LONG diff = compare(String1->Buffer, String2->Buffer, min(chars(String1), chars(String2)),
			    CaseInSensitive);

	return diff ?: (LONG)chars(String1) - (LONG)chars(String2);
}
EXPORT_SYMBOL_GPL(RtlCompareUnicodeString);

BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
			      BOOLEAN CaseInSensitive)
{
	return String1->Length == String2->Length &&
	       !compare(String1->Buffer, String2->Buffer, chars(String1), CaseInSensitive);
}
EXPORT_SYMBOL_GPL(RtlEqualUnicodeString);

BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
			       BOOLEAN CaseInSensitive)
{
	return String1->Length <= String2->Length &&
	       !compare(String1->Buffer, String2->Buffer, chars(String1), CaseInSensitive);
}
EXPORT_SYMBOL_GPL(RtlPrefixUnicodeString);

/* ---- numbers ---- */

/* Takes a prefix like 0x off; 0: there is none. */
static unsigned int prefix_base(PCUNICODE_STRING s, unsigned int i)
{
	if (i + 1 >= chars(s) || s->Buffer[i] != '0')
		return 0;
	switch (s->Buffer[i + 1]) {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		return 0;
	}
}

static bool known_base(ULONG base)
{
	return base == 2 || base == 8 || base == 10 || base == 16;
}

NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
	unsigned int i = 0, n = chars(String), prefix;
	bool minus = false;
	ULONG value = 0;
	int digit;

	if (Base && !known_base(Base))
		return STATUS_INVALID_PARAMETER;
	while (i < n && String->Buffer[i] <= ' ')
		i++;
	if (i < n && (String->Buffer[i] == '-' || String->Buffer[i] == '+'))
		minus = String->Buffer[i++] == '-';
	if (!Base) {
		prefix = prefix_base(String, i);
		if (prefix)
			i += 2;
		Base = prefix ?: 10;
	}
	for (; i < n; i++) {
		digit = String->Buffer[i] < 0x80 ? hex_to_bin(String->Buffer[i]) : -1;
		if (digit < 0 || digit >= Base)
			break;
		value = value * Base + digit;
	}
	*Value = minus ? -value : value;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringToInteger);

NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
	WCHAR digits[32];
	unsigned int n = 0;

	if (!Base)
		Base = 10;
	if (!known_base(Base))
		return STATUS_INVALID_PARAMETER;
	do {
		digits[ARRAY_SIZE(digits) - ++n] = hex_asc_upper[Value % Base];
		Value /= Base;
	} while (Value);
	if (n * sizeof(WCHAR) > String->MaximumLength)
		return STATUS_BUFFER_OVERFLOW;
	memcpy(String->Buffer, digits + ARRAY_SIZE(digits) - n, n * sizeof(WCHAR));
	set_length(String, n * sizeof(WCHAR));
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlIntegerToUnicodeString);

/* ---- conversion ---- */

NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString,
				      PCUNICODE_STRING SourceString,
				      BOOLEAN AllocateDestinationString)
{
	unsigned int i, n = chars(SourceString);

	if (AllocateDestinationString) {
		DestinationString->Buffer = kmalloc(n + 1, GFP_KERNEL);
		if (!DestinationString->Buffer)
			return STATUS_NO_MEMORY;
		DestinationString->MaximumLength = n + 1;
	} else if (n + 1 > DestinationString->MaximumLength) {
		return STATUS_BUFFER_OVERFLOW;
	}
	for (i = 0; i < n; i++)
		DestinationString->Buffer[i] = SourceString->Buffer[i] <= 0xff ?
					       SourceString->Buffer[i] : '?';
	DestinationString->Buffer[n] = 0;
	DestinationString->Length = n;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringToAnsiString);

NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString,
				      PCANSI_STRING SourceString,
				      BOOLEAN AllocateDestinationString)
{
	size_t size = (SourceString->Length + 1) * sizeof(WCHAR);
	unsigned int i;

	if (size > UNICODE_STRING_MAX_BYTES)
		return STATUS_INVALID_PARAMETER_2;
	if (AllocateDestinationString) {
		DestinationString->Buffer = kmalloc(size, GFP_KERNEL);
		if (!DestinationString->Buffer)
			return STATUS_NO_MEMORY;
		DestinationString->MaximumLength = size;
	} else if (size > DestinationString->MaximumLength) {
		return STATUS_BUFFER_OVERFLOW;
	}
	for (i = 0; i < SourceString->Length; i++)
		DestinationString->Buffer[i] = (u8)SourceString->Buffer[i];
	set_length(DestinationString, size - sizeof(WCHAR));
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlAnsiStringToUnicodeString);

VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
	kfree(UnicodeString->Buffer);
	memset(UnicodeString, 0, sizeof(*UnicodeString));
}
EXPORT_SYMBOL_GPL(RtlFreeUnicodeString);

VOID RtlFreeAnsiString(PANSI_STRING AnsiString)
{
	kfree(AnsiString->Buffer);
	memset(AnsiString, 0, sizeof(*AnsiString));
}
EXPORT_SYMBOL_GPL(RtlFreeAnsiString);

NTSTATUS RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString)
{
	char text[GUID_CHARS + 1];
	ANSI_STRING ansi = {
		.Buffer = text, .Length = GUID_CHARS, .MaximumLength = sizeof(text),
	};

	/* %pUL: the byte order of a GUID, in capitals */
	snprintf(text, sizeof(text), "{%pUL}", Guid);
	return RtlAnsiStringToUnicodeString(GuidString, &ansi, TRUE);
}
EXPORT_SYMBOL_GPL(RtlStringFromGUID);

NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid)
{
	char text[GUID_CHARS + 1];
	ANSI_STRING ansi = { .Buffer = text, .MaximumLength = sizeof(text) };
	guid_t guid;

	if (chars(GuidString) != GUID_CHARS)
		return STATUS_INVALID_PARAMETER;
	RtlUnicodeStringToAnsiString(&ansi, GuidString, FALSE);
	if (text[0] != '{' || text[GUID_CHARS - 1] != '}' || guid_parse(text + 1, &guid))
		return STATUS_INVALID_PARAMETER;
	memcpy(Guid, &guid, sizeof(*Guid));
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlGUIDFromString);
