#include "tests/scenario/check.h"

#include <string.h>

#include "topics/state.h"

/* I6: newly on only where the run without the fault was on, too. A reload that failed leaves the
 * old configuration in force, which may let in whom the new one would not. */
static void check_energised(struct world *world, const struct device *device, unsigned bit)
{
    bool reload_failed = world->fault.struck && (world->fault.port == FAULT_ROSTER_CALL ||
                                                 world->fault.port == FAULT_ROSTER_FILE);

    if (world->sound != NULL && !reload_failed &&
        (world->sound->on[world->act] & ((uint64_t)1 << bit)) == 0) {
        world_fail(world, "I6: %s went on, and without the fault it would not", device->name);
    }
}

static void check_command(struct world *world, struct device *device, const struct command *command)
{
    bool override = strncmp(command->display, "OVERRIDE", strlen("OVERRIDE")) == 0;
    bool of_this_boot = device->boot_id[0] != '\0' && command->boot_id[0] != '\0' &&
                        strcmp(device->boot_id, command->boot_id) == 0;

    if (command->relay && (command->oops_led || command->lockout) && !override) {
        world_fail(world, "I1: %s: commanded on while oopsed or locked out", device->name);
    }
    if (command->second_relay && !command->relay) {
        world_fail(world, "I3: %s: the second relay on without the first", device->name);
    }
    if (command->relay && command->needs_card && of_this_boot && !device->inserted) {
        world_fail(world, "I4: %s: on, and no card was put in since its boot", device->name);
    }
    if (command->relay && !command->needs_card && !device->ever_always_on) {
        world_fail(world, "I2: %s: on without a card, and it was never always on", device->name);
    }
}

static void
take_command(struct world *world, struct device *device, const char *payload, size_t length)
{
    unsigned bit = (unsigned)(device - world->devices);
    bool was_on = device->has_command && device->command.relay;
    struct command command;
    TEXT_LOCAL(why, 256);

    if (length == 0) {
        return; /* C7.2: no command, but what clears the retained one */
    }
    if (command_parse(payload, length, &command, &why) != STATUS_OK) {
        world_fail(world, "%s: a command that no device understands: %s", device->name, why.data);
        return;
    }
    if (strlen(device->name) + length + strlen("tagout/machine//command") >= COMMAND_BYTES_MAX) {
        world_fail(world, "%s: a command that is too long for a device", device->name);
    }
    check_command(world, device, &command);
    if (command.relay && !was_on) {
        check_energised(world, device, bit);
    }
    if (command.relay) {
        world->trace.on[world->act] |= (uint64_t)1 << bit;
    }
    device_take_command(device, &command);
}

static bool may_override(const struct world *world, const char *account)
{
    for (size_t i = 0; i < world->overrider_count; i++) {
        if (account != NULL && strcmp(world->overriders[i], account) == 0) {
            return true;
        }
    }
    return false;
}

static void
check_state(struct world *world, const struct device *device, const struct state_payload *state)
{
    bool person = state->user != NULL && state->card != NULL;

    if (state->relay && (state->oops || state->lockout) && !state->override) {
        world_fail(world, "I1: %s: state on while oopsed or locked out", device->name);
    }
    if (state->relay && !person && !(state->emergency && state->card != NULL) &&
        !(strcmp(state->mode, "always_on") == 0 && device->ever_always_on)) {
        world_fail(world, "I2: %s: state on, and nobody is there", device->name);
    }
    if (state->second_relay && !state->relay) {
        world_fail(world, "I3: %s: state has the second relay on alone", device->name);
    }
    if (state->override && !may_override(world, state->account_id)) {
        world_fail(world, "I5: %s: an override by one who may not", device->name);
    }
}

static void
take_state(struct world *world, struct device *device, const char *payload, size_t length)
{
    struct state_copy copy;
    TEXT_LOCAL(why, 256);

    if (length == 0) {
        return;
    }
    if (state_parse(payload, length, &copy, &why) != STATUS_OK) {
        world_fail(world, "%s: a state that cannot be read: %s", device->name, why.data);
        return;
    }
    check_state(world, device, &copy.state);
    state_copy_free(&copy);
}

void check_published(struct world *world, const char *topic, const char *payload, size_t length)
{
    static const char announcements[] = "homeassistant/device/";
    struct topic_match match;

    if (strncmp(topic, announcements, strlen(announcements)) == 0) {
        return; /* what is in them stands in tests/unit/discovery_test.c */
    }
    if (topic_parse(BROKER_PREFIX, topic, &match) != STATUS_OK) {
        world_fail(world, "published to an unknown topic, %s", topic);
    } else if (match.id == TOPIC_COMMAND) {
        world_device(world, match.first)->has_news = true;
        take_command(world, world_device(world, match.first), payload, length);
    } else if (match.id == TOPIC_PROBE) {
        life_answer(world, world_device(world, match.first), payload);
    } else if (match.id == TOPIC_STATE) {
        world_device(world, match.first)->has_news = true;
        take_state(world, world_device(world, match.first), payload, length);
    }
}

static void check_agreement(struct world *world, const struct device *device)
{
    const struct command *command = &device->command;
    const struct message *retained;
    char topic[TOPIC_SIZE];
    struct state_copy copy;
    TEXT_LOCAL(why, 256);

    if (topic_build(topic, sizeof topic, BROKER_PREFIX, TOPIC_STATE, device->name, NULL) !=
        STATUS_OK) {
        return;
    }
    retained = broker_retained(&world->broker, topic);
    if (retained == NULL ||
        state_parse(retained->payload, retained->length, &copy, &why) != STATUS_OK) {
        return;
    }
    if (copy.state.relay != command->relay || copy.state.second_relay != command->second_relay ||
        copy.state.oops != command->oops_led || copy.state.lockout != command->lockout) {
        world_fail(world, "%s: what its state says is not what was commanded", device->name);
    }
    state_copy_free(&copy);
}

void check_act(struct world *world)
{
    bool whole = world->broker.connected && world->controller != NULL &&
                 controller_is_ready(world->controller) &&
                 !(world->fault.struck && world->fault.port == FAULT_PUBLISH);

    for (size_t i = 0; i < world->device_count; i++) {
        struct device *device = &world->devices[i];
        if (device->has_command && device->command.relay) {
            world->trace.on[world->act] |= (uint64_t)1 << i;
        }
        if (whole && device->has_command && device->has_news) {
            device->has_news = false;
            check_agreement(world, device);
        }
    }
}
