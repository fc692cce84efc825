/* SPDX-License-Identifier: GPL-2.0 */
/* What people see: the files of debugfs and the trace, read by a case as they read them. */
#ifndef _KMCL_LOOK_H
#define _KMCL_LOOK_H

#include <kunit/test.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include "helper.h"
#include "kmcl.h"

#define LOOK_DIR	"/sys/kernel/debug/kmcl/"
#define LOOK_TRACE	"/sys/kernel/tracing/trace"
#define LOOK_EVENTS	"/sys/kernel/tracing/events/kmcl/"
#define LOOK_ROOM	(64u << 10)

/* At most @size bytes from @pos on, into memory of the kernel's. */
static inline ssize_t look_read(struct file *file, void *buf, size_t size, loff_t *pos)
{
	struct kvec vec = { .iov_base = buf, .iov_len = size };
	ssize_t (*read)(struct kiocb *kiocb, struct iov_iter *iter) = file->f_op->read_iter;
	struct iov_iter iter;
	struct kiocb kiocb;
	ssize_t ret;

	if (!read && file->f_op->read == seq_read)
		read = seq_read_iter;
	if (!read)
		return -EINVAL;
	init_sync_kiocb(&kiocb, file);
	kiocb.ki_pos = *pos;
	iov_iter_kvec(&iter, READ, &vec, 1, size);
	ret = read(&kiocb, &iter);
	if (ret > 0)
		*pos = kiocb.ki_pos;
	return ret;
}

/* All of a file, as a string that goes with the case. */
static inline char *look(struct kunit *test, const char *path)
{
	char *text = kunit_kzalloc(test, LOOK_ROOM, GFP_KERNEL);
	struct file *file;
	ssize_t n = 1;
	u32 len = 0;
	loff_t pos = 0;

	KUNIT_ASSERT_NOT_NULL(test, text);
	file = open_path(path, O_RDONLY);
	if (IS_ERR(file)) {
		KUNIT_FAIL(test, "%s cannot be opened: %ld", path, PTR_ERR(file));
		return text;
	}
	while (n > 0 && len < LOOK_ROOM - 1) {
		n = look_read(file, text + len, LOOK_ROOM - 1 - len, &pos);
		if (n > 0)
			len += n;
	}
	fput(file);
	KUNIT_EXPECT_EQ_MSG(test, n, 0, "%s", path);
	return text;
}

/* The value of a field of kmcl/status, of channel @number, or NULL when it is not there. */
static inline const char *look_field(struct kunit *test, u32 number, const char *field)
{
	char *text = look(test, LOOK_DIR "status"), *at, *end, line[64];

	scnprintf(line, sizeof(line), "\nchannel: %u\n", number);
	at = strstr(text, line);
	if (!at)
		return NULL;
	at++;
	end = strstr(at, "\n\n");
	if (end)
		end[1] = 0;
	scnprintf(line, sizeof(line), "\n%s: ", field);
	at = strstr(at, line);
	if (!at)
		return NULL;
	at += strlen(line);
	*strchrnul(at, '\n') = 0;
	return at;
}

static inline u64 look_number(struct kunit *test, u32 number, const char *field)
{
	const char *text = look_field(test, number, field);
	u64 value = U64_MAX;

	if (!text || kstrtou64(text, 10, &value))
		KUNIT_FAIL(test, "no number %s of channel %u", field, number);
	return value;
}

#define look_expect(test, kch, field, text)				\
	KUNIT_EXPECT_STREQ_MSG(test, look_field(test, (kch)->number, field) ?: "(nothing)", text, \
			       "%s", field)
#define look_expect_number(test, kch, field, n)				\
	KUNIT_EXPECT_EQ_MSG(test, look_number(test, (kch)->number, field), (u64)(n), "%s", field)

/* ---- the trace ---- */

#ifdef CONFIG_EVENT_TRACING

/* <linux/trace_events.h> has it, and much that no suite wants */
int trace_set_clr_event(const char *system, const char *event, int set);

/* From here on, and nothing that was before. */
static inline void look_trace_begin(struct kunit *test)
{
	struct file *file = open_path(LOOK_TRACE, O_WRONLY | O_TRUNC);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	fput(file);
	KUNIT_ASSERT_EQ(test, trace_set_clr_event("kmcl", NULL, 1), 0);
}

static inline char *look_trace_end(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, trace_set_clr_event("kmcl", NULL, 0), 0);
	return look(test, LOOK_TRACE);
}

#else

static inline void look_trace_begin(struct kunit *test)
{
	kunit_skip(test, "no tracing in this kernel");
}

static inline char *look_trace_end(struct kunit *test)
{
	return "";
}

#endif

/* The first record from @text on of an @event with @fields in that order, or NULL. */
static inline char *look_record(char *text, struct kmcl_channel *kch, const char *event,
				const char *fields)
{
	char head[64], *at = text, *end;
	bool found;

	scnprintf(head, sizeof(head), ": %s: channel=%u ", event, kch->number);
	while ((at = strstr(at, head))) {
		end = strchrnul(at, '\n');
		found = strnstr(at, fields, end - at);
		if (found)
			return at;
		at = end;
	}
	return NULL;
}

/* The id in a record. */
static inline u64 look_id(const char *record)
{
	unsigned long long id = 0;
	const char *at = record ? strstr(record, " id=") : NULL;

	return at && sscanf(at, " id=0x%llx", &id) == 1 ? id : 0;
}

#define look_expect_record(test, text, kch, event, fields)		\
({									\
	char *record_ = look_record(text, kch, event, fields);		\
									\
	KUNIT_EXPECT_NOT_NULL_MSG(test, record_, "no %s with %s", event, fields);	\
	record_;							\
})

#endif
