/* What must hold of what controllers say, and of the whole when all is calm. */
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "tests/cluster/world.h"
#include "topics/state.h"

#define ANSWER_AT_ONCE SECOND

/* ---- what is published ---- */

static void check_promise(
    struct world *world, const struct box *box, const char *flag, const struct promise *promise,
    bool is_set, struct version version)
{
    if (promise->holds && !is_set && version_compare(version, promise->since) > 0) {
        world_fail(
            world, "%s: an acknowledged %s is lost (acknowledged in %llu.%u, not in %llu.%u)",
            box->name, flag, (unsigned long long)promise->since.epoch, promise->since.rev,
            (unsigned long long)version.epoch, version.rev);
    }
}

static void check_command(struct world *world, struct node *node, const struct message *message)
{
    const struct box *box = &world->boxes[message->who];
    const struct command *command = &message->command;
    bool of_this_boot = box->runs && strcmp(command->boot_id, box->device.boot_id) == 0;

    if (!message->is_command) {
        world_fail(world, "%s: a command that no device understands", box->name);
        return;
    }
    if (command->relay && (command->oops_led || command->lockout)) {
        world_fail(world, "I1: %s: commanded on while oopsed or locked out", box->name);
    }
    if (command->second_relay) {
        world_fail(world, "I3: %s: commands a second relay", box->name);
    }
    if (command->relay && command->needs_card && of_this_boot && !box->truth.told_insertion) {
        world_fail(world, "I4: %s: on, and no card was put in since its boot", box->name);
    }
    if (command->relay && !command->needs_card && !box->always) {
        world_fail(world, "I2: %s: on without a card, and it is never always on", box->name);
    }
    node->said[message->who] = command->version;
    node->said_oops[message->who] = command->oops_led;
    node->said_lockout[message->who] = command->lockout;
}

static void check_state(struct world *world, const struct message *message)
{
    const struct box *box = &world->boxes[message->who];
    struct state_copy copy;
    const struct state_payload *state = &copy.state;
    TEXT_LOCAL(why, 256);

    if (state_parse(message->payload, message->length, &copy, &why) != STATUS_OK) {
        world_fail(world, "%s: a state that cannot be read: %s", box->name, why.data);
        return;
    }
    if (state->relay && (state->oops || state->lockout)) {
        world_fail(world, "I1: %s: state on while oopsed or locked out", box->name);
    }
    if (state->relay && (state->user == NULL || state->card == NULL) &&
        !(box->always && strcmp(state->mode, "always_on") == 0)) {
        world_fail(world, "I2: %s: state on, and nobody is there", box->name);
    }
    if (state->override || state->emergency) {
        world_fail(world, "I5: %s: an override by one who may not", box->name);
    }
    state_copy_free(&copy);
}

static bool says_it_leads(const struct message *status)
{
    return status != NULL && strstr(status->payload, "\"leader\":true") != NULL;
}

static uint64_t epoch_of(const struct message *status)
{
    const char *epoch = strstr(status->payload, "\"epoch\":");

    return epoch == NULL ? 0 : strtoull(epoch + strlen("\"epoch\":"), NULL, 10);
}

static void check_status(struct world *world, struct node *node, const struct message *message)
{
    uint64_t epoch = epoch_of(message);

    if (says_it_leads(message)) {
        if (epoch < node->spoke_epoch) {
            world_fail(world, "%s: its epoch falls", node->id);
        }
        node->spoke_epoch = epoch;
    } else if (epoch == 0) {
        node->spoke_epoch = 0; /* what it announced it never led under */
    }
}

void check_published(struct world *world, struct node *node, const struct message *message)
{
    if (message->id == TOPIC_COMMAND) {
        check_command(world, node, message);
    } else if (message->id == TOPIC_STATE) {
        check_state(world, message);
    } else if (message->id == TOPIC_CONTROLLER_STATUS) {
        check_status(world, node, message);
    }
}

