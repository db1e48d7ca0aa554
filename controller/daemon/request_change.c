/* C6 `oops`, `lockout`, `clear`, `end`: answered once it is known whether the change was saved. */
#include "controller/daemon/controller_inside.h"
#include "controller/support/json.h"

void answer_change(
    struct controller *controller, const struct machine *machine, const char *account,
    enum request_verb verb, const char *transaction, bool changed, bool persisted)
{
    TEXT_LOCAL(data, 256);
    struct json_out out = json_out(&data);

    json_out_open(&out, NULL, '{');
    json_out_bool(&out, "changed", changed);
    json_out_bool(&out, "persisted", persisted);
    json_out_string(&out, "confirmed", core_observed_text(machine->record.core.confirmed));
    json_out_close(&out, '}');
    answer(controller, account, request_verb_text(verb), RESPONSE_OK, data.data, NULL, transaction);
}

void apply_set(
    struct controller *controller, struct machine *machine, enum core_event_type type, bool value,
    const struct origin *origin, struct core_effects *effects)
{
    struct core_event event = {.type = type, .set = {.value = value}};

    judge_waiting(controller, machine);
    judge(controller, machine, &event, origin, effects);
}

static void finish_change(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request, bool changed, bool saves)
{
    bool is_saved = version_compare(machine->saved, machine->record.core.version) >= 0;

    if (!saves && is_saved) {
        answer_change(
            controller, machine, account, request->verb, request->transaction, changed, true);
        return;
    }
    if (!saves) {
        /* Nothing new, but the last version is not safe yet either: the answer says how that
         * save ends. */
        saves_follow(controller, machine);
    }
    saves_answer_later(controller, machine, account, request, changed);
}

/* Who asked for it is written into `by`. */
static struct origin origin_of(const char *account, const struct request *request, struct text *by)
{
    describe_person(account, request, by);
    return (struct origin){
        .source = "request",
        .by = by->data,
        .reason = request->reason[0] == '\0' ? NULL : request->reason,
    };
}

void do_set(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    TEXT_LOCAL(by, 600);
    struct origin origin = origin_of(account, request, &by);
    struct core_effects effects;

    apply_set(
        controller, machine,
        request->verb == REQUEST_OOPS ? CORE_EVENT_SET_OOPS : CORE_EVENT_SET_LOCKOUT,
        request->value, &origin, &effects);
    finish_change(controller, machine, account, request, effects.flag_changed, effects.save);
}

void do_clear(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    TEXT_LOCAL(by, 600);
    struct origin origin = origin_of(account, request, &by);
    struct core_effects oops = {0};
    struct core_effects lockout = {0};

    if (machine->record.core.oopsed) {
        apply_set(controller, machine, CORE_EVENT_SET_OOPS, false, &origin, &oops);
    }
    if (machine->record.core.locked_out) {
        apply_set(controller, machine, CORE_EVENT_SET_LOCKOUT, false, &origin, &lockout);
    }
    finish_change(
        controller, machine, account, request, oops.flag_changed || lockout.flag_changed,
        oops.save || lockout.save);
}

void do_end(
    struct controller *controller, struct machine *machine, const char *account,
    const struct request *request)
{
    TEXT_LOCAL(by, 600);
    struct origin origin = {.source = "request"};
    struct core_event event = {.type = CORE_EVENT_END};
    struct core_effects effects;

    describe_person(account, request, &by);
    origin.by = by.data;
    judge_waiting(controller, machine);
    judge(controller, machine, &event, &origin, &effects);
    finish_change(controller, machine, account, request, effects.save, effects.save);
}
