/* Keeps the process's memory in memory: what was paged out comes back from a disk, and the disk may
 * hang. Says in the log where that is not allowed.
 */
#ifndef TAGOUT_SUPPORT_MEMORY_H
#define TAGOUT_SUPPORT_MEMORY_H

void memory_lock(void);

#endif