void check_promised(struct world *world, unsigned machine, bool is_oops, unsigned author)
{
    struct truth *truth = &world->boxes[machine].truth;
    struct promise *promise = is_oops ? &truth->oops : &truth->lockout;

    for (unsigned i = 0; i < world->node_count; i++) {
        const struct node *node = &world->nodes[i];

        if (node->life != author) {
            continue;
        }
        if (!(is_oops ? node->said_oops : node->said_lockout)[machine]) {
            world_fail(
                world, "%s: %s is acknowledged, and not commanded", world->boxes[machine].name,
                is_oops ? "oops" : "lockout");
        }
        *promise =
            (struct promise){.holds = true, .since = node->said[machine], .made_at = world->now};
        world->tally.promises++;
    }
}

/* ---- what a box accepts ---- */

/* An epoch has one leader. After it has gone, another may speak in it to a machine that has obeyed
 * it (C12.3); but then the first one must be silent. */
static void check_owner(struct world *world, const struct box *box, const struct message *message)
{
    uint64_t epoch = message->command.version.epoch;
    struct epoch_owner *owner = NULL;

    for (size_t i = world->owner_count; owner == NULL && i > 0; i--) {
        owner = world->owners[i - 1].epoch == epoch ? &world->owners[i - 1] : NULL;
    }
    if (owner == NULL && world->owner_count < EPOCHS_MAX) {
        owner = &world->owners[world->owner_count++];
        *owner = (struct epoch_owner){.epoch = epoch, .life = message->author};
        world->tally.leads++;
    } else if (owner == NULL) {
        return;
    }
    if (owner->life != message->author && message->said_at > owner->last_said_at) {
        owner->former = owner->life;
        owner->life = message->author;
        owner->first_said_at = message->said_at;
    } else if (owner->former == message->author && message->said_at > owner->first_said_at) {
        world_fail(
            world, "%s accepts commands of epoch %llu from two controllers at once", box->name,
            (unsigned long long)epoch);
    }
    if (owner->life == message->author && message->said_at > owner->last_said_at) {
        owner->last_said_at = message->said_at;
    }
}

void check_accepted(struct world *world, struct box *box, const struct message *message)
{
    const struct command *command = &message->command;
    const struct device *device = &box->device;
    struct truth *truth = &box->truth;

    if (!box->runs || strcmp(command->boot_id, device->boot_id) != 0 || !device->has_applied ||
        device->applied.epoch != command->version.epoch ||
        device->applied.rev != command->version.rev) {
        return;
    }
    if (command->version.epoch < truth->epoch) {
        world_fail(world, "%s accepts an older epoch after a newer one", box->name);
    }
    truth->epoch = command->version.epoch;
    /* Of a leader that does not know of it yet: the box says so. */
    check_promise(
        world, box, "oops", &truth->oops, command->oops_led || device->keep.press,
        command->version);
    check_promise(world, box, "lockout", &truth->lockout, command->lockout, command->version);
    check_owner(world, box, message);
    /* A request to clear may still be under way. */
    if (command->oops_led && truth->stopped && !truth->oops.holds &&
        (truth->asked_at == 0 || world->now - truth->asked_at > ASKED_FOR)) {
        truth->oops =
            (struct promise){.holds = true, .since = command->version, .made_at = world->now};
        world->tally.promises++;
    }
    if (world->is_calm && truth->calm_seq != 0 && command->seq >= truth->calm_seq) {
        truth->answered = true;
    }
}

/* ---- all together ---- */

static bool copies_agree(const struct world *world, unsigned machine)
{
    const struct box *box = &world->boxes[machine];
    const struct message *retained = world->broker.retained.of[RETAINED_STATE][machine];
    const struct truth *truth = &box->truth;
    struct state_copy copy;
    struct record record;
    bool agree;
    TEXT_LOCAL(why, 256);

    if (retained == NULL || !memory_database_get(world->redis.database, box->name, &record) ||
        state_parse(retained->payload, retained->length, &copy, &why) != STATUS_OK) {
        return false;
    }
    agree = copy.state.oops == record.core.oopsed && copy.state.lockout == record.core.locked_out;
    agree = agree && (!truth->oops.holds || copy.state.oops);
    agree = agree && (!truth->lockout.holds || copy.state.lockout);
    state_copy_free(&copy);
    return agree;
}

