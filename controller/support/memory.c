#include "controller/support/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "controller/support/log.h"

/* What looks for leaks at the end of a sanitized program is a debugger of its own. */
void memory_hide(void)
{
#ifndef __SANITIZE_ADDRESS__
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* Only where there is no limit on locking: with one, memory would run out at it. */
void memory_lock(void)
{
#ifndef __SANITIZE_ADDRESS__
    struct rlimit limit;

    if (geteuid() != 0 &&
        (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY)) {
        log_info("memory is not locked: the limit on locked memory is not unlimited");
    } else if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
        log_info("memory is not locked: %s", strerror(errno));
    }
#endif
}
