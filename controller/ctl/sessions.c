#include "controller/ctl/sessions.h"

#include <stdlib.h>
#include <string.h>

/* Without this uthash ends the process when there is no memory. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(item) ((item)->failed = true)
#include <uthash.h>

#include "controller/ctl/audit_reader.h"

/* A machine's last session. */
struct last_session {
    struct session session;
    bool open;
    bool late;   /* its beginning was heard late */
    bool failed; /* uthash ran out of memory while adding it */
    UT_hash_handle hh;
};

struct sessions {
    struct last_session *last; /* by machine */
};

static const struct {
    const char *event_type;
    enum session_kind kind;
} beginnings[] = {
    {"login", SESSION_LOGIN},
    {"override_login", SESSION_OVERRIDE},
    {"emergency_login", SESSION_EMERGENCY},
};

/* The clocks of two controllers that tell of one session are not further apart. */
#define TWIN_MS 2000

enum status sessions_new(struct sessions **ret_sessions)
{
    *ret_sessions = calloc(1, sizeof **ret_sessions);
    return *ret_sessions == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

void sessions_free(struct sessions *sessions)
{
    struct last_session *item;
    struct last_session *next;

    if (sessions == NULL) {
        return;
    }
    HASH_ITER(hh, sessions->last, item, next)
    {
        HASH_DEL(sessions->last, item);
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

/* The machine's last one; makes it. NULL when there is no memory. */
static struct last_session *last_of(struct sessions *sessions, const char *machine)
{
    struct last_session *item;

    HASH_FIND_STR(sessions->last, machine, item);
    if (item != NULL) {
        return item;
    }
    item = calloc(1, sizeof *item);
    if (item == NULL) {
        return NULL;
    }
    text_copy(item->session.machine, sizeof item->session.machine, machine);
    HASH_ADD_STR(sessions->last, session.machine, item);
    if (item->failed) {
        free(item);
        return NULL;
    }
    return item;
}

static bool is_of_same_person(const struct session *a, const struct session *b)
{
    return strcmp(a->user, b->user) == 0 && strcmp(a->account_id, b->account_id) == 0;
}

/* A leader that was cut off and its successor may both have told of it. */
static bool
is_begun_already(const struct last_session *last, const struct session *session, bool late)
{
    return last->open && (late || last->late) && last->session.kind == session->kind &&
           is_of_same_person(&last->session, session);
}

static bool is_ended_already(const struct last_session *last, const struct session *session)
{
    int64_t apart_ms = last->session.from.ms - session->from.ms;

    return last->session.to.ms != 0 && apart_ms >= -TWIN_MS && apart_ms <= TWIN_MS &&
           is_of_same_person(&last->session, session);
}

static enum status begin(
    struct sessions *sessions, const struct session *session, bool late, session_taker *taker,
    void *context)
{
    struct last_session *last = last_of(sessions, session->machine);

    if (last == NULL) {
        return STATUS_NO_MEMORY;
    }
    if (is_begun_already(last, session, late)) {
        return STATUS_OK;
    }
    if (last->open) {
        taker(context, &last->session);
    }
    last->session = *session;
    last->open = true;
    last->late = late;
    return STATUS_OK;
}

static enum status
end(struct sessions *sessions, const struct json *event, struct wall_time at, session_taker *taker,
    void *context)
{
    struct session session = read_session(event, SESSION_LOGIN);
    struct last_session *last = last_of(sessions, session.machine);

    if (last == NULL) {
        return STATUS_NO_MEMORY;
    }
    session.lasted_ms = json_get_ms(event, "session_s");
    session.from.ms = at.ms - session.lasted_ms;
    if (last->open) {
        int64_t lasted_ms = session.lasted_ms;
        session = last->session;
        session.lasted_ms = lasted_ms;
    } else if (is_ended_already(last, &session)) {
        return STATUS_OK;
    }
    session.to = at;
    session.approximate = json_get_bool(event, "approx");
    text_copy(session.reason, sizeof session.reason, json_get_string(event, "reason"));
    taker(context, &session);
    last->session = session;
    last->open = false;
    return STATUS_OK;
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
            return begin(sessions, &session, json_get_bool(event, "late"), taker, context);
        }
    }
    if (strcmp(event_type, "logout") == 0) {
        return end(sessions, event, at, taker, context);
    }
    if (strcmp(event_type, "denied") == 0 || strcmp(event_type, "unknown_fob") == 0 ||
        strcmp(event_type, "refused") == 0) {
        refuse(event, event_type, at, taker, context);
    }
    return STATUS_OK;
}

void sessions_open(const struct sessions *sessions, session_taker *taker, void *context)
{
    for (const struct last_session *item = sessions->last; item != NULL; item = item->hh.next) {
        if (item->open) {
            taker(context, &item->session);
        }
    }
}
