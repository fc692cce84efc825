// SPDX-License-Identifier: GPL-2.0
/*
 * Strings, lists, memory, pools, interlocked and safe arithmetic: results as
 * Windows documents them.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <ntddk.h>
#include <ntintsafe.h>
#include <ntstrsafe.h>

/* 'test', as a driver writes it who does not mind the warning. */
#define TAG 0x74657374

/* A string with no NUL behind it. */
#define BARE(s) { sizeof(s) - sizeof((s)[0]), sizeof(s) - sizeof((s)[0]), (PWCH)(s) }

static bool string_is(PCUNICODE_STRING s, PCWSTR text)
{
	return s->Length == wcslen(text) * sizeof(WCHAR) &&
	       !memcmp(s->Buffer, text, s->Length);
}

/* ---- strings ---- */

static void a_string_is_described_with_and_without_its_nul(struct kunit *test)
{
	UNICODE_STRING s;
	ANSI_STRING a;

	RtlInitUnicodeString(&s, L"abc");
	KUNIT_EXPECT_EQ(test, s.Length, 6);
	KUNIT_EXPECT_EQ(test, s.MaximumLength, 8);
	RtlInitUnicodeString(&s, L"");
	KUNIT_EXPECT_EQ(test, s.Length, 0);
	KUNIT_EXPECT_EQ(test, s.MaximumLength, 2);
	RtlInitUnicodeString(&s, NULL);
	KUNIT_EXPECT_EQ(test, s.Length, 0);
	KUNIT_EXPECT_EQ(test, s.MaximumLength, 0);
	KUNIT_EXPECT_NULL(test, s.Buffer);
	RtlInitAnsiString(&a, "abc");
	KUNIT_EXPECT_EQ(test, a.Length, 3);
	KUNIT_EXPECT_EQ(test, a.MaximumLength, 4);
	KUNIT_EXPECT_EQ(test, wcslen(L"four"), 4);
	KUNIT_EXPECT_EQ(test, wcsnlen(L"four", 3), 3);
}

static void a_string_too_long_for_a_length_is_cut(struct kunit *test)
{
	PWCHAR text = vmalloc(2 * 40000);
	UNICODE_STRING s;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < 40000 - 1; i++)
		text[i] = 'x';
	text[i] = 0;
	RtlInitUnicodeString(&s, text);
	KUNIT_EXPECT_EQ(test, s.Length, 65532);
	KUNIT_EXPECT_EQ(test, s.MaximumLength, 65534);
	vfree(text);
}

static void a_copy_is_cut_to_the_room_and_ended_if_it_can_be(struct kunit *test)
{
	WCHAR room[6] = { 'x', 'x', 'x', 'x', 'x', 'x' };
	UNICODE_STRING d, s = BARE(L"abc");

	RtlInitEmptyUnicodeString(&d, room, 8);
	RtlCopyUnicodeString(&d, &s);
	KUNIT_EXPECT_TRUE(test, string_is(&d, L"abc"));
	KUNIT_EXPECT_EQ(test, room[3], 0);
	KUNIT_EXPECT_EQ(test, room[4], 'x');
	d.MaximumLength = 4;
	room[2] = 'x';
	RtlCopyUnicodeString(&d, &s);
	KUNIT_EXPECT_TRUE(test, string_is(&d, L"ab"));
	KUNIT_EXPECT_EQ(test, room[2], 'x');
	RtlCopyUnicodeString(&d, NULL);
	KUNIT_EXPECT_EQ(test, d.Length, 0);
}