/* An epoch that Redis gave out, and that no state carries yet, is in one copy alone: a status dies
 * with its controller. */
static bool newest_epoch_is_told(const struct world *world)
{
    for (unsigned i = 0; i < BOXES; i++) {
        const struct message *state = world->broker.retained.of[RETAINED_STATE][i];
        if (state != NULL && epoch_of(state) >= world->redis.greatest_epoch) {
            return true;
        }
    }
    return world->redis.greatest_epoch == 0;
}

/* One of two copies may be lost, as long as the other one tells all that was acknowledged. */
bool check_copies_are_whole(struct world *world)
{
    for (unsigned i = 0; i < BOXES; i++) {
        if (!copies_agree(world, i)) {
            return false;
        }
    }
    return newest_epoch_is_told(world);
}

void check_answered(struct world *world)
{
    for (unsigned i = 0; i < BOXES; i++) {
        const struct box *box = &world->boxes[i];
        const struct truth *truth = &box->truth;
        /* Its heartbeat may be due only now, and the answer be on its way. */
        bool is_early = truth->calm_seq == 0 || world->now - truth->calm_report_at < ANSWER_AT_ONCE;

        if (!box->device.connected) {
            world_fail(world, "%s: all is calm, and it is not connected", box->name);
        } else if (!truth->answered && !is_early) {
            world_fail(
                world, "%s: no answer within 10 s of the last fault (its report %u)", box->name,
                truth->calm_seq);
        }
    }
}

/* Long enough for the command to have come. */
static bool is_due(const struct world *world, const struct promise *promise)
{
    return promise->holds && world->now - promise->made_at >= ANSWER_AT_ONCE;
}

/* C12.1: what an earlier leader said last of all has been said again by this one, perhaps under an
 * epoch that the box has obeyed (C12.3). */
static void check_retained(struct world *world, uint64_t epoch)
{
    static const enum retained_kind kinds[] = {RETAINED_COMMAND, RETAINED_STATE};

    for (unsigned i = 0; i < BOXES * 2; i++) {
        const struct message *message = world->broker.retained.of[kinds[i % 2]][i / 2];

        if (message == NULL || epoch_of(message) < epoch) {
            world_fail(
                world, "C12.1: all is calm, and what is retained of %s is of epoch %llu, not %llu",
                world->boxes[i / 2].name,
                message == NULL ? 0 : (unsigned long long)epoch_of(message),
                (unsigned long long)epoch);
        }
    }
}

void check_settled(struct world *world)
{
    unsigned leaders = 0;
    uint64_t epoch = 0;

    for (unsigned i = 0; i < world->node_count; i++) {
        const struct node *node = &world->nodes[i];
        bool is_sound = node->controller != NULL && !node->is_frozen && !world->wires[i].is_cut;

        if (is_sound && says_it_leads(world->broker.retained.of[RETAINED_STATUS][i])) {
            epoch = epoch_of(world->broker.retained.of[RETAINED_STATUS][i]);
            leaders++;
        }
    }
    if (leaders != 1) {
        world_fail(world, "C12: all is calm, and %u controllers say that they lead", leaders);
    }
    check_retained(world, epoch);
    for (unsigned i = 0; i < BOXES; i++) {
        const struct box *box = &world->boxes[i];
        const struct truth *truth = &box->truth;

        if ((truth->stopped || is_due(world, &truth->oops)) && !box->device.shown_oops &&
            !box->device.keep.press) {
            world_fail(world, "%s: all is calm, and it does not show its oops", box->name);
        }
        if (is_due(world, &truth->lockout) && !box->device.shown_lockout) {
            world_fail(world, "%s: all is calm, and it does not show its lockout", box->name);
        }
    }
}
