#include "tests/lib/audit_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>

#define KEEP_DAYS 400
#define DISK_MS 20000 /* of a host that is busy */

struct audit *audit_bench_start(void)
{
    struct audit *audit = NULL;

    assert_int_equal(audit_start("audit", KEEP_DAYS, &audit), STATUS_OK);
    return audit;
}

void audit_bench_stop(struct audit *audit)
{
    audit_stop(audit, DISK_MS);
}

struct audit_past *audit_bench_past(struct audit *audit)
{
    struct pollfd told = {.fd = audit_fd(audit), .events = POLLIN};
    struct audit_past *past;

    assert_int_equal(poll(&told, 1, DISK_MS), 1);
    past = audit_take_past(audit);
    assert_non_null(past);
    return past;
}
