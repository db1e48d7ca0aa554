/* The controller's end: core_decide() between two reduced states. */
#include <string.h>

#include "controller/core/decide.h"
#include "tests/lib/joint.h"

#define NOW_MS 1000000
#define EPOCH 1
#define LATER_REVS 100 /* what a controller of a later epoch makes is above everything */

static const core_authorization trained = 1;
static const char cards[][CORE_CARD_SIZE] = {"", "1", "2"};

static struct core_holder member_of(const struct joint_world *world)
{
    struct core_holder holder = {
        .user = {.account_id = "m", .name = "m"},
        .oops_override = world->override,
        .authorizations = {.items = &trained, .count = 1},
    };

    return holder;
}

static void
make_core(const struct joint_core *from, const struct core_holder *member, struct core_state *core)
{
    core_state_init(core);
    core->mode = (enum core_mode)from->mode;
    core->oopsed = from->oopsed;
    core->locked_out = from->locked_out;
    core->card_spent = from->spent;
    memcpy(core->card, cards[from->card], sizeof core->card);
    core->has_user = from->has_user;
    if (from->has_user) {
        core->user = member->user;
    }
    core->heard = core->known = from->known;
    if (from->boot != 0) {
        core->boot_id[0] = (char)('0' + from->boot);
    }
    core->seq = from->seq;
    if (from->version != 0) {
        core->version = (struct version){EPOCH, from->version};
    }
}

static void take_core(const struct core_state *core, struct joint_core *to)
{
    to->mode = (uint8_t)core->mode;
    to->oopsed = core->oopsed;
    to->locked_out = core->locked_out;
    to->spent = core->card_spent;
    to->card = (uint8_t)(core->card[0] != '\0' ? core->card[0] - '0' : 0);
    to->has_user = core->has_user;
    to->known = core->known;
    to->boot = (uint8_t)(core->boot_id[0] != '\0' ? core->boot_id[0] - '0' : 0);
    to->seq = (uint8_t)core->seq;
    to->version = (uint8_t)(core->version.rev + (core->version.epoch > EPOCH ? LATER_REVS : 0));
}

static void take_command(
    const struct core_state *core, const struct joint_core *after, struct joint_command *to)
{
    *to = (struct joint_command){
        .used = 1,
        .own = after->boot == JOINT_BOOT,
        .seq = after->seq,
        .version = after->version,
        .relay = core_mode_relay(core->mode),
        .oops = core->oopsed,
        .lockout = core->locked_out,
        .needs_card = core_needs_card(core),
    };
}

/* A report of a device long booted is what a controller that knows nothing may hear first. */
static struct core_report make_report(enum joint_event event, const struct joint_report *from)
{
    static const char boot_id[] = {'0' + JOINT_BOOT, '\0'};
    bool late = event == JOINT_REPORT_0_LATE || event == JOINT_REPORT_1_LATE;
    struct core_report report = {
        .oops = from->oops,
        .emergency = from->emergency,
        .card = cards[from->card],
        .uptime_s = late ? 1000 : 5,
        .boot_id = boot_id,
        .seq = from->seq,
        .has_ack = from->ack_oops || from->ack_lockout,
        .ack = {{EPOCH, 1}, from->ack_oops, from->ack_lockout},
    };

    return report;
}

static struct core_event make_event(
    enum joint_event event, const struct joint_core *before, const struct joint_report *report,
    const struct core_holder *member)
{
    struct core_event made = {
        .type = CORE_EVENT_CONFIG,
        .now = {{NOW_MS}, {NOW_MS}},
        .epoch = before->version == 0 ? EPOCH + 1 : EPOCH,
        .epoch_ceiling = EPOCH + 1,
    };

    switch ((int)event) {
    case JOINT_SET_OOPS:
    case JOINT_CLEAR_OOPS:
        made.type = CORE_EVENT_SET_OOPS;
        made.set.value = event == JOINT_SET_OOPS;
        break;
    case JOINT_SET_LOCKOUT:
    case JOINT_CLEAR_LOCKOUT:
        made.type = CORE_EVENT_SET_LOCKOUT;
        made.set.value = event == JOINT_SET_LOCKOUT;
        break;
    case JOINT_END:
        made.type = CORE_EVENT_END;
        break;
    case JOINT_RELOAD:
    case JOINT_CONTROLLER_RESTART:
    case JOINT_CONTROLLER_LOSS:
        made.reconfigured.holder = before->has_user ? member : NULL;
        break;
    default:
        made.type = CORE_EVENT_REPORT;
        made.report = make_report(event, report);
        made.report.holder = report->card == JOINT_MEMBER ? member : NULL;
    }
    return made;
}

void joint_core_step(
    const struct joint_world *world, enum joint_event event, const struct joint_core *before,
    const struct joint_report *report, struct joint_core_step *ret_step)
{
    bool starts = event == JOINT_CONTROLLER_RESTART || event == JOINT_CONTROLLER_LOSS;
    struct core_holder member = member_of(world);
    struct joint_core from = *before;
    struct core_config config = {.authorizations_or = {.items = &trained, .count = 1}};
    struct core_state core;
    struct core_effects effects;
    struct core_event made;

    if (event == JOINT_CONTROLLER_LOSS) {
        memset(&from, 0, sizeof from);
        from.always = before->always;
    } else if (event == JOINT_RELOAD) {
        from.always = !before->always;
    }
    config.always_enabled = from.always;
    memset(ret_step, 0, sizeof *ret_step);
    make_core(&from, &member, &core);
    made = make_event(event, &from, report, &member);
    core_decide(&config, &core, &made, &core, &effects);
    ret_step->after.always = from.always;
    take_core(&core, &ret_step->after);
    ret_step->dropped = effects.dropped;
    /* A controller that starts publishes its commands again (C2). */
    if (effects.command || starts) {
        take_command(&core, &ret_step->after, &ret_step->command);
    }
}
