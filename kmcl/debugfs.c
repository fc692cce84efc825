// SPDX-License-Identifier: GPL-2.0
/*
 * What there is to see of the channels: three files in debugfs, the same for all of them.
 * Documentation/observing.md explains every field.
 *
 *   kmcl/channels   a table for people: who, in which state, how full
 *   kmcl/counters   a table for people: what has happened so far
 *   kmcl/status     all of it for programs, a line a field; scripts/kmcltop reads it
 *
 * The files are there as long as the module, which an open one pins.  None belongs to a
 * channel: a reader looks for the next channel in the list, by its number, and holds a
 * reference on that one alone and only while its line is made.  So an open file is in
 * nobody's way, and a channel that is cleaned up between two lines, or in the middle of one,
 * is not missed by anybody.  A channel that is younger than the first line is not shown: so a
 * reader gets to the end, however fast they come.
 *
 * A line is made without the channel's locks, but for a short look at the table of slots:
 * its figures are true one by one, and not of the same instant.  What belongs to somebody else,
 * as the rings do, is looked at in an RCU read side section, which closing waits for.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include "kmcl.h"
#include "server.h"
#include "view.h"

/* Of the format of kmcl/status: fields are added without a new number, never changed. */
#define STATUS_FORMAT	1

static DEFINE_MUTEX(list_lock);
static LIST_HEAD(channels);		/* list_lock; by number */
static u32 last_number;			/* list_lock to change */
static struct dentry *directory;

/**
 * kmcl_debugfs_add() - have a channel seen
 * @ch: channel, complete
 *
 * Context: process.
 */
void kmcl_debugfs_add(struct kmcl_channel *ch)
{
	mutex_lock(&list_lock);
	/* here, so that the list is in order */
	ch->number = last_number + 1;
	WRITE_ONCE(last_number, ch->number);
	list_add_tail(&ch->seen, &channels);
	mutex_unlock(&list_lock);
}

/**
 * kmcl_debugfs_remove() - a channel is not to be seen any more
 * @ch: channel whose reference the caller still holds
 *
 * Who looks at it right now keeps it until he is done.  Context: process.
 */
void kmcl_debugfs_remove(struct kmcl_channel *ch)
{
	mutex_lock(&list_lock);
	list_del(&ch->seen);
	mutex_unlock(&list_lock);
}

/* ---- one after the other ---- */

/* Of a file that is open. */
struct reader {
	u32 last;			/* number of the youngest channel that is shown */
};

/* The first channel from @number on, for kmcl_channel_put(), or NULL. */
static struct kmcl_channel *channel_from(const struct reader *reader, u64 number)
{
	struct kmcl_channel *ch, *found = NULL;

	mutex_lock(&list_lock);
	list_for_each_entry(ch, &channels, seen) {
		if (ch->number < number)
			continue;
		if (ch->number > reader->last)
			break;
		kref_get(&ch->ref);
		found = ch;
		break;
	}
	mutex_unlock(&list_lock);
	return found;
}

static void *seen_start(struct seq_file *m, loff_t *pos)
{
	struct reader *reader = m->private;

	/* always the first call of a walk, wherever that is to begin */
	if (!*pos) {
		reader->last = READ_ONCE(last_number);
		return SEQ_START_TOKEN;
	}
	return channel_from(reader, *pos);
}

static void *seen_next(struct seq_file *m, void *v, loff_t *pos)
{
	*pos = 1;
	if (v != SEQ_START_TOKEN) {
		struct kmcl_channel *ch = v;

		*pos = ch->number + 1ULL;
		kmcl_channel_put(ch);
	}
	return channel_from(m->private, *pos);
}

static void seen_stop(struct seq_file *m, void *v)
{
	if (v && v != SEQ_START_TOKEN)
		kmcl_channel_put(v);
}

/* ---- the tables ---- */

static int channels_show(struct seq_file *m, void *v)
{
	struct kmcl_view view;
	char in[32], out[32];

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "%4s %-10s %-9s %19s %19s %6s %7s %6s %6s %4s %-36s %-36s %s\n",
			   "#", "STATE", "TRANSPORT", "OUT", "IN", "QUOTA", "FLIGHT", "QUEUED",
			   "HELD", "SUBS", "TYPE", "INSTANCE", "NAME");
		return 0;
	}
	kmcl_view(v, &view);
	scnprintf(out, sizeof(out), "%u/%u", view.out_used, view.out_bytes);
	scnprintf(in, sizeof(in), "%u/%u", view.in_used, view.in_bytes);
	seq_printf(m, "%4u %-10s %-9s %19s %19s %6u %7u %6u %6u %4u %pUl %pUl %s\n",
		   view.number, view.state, view.transport, out, in, view.quota, view.in_flight,
		   view.queued, view.held, view.subs, &view.type, &view.instance, view.name);
	return 0;
}

