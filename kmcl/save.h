/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Saving and restoring server channels: what the files save.c, restore.c, adopt.c and
 * park.c share.
 *
 * An instance of a driver saves its channel and goes; a later one, of another build
 * perhaps, restores it.  The client sees a pause.
 *
 *      old instance                    parked offer                 new instance
 *
 *   running --SaveBegin--> FROZEN
 *   SaveContinue: SAVED  (all of it is written)
 *      |    \--Start--> running        nothing is parked
 *   Disable ------------------------> PARKED --timeout, close--> rescinded
 *                                        |
 *                                        +-- RestoreFromBuffer --> RESTORED
 *                                                                    |  Enable
 *                                                                  open, paused
 *                                                                    |  Start
 *                                                                  running
 *
 * FROZEN.  Nothing is read from the ring, not even answers, and nothing written.  What
 * the driver sends and completes meanwhile is kept; what was sent before is not
 * completed, not even when the client closes, before the channel thaws.  So
 * everything that was in flight at SaveBegin stays where it is, and SaveContinue can
 * walk over it while the driver goes on, without a lock but where a reply that is kept
 * may go over the packet that it answers.  A client that opens is not looked at before
 * the channel thaws.  Start thaws: all of it goes on as if nothing had been.  Disable
 * thaws too, without a client to talk to.
 *
 * SAVED.  Disable parks: outgoing packets complete with STATUS_CANCELLED, incoming
 * ones the driver completes as at any close, and no answer goes out.  The offer stays,
 * with the client's rings and GPADLs, and signals for nobody.
 *
 * RESTORED.  RestoreFromBuffer keeps what it is given and changes nothing until the
 * last chunk is there.  Then all of it is checked, everything that the library needs
 * is allocated, the parked offer is taken, and RestorePacket is called for each
 * packet.  Should one of these calls fail, or the client close before Enable, what was
 * restored ends as it would at a close: outgoing packets complete, the driver completes
 * the incoming ones that it has taken over, and then the offer is rescinded.
 *
 * The owner of a channel's life owns ch->save and ch->restore, too.
 */
#ifndef _KMCL_SAVE_H
#define _KMCL_SAVE_H

#include "kmcl.h"
#include "records.h"

/* For the tracepoint. */
enum kmcl_save_step {
	KMCL_SAVE_STEP_BEGIN,
	KMCL_SAVE_STEP_CONTINUE,
	KMCL_SAVE_STEP_END,
};

/* freeze.c */
bool kmcl_freeze(struct kmcl_channel *ch);
void kmcl_thaw(struct kmcl_channel *ch);

/* save.c */
void kmcl_save_describe(const struct kmcl_channel *ch, struct kmcl_save_begin *begin,
			struct kmcl_save_config *config);
bool kmcl_save_is_complete(struct kmcl_channel *ch);
u64 kmcl_save_name(struct kmcl_channel *ch);
void kmcl_save_drop(struct kmcl_channel *ch);

/* restore.c */
void kmcl_restore_free(struct kmcl_channel *ch);
bool kmcl_restore_is_complete(struct kmcl_channel *ch);

/* adopt.c */
NTSTATUS kmcl_restore_commit(struct kmcl_channel *ch);
void kmcl_restore_drop(struct kmcl_channel *ch, NTSTATUS status);
void kmcl_restore_settle(struct kmcl_channel *ch);
NTSTATUS kmcl_restore_resume(struct kmcl_channel *ch);
bool kmcl_restore_is_over(struct kmcl_channel *ch);
void kmcl_restore_check(struct kmcl_channel *ch);

/* park.c */
void kmcl_endpoint_save(struct kmcl_link *link, struct kmcl_save_open *open);
int kmcl_endpoint_save_gpadl(struct kmcl_link *link, u64 *next, struct kmcl_record *record);
bool kmcl_endpoint_park(struct kmcl_channel *ch);
bool kmcl_endpoint_lost(struct kmcl_link *link);
int kmcl_endpoint_adopt(struct kmcl_channel *ch, const struct kmcl_restore *r);
int kmcl_endpoint_resume(struct kmcl_channel *ch);
void kmcl_endpoint_refuse(struct kmcl_channel *ch);
void kmcl_endpoint_drop(struct kmcl_channel *ch);

#endif
