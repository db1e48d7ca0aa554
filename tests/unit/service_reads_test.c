/* What root reads and a service does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/daemon/service_reads.h"
#include "tests/lib/scratch.h"

#define NOBODY "nobody" /* is everywhere */

static const char *const files[] = {"open.json", "", "closed.json", "group.json"};

/* A test that is not root's cannot know more than that nothing is said. */
static void assert_said(const char *account, const char *wanted)
{
    TEXT_LOCAL(out, 1024);

    service_reads(account, files, sizeof files / sizeof files[0], &out);
    assert_string_equal(out.data, geteuid() == 0 ? wanted : "");
}

static void each_file_that_the_account_cannot_read_is_named(void **state)
{
    (void)state;
    assert_int_equal(chmod(".", 0755), 0);
    scratch_write_text("open.json", "");
    scratch_write_text("closed.json", "");
    scratch_write_text("group.json", "");
    assert_int_equal(chmod("open.json", 0644), 0);
    assert_int_equal(chmod("closed.json", 0600), 0);
    assert_int_equal(chmod("group.json", 0640), 0);
    assert_said(
        NOBODY, "closed.json: the account \"nobody\", as which the service runs, cannot read it; "
                "chgrp nobody closed.json && chmod g+r closed.json\n"
                "group.json: the account \"nobody\", as which the service runs, cannot read it; "
                "chgrp nobody group.json && chmod g+r group.json\n");
    assert_int_equal(chmod("closed.json", 0644), 0);
    assert_int_equal(chmod("group.json", 0644), 0);
    assert_said(NOBODY, "");
}

static void without_such_an_account_nothing_is_said(void **state)
{
    (void)state;
    assert_int_equal(chmod("closed.json", 0600), 0);
    assert_said("no-such-account", "");
}

static void whoever_asks_stays_who_he_is(void **state)
{
    const uid_t before = geteuid();
    TEXT_LOCAL(out, 1024);

    (void)state;
    service_reads(NOBODY, files, sizeof files / sizeof files[0], &out);
    assert_int_equal(geteuid(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_that_the_account_cannot_read_is_named),
        cmocka_unit_test(without_such_an_account_nothing_is_said),
        cmocka_unit_test(whoever_asks_stays_who_he_is),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
