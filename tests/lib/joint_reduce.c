/* Leaves out of a state what no future depends on, and replaces numbers by their order. */
#include <stdio.h>
#include <string.h>

#include "devices/device.h"
#include "tests/lib/joint.h"

#define NUMBERS_MAX 16

/* Numbers that are only ever compared with one another. */
struct numbers {
    uint8_t *at[NUMBERS_MAX];
    unsigned count;
};

/* 0 stands for none and stays. */
static void number(struct numbers *numbers, uint8_t *at)
{
    if (*at != 0) {
        numbers->at[numbers->count++] = at;
    }
}

/* Replaces each by its place in their order, from 1. */
static void rank(struct numbers *numbers)
{
    uint8_t sorted[NUMBERS_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < numbers->count; i++) {
        uint8_t value = *numbers->at[i];
        unsigned place = count;

        while (place > 0 && sorted[place - 1] > value) {
            place--;
        }
        if (place == 0 || sorted[place - 1] != value) {
            memmove(&sorted[place + 1], &sorted[place], count - place);
            sorted[place] = value;
            count++;
        }
    }
    for (unsigned i = 0; i < numbers->count; i++) {
        unsigned place = 0;

        while (sorted[place] != *numbers->at[i]) {
            place++;
        }
        *numbers->at[i] = (uint8_t)(place + 1);
    }
}

static void reduce_device(const struct joint_world *world, struct joint *joint)
{
    /* Only emergency cards ask what the last command showed, only a controller that lost its state
     * what was acknowledged. A report is free to go out at any time. */
    if (!world->emergency) {
        joint->device.last_oops = 0;
        joint->device.last_lockout = 0;
    }
    if (!world->loss) {
        joint->device.shown_oops = 0;
        joint->device.shown_lockout = 0;
    }
    if (joint->device.reader != DEVICE_READER_CARD) {
        joint->device.card_seq = 0;
        joint->device.card_seen = 0;
        joint->device.card_young = 0;
        joint->device.card_emergency = 0;
        joint->truth.young = 0;
    }
    if (!joint->device.card_seen) {
        joint->device.card_young = 0;
    }
    if (!joint->device.press) {
        joint->device.press_seq = 0;
        joint->device.press_heard = 0;
    }
    if (joint->device.press_heard) {
        joint->device.press_seq = 0;
    }
    if (!joint->device.starting) {
        joint->device.start_seq = 0;
    }
    if (!joint->truth.inserted) {
        joint->truth.young = 0;
    }
    if (world->override) {
        joint->truth.stopped = 0;
    }
}

static void threshold(uint8_t *ret_least, uint8_t seq, uint8_t value)
{
    if (value != 0 && value <= seq && value > *ret_least) {
        *ret_least = value;
    }
}

/* The newest of the reports that are asked about (C7.1, C7.2, C7.3) that `seq` is not below. */
static uint8_t place_of(const struct joint *joint, uint8_t seq)
{
    uint8_t place = 0;

    threshold(&place, seq, joint->device.edge_seq);
    threshold(&place, seq, joint->device.card_seq);
    threshold(&place, seq, joint->device.press_seq);
    return place;
}

static void reduce_report(
    const struct joint_world *world, const struct joint *joint, struct joint_report *report)
{
    if (report->seq == 0) {
        return;
    }
    if (!joint->truth.owed) {
        report->tells_press = 0;
    }
    if (!world->loss) {
        report->ack_oops = 0;
        report->ack_lockout = 0;
    }
    if (!world->loss && joint->core.boot == JOINT_BOOT && report->seq <= joint->core.seq) {
        if (!report->oops) {
            memset(report, 0, sizeof *report); /* a heartbeat calls for the same answer */
            return;
        }
        report->seq = 1;
        report->card = JOINT_NO_CARD;
        report->emergency = 0;
        report->tells_card = 0;
    }
}

/* Whether the command's oops can still release a press. */
static bool releases(const struct joint *joint, const struct joint_command *command)
{
    return command->own && command->oops && joint->device.press && !joint->device.press_heard &&
           command->seq >= joint->device.press_seq;
}

