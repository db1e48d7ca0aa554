#include "controller/ctl/sessions.h"

#include <stdlib.h>
#include <string.h>

/* Without this uthash ends the process when there is no memory. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(item) ((item)->failed = true)
#include <uthash.h>

#include "controller/ctl/audit_reader.h"

struct open_session {
    struct session session;
    bool failed; /* uthash ran out of memory while adding it */
    UT_hash_handle hh;
};

struct sessions {
    struct open_session *open; /* by machine */
};

static const struct {
    const char *event_type;
    enum session_kind kind;
} beginnings[] = {
    {"login", SESSION_LOGIN},
    {"override_login", SESSION_OVERRIDE},
    {"emergency_login", SESSION_EMERGENCY},
};

enum status sessions_new(struct sessions **ret_sessions)
{
    *ret_sessions = calloc(1, sizeof **ret_sessions);
    return *ret_sessions == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

void sessions_free(struct sessions *sessions)
{
    struct open_session *item;
    struct open_session *next;

    if (sessions == NULL) {
        return;
    }
    HASH_ITER(hh, sessions->open, item, next)
    {
        HASH_DEL(sessions->open, item);
        free(item);
    }
    free(sessions);
}

static struct session read_session(const struct json *event, enum session_kind kind)
{
    struct session session = {.kind = kind};
    const char *display_name = json_get_string(event, "display_name");

    text_copy(session.machine, sizeof session.machine, json_get_string(event, "machine"));
    text_copy(
        session.display_name, sizeof session.display_name,
        display_name[0] == '\0' ? session.machine : display_name);
    text_copy(session.user, sizeof session.user, json_get_string(event, "user"));
    text_copy(session.account_id, sizeof session.account_id, json_get_string(event, "account_id"));
    return session;
}

static struct open_session *find(const struct sessions *sessions, const char *machine)
{
    struct open_session *found;

    HASH_FIND_STR(sessions->open, machine, found);
    return found;
}

static void close_open(struct sessions *sessions, struct open_session *item)
{
    HASH_DEL(sessions->open, item);
    free(item);
}

static enum status
begin(struct sessions *sessions, const struct session *session, session_taker *taker, void *context)
{
    struct open_session *item = find(sessions, session->machine);

    if (item != NULL) {
        taker(context, &item->session);
        close_open(sessions, item);
    }
    item = calloc(1, sizeof *item);
    if (item == NULL) {
        return STATUS_NO_MEMORY;
    }
    item->session = *session;
    HASH_ADD_STR(sessions->open, session.machine, item);
    if (item->failed) {
        free(item);
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static void
end(struct sessions *sessions, const struct json *event, struct wall_time at, session_taker *taker,
    void *context)
{
    struct session session = read_session(event, SESSION_LOGIN);
    struct open_session *item = find(sessions, session.machine);

    session.lasted_ms = json_get_ms(event, "session_s");
    if (item != NULL) {
        int64_t lasted_ms = session.lasted_ms;
        session = item->session;
        session.lasted_ms = lasted_ms;
        close_open(sessions, item);
    } else {
        session.from.ms = at.ms - session.lasted_ms;
    }
    session.to = at;
    session.approximate = json_get_bool(event, "approx");
    text_copy(session.reason, sizeof session.reason, json_get_string(event, "reason"));
    taker(context, &session);
}

static void refuse(
    const struct json *event, const char *event_type, struct wall_time at, session_taker *taker,
    void *context)
{
    struct session session = read_session(event, SESSION_REFUSED);

    session.from = at;
    session.to = at;
    text_copy(session.reason, sizeof session.reason, event_type);
    taker(context, &session);
}

enum status sessions_take(
    struct sessions *sessions, const struct json *event, struct wall_time at, session_taker *taker,
    void *context)
{
    const char *event_type = json_get_string(event, "event_type");

    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (strcmp(event_type, beginnings[i].event_type) == 0) {
            struct session session = read_session(event, beginnings[i].kind);
            session.from = at;
            return begin(sessions, &session, taker, context);
        }
    }
    if (strcmp(event_type, "logout") == 0) {
        end(sessions, event, at, taker, context);
    } else if (
        strcmp(event_type, "denied") == 0 || strcmp(event_type, "unknown_fob") == 0 ||
        strcmp(event_type, "refused") == 0) {
        refuse(event, event_type, at, taker, context);
    }
    return STATUS_OK;
}

void sessions_open(const struct sessions *sessions, session_taker *taker, void *context)
{
    for (const struct open_session *item = sessions->open; item != NULL; item = item->hh.next) {
        taker(context, &item->session);
    }
}
