/* core_decide: any row of events, over restarts and reloads, keeps C4's invariants. */
#include <string.h>

#include "controller/core/decide.h"
#include "persistence/record.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/core_fuzz.h"
#include "tests/fuzz/fuzz.h"

#define EVENTS_MAX 200
#define EPOCH_MAX 8 /* how far one event moves an epoch */

enum {
    OPENS = 1,
    OPENS_SECOND,
};

static const core_authorization first_only[] = {OPENS};
static const core_authorization second_only[] = {OPENS_SECOND};
static const core_authorization both[] = {OPENS, OPENS_SECOND};

/* Whose the cards "1" to "5" are; "6" is nobody's. The second row is what a reload makes of them.
 */
#define PEOPLE 5
static const struct core_holder people[2][PEOPLE] = {
    {
        {.user = {"1", "Ada"}, .authorizations = {first_only, 1}},
        {.user = {"2", "Bob"}},
        {.user = {"3", "Rosa"}, .oops_override = true, .authorizations = {both, 2}},
        {.user = {"4", "Lin"}, .authorizations = {second_only, 1}},
        {.user = {"5", "Max"}, .oops_override = true},
    },
    {
        {.user = {"1", "Ada"}},
        {.user = {"2", "Bob"}, .authorizations = {both, 2}},
        {.user = {"3", "Rosa"}, .authorizations = {first_only, 1}},
        {.user = {"4", ""}, .oops_override = true},
        {.user = {"", "Max"}, .authorizations = {first_only, 1}},
    },
};

static const char *const cards[] = {"", "1", "2", "3", "4", "5", "6"};
#define CARDS (sizeof cards / sizeof cards[0])

static const char *const boots[] = {"", "a", "b", "c", "d", "e"};
#define BOOTS (sizeof boots / sizeof boots[0])

static const struct core_holder *holder_of(const struct play *play, size_t card)
{
    bool is_somebody = card > 0 && card <= PEOPLE && (play->gone & (1U << card)) == 0;
    return is_somebody ? &people[play->swapped][card - 1] : NULL;
}

static const struct core_holder *holder_named(const struct play *play)
{
    for (size_t card = 1; card <= PEOPLE && play->state.has_user; card++) {
        const struct core_holder *holder = holder_of(play, card);
        if (holder != NULL && strcmp(holder->user.account_id, play->state.user.account_id) == 0) {
            return holder;
        }
    }
    return NULL;
}

static void configure(struct play *play, struct bytes *bytes)
{
    uint8_t flags = bytes_8(bytes);
    uint8_t users = bytes_8(bytes);

    play->config = (struct core_config){
        .unauthorized_warn_only = (flags & 1) != 0,
        .always_enabled = (flags & 2) != 0,
        .authorizations_or = {first_only, (flags & 4) == 0},
        .mains_switched = (flags & 8) != 0,
        .has_idle_amps = (flags & 16) != 0,
        .idle_amps = 0.5,
    };
    if ((flags & 32) != 0) {
        play->config.second_relay = (struct core_second_relay_config){
            .present = true,
            .unauthorized_warn_only = (flags & 64) != 0,
            .always_enabled = (flags & 128) != 0,
            .authorizations_or = {second_only, 1},
        };
    }
    play->swapped = (users & 1) != 0;
    play->gone = users & 0x3e;
}

static struct version any_version(const struct play *play, struct bytes *bytes)
{
    struct version version = play->state.version;

    switch (bytes_below(bytes, 6)) {
    case 0:
        break;
    case 1:
        version = (struct version){bytes_64(bytes) % (VERSION_EPOCH_MAX + 1), bytes_32(bytes)};
        break;
    case 2:
        version.rev += bytes_8(bytes);
        break;
    case 3:
        version.rev -= bytes_8(bytes);
        break;
    case 4:
        version.epoch += bytes_below(bytes, EPOCH_MAX);
        break;
    default:
        version = play->state.switched;
        break;
    }
    return version;
}

static uint32_t any_seq(const struct play *play, struct bytes *bytes)
{
    uint8_t choice = bytes_8(bytes);

    if (choice < 200) {
        return play->state.seq == UINT32_MAX ? UINT32_MAX : play->state.seq + 1;
    }
    if (choice < 220) {
        return play->state.seq;
    }
    return choice < 230 ? 0 : bytes_32(bytes);
}

static double any_uptime(struct play *play, struct bytes *bytes)
{
    static const double odd[] = {0, 59.999, 60, 1e9, 1e300};
    uint8_t choice = bytes_8(bytes);

    if (choice < 240) {
        return (double)(play->now.mono.ms - play->booted_ms) / 1000;
    }
    play->booted_ms = play->now.mono.ms;
    return odd[choice % 5];
}