static void an_append_is_whole_or_nothing(struct kunit *test)
{
	WCHAR room[8];
	UNICODE_STRING d, s = BARE(L"abc");

	RtlInitEmptyUnicodeString(&d, room, 14);
	KUNIT_EXPECT_EQ(test, RtlAppendUnicodeStringToString(&d, &s), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, RtlAppendUnicodeToString(&d, L"de"), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, string_is(&d, L"abcde"));
	KUNIT_EXPECT_EQ(test, room[5], 0);
	KUNIT_EXPECT_EQ(test, RtlAppendUnicodeStringToString(&d, &s), STATUS_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_TRUE(test, string_is(&d, L"abcde"));
	/* to the last byte, without a NUL */
	KUNIT_EXPECT_EQ(test, RtlAppendUnicodeToString(&d, L"fg"), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, string_is(&d, L"abcdefg"));
	KUNIT_EXPECT_EQ(test, RtlAppendUnicodeToString(&d, NULL), STATUS_SUCCESS);
}

static void comparison_knows_order_length_and_case(struct kunit *test)
{
	UNICODE_STRING abc = BARE(L"abc"), upper = BARE(L"ABC"), abd = BARE(L"abd");
	UNICODE_STRING ab = BARE(L"ab"), umlaut = BARE(L"\u00e4\u00ff");
	UNICODE_STRING capital = BARE(L"\u00c4\u0178");

	KUNIT_EXPECT_EQ(test, RtlCompareUnicodeString(&abc, &abc, FALSE), 0);
	KUNIT_EXPECT_LT(test, RtlCompareUnicodeString(&abc, &abd, FALSE), 0);
	KUNIT_EXPECT_GT(test, RtlCompareUnicodeString(&abd, &abc, FALSE), 0);
	KUNIT_EXPECT_LT(test, RtlCompareUnicodeString(&ab, &abc, FALSE), 0);
	KUNIT_EXPECT_GT(test, RtlCompareUnicodeString(&abc, &upper, FALSE), 0);
	KUNIT_EXPECT_EQ(test, RtlCompareUnicodeString(&abc, &upper, TRUE), 0);
	KUNIT_EXPECT_EQ(test, RtlCompareUnicodeString(&umlaut, &capital, TRUE), 0);
	KUNIT_EXPECT_TRUE(test, RtlEqualUnicodeString(&abc, &upper, TRUE));
	KUNIT_EXPECT_FALSE(test, RtlEqualUnicodeString(&abc, &upper, FALSE));
	KUNIT_EXPECT_FALSE(test, RtlEqualUnicodeString(&ab, &abc, TRUE));
	KUNIT_EXPECT_TRUE(test, RtlPrefixUnicodeString(&ab, &abc, FALSE));
	KUNIT_EXPECT_TRUE(test, RtlPrefixUnicodeString(&ab, &upper, TRUE));
	KUNIT_EXPECT_FALSE(test, RtlPrefixUnicodeString(&abc, &ab, TRUE));
	KUNIT_EXPECT_EQ(test, RtlUpcaseUnicodeChar(0xf7), 0xf7);
	KUNIT_EXPECT_EQ(test, RtlDowncaseUnicodeChar('Q'), 'q');
	KUNIT_EXPECT_EQ(test, RtlDowncaseUnicodeChar(0xd7), 0xd7);
}

static void numbers_are_read_to_their_end(struct kunit *test)
{
	static const struct { UNICODE_STRING s; ULONG base; ULONG value; } t[] = {
		{ BARE(L"123"), 0, 123 }, { BARE(L" \t-5"), 0, -5u }, { BARE(L"+7"), 10, 7 },
		{ BARE(L"0x1Fg"), 0, 31 }, { BARE(L"0o17"), 0, 15 }, { BARE(L"0b101"), 0, 5 },
		{ BARE(L"ff"), 16, 255 }, { BARE(L"129"), 8, 10 }, { BARE(L""), 10, 0 },
		{ BARE(L"zzz"), 10, 0 }, { BARE(L"0"), 0, 0 }, { BARE(L"4294967295"), 10, ~0u },
		{ BARE(L"\u0661"), 10, 0 },
	};
	ULONG value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		value = 0xdead;
		KUNIT_EXPECT_EQ(test, RtlUnicodeStringToInteger(&t[i].s, t[i].base, &value),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ_MSG(test, value, t[i].value, "number %u", i);
	}
	KUNIT_EXPECT_EQ(test, RtlUnicodeStringToInteger(&t[0].s, 7, &value),
			STATUS_INVALID_PARAMETER);
}

static void numbers_are_written_where_they_fit(struct kunit *test)
{
	WCHAR room[32];
	UNICODE_STRING s;

	RtlInitEmptyUnicodeString(&s, room, sizeof(room));
	KUNIT_EXPECT_EQ(test, RtlIntegerToUnicodeString(4294967295u, 0, &s), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, string_is(&s, L"4294967295"));
	KUNIT_EXPECT_EQ(test, RtlIntegerToUnicodeString(0xbeef, 16, &s), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, string_is(&s, L"BEEF"));
	KUNIT_EXPECT_EQ(test, RtlIntegerToUnicodeString(0, 2, &s), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, string_is(&s, L"0"));
	KUNIT_EXPECT_EQ(test, RtlIntegerToUnicodeString(~0u, 2, &s), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, s.Length, 64);
	s.MaximumLength = 62;
	KUNIT_EXPECT_EQ(test, RtlIntegerToUnicodeString(~0u, 2, &s), STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, RtlIntegerToUnicodeString(1, 3, &s), STATUS_INVALID_PARAMETER);
}

static void strings_are_converted_both_ways(struct kunit *test)
{
	UNICODE_STRING wide = BARE(L"a\u00e9\u20ac"), back;
	char room[4];
	ANSI_STRING a = { .Buffer = room, .MaximumLength = sizeof(room) };

	KUNIT_EXPECT_EQ(test, RtlUnicodeStringToAnsiString(&a, &wide, FALSE), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a.Length, 3);
	KUNIT_EXPECT_STREQ(test, room, "a\xe9?");
	a.MaximumLength = 3;
	KUNIT_EXPECT_EQ(test, RtlUnicodeStringToAnsiString(&a, &wide, FALSE),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, RtlUnicodeStringToAnsiString(&a, &wide, TRUE), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, RtlAnsiStringToUnicodeString(&back, &a, TRUE), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, string_is(&back, L"a\u00e9?"));
	KUNIT_EXPECT_EQ(test, back.Buffer[3], 0);
	RtlFreeAnsiString(&a);
	RtlFreeUnicodeString(&back);
	KUNIT_EXPECT_NULL(test, back.Buffer);
	a.Length = 32767;
	KUNIT_EXPECT_EQ(test, RtlAnsiStringToUnicodeString(&back, &a, TRUE),
			STATUS_INVALID_PARAMETER_2);
}

static void a_guid_is_written_as_it_is_read(struct kunit *test)
{
	static const GUID guid = { 0x4aecb860, 0xe161, 0x42bb,
				   { 0xa5, 0xca, 0x77, 0xf3, 0xa9, 0x64, 0x59, 0x05 } };
	UNICODE_STRING text = BARE(L"{4AECB860-E161-42BB-A5CA-77F3A9645905}"), s;
	GUID read;

	KUNIT_EXPECT_EQ(test, RtlStringFromGUID(&guid, &s), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, RtlEqualUnicodeString(&s, &text, FALSE));
	RtlFreeUnicodeString(&s);
	KUNIT_EXPECT_EQ(test, RtlGUIDFromString(&text, &read), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, IsEqualGUID(&read, &guid));
	text.Length -= 2;
	KUNIT_EXPECT_EQ(test, RtlGUIDFromString(&text, &read), STATUS_INVALID_PARAMETER);
	text.Length += 2;
	text.Buffer = L"{4AECB860-E161-42BB-A5CA-77F3A9645905)";
	KUNIT_EXPECT_EQ(test, RtlGUIDFromString(&text, &read), STATUS_INVALID_PARAMETER);
	text.Buffer = L"{4AECB860-E161-42BB-A5CA+77F3A9645905}";
	KUNIT_EXPECT_EQ(test, RtlGUIDFromString(&text, &read), STATUS_INVALID_PARAMETER);
}

static void safe_strings_are_always_ended(struct kunit *test)
{
	char room[8] = "xxxxxxx";
	WCHAR wide[4];
	size_t n;

	KUNIT_EXPECT_EQ(test, RtlStringCbPrintfA(room, 5, "%d", 1234), STATUS_SUCCESS);
	KUNIT_EXPECT_STREQ(test, room, "1234");
	KUNIT_EXPECT_EQ(test, RtlStringCbPrintfA(room, 4, "%d", 1234), STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_STREQ(test, room, "123");
	KUNIT_EXPECT_EQ(test, RtlStringCbPrintfA(room, 0, "%d", 1), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, RtlStringCchCopyA(room, 4, "abc"), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, RtlStringCchCatA(room, 8, "defg"), STATUS_SUCCESS);
	KUNIT_EXPECT_STREQ(test, room, "abcdefg");
	KUNIT_EXPECT_EQ(test, RtlStringCchCatA(room, 8, "h"), STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_STREQ(test, room, "abcdefg");
	KUNIT_EXPECT_EQ(test, RtlStringCbCopyNA(room, 8, "abcdef", 2), STATUS_SUCCESS);
	KUNIT_EXPECT_STREQ(test, room, "ab");
	KUNIT_EXPECT_EQ(test, RtlStringCbCatNA(room, 8, "cdef", 1), STATUS_SUCCESS);
	KUNIT_EXPECT_STREQ(test, room, "abc");
	KUNIT_EXPECT_EQ(test, RtlStringCbLengthA(room, 8, &n), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, n, 3);
	KUNIT_EXPECT_EQ(test, RtlStringCbLengthA(room, 3, &n), STATUS_INVALID_PARAMETER);
	/* a destination that is not ended has no room */
	memset(room, 'y', sizeof(room));
	KUNIT_EXPECT_EQ(test, RtlStringCchCatA(room, 8, "z"), STATUS_INVALID_PARAMETER);

	KUNIT_EXPECT_EQ(test, RtlStringCbCopyW(wide, sizeof(wide), L"abcd"),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, wcslen(wide), 3);
	KUNIT_EXPECT_EQ(test, RtlStringCbLengthW(wide, sizeof(wide), &n), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, n, 6);
	KUNIT_EXPECT_EQ(test, RtlStringCchLengthW(wide, 4, &n), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, n, 3);
}

/* ---- lists ---- */

static void lists_are_windows_lists(struct kunit *test)
{
	LIST_ENTRY head, other, a, b, c;

	InitializeListHead(&head);
	KUNIT_EXPECT_TRUE(test, IsListEmpty(&head));
	KUNIT_EXPECT_PTR_EQ(test, RemoveHeadList(&head), &head);
	KUNIT_EXPECT_PTR_EQ(test, RemoveTailList(&head), &head);
	InsertTailList(&head, &b);
	InsertHeadList(&head, &a);
	InsertTailList(&head, &c);
	KUNIT_EXPECT_PTR_EQ(test, head.Flink, &a);
	KUNIT_EXPECT_PTR_EQ(test, head.Blink, &c);
	KUNIT_EXPECT_PTR_EQ(test, RemoveTailList(&head), &c);
	KUNIT_EXPECT_FALSE(test, RemoveEntryList(&a));
	KUNIT_EXPECT_TRUE(test, RemoveEntryList(&b));

	/* a ring of entries that has no head of its own */
	InsertTailList(&head, &a);
	InitializeListHead(&other);
	InsertTailList(&other, &b);
	InsertTailList(&other, &c);
	RemoveEntryList(&other);
	AppendTailList(&head, &b);
	KUNIT_EXPECT_PTR_EQ(test, RemoveHeadList(&head), &a);
	KUNIT_EXPECT_PTR_EQ(test, RemoveHeadList(&head), &b);
	KUNIT_EXPECT_PTR_EQ(test, RemoveHeadList(&head), &c);
	KUNIT_EXPECT_TRUE(test, IsListEmpty(&head));
}

static void interlocked_lists_say_what_was_there(struct kunit *test)
{
	LIST_ENTRY head, a, b;
	KSPIN_LOCK lock;

	KeInitializeSpinLock(&lock);
	InitializeListHead(&head);
	KUNIT_EXPECT_NULL(test, ExInterlockedRemoveHeadList(&head, &lock));
	KUNIT_EXPECT_NULL(test, ExInterlockedInsertTailList(&head, &a, &lock));
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedInsertTailList(&head, &b, &lock), &a);
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedRemoveHeadList(&head, &lock), &a);
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedInsertHeadList(&head, &a, &lock), &b);
	KUNIT_EXPECT_PTR_EQ(test, head.Flink, &a);
}

