#include "devices/sim/sim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "devices/sim/sim_inside.h"

#define GOODBYE_MS 5000
#define HINT_MS 8000 /* three reports of each machine have gone out */

enum {
    POLL_SIGNALS,
    POLL_CONTROL,
    POLL_OBSERVER,
    POLL_BOXES,
};

static enum status add_lines(struct sim *sim, struct text *why)
{
    const struct options *options = sim->options;
    enum status status = STATUS_OK;

    if (options->scenario != NULL) {
        status = play_add_file(&sim->play, options->scenario, why);
    }
    for (size_t i = 0; i < options->line_count && status == STATUS_OK; i++) {
        text_clear(why);
        status = play_add(&sim->play, "--do", (unsigned)i + 1, options->lines[i], why);
    }
    sim->played = options->scenario != NULL || options->line_count > 0 || options->control != NULL;
    return status;
}

/* Each machine needs a socket and an inbox. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Before any thread, so that none of them gets these. */
static int open_signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static enum status make_boxes(struct sim *sim)
{
    const struct options *options = sim->options;

    sim->boxes = calloc(options->machine_count, sizeof *sim->boxes);
    sim->visitors = calloc(options->machine_count, sizeof *sim->visitors);
    sim->polled = calloc(options->machine_count + POLL_BOXES, sizeof *sim->polled);
    if (sim->boxes == NULL || sim->visitors == NULL || sim->polled == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (; sim->count < options->machine_count; sim->count++) {
        const struct option_machine *machine = &options->machines[sim->count];
        enum status status = box_init(
            &sim->boxes[sim->count], &sim->world, machine->name, machine->second_relay,
            sim->seed + (uint32_t)sim->count * 40503U + 1);
        if (status != STATUS_OK) {
            return status;
        }
        sim->polled[POLL_BOXES + sim->count].fd = box_fd(&sim->boxes[sim->count]);
    }
    return STATUS_OK;
}

static enum status make(struct sim *sim, struct text *why)
{
    const struct observer_events events = {
        .context = sim,
        .checked = sim_on_checked,
        .link = sim_on_link,
        .state = sim_on_state,
        .event = sim_on_event,
        .answer = sim_on_answer,
        .alert = sim_on_alert,
    };
    enum status status = make_boxes(sim);

    if (status != STATUS_OK) {
        text_add(why, status_text(status));
        return status;
    }
    sim->play = (struct play){
        .boxes = sim->boxes,
        .box_count = sim->count,
        .cards = &sim->options->cards,
        .observer = &sim->observer,
        .teller = &sim->teller,
        .life = sim_on_life,
        .context = sim,
        .pace = sim->options->pace,
        .goes_on = sim->options->control != NULL,
    };
    play_init(&sim->play, sim->now_ms);
    status = add_lines(sim, why);
    if (status == STATUS_OK) {
        status = control_open(&sim->control, sim->options->control, why);
    }
    return status == STATUS_OK
               ? observer_init(
                     &sim->observer, &sim->world, sim->options->account, &events, sim->now_ms, why)
               : status;
}

static void start_leaving(struct sim *sim)
{
    if (sim->phase != SIM_LEAVING) {
        sim->phase = SIM_LEAVING;
        sim->leave_ms = sim->now_ms + GOODBYE_MS;
        play_clear(&sim->play);
        for (size_t i = 0; i < sim->count; i++) {
            box_switch_off(&sim->boxes[i]);
        }
    }
}

/* Everything has its beginning when all machines are there and would take a card. */
static void start_running(struct sim *sim)
{
    for (size_t i = 0; i < sim->count; i++) {
        if (!box_is_ready(&sim->boxes[i])) {
            return;
        }
    }
    sim->phase = SIM_RUNNING;
    sim->hint_ms = sim->now_ms + HINT_MS;
    teller_say(
        &sim->teller, "-", "ready", TONE_DIM, "ready: %zu machine%s", sim->count,
        sim->count == 1 ? "" : "s");
    play_init(&sim->play, sim->now_ms);
    for (size_t i = 0; i < sim->count && sim->options->life > 0; i++) {
        sim_on_life(sim, i, sim->options->life);
    }
}

static bool has_ended(const struct sim *sim)
{
    if (sim->taken || sim->play.stop) {
        return true;
    }
    return sim->phase == SIM_RUNNING && sim->played && !sim->options->stay &&
           sim->options->life <= 0 && sim->control.fd < 0 && play_is_done(&sim->play);
}

static bool has_left(const struct sim *sim)
{
    for (size_t i = 0; i < sim->count && sim->now_ms < sim->leave_ms; i++) {
        if (!box_is_gone(&sim->boxes[i])) {
            return false;
        }
    }
    return true;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What is due everywhere; returns when something is next. */
static int64_t turn(struct sim *sim)
{
    int64_t next = observer_turn(&sim->observer, sim->now_ms);

    bool connecting = false;

    sim->changed = false;
    for (size_t i = 0; i < sim->count; i++) {
        next = earlier(next, box_turn(&sim->boxes[i], sim->now_ms));
        connecting = connecting || box_is_connecting(&sim->boxes[i]);
    }
    next = earlier(next, observer_nudge(&sim->observer, connecting, sim->now_ms));
    if (sim->phase == SIM_CONNECTING) {
        start_running(sim);
    }
    if (sim->phase == SIM_RUNNING) {
        next = earlier(next, play_turn(&sim->play, sim->now_ms));
        next = earlier(next, sim_remark(sim));
        for (size_t i = 0; i < sim->count; i++) {
            next = earlier(
                next, visitor_turn(
                          &sim->visitors[i], &sim->boxes[i], &sim->options->cards, &sim->observer,
                          sim->now_ms));
        }
    }
    if (has_ended(sim)) {
        start_leaving(sim);
    }
    return sim->changed ? sim->now_ms : next;
}

static void wait_until(struct sim *sim, int64_t next_ms)
{
    int64_t wait_ms = next_ms == BOX_NEVER ? -1 : next_ms - clock_now().mono.ms;
    struct signalfd_siginfo info;

    if (next_ms != BOX_NEVER && wait_ms < 0) {
        wait_ms = 0;
    }
    sim->polled[POLL_CONTROL].fd = sim->phase == SIM_LEAVING ? -1 : sim->control.fd;
    if (poll(sim->polled, sim->count + POLL_BOXES, wait_ms > 60000 ? 60000 : (int)wait_ms) <= 0) {
        return;
    }
    if (sim->polled[POLL_SIGNALS].revents != 0 &&
        read(sim->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        start_leaving(sim);
    }
    if (sim->polled[POLL_CONTROL].fd >= 0 && sim->polled[POLL_CONTROL].revents != 0) {
        control_read(&sim->control, sim_on_line, sim);
    }
}

static void run(struct sim *sim)
{
    sim->polled[POLL_SIGNALS].fd = sim->signals;
    sim->polled[POLL_OBSERVER].fd = observer_fd(&sim->observer);
    for (size_t i = 0; i < sim->count + POLL_BOXES; i++) {
        sim->polled[i].events = POLLIN;
    }
    for (;;) {
        int64_t next;

        sim->now_ms = clock_now().mono.ms;
        sim->teller.now_ms = sim->now_ms;
        next = turn(sim);
        if (!teller_flush(&sim->teller)) {
            start_leaving(sim);
        }
        if (sim->phase == SIM_LEAVING && has_left(sim)) {
            return;
        }
        wait_until(sim, next);
    }
}

static void set_up_world(struct sim *sim)
{
    const struct options *options = sim->options;

    sim->teller = (struct teller){
        .out = stdout,
        .json = options->json,
        .quiet = options->quiet,
        .colour = options->colour,
        .start_ms = sim->now_ms,
        .now_ms = sim->now_ms,
    };
    sim->world = (struct box_world){
        .url = options->url,
        .username = options->username,
        .password = options->password,
        .ca_file = options->ca_file,
        .prefix = options->prefix,
        .config = options->config,
        .boot_ms = options->boot_ms,
        .teller = &sim->teller,
        .rivals = &sim->rivals,
        .changed = sim_on_changed,
        .context = sim,
    };
}

int sim_run(const struct options *options)
{
    struct sim sim = {.options = options, .seed = options->seed, .now_ms = clock_now().mono.ms};
    TEXT_LOCAL(why, 1024);

    if (!options->has_seed && getrandom(&sim.seed, sizeof sim.seed, 0) != sizeof sim.seed) {
        sim.seed = (uint32_t)getpid();
    }
    sim.control.fd = -1;
    raise_file_limit();
    set_up_world(&sim);
    sim.signals = open_signals();
    if (make(&sim, &why) == STATUS_OK) {
        teller_say(
            &sim.teller, "-", "seed", TONE_DIM, "seed %u, broker %s", sim.seed, options->url);
        run(&sim);
        sim.code = sim.code != 0 || sim.play.failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    } else {
        fprintf(stderr, "tagout-sim: %s\n", why.data);
        sim.code = 2;
    }
    play_free(&sim.play);
    control_close(&sim.control);
    for (size_t i = 0; i < sim.count; i++) {
        box_free(&sim.boxes[i]);
    }
    observer_free(&sim.observer);
    mqtt_finish();
    close(sim.signals);
    free(sim.polled);
    free(sim.visitors);
    free(sim.boxes);
    return sim.code;
}
