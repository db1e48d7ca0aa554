#include "controller/watcher/role.h"

#include <string.h>

#include "controller/watcher/services_inside.h"

void role_on_listening(struct role *role, struct now now)
{
    role->connected = true;
    role->other_lost = false;
    role->repeat_at = (struct mono_time){0};
    role->speak_at = in_ms(now, role->silent ? ROLE_RETURN_MS : ROLE_LISTEN_MS);
}

void role_on_disconnected(struct role *role, struct now now)
{
    if (!role->connected) {
        return;
    }
    role->connected = false;
    role->other_lost = false;
    role->repeat_at = (struct mono_time){0};
    role->speak_at = role->silent ? in_ms(now, ROLE_ALONE_MS) : (struct mono_time){0};
}

static enum role_change on_running(struct role *role, const char *id, struct now now)
{
    bool speaks = role_may_speak(role);

    if (speaks && strcmp(role->id, id) < 0) {
        return ROLE_SPEAKS;
    }
    text_copy(role->other, sizeof role->other, id);
    role->other_lost = false;
    role->speak_at = in_ms(now, ROLE_MISSED_MS);
    role->repeat_at = (struct mono_time){0};
    if (role->silent) {
        return ROLE_SAME;
    }
    role->silent = true;
    return ROLE_IS_SILENT;
}

enum role_change
role_on_watcher(struct role *role, enum service_status status, const char *id, struct now now)
{
    bool is_mine = strcmp(role->id, id) == 0;

    if (status == SERVICE_RUNNING) {
        return is_mine ? ROLE_SAME : on_running(role, id, now);
    }
    if (!role->silent) {
        /* The last will of its own earlier connection, or the end of the silent one. */
        return role_may_speak(role) ? ROLE_SPEAKS : ROLE_SAME;
    }
    if (!is_mine && strcmp(role->other, id) == 0) {
        role->other_lost = status == SERVICE_ERROR;
        role->speak_at = in_ms(now, ROLE_DOUBT_MS);
    }
    return ROLE_SAME;
}

enum role_change role_tick(struct role *role, struct now now)
{
    bool takes_over = role->silent && role->other_lost;

    if (mono_is_past(role->speak_at, now.mono)) {
        role->speak_at = (struct mono_time){0};
        role->silent = false;
    } else if (!mono_is_past(role->repeat_at, now.mono)) {
        return ROLE_SAME;
    }
    role->repeat_at = role->connected ? in_ms(now, ROLE_REPEAT_MS) : (struct mono_time){0};
    return takes_over ? ROLE_TAKES_OVER : ROLE_SPEAKS;
}

struct mono_time role_due(const struct role *role)
{
    return role->speak_at.ms != 0 ? role->speak_at : role->repeat_at;
}

bool role_may_speak(const struct role *role)
{
    return !role->silent && role->speak_at.ms == 0;
}