static void a_singly_linked_list_is_a_stack(struct kunit *test)
{
	SLIST_ENTRY a, b, c;
	SLIST_HEADER head;

	InitializeSListHead(&head);
	KUNIT_EXPECT_NULL(test, InterlockedPopEntrySList(&head));
	KUNIT_EXPECT_NULL(test, InterlockedPushEntrySList(&head, &a));
	KUNIT_EXPECT_PTR_EQ(test, InterlockedPushEntrySList(&head, &b), &a);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedPushEntrySList(&head, &c), &b);
	KUNIT_EXPECT_EQ(test, QueryDepthSList(&head), 3);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedPopEntrySList(&head), &c);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedFlushSList(&head), &b);
	KUNIT_EXPECT_PTR_EQ(test, b.Next, &a);
	KUNIT_EXPECT_NULL(test, a.Next);
	KUNIT_EXPECT_EQ(test, ExQueryDepthSList(&head), 0);
}

static void locks_nest_and_say_the_level_before(struct kunit *test)
{
	KLOCK_QUEUE_HANDLE outer, inner;
	KSPIN_LOCK lock, second;
	KIRQL seen, irql;
	FAST_MUTEX mutex;
	BOOLEAN got;

	KeInitializeSpinLock(&lock);
	KeInitializeSpinLock(&second);
	KeAcquireInStackQueuedSpinLock(&lock, &outer);
	KeAcquireInStackQueuedSpinLockAtDpcLevel(&second, &inner);
	seen = KeGetCurrentIrql();
	KeReleaseInStackQueuedSpinLockFromDpcLevel(&inner);
	KeReleaseInStackQueuedSpinLock(&outer);
	KUNIT_EXPECT_EQ(test, outer.OldIrql, PASSIVE_LEVEL);
	KUNIT_EXPECT_EQ(test, seen, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);

	KeAcquireSpinLock(&lock, &irql);
	got = KeTryToAcquireSpinLockAtDpcLevel(&second);
	if (got)
		KeReleaseSpinLockFromDpcLevel(&second);
	KeReleaseSpinLock(&lock, irql);
	KUNIT_EXPECT_TRUE(test, got);

	ExInitializeFastMutex(&mutex);
	ExAcquireFastMutex(&mutex);
	KUNIT_EXPECT_FALSE(test, ExTryToAcquireFastMutex(&mutex));
	ExReleaseFastMutex(&mutex);
}

