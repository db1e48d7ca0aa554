/* Where the process's memory may be: with the passwords and card numbers in it, in no core dump and
 * before no other process of the same account; and never on a disk.
 */
#ifndef TAGOUT_SUPPORT_MEMORY_H
#define TAGOUT_SUPPORT_MEMORY_H

/* No core dump, no debugger, nothing to be read in /proc by others than root. Before secrets are
 * read. */
void memory_hide(void);

/* What was paged out comes back from a disk, and the disk may hang. Says in the log where that is
 * not allowed. */
void memory_lock(void);

#endif
