#include "topics/notice.h"

#include "controller/support/json.h"
#include "topics/state.h"

static void print_optional(struct json_out *out, const char *key, const char *value)
{
    if (value != NULL) {
        json_out_string(out, key, value);
    }
}

static void print_flag(struct json_out *out, const char *key, bool value)
{
    if (value) {
        json_out_bool(out, key, true);
    }
}

enum status notice_print(const struct notice_payload *notice, struct text *text)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "event_type", notice->event_type);
    json_out_integer(&out, "n", notice->n);
    json_out_string(&out, "machine", notice->machine);
    json_out_string(&out, "display_name", notice->display_name);
    json_out_string(&out, "user", notice->user);
    json_out_string(&out, "account_id", notice->account_id);
    json_out_string(&out, "source", notice->source);
    json_out_string(&out, "reason", notice->reason);
    json_out_string(&out, "text", notice->text);
    print_optional(&out, "by", notice->by);
    print_optional(&out, "fault", notice->fault);
    print_optional(&out, "reset_reason", notice->reset_reason);
    print_flag(&out, "warn_only", notice->warn_only);
    if (notice->has_session) {
        json_out_number(&out, "session_s", (double)notice->session_ms / 1000.0, 3);
    }
    print_flag(&out, "approx", notice->approximate);
    if (notice->since.ms > 0) {
        json_out_wall(&out, "since", notice->since);
    }
    print_optional(&out, "last_user", notice->last_user);
    if (notice->clock_is_free) {
        json_out_string(&out, "clock", "unsynchronised");
    }
    json_out_integer(&out, "epoch", (int64_t)notice->version.epoch);
    json_out_integer(&out, "rev", notice->version.rev);
    json_out_wall(&out, "at", notice->at);
    json_out_close(&out, '}');
    return text->cut ? STATUS_TOO_LONG : STATUS_OK;
}