/* ---- memory ---- */

static void memory_is_compared_counted_and_swapped(struct kunit *test)
{
	UCHAR a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, b[8];
	ULONG bit;

	RtlCopyMemory(b, a, sizeof(b));
	KUNIT_EXPECT_EQ(test, RtlCompareMemory(a, b, 8), 8);
	KUNIT_EXPECT_TRUE(test, RtlEqualMemory(a, b, 8));
	b[5] = 0;
	KUNIT_EXPECT_EQ(test, RtlCompareMemory(a, b, 8), 5);
	KUNIT_EXPECT_FALSE(test, RtlEqualMemory(a, b, 8));
	KUNIT_EXPECT_EQ(test, RtlCompareMemory(a, b, 0), 0);
	RtlMoveMemory(a + 1, a, 7);
	KUNIT_EXPECT_EQ(test, a[7], 7);
	/* the length comes second */
	RtlFillMemory(a, 3, 0xee);
	KUNIT_EXPECT_EQ(test, a[2], 0xee);
	KUNIT_EXPECT_EQ(test, a[3], 3);
	KUNIT_EXPECT_PTR_EQ(test, RtlSecureZeroMemory(a, 8), (PVOID)a);
	KUNIT_EXPECT_NULL(test, memchr_inv(a, 0, 8));
	KUNIT_EXPECT_EQ(test, RtlUshortByteSwap(0x1234), 0x3412);
	KUNIT_EXPECT_EQ(test, RtlUlongByteSwap(0x12345678), 0x78563412u);
	KUNIT_EXPECT_EQ(test, RtlUlonglongByteSwap(0x0102030405060708ull), 0x0807060504030201ull);
	KUNIT_EXPECT_FALSE(test, BitScanForward(&bit, 0));
	KUNIT_EXPECT_TRUE(test, BitScanForward(&bit, 0x50));
	KUNIT_EXPECT_EQ(test, bit, 4);
	KUNIT_EXPECT_TRUE(test, BitScanReverse(&bit, 0x50));
	KUNIT_EXPECT_EQ(test, bit, 6);
	KUNIT_EXPECT_TRUE(test, BitScanReverse64(&bit, 1ull << 63));
	KUNIT_EXPECT_EQ(test, bit, 63);
}

