/* SPDX-License-Identifier: GPL-2.0 */
/* Counting the kernel's log lines that contain a phrase. */
#ifndef _KMCL_LINES_H
#define _KMCL_LINES_H

void lines_watch(const char *phrase);
unsigned int lines_seen(void);

#endif
