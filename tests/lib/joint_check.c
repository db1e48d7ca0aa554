#include "tests/lib/joint_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void explore(const struct joint_world *world, bool tell, struct joint_findings *findings)
{
    joint_explore(world, tell, findings);
    printf(
        "%s: %zu states, %zu steps, %zu starts by card, %zu without, %zu refusals%s%s\n",
        world->name, findings->states, findings->steps, findings->started_by_card,
        findings->started_alone, findings->refused, findings->broken != NULL ? "; broken: " : "",
        findings->broken != NULL ? findings->broken : "");
}

void joint_check_holds(const struct joint_world *world)
{
    struct joint_findings findings;

    explore(world, true, &findings);
    assert_null(findings.broken);
    assert_true(findings.refused > 0);
    assert_true(findings.started_by_card > 0);
    assert_int_equal(findings.started_alone > 0, world->always);
}

void joint_check_finds(const struct joint_world *world, const char *property)
{
    struct joint_findings findings;

    explore(world, false, &findings);
    assert_non_null(findings.broken);
    assert_string_equal(findings.broken, property);
}