static void pool_memory_is_aligned_and_zeroed_when_asked(struct kunit *test)
{
	const SIZE_T sizes[] = { 1, 8, 9, 16, 17, 65, 80, 96, 97, 130, 192, 200, 4096, 5000, 9000 };
	NPAGED_LOOKASIDE_LIST list;
	unsigned int i, round;
	PUCHAR p[4];

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (round = 0; round < ARRAY_SIZE(p); round++) {
			p[round] = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizes[i], TAG);
			KUNIT_ASSERT_NOT_NULL(test, p[round]);
			KUNIT_EXPECT_TRUE_MSG(test, IS_ALIGNED((ULONG_PTR)p[round], 16), "%llu",
					      sizes[i]);
			KUNIT_EXPECT_NULL(test, memchr_inv(p[round], 0, sizes[i]));
			memset(p[round], 0xff, sizes[i]);
		}
		for (round = 0; round < ARRAY_SIZE(p); round++)
			ExFreePoolWithTag(p[round], TAG);
	}
	KUNIT_EXPECT_NULL(test, ExAllocatePool2(POOL_FLAG_NON_PAGED, 0, TAG));
	KUNIT_EXPECT_NULL(test, ExAllocatePool2(POOL_FLAG_UNINITIALIZED, 8, TAG));
	p[0] = ExAllocatePoolWithTag(NonPagedPoolNx, 0, TAG);
	KUNIT_EXPECT_NOT_NULL(test, p[0]);
	ExFreePool(p[0]);
	p[0] = ExAllocatePoolZero(PagedPool, 70, TAG);
	KUNIT_EXPECT_NULL(test, memchr_inv(p[0], 0, 70));
	ExFreePool(p[0]);

	ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 40, TAG, 0);
	p[0] = ExAllocateFromNPagedLookasideList(&list);
	KUNIT_ASSERT_NOT_NULL(test, p[0]);
	memset(p[0], 1, 40);
	ExFreeToNPagedLookasideList(&list, p[0]);
	ExDeleteNPagedLookasideList(&list);
}

