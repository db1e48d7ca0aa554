/* C4 "Reload": every change of a single field of users or machines, against every kind of session
 * and every configuration to start from. A reload never switches on and never orphans a relay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/support/text.h"
#include "tests/lib/core_bench.h"

/* The configuration to which a change is made, and the present holder of the card. */
struct files {
    struct core_config machine;
    bool has_holder;
    struct core_holder holder;
};

static const core_authorization only_lathe[] = {LATHE};
static const core_authorization something_else[] = {99};
static const core_authorization everything[] = {LATHE, MILL, DUST};

/* ---- the changes ---- */

static void machine_asks_for_less(struct files *files)
{
    files->machine.authorizations_or = (struct core_authorizations){everything, 3};
}

static void machine_asks_for_more(struct files *files)
{
    files->machine.authorizations_or = (struct core_authorizations){only_lathe, 1};
}

static void machine_asks_for_something_else(struct files *files)
{
    files->machine.authorizations_or = (struct core_authorizations){something_else, 1};
}

static void machine_asks_for_nothing_that_exists(struct files *files)
{
    files->machine.authorizations_or = (struct core_authorizations){NULL, 0};
}

static void warn_only_toggled(struct files *files)
{
    files->machine.unauthorized_warn_only = !files->machine.unauthorized_warn_only;
}

static void always_enabled_toggled(struct files *files)
{
    files->machine.always_enabled = !files->machine.always_enabled;
}

static void second_relay_added_or_removed(struct files *files)
{
    files->machine.second_relay.present = !files->machine.second_relay.present;
}

static void second_relay_asks_for_less(struct files *files)
{
    files->machine.second_relay.authorizations_or = (struct core_authorizations){everything, 3};
}

static void second_relay_asks_for_something_else(struct files *files)
{
    files->machine.second_relay.authorizations_or = (struct core_authorizations){something_else, 1};
}

static void second_relay_warn_only_toggled(struct files *files)
{
    bool *warn_only = &files->machine.second_relay.unauthorized_warn_only;

    *warn_only = !*warn_only;
}

static void second_relay_always_enabled_toggled(struct files *files)
{
    bool *always_enabled = &files->machine.second_relay.always_enabled;

    *always_enabled = !*always_enabled;
}

static void user_gone(struct files *files)
{
    files->has_holder = false;
}

static void user_appears(struct files *files)
{
    files->has_holder = true;
    files->holder = EVE;
}

static void user_may_everything(struct files *files)
{
    files->holder.authorizations = (struct core_authorizations){everything, 3};
}

static void user_may_nothing(struct files *files)
{
    files->holder.authorizations = (struct core_authorizations){NULL, 0};
}

static void user_override_toggled(struct files *files)
{
    files->holder.oops_override = !files->holder.oops_override;
}

static void user_renamed(struct files *files)
{
    text_copy(files->holder.user.name, sizeof files->holder.user.name, "Somebody Else");
}

static void user_has_another_account(struct files *files)
{
    text_copy(files->holder.user.account_id, sizeof files->holder.user.account_id, "77");
}

static void nothing(struct files *files)
{
    (void)files;
}

static const struct {
    const char *name;
    void (*apply)(struct files *files);
} changes[] = {
#define CHANGE(name)                                                                               \
    {                                                                                              \
#name, name                                                                                \
    }
    CHANGE(machine_asks_for_less),
    CHANGE(machine_asks_for_more),
    CHANGE(machine_asks_for_something_else),
    CHANGE(machine_asks_for_nothing_that_exists),
    CHANGE(warn_only_toggled),
    CHANGE(always_enabled_toggled),
    CHANGE(second_relay_added_or_removed),
    CHANGE(second_relay_asks_for_less),
    CHANGE(second_relay_asks_for_something_else),
    CHANGE(second_relay_warn_only_toggled),
    CHANGE(second_relay_always_enabled_toggled),
    CHANGE(user_gone),
    CHANGE(user_appears),
    CHANGE(user_may_everything),
    CHANGE(user_may_nothing),
    CHANGE(user_override_toggled),
    CHANGE(user_renamed),
    CHANGE(user_has_another_account),
    CHANGE(nothing),
};

#define CHANGES (sizeof changes / sizeof changes[0])

/* ---- the sessions ---- */

static void nobody(struct bench *bench)
{
    core_bench_heartbeat(bench);
}

static void a_member(struct bench *bench)
{
    core_bench_insert(bench, &ADA);
}

static void an_expert(struct bench *bench)
{
    core_bench_insert(bench, &EVE);
}

static void somebody_unauthorized(struct bench *bench)
{
    core_bench_insert(bench, &BOB);
}

static void a_stranger(struct bench *bench)
{
    core_bench_insert_stranger(bench);
}

static void a_maintainer_over_an_oops(struct bench *bench)
{
    core_bench_press(bench);
    core_bench_release(bench);
    core_bench_insert(bench, &MIA);
}

static void a_maintainer_over_a_lockout(struct bench *bench)
{
    core_bench_set_lockout(bench, true);
    core_bench_insert(bench, &MIA);
}

static void an_emergency(struct bench *bench)
{
    bench->next.emergency = true;
    core_bench_insert(bench, &ADA);
}