static int counters_show(struct seq_file *m, void *v)
{
	struct kmcl_view view;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "%4s %12s %15s %12s %15s %12s %15s %12s %15s %8s %10s %10s %8s %6s %7s %8s %s\n",
			   "#", "SENT", "BYTES", "ANSWERS", "BYTES", "RECEIVED", "BYTES", "REPLIES",
			   "BYTES", "ABORTED", "QUEUED", "FULL", "DEFERRED", "STALE", "REFUSED",
			   "POISONED", "NAME");
		return 0;
	}
	kmcl_view(v, &view);
	seq_printf(m, "%4u %12llu %15llu %12llu %15llu %12llu %15llu %12llu %15llu %8llu %10llu %10llu %8llu %6llu %7llu %8llu %s",
		   view.number, view.counters.sent, view.counters.sent_bytes,
		   view.stats.answers, view.stats.answer_bytes,
		   view.stats.received, view.stats.received_bytes,
		   view.counters.replies, view.counters.reply_bytes, view.counters.aborted,
		   view.stats.queued, view.stats.full, view.counters.deferred,
		   view.stats.stale_ids, view.stats.unsupported, view.stats.faults, view.name);
	if (view.last_poison)
		seq_printf(m, " (poisoned: %s)", view.last_poison);
	seq_putc(m, '\n');
	return 0;
}

static void status_line(struct seq_file *m, const char *field, u64 value)
{
	seq_printf(m, "%s: %llu\n", field, value);
}

static int status_show(struct seq_file *m, void *v)
{
	struct kmcl_view view;

	if (v == SEQ_START_TOKEN) {
		status_line(m, "format", STATUS_FORMAT);
		status_line(m, "time_ns", ktime_get_ns());
		return 0;
	}
	kmcl_view(v, &view);
	seq_printf(m, "\nchannel: %u\n", view.number);
	seq_printf(m, "name: %s\n", view.name);
	seq_printf(m, "friendly_name: %s\n", view.friendly);
	seq_printf(m, "type: %pUl\n", &view.type);
	seq_printf(m, "instance: %pUl\n", &view.instance);
	seq_printf(m, "role: %s\n", view.server ? "server" : "client");
	seq_printf(m, "state: %s\n", view.state);
	seq_printf(m, "link: %s\n", view.link);
	seq_printf(m, "transport: %s\n", view.transport);
	status_line(m, "primary", view.primary);
	status_line(m, "sub_index", view.sub_index);
	status_line(m, "sub_channels", view.subs);
	status_line(m, "out_bytes", view.out_bytes);
	status_line(m, "out_used", view.out_used);
	status_line(m, "in_bytes", view.in_bytes);
	status_line(m, "in_used", view.in_used);
	status_line(m, "max_packets", view.max_packets);
	status_line(m, "packets", view.packets);
	status_line(m, "in_flight", view.in_flight);
	status_line(m, "queued_now", view.queued);
	status_line(m, "quota", view.quota);
	status_line(m, "held", view.held);
	status_line(m, "at_driver", view.at_driver);
	status_line(m, "gpadls", view.gpadls);
	status_line(m, "gpadl_bytes", view.gpadl_bytes);
	status_line(m, "sent", view.counters.sent);
	status_line(m, "sent_payload_bytes", view.counters.sent_bytes);
	status_line(m, "answers", view.stats.answers);
	status_line(m, "answer_payload_bytes", view.stats.answer_bytes);
	status_line(m, "received", view.stats.received);
	status_line(m, "received_payload_bytes", view.stats.received_bytes);
	status_line(m, "replies", view.counters.replies);
	status_line(m, "reply_payload_bytes", view.counters.reply_bytes);
	status_line(m, "aborted", view.counters.aborted);
	status_line(m, "queued", view.stats.queued);
	status_line(m, "ring_full", view.stats.full);
	status_line(m, "deferred", view.counters.deferred);
	status_line(m, "stale_ids", view.stats.stale_ids);
	status_line(m, "refused", view.stats.unsupported);
	status_line(m, "lost_gpadl_bytes", view.stats.lost_bytes);
	status_line(m, "poisoned", view.stats.faults);
	seq_printf(m, "poisoned_because: %s\n", view.last_poison ?: "-");
	return 0;
}

/* ---- the files ---- */

/* read_iter: for readers inside the kernel, too. */
#define SEEN_FILE(what)							\
static const struct seq_operations what##_seq = {			\
	.start = seen_start,						\
	.next = seen_next,						\
	.stop = seen_stop,						\
	.show = what##_show,						\
};									\
									\
static int what##_open(struct inode *inode, struct file *filp)		\
{									\
	return seq_open_private(filp, &what##_seq, sizeof(struct reader));	\
}									\
									\
static const struct file_operations what##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = what##_open,						\
	.read_iter = seq_read_iter,					\
	.llseek = seq_lseek,						\
	.release = seq_release_private,					\
}

SEEN_FILE(channels);
SEEN_FILE(counters);
SEEN_FILE(status);

/* Without debugfs, or without memory for it, there is less to see: nothing more. */
void __init kmcl_debugfs_init(void)
{
	directory = debugfs_create_dir("kmcl", NULL);
	/* unsafe: for files that may go while they are open, which these do not */
	debugfs_create_file_unsafe("channels", 0400, directory, NULL, &channels_fops);
	debugfs_create_file_unsafe("counters", 0400, directory, NULL, &counters_fops);
	debugfs_create_file_unsafe("status", 0400, directory, NULL, &status_fops);
}

void kmcl_debugfs_exit(void)
{
	debugfs_remove(directory);
}