/* ---- integers ---- */

static void interlocked_results_are_windows_results(struct kunit *test)
{
	PVOID pointer = test, none = NULL;
	LONG n = 5;
	LONG64 big = 5;
	LONG bits[2] = { 0, 0 };
	ULONG u = 0xfffffffe;

	/* the value after */
	KUNIT_EXPECT_EQ(test, InterlockedIncrement(&n), 6);
	KUNIT_EXPECT_EQ(test, InterlockedDecrement(&n), 5);
	KUNIT_EXPECT_EQ(test, InterlockedAdd(&n, -2), 3);
	KUNIT_EXPECT_EQ(test, InterlockedAdd64(&big, 1ll << 40), (1ll << 40) + 5);
	KUNIT_EXPECT_EQ(test, InterlockedDecrement64(&big), (1ll << 40) + 4);
	/* the value before */
	KUNIT_EXPECT_EQ(test, InterlockedExchange(&n, 9), 3);
	KUNIT_EXPECT_EQ(test, InterlockedExchangeAdd(&n, 1), 9);
	/* new value first, comparand second */
	KUNIT_EXPECT_EQ(test, InterlockedCompareExchange(&n, 20, 11), 10);
	KUNIT_EXPECT_EQ(test, n, 10);
	KUNIT_EXPECT_EQ(test, InterlockedCompareExchange(&n, 20, 10), 10);
	KUNIT_EXPECT_EQ(test, InterlockedOr(&n, 1), 20);
	KUNIT_EXPECT_EQ(test, InterlockedAnd(&n, 0xf), 21);
	KUNIT_EXPECT_EQ(test, InterlockedXor(&n, 0xff), 5);
	KUNIT_EXPECT_EQ(test, ReadAcquire(&n), 0xfa);
	KUNIT_EXPECT_EQ(test, InterlockedCompareExchange64(&big, 7, (1ll << 40) + 4),
			(1ll << 40) + 4);
	KUNIT_EXPECT_EQ(test, ReadNoFence64(&big), 7);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedExchangePointer(&pointer, NULL), (PVOID)test);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedCompareExchangePointer(&pointer, test, NULL), none);
	KUNIT_EXPECT_PTR_EQ(test, ReadPointerAcquire(&pointer), (PVOID)test);
	KUNIT_EXPECT_EQ(test, InterlockedBitTestAndSet(bits, 33), 0);
	KUNIT_EXPECT_EQ(test, InterlockedBitTestAndSet(bits, 33), 1);
	KUNIT_EXPECT_EQ(test, bits[1], 2);
	KUNIT_EXPECT_EQ(test, InterlockedBitTestAndReset(bits, 33), 1);
	KUNIT_EXPECT_EQ(test, bits[1], 0);
	WriteULongRelease(&u, 3);
	KUNIT_EXPECT_EQ(test, ReadULongNoFence(&u), 3);
	WriteRelease64(&big, -1);
	KUNIT_EXPECT_EQ(test, ReadULong64Acquire(&big), ~0ull);
}

