#include "controller/ctl/session_words.h"

#include <string.h>

static const char *how_it_ended(const char *reason)
{
    static const struct {
        const char *reason;
        const char *words;
    } endings[] = {
        {"card_removed", "card out"},
        {"card_swapped", "another card was put in"},
        {"oops", "Oops"},
        {"unoops", "Oops was cleared"},
        {"lockout", "locked out"},
        {"unlock", "the lockout was lifted"},
        {"reboot", "the machine's box restarted"},
        {"offline", "the machine's box signed off"},
        {"ended", "ended from outside"},
        {"config", "the configuration changed"},
        {"denied", "REFUSED: not authorized"},
        {"unknown_fob", "REFUSED: unknown card"},
        {"refused", "REFUSED: the machine was out of use"},
    };

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (strcmp(endings[i].reason, reason) == 0) {
            return endings[i].words;
        }
    }
    return reason;
}

static const char *const kinds[] = {
    [SESSION_LOGIN] = "session",
    [SESSION_OVERRIDE] = "override",
    [SESSION_EMERGENCY] = "emergency",
    [SESSION_REFUSED] = "refused",
};

void session_json(struct text *text, const struct session *session)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '{');
    json_out_string(&out, "kind", kinds[session->kind]);
    json_out_string(&out, "machine", session->machine);
    json_out_string(&out, "display_name", session->display_name);
    json_out_string(&out, "user", session->user[0] == '\0' ? NULL : session->user);
    json_out_string(
        &out, "account_id", session->account_id[0] == '\0' ? NULL : session->account_id);
    json_out_number(&out, "from", (double)session->from.ms / 1000.0, 3);
    if (session->to.ms != 0) {
        json_out_number(&out, "to", (double)session->to.ms / 1000.0, 3);
        json_out_number(&out, "session_s", (double)session->lasted_ms / 1000.0, 3);
        json_out_string(&out, "reason", session->reason);
    } else {
        json_out_null(&out, "to");
    }
    if (session->approximate) {
        json_out_bool(&out, "approx", true);
    }
    json_out_close(&out, '}');
}

static void add_person(struct text *out, const struct session *session)
{
    if (session->user[0] != '\0') {
        words_escape(out, session->user);
    } else if (session->kind == SESSION_EMERGENCY) {
        text_add(out, "emergency card");
    } else {
        text_add(out, "somebody unknown");
    }
    if (session->kind == SESSION_OVERRIDE) {
        text_add(out, " (OVERRIDE)");
    }
}

enum tone session_tone(const struct session *session)
{
    if (session->kind == SESSION_REFUSED) {
        return TONE_NOTE;
    }
    return session->kind == SESSION_LOGIN ? TONE_PLAIN : TONE_ALARM;
}

void session_line(struct text *out, const struct session *session, const char *no_end)
{
    TEXT_LOCAL(lasted, 64);

    if (session->kind != SESSION_REFUSED && session->to.ms != 0) {
        text_add(&lasted, session->approximate ? "about " : "");
        words_duration(&lasted, session->lasted_ms);
    }
    words_stamp(out, session->from);
    text_addf(out, "  %-13s  ", lasted.data);
    words_escape(out, session->display_name);
    text_add(out, "  ");
    add_person(out, session);
    text_addf(out, "  %s", session->to.ms != 0 ? how_it_ended(session->reason) : no_end);
}