/* A device that tells the truth about its boot, mostly. */
static void make_report(struct play *play, struct bytes *bytes, struct core_report *report)
{
    uint8_t flags = bytes_8(bytes);
    uint8_t seen = bytes_8(bytes);
    size_t card = bytes_below(bytes, CARDS);

    *report = (struct core_report){
        .oops = (flags & 3) == 3,
        .emergency = (flags & 4) != 0,
        .card = cards[card],
        .holder = holder_of(play, card),
        .boot_id = boots[play->boot],
        .seq = any_seq(play, bytes),
        .uptime_s = any_uptime(play, bytes),
        .has_ack = (flags & 8) != 0,
        .relay_seen = (enum core_observed)(seen % CORE_OBSERVED_COUNT),
        .second_relay_seen = (enum core_observed)(seen / 4 % CORE_OBSERVED_COUNT),
        .has_reader_ok = (flags & 16) != 0,
        .reader_ok = (flags & 32) != 0,
        .has_amps = (flags & 64) != 0,
        .amps = (seen & 128) != 0 ? 3 : 0.1,
    };
    if (report->has_ack) {
        report->ack.version = any_version(play, bytes);
        report->ack.oops = (seen & 32) != 0;
        report->ack.lockout = (seen & 64) != 0;
    }
}

/* The process ends, and another one loads what was saved. */
static void restart(struct play *play)
{
    struct record record = {.machine = "saw", .core = play->state};
    struct record_fields fields;
    struct record again;
    TEXT_LOCAL(why, 256);

    record_write(&record, &fields);
    if (record_read("saw", fields.fields, fields.count, &again, &why) != RECORD_GOOD) {
        (void)fprintf(stderr, "%s\n", why.data);
        abort();
    }
    FUZZ_CHECK(again.core.mode == play->state.mode && again.core.oopsed == play->state.oopsed);
    FUZZ_CHECK(again.core.locked_out == play->state.locked_out);
    FUZZ_CHECK(strcmp(again.core.card, play->state.card) == 0);
    FUZZ_CHECK(version_compare(again.core.version, play->state.version) == 0);
    play->state = again.core;
    play->booted_ms -= play->now.mono.ms - 1;
    play->now.mono.ms = 1;
    play->loaded = again.core.version;
    play->epoch =
        (play->state.version.epoch > play->epoch ? play->state.version.epoch : play->epoch) + 1;
    play->restart_waits = false;
}

static void pass(struct play *play, struct bytes *bytes)
{
    int64_t ms = bytes_ms(bytes);

    if (play->wake_at.ms > play->now.mono.ms && bytes_below(bytes, 3) == 0) {
        ms = play->wake_at.ms - play->now.mono.ms;
    }
    play->now.mono.ms += ms;
    play->now.wall.ms += ms;
}

static void make_event(struct play *play, struct bytes *bytes, struct core_event *event)
{
    uint8_t choice = bytes_8(bytes);

    /* Half of all that happens is reports. */
    event->type =
        (choice & 128) != 0 ? CORE_EVENT_REPORT : (enum core_event_type)(choice % CORE_EVENT_COUNT);
    switch (event->type) {
    case CORE_EVENT_REPORT:
        make_report(play, bytes, &event->report);
        break;
    case CORE_EVENT_SET_OOPS:
    case CORE_EVENT_SET_LOCKOUT:
        event->set.value = bytes_bool(bytes);
        break;
    case CORE_EVENT_CONFIG:
        configure(play, bytes);
        event->reconfigured.holder = holder_named(play);
        break;
    case CORE_EVENT_OFFLINE:
    case CORE_EVENT_LINK:
        choice = bytes_8(bytes);
        event->link = (struct core_link){
            .retained = (choice & 1) != 0,
            .lost = (choice & 2) != 0,
            .restarting = (choice & 4) != 0,
        };
        break;
    case CORE_EVENT_PONG:
        choice = bytes_8(bytes);
        event->pong.id = (choice & 1) != 0 ? bytes_32(bytes) : play->probe_id;
        event->pong.boot_id = boots[(choice / 2) % BOOTS];
        break;
    case CORE_EVENT_RESTART:
        choice = bytes_8(bytes);
        event->restart.force = (choice & 1) != 0;
        event->restart.when_idle = (choice & 2) != 0;
        break;
    case CORE_EVENT_END:
    case CORE_EVENT_CONNECTED:
    case CORE_EVENT_DISCONNECTED:
    case CORE_EVENT_WAKE:
    case CORE_EVENT_COUNT:
        break;
    }
}

/* What is around the machine moves, too. False: nothing for the core. */
static bool happens_outside(struct play *play, struct bytes *bytes, uint8_t what)
{
    switch (what) {
    case 0:
        play->boot = bytes_below(bytes, BOOTS);
        play->booted_ms = play->now.mono.ms;
        return true;
    case 1:
        restart(play);
        return true;
    case 2:
        play->epoch += bytes_below(bytes, EPOCH_MAX);
        return true;
    case 3:
        play->now.wall.ms += (int64_t)bytes_32(bytes) - INT32_MAX;
        return true;
    case 4:
        play->in_doubt = !play->in_doubt;
        return true;
    default:
        return false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct play play = {
        .now = {.mono = {1000}, .wall = {INT64_C(1767636000000)}}, .epoch = 10, .boot = 1};

    core_state_init(&play.state);
    configure(&play, &bytes);
    for (size_t i = 0; i < EVENTS_MAX && !bytes_end(&bytes); i++) {
        struct core_event event = {0};

        pass(&play, &bytes);
        if (happens_outside(&play, &bytes, bytes_8(&bytes))) {
            continue;
        }
        make_event(&play, &bytes, &event);
        event.now = play.now;
        event.epoch = play.epoch;
        event.epoch_ceiling = play.epoch + EPOCH_MAX;
        event.lead_in_doubt = play.in_doubt;
        event.loaded = play.loaded;
        core_play(&play, &event);
    }
    return 0;
}