static void safe_arithmetic_says_when_it_overflows(struct kunit *test)
{
	USHORT us;
	ULONG ul;
	SIZE_T st;

	KUNIT_EXPECT_EQ(test, RtlULongAdd(~0u - 1, 1, &ul), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, ul, ~0u);
	KUNIT_EXPECT_EQ(test, RtlULongAdd(~0u, 1, &ul), STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, ul, ~0u);
	KUNIT_EXPECT_EQ(test, RtlULongSub(1, 2, &ul), STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, RtlULongMult(0x10000, 0x10000, &ul), STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, RtlULongMult(0x10000, 0xffff, &ul), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, RtlUShortAdd(0xffff, 1, &us), STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, RtlSizeTMult(~0ull, 2, &st), STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, st, ~0ull);
	KUNIT_EXPECT_EQ(test, RtlULongToUShort(0xffff, &us), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, RtlULongToUShort(0x10000, &us), STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, RtlSizeTToULong(1ull << 32, &ul), STATUS_INTEGER_OVERFLOW);
}

/* ---- time ---- */

static void clocks_count_in_windows_units(struct kunit *test)
{
	LARGE_INTEGER frequency, t, ticks;
	ULONGLONG before = KeQueryInterruptTime();
	time64_t first = ktime_get_real_seconds(), seconds;

	KeQuerySystemTime(&t);
	/* 1601 to 1970, and on */
	seconds = div_s64(t.QuadPart - 116444736000000000ll, 10000000);
	KUNIT_EXPECT_GE(test, seconds, first);
	KUNIT_EXPECT_LE(test, seconds, ktime_get_real_seconds());
	KeQueryPerformanceCounter(&frequency);
	KUNIT_EXPECT_EQ(test, frequency.QuadPart, 10000000);
	KUNIT_EXPECT_GE(test, KeQueryInterruptTime(), before);
	KUNIT_EXPECT_LE(test, KeQueryUnbiasedInterruptTime(), KeQueryInterruptTime());
	KeQueryTickCount(&ticks);
	KUNIT_EXPECT_GE(test, ticks.QuadPart * KeQueryTimeIncrement() + KeQueryTimeIncrement(),
			before);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_string_is_described_with_and_without_its_nul),
	KUNIT_CASE(a_string_too_long_for_a_length_is_cut),
	KUNIT_CASE(a_copy_is_cut_to_the_room_and_ended_if_it_can_be),
	KUNIT_CASE(an_append_is_whole_or_nothing),
	KUNIT_CASE(comparison_knows_order_length_and_case),
	KUNIT_CASE(numbers_are_read_to_their_end),
	KUNIT_CASE(numbers_are_written_where_they_fit),
	KUNIT_CASE(strings_are_converted_both_ways),
	KUNIT_CASE(a_guid_is_written_as_it_is_read),
	KUNIT_CASE(safe_strings_are_always_ended),
	KUNIT_CASE(lists_are_windows_lists),
	KUNIT_CASE(interlocked_lists_say_what_was_there),
	KUNIT_CASE(a_singly_linked_list_is_a_stack),
	KUNIT_CASE(locks_nest_and_say_the_level_before),
	KUNIT_CASE(memory_is_compared_counted_and_swapped),
	KUNIT_CASE(pool_memory_is_aligned_and_zeroed_when_asked),
	KUNIT_CASE(interlocked_results_are_windows_results),
	KUNIT_CASE(safe_arithmetic_says_when_it_overflows),
	KUNIT_CASE(clocks_count_in_windows_units),
	{}
};

static struct kunit_suite suite = {
	.name = "kmcl_nt_rtl",
	.test_cases = cases,
};

kunit_test_suite(suite);
