/* Which events were heard: their prints, by which one that comes again is known.
 *
 * The newest HEARD_PRINTS of all machines are kept, at most twice as many; 16 bytes each, 1 MiB at
 * most. An event that is not among them counts as new: what comes again after so many others is
 * told twice, and nothing is ever lost for being taken for another.
 */
#ifndef TAGOUT_WATCHER_HEARD_H
#define TAGOUT_WATCHER_HEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEARD_PRINTS 32768

struct heard;

/* NULL when there is no memory. */
struct heard *heard_new(void);
/* Takes NULL. */
void heard_free(struct heard *heard);

/* The print of an event: of its members' bytes as they stand in the audit. */
uint64_t heard_print(const char *members, size_t length);

bool heard_has(const struct heard *heard, uint64_t print);
/* Without memory for it, it is not remembered. */
void heard_add(struct heard *heard, uint64_t print);

#endif
