/* One machine on the bench: the core, a device that reports in order, a clock, and five people.
 *
 * Every step decides one event and checks what must hold after each: the invariants, that nothing
 * is written twice, that the effects fit together. core_bench_tells compares the outcome with one
 * readable line:
 *
 *   "in_use Ada +granted | login Ada"       mode, user, second relay's word | notices
 *   "idle | logout Ada card_removed 5 s"
 */
#ifndef TAGOUT_TESTS_CORE_BENCH_H
#define TAGOUT_TESTS_CORE_BENCH_H

#include "controller/core/decide.h"

/* Authorizations as the configuration would intern them. */
enum {
    LATHE = 1,
    MILL,
    DUST, /* the second relay's */
};

/* ADA may use the machine, EVE its second relay too; BOB may neither; MIA maintains: she may
 * neither, but has `oops_override`. A stranger's card is nobody's. */
extern const struct core_holder ADA, EVE, BOB, MIA;
#define STRANGER "0f0f"

/* The second relay of the configurations below. */
enum core_bench_second {
    SECOND_ABSENT,
    SECOND_PLAIN,
    SECOND_WARNS,
    SECOND_ALWAYS,
};

struct bench {
    struct core_config config;
    struct core_state state;
    struct core_state previous; /* before the last step */
    struct core_effects effects;
    struct now now;
    uint64_t epoch;
    uint64_t epoch_ceiling;
    bool lead_in_doubt;
    bool damaged;            /* by the test: the next decision has to repair the state */
    struct version loaded;   /* by the controller that runs now */
    struct core_report next; /* what the device will report: card, holder, button, boot, … */
};

/* LATHE or MILL open it. The device has a boot_id and has been running for an hour. */
void core_bench_start(struct bench *bench, enum core_bench_second second);

void core_bench_elapse(struct bench *bench, int64_t ms);
/* Decides and checks; everything below ends here. */
void core_bench_decide(struct bench *bench, struct core_event event);

/* The device: each sends a report (`seq` and uptime go on by themselves). */
void core_bench_heartbeat(struct bench *bench);
void core_bench_insert(struct bench *bench, const struct core_holder *holder);
void core_bench_insert_stranger(struct bench *bench);
void core_bench_remove(struct bench *bench);
void core_bench_press(struct bench *bench);   /* and keep it pressed */
void core_bench_release(struct bench *bench); /* sends a heartbeat */
void core_bench_reboot(struct bench *bench, const char *boot_id);
/* The last report again, bit for bit. */
void core_bench_repeat(struct bench *bench);
/* Acknowledges the newest command in every later report. */
void core_bench_acknowledge(struct bench *bench);

/* From outside. */
void core_bench_set_oops(struct bench *bench, bool value);
void core_bench_set_lockout(struct bench *bench, bool value);
void core_bench_end(struct bench *bench);
void core_bench_reload(struct bench *bench, const struct core_holder *holder);
void core_bench_offline(struct bench *bench);
void core_bench_wake(struct bench *bench);

/* The controller is started again; what the store does not keep is gone. */
void core_bench_restart_controller(struct bench *bench);
/* It is started again and everything that was stored is lost. */
void core_bench_lose_everything(struct bench *bench);

/* The card of a holder, as the core sees it. */
const char *core_bench_card(const struct core_holder *holder);

#define core_bench_tells(bench, line) core_bench_tells_at(bench, line, __FILE__, __LINE__)
void core_bench_tells_at(const struct bench *bench, const char *line, const char *file, int at);

#endif