/* A command that is not current can stop, release a press or call a start off, and no more. */
static void reduce_old(
    const struct joint_world *world, const struct joint *joint, struct joint_command *command)
{
    bool stops = command->oops || command->lockout;
    bool keeps = stops && world->emergency;

    if (command->relay ? !keeps && !releases(joint, command) : !stops && !world->always) {
        memset(command, 0, sizeof *command);
        return;
    }
    command->version = 0;
    command->needs_card = 1;
    command->knows_card = 0;
    if (!releases(joint, command)) {
        command->own = 0;
        command->seq = 0;
    }
}

static void reduce_command(
    const struct joint_world *world, const struct joint *joint, struct joint_command *command)
{
    bool current = command->own && (!joint->device.has_applied || world->without_off_version ||
                                    command->version >= joint->device.applied);

    if (!command->used) {
        return;
    }
    if (!current) {
        reduce_old(world, joint, command);
    }
    if (!world->emergency && !world->loss && (command->oops || command->lockout)) {
        /* Which of the two it is matters to a press alone. */
        command->oops = releases(joint, command);
        command->lockout = !command->relay && !command->oops;
    }
    if (command->relay || command->oops || command->lockout) {
        command->knows_card = 0;
    }
}

/* What the device asks of a command's number: C7.1, C7.3 or C7.2. */
static uint8_t command_place(const struct joint *joint, const struct joint_command *command)
{
    uint8_t place = 0;

    if (command->relay) {
        threshold(&place, command->seq, joint->device.edge_seq);
    } else if (!command->oops && !command->lockout) {
        threshold(&place, command->seq, joint->device.card_seq);
    }
    if (command->oops) {
        threshold(&place, command->seq, joint->device.press_seq);
    }
    return place;
}

#define ROOM 8 /* between two numbers, for those that are only just above one */

static uint8_t least_one(uint8_t value)
{
    return value == 0 ? 1 : value;
}

static void reduce_report_seqs(struct joint *joint)
{
    bool heard = joint->core.boot == JOINT_BOOT;
    uint8_t core = (uint8_t)(heard ? joint->core.seq * ROOM : 0);
    uint8_t core_place = least_one(place_of(joint, core));
    uint8_t before[JOINT_FLIGHT] = {0};

    for (unsigned i = 0; i < JOINT_FLIGHT; i++) {
        struct joint_report *report = &joint->reports[i];

        if (report->seq != 0) {
            before[i] = (uint8_t)(report->seq * ROOM);
            report->seq = least_one(place_of(joint, before[i]));
            if (heard && before[i] > core && report->seq <= core_place) {
                report->seq = (uint8_t)(core_place + 2);
            }
        }
    }
    if (before[0] != 0 && before[1] != 0 && joint->reports[0].seq == joint->reports[1].seq) {
        joint->reports[0].seq = (uint8_t)(joint->reports[0].seq + (before[0] > before[1]));
        joint->reports[1].seq = (uint8_t)(joint->reports[1].seq + (before[1] > before[0]));
    }
    if (heard) {
        joint->core.seq = core_place;
    }
}

/* Of the numbers of the present boot only this matters: where they are among the reports that are
 * asked about, and their order among the reports and in the controller. */
static void reduce_seqs(struct joint *joint)
{
    uint8_t *asked[] = {
        &joint->device.edge_seq, &joint->device.card_seq, &joint->device.press_seq,
        &joint->device.start_seq};
    uint8_t next = (uint8_t)((joint->device.seq + 1) * ROOM);
    uint8_t newest = 0;

    for (unsigned i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        *asked[i] = (uint8_t)(*asked[i] * ROOM);
    }
    joint->device.start_seq = place_of(joint, joint->device.start_seq);
    reduce_report_seqs(joint);
    for (unsigned i = 0; i < JOINT_FLIGHT; i++) {
        joint->commands[i].seq = (uint8_t)(joint->commands[i].seq * ROOM);
        joint->commands[i].seq = command_place(joint, &joint->commands[i]);
        threshold(&newest, joint->reports[i].seq, joint->reports[i].seq);
    }
    for (unsigned i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        if (*asked[i] != next) {
            threshold(&newest, *asked[i], *asked[i]);
        }
    }
    if (joint->core.boot == JOINT_BOOT) {
        threshold(&newest, joint->core.seq, joint->core.seq);
    }
    joint->device.seq = newest;
}