static void oopsed_with_a_card_in(struct bench *bench)
{
    core_bench_insert(bench, &EVE);
    core_bench_press(bench);
    core_bench_release(bench);
}

static void locked_out(struct bench *bench)
{
    core_bench_heartbeat(bench);
    core_bench_set_lockout(bench, true);
}

static void a_card_from_before_the_boot(struct bench *bench)
{
    core_bench_insert(bench, &EVE);
    core_bench_reboot(bench, "boot-2");
}

static void a_member_since_before_the_controllers_restart(struct bench *bench)
{
    core_bench_insert(bench, &EVE);
    core_bench_restart_controller(bench);
}

static const struct {
    const char *name;
    void (*begin)(struct bench *bench);
} sessions[] = {
#define SESSION(name)                                                                              \
    {                                                                                              \
#name, name                                                                                \
    }
    SESSION(nobody),
    SESSION(a_member),
    SESSION(an_expert),
    SESSION(somebody_unauthorized),
    SESSION(a_stranger),
    SESSION(a_maintainer_over_an_oops),
    SESSION(a_maintainer_over_a_lockout),
    SESSION(an_emergency),
    SESSION(oopsed_with_a_card_in),
    SESSION(locked_out),
    SESSION(a_card_from_before_the_boot),
    SESSION(a_member_since_before_the_controllers_restart),
};

#define SESSIONS (sizeof sessions / sizeof sessions[0])

/* ---- what must hold ---- */

static struct bench bench;
static char trial[200];

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("%s: line %d: %s\n", trial, __LINE__, #condition);                         \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

static void nothing_went_on(void)
{
    MUST(!core_mode_relay(bench.state.mode) || core_mode_relay(bench.previous.mode));
    MUST(!bench.state.second_relay || bench.previous.second_relay);
}

static void no_relay_is_orphaned(void)
{
    const struct core_state *state = &bench.state;

    MUST(
        state->mode != CORE_ALWAYS_ON ||
        (bench.config.always_enabled && !state->oopsed && !state->locked_out));
    MUST(!state->second_relay || bench.config.second_relay.present);
    MUST(
        state->mode != CORE_ALWAYS_ON || state->second != CORE_SECOND_ALWAYS ||
        bench.config.second_relay.always_enabled);
}

static void a_session_went_on(void)
{
    if (core_mode_is_session(bench.previous.mode)) {
        MUST(bench.state.mode == bench.previous.mode);
        MUST(strcmp(bench.state.user.name, bench.previous.user.name) == 0);
        MUST(bench.state.session_since.ms == bench.previous.session_since.ms);
    }
}

static void flags_stayed(void)
{
    MUST(bench.state.oopsed == bench.previous.oopsed);
    MUST(bench.state.locked_out == bench.previous.locked_out);
}

static struct files files_of(const struct bench *now)
{
    struct files files = {.machine = now->config, .has_holder = now->next.holder != NULL};

    if (files.has_holder) {
        files.holder = *now->next.holder;
    }
    return files;
}

static void try_change(size_t session, size_t change, unsigned config)
{
    static struct files files; /* the bench borrows the holder */
    const struct core_holder *holder = NULL;

    snprintf(
        trial, sizeof trial, "%s, then %s, from configuration %u", sessions[session].name,
        changes[change].name, config);
    core_bench_start(&bench, (enum core_bench_second)(config % 4));
    bench.config.always_enabled = config / 4 % 2 != 0;
    bench.config.unauthorized_warn_only = config / 8 != 0;
    sessions[session].begin(&bench);

    files = files_of(&bench);
    changes[change].apply(&files);
    holder = files.has_holder ? &files.holder : NULL;
    bench.config = files.machine;
    bench.next.holder = bench.next.card[0] != '\0' ? holder : NULL;
    core_bench_reload(&bench, bench.state.has_user ? holder : NULL);
    nothing_went_on();
    no_relay_is_orphaned();
    a_session_went_on();
    flags_stayed();

    core_bench_reload(&bench, bench.state.has_user ? holder : NULL);
    MUST(!bench.effects.save && !bench.effects.command && !bench.effects.changed);

    /* At the next report only what needs no person may go on. */
    core_bench_heartbeat(&bench);
    if (!bench.config.always_enabled) {
        nothing_went_on();
    }
    no_relay_is_orphaned();
    a_session_went_on();

    core_bench_remove(&bench);
    MUST(
        core_mode_relay(bench.state.mode) ==
        (bench.config.always_enabled && !bench.state.oopsed && !bench.state.locked_out));
    MUST(bench.state.faults == 0);
}

static void C4_reload_never_switches_on_and_never_orphans_a_relay(void **unused)
{
    unsigned trials = 0;

    (void)unused;
    for (size_t session = 0; session < SESSIONS; session++) {
        for (size_t change = 0; change < CHANGES; change++) {
            for (unsigned config = 0; config < 16; config++) {
                try_change(session, change, config);
                trials++;
            }
        }
    }
    print_message(
        "note: %u trials: %zu kinds of session, %zu changes, 16 configurations\n", trials, SESSIONS,
        CHANGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C4_reload_never_switches_on_and_never_orphans_a_relay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
