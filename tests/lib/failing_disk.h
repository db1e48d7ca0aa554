/* A disk that refuses one call, of the test's choice. Only in programs that are linked with --wrap
 * for each function of failing_disk.c. */
#ifndef TAGOUT_TESTS_FAILING_DISK_H
#define TAGOUT_TESTS_FAILING_DISK_H

#include <stdbool.h>

enum disk_fault {
    DISK_FULL,       /* ENOSPC */
    DISK_BROKEN,     /* EIO */
    DISK_FULL_IN_IT, /* a write takes half of it, the next one finds the disk full */
    DISK_FAULTS,
};

/* The `nth` call from now on that opens, writes, synchronises or renames. */
void failing_disk_order(unsigned nth, enum disk_fault fault);

/* The disk is well again. Whether any call failed since the order. */
bool failing_disk_end(void);

#endif