static void rank_all(struct joint *joint)
{
    struct numbers seqs = {.count = 0}, versions = {.count = 0};

    number(&seqs, &joint->device.seq);
    number(&seqs, &joint->device.edge_seq);
    number(&seqs, &joint->device.card_seq);
    number(&seqs, &joint->device.press_seq);
    number(&seqs, &joint->device.start_seq);
    for (unsigned i = 0; i < JOINT_FLIGHT; i++) {
        number(&seqs, &joint->reports[i].seq);
        number(&seqs, &joint->commands[i].seq);
        number(&versions, &joint->commands[i].version);
    }
    if (joint->core.boot == JOINT_BOOT) {
        number(&seqs, &joint->core.seq);
    } else {
        joint->core.seq = joint->core.boot;
    }
    rank(&seqs);
    number(&versions, &joint->device.applied);
    rank(&versions);
    /* The controller's next command is newer than all; 0 when it has lost its state. */
    if (joint->core.version != 0) {
        joint->core.version = JOINT_FLIGHT + 2;
    }
}

static void order(void *one, void *other, size_t size)
{
    uint8_t kept[sizeof(struct joint_report) + sizeof(struct joint_command)];
    int difference = memcmp(one, other, size);

    if (difference == 0) {
        memset(other, 0, size);
    } else if (difference < 0) {
        memcpy(kept, one, size);
        memcpy(one, other, size);
        memcpy(other, kept, size);
    }
}

void joint_reduce(const struct joint_world *world, struct joint *joint)
{
    reduce_device(world, joint);
    for (unsigned i = 0; i < JOINT_FLIGHT; i++) {
        reduce_report(world, joint, &joint->reports[i]);
        reduce_command(world, joint, &joint->commands[i]);
    }
    reduce_seqs(joint);
    rank_all(joint);
    order(&joint->reports[0], &joint->reports[1], sizeof joint->reports[0]);
    order(&joint->commands[0], &joint->commands[1], sizeof joint->commands[0]);
}

void joint_print(const struct joint *joint)
{
    printf(
        "    device: seq %u edge %u%s%s%s%s card %u%s%s applied %u; relay %s%s%s\n",
        joint->device.seq, joint->device.edge_seq, joint->device.press ? " latched" : "",
        joint->device.press_heard ? " heard" : "", joint->device.button ? " button" : "",
        joint->device.connected ? "" : " offline", joint->device.card,
        joint->device.card_seen ? " seen" : "", joint->device.card_young ? " young" : "",
        joint->device.applied, joint->device.on ? "ON" : "off",
        joint->device.needs_card ? "" : " without a card",
        joint->device.starting ? " starting" : "");
    printf(
        "    core: mode %u%s%s%s card %u boot %u seq %u version %u%s\n", joint->core.mode,
        joint->core.oopsed ? " oopsed" : "", joint->core.locked_out ? " locked-out" : "",
        joint->core.spent ? " spent" : "", joint->core.card, joint->core.boot, joint->core.seq,
        joint->core.version, joint->core.always ? " always" : "");
    for (unsigned i = 0; i < JOINT_FLIGHT; i++) {
        const struct joint_report *report = &joint->reports[i];
        const struct joint_command *command = &joint->commands[i];

        if (report->seq != 0) {
            printf(
                "    report: seq %u card %u%s%s\n", report->seq, report->card,
                report->oops ? " oops" : "", report->emergency ? " emergency" : "");
        }
        if (command->used) {
            printf(
                "    command: %s seq %u version %u %s%s%s%s\n", command->own ? "own" : "foreign",
                command->seq, command->version, command->relay ? "on" : "off",
                command->needs_card ? "" : " without a card", command->oops ? " oops" : "",
                command->lockout ? " lockout" : "");
        }
    }
}
