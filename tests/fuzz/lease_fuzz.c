/* lease_step: whatever Redis and the others say in whatever order, epochs grow, and nobody speaks
 * who may not. */
#include <string.h>

#include "controller/daemon/lease.h"
#include "controller/support/version.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

#define EVENTS_MAX 300

struct play {
    struct lease lease;
    struct now now;
    uint32_t echo;
};

/* An epoch near those that are in use, or any at all. */
static uint64_t any_epoch(const struct play *play, struct bytes *bytes)
{
    uint8_t choice = bytes_8(bytes);

    if (choice < 64) {
        return play->lease.epoch;
    } else if (choice < 128) {
        return play->lease.heard + choice % 4;
    } else if (choice < 192) {
        return choice % 8;
    }
    return bytes_64(bytes) % (VERSION_EPOCH_MAX + 1);
}

static void fill(const struct play *play, struct bytes *bytes, struct lease_event *event)
{
    static const char *const ids[] = {
        "one", "two", "a", "zz", "0123456789012345678901234567890123"};
    uint8_t choice;

    if (event->type == LEASE_BROKER_ECHO) {
        event->number = bytes_8(bytes) < 192 ? play->echo : bytes_32(bytes);
    } else if (event->type == LEASE_STATUS) {
        choice = bytes_8(bytes);
        event->status = (struct lease_status){
            .id = ids[choice % 5],
            .runs = (choice & 64) != 0,
            .leads = (choice & 128) != 0,
            .without_redis = (choice & 32) != 0,
            .epoch = any_epoch(play, bytes),
        };
    } else {
        /* No epoch that was ever taken is 0. */
        event->answer.epoch = any_epoch(play, bytes) + (event->type == LEASE_ANSWER_OURS);
        event->answer.remaining_ms =
            bytes_bool(bytes) ? (int64_t)bytes_64(bytes) : (int64_t)bytes_16(bytes);
    }
}

static void check(struct play *play, const struct lease *before, const struct lease_actions *did)
{
    const struct lease *lease = &play->lease;
    bool leads = lease->role == LEASE_LEADS || lease->role == LEASE_IS_SILENT;
    bool led = before->role == LEASE_LEADS || before->role == LEASE_IS_SILENT;

    FUZZ_CHECK(lease->heard >= before->heard && lease->other_count <= LEASE_OTHERS_MAX);
    FUZZ_CHECK(lease_may_speak(lease) == (lease->role == LEASE_LEADS));
    /* Every change is told. */
    FUZZ_CHECK(!leads || led || did->lead);
    if (did->lead) {
        FUZZ_CHECK(lease->epoch > 0);
    }
    FUZZ_CHECK(!led || leads || did->stand_down);
    FUZZ_CHECK(!did->stand_down || (did->why != NULL && !leads));
    FUZZ_CHECK(!did->speak || (lease->role == LEASE_LEADS && before->broker_is_up));
    FUZZ_CHECK(!did->ask || lease->store_is_up);
    FUZZ_CHECK(!did->announce || lease->role != LEASE_STANDS_BY);
    FUZZ_CHECK(!did->echo || lease->broker_is_up);
    /* Nobody leads on an epoch lower than the one of his own. */
    FUZZ_CHECK(!leads || !led || lease->epoch >= before->epoch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct play play = {.now = {.mono = {1000}, .wall = {INT64_C(1767636000000)}}};

    lease_init(&play.lease, "one", "token", 5000, play.now);
    for (size_t i = 0; i < EVENTS_MAX && !bytes_end(&bytes); i++) {
        uint8_t choice = bytes_8(&bytes);
        struct lease_event event = {.type = (enum lease_event_type)(choice % LEASE_EVENT_COUNT)};
        struct lease_actions did;
        struct lease before = play.lease;
        struct mono_time wake_at = lease_wake_at(&play.lease);
        int64_t ms = choice >= 128 && wake_at.ms > play.now.mono.ms ? wake_at.ms - play.now.mono.ms
                                                                    : bytes_ms(&bytes) % 20000;

        play.now.mono.ms += ms;
        play.now.wall.ms += ms;
        event.now = play.now;
        fill(&play, &bytes, &event);
        choice = bytes_8(&bytes);
        if (choice % 8 == 0) { /* a message that waited for up to 3 s in the inbox */
            struct mono_time received_at = {play.now.mono.ms - choice / 8 * 100};

            lease_touch(&play.lease, play.now.mono, received_at);
        }
        lease_step(&play.lease, &event, &did);
        check(&play, &before, &did);
        play.echo = did.echo ? play.lease.echo_number : play.echo;
        wake_at = lease_wake_at(&play.lease);
        FUZZ_CHECK(wake_at.ms == 0 || wake_at.ms > play.now.mono.ms);
    }
    return 0;
}
