#include "persistence/redis_link.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "persistence/resolve.h"

enum phase {
    PHASE_WAITING,   /* the timer begins the next attempt */
    PHASE_RESOLVING, /* the look-up has a time limit of its own */
    PHASE_GREETING,  /* connecting and greeting; the timer ends the attempt */
    PHASE_UP,
};

struct redis_link {
    struct redis_request greeting; /* first, so that a request is its link */
    struct redis_link_options options;
    enum phase phase;
    struct event *timer;
    struct redis_socket *socket; /* NULL without a connection */
    struct resolve *resolve;
    struct addresses addresses; /* those from `next` on are not tried yet */
    size_t next;
    size_t greeted;
    uint32_t backoff_ms;
    char last_reason[512];
};

static void set_timer(struct redis_link *link, uint32_t ms)
{
    struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = (int)(ms % 1000) * 1000};
    (void)event_add(link->timer, &delay);
}

static uint32_t with_jitter(uint32_t ms)
{
    uint32_t random = 0;

    evutil_secure_rng_get_bytes(&random, sizeof random);
    return ms / 2 + random % (ms / 2 + 1);
}

/* The connection, or the attempt, is over; the next one is on its way. */
static void go_down(struct redis_link *link, bool refused, const char *reason)
{
    bool was_up = link->phase == PHASE_UP;
    uint32_t max_ms =
        link->options.locate == NULL ? LINK_BACKOFF_MAX_MS : LINK_BACKOFF_LOCATE_MAX_MS;

    link->socket = NULL;
    link->phase = PHASE_WAITING;
    if (!was_up && link->next < link->addresses.count) {
        set_timer(link, 0);
        return;
    }
    link->addresses.count = 0;
    set_timer(link, with_jitter(link->backoff_ms));
    link->backoff_ms *= 2;
    if (link->backoff_ms > max_ms) {
        link->backoff_ms = max_ms;
    }
    if (was_up || strcmp(reason, link->last_reason) != 0) {
        text_copy(link->last_reason, sizeof link->last_reason, reason);
        link->options.on_down(link->options.context, refused, link->last_reason);
    }
}

static void give_up(struct redis_link *link, bool refused, const char *reason)
{
    struct redis_socket *socket = link->socket;

    go_down(link, refused, reason);
    redis_socket_close(socket);
}

static bool will_do(const struct redis_greeting *greeting, const char *error)
{
    return greeting->for_rights ||
           (greeting->may_say != NULL &&
            strncmp(error, greeting->may_say, strlen(greeting->may_say)) == 0);
}

/* What is wrong with the answer to a greeting; false: nothing. */
static bool is_wrong(
    const struct redis_link *link, const struct redisReply *reply, bool *ret_refused,
    struct text *ret_reason)
{
    const struct redis_greeting *greeting = &link->options.greeting[link->greeted];
    const char *error = redis_reply_error(reply);
    const char *first = NULL;

    *ret_refused = error != NULL && redis_refusal(&link->options.account, error, ret_reason);
    if (error != NULL && (*ret_refused || !will_do(greeting, error))) {
        if (!*ret_refused) {
            text_addf(ret_reason, "%s: ", greeting->words[0]);
            redis_error(&link->options.account, error, ret_reason);
        }
        return true;
    }
    if (greeting->first == NULL) {
        return false;
    }
    if (redis_reply_count(reply) > 0) {
        first = redis_reply_text(redis_reply_at(reply, 0), NULL);
    }
    if (first != NULL && strcmp(first, greeting->first) == 0) {
        return false;
    }
    text_addf(
        ret_reason, "%s: not %s but %s", greeting->words[0], greeting->first,
        first == NULL ? "an answer that makes no sense" : first);
    return true;
}

static void on_greeted(struct redis_request *request, const struct redisReply *reply)
{
    struct redis_link *link = (struct redis_link *)request;
    const struct redis_greeting *greeting = NULL;
    bool refused = false;
    TEXT_LOCAL(reason, 512);

    if (reply == NULL) {
        return; /* on_closed has told, or the attempt was given up */
    }
    greeting = &link->options.greeting[link->greeted];
    if (is_wrong(link, reply, &refused, &reason)) {
        give_up(link, refused, reason.data);
        return;
    }
    if (greeting->keep != NULL) {
        const char *text = redis_reply_text(reply, NULL);
        text_copy(greeting->keep, greeting->keep_size, text == NULL ? "" : text);
    }
    link->greeted++;
    if (link->greeted == link->options.greeting_count) {
        (void)event_del(link->timer);
        link->phase = PHASE_UP;
        link->backoff_ms = LINK_BACKOFF_MIN_MS;
        link->last_reason[0] = '\0';
        link->options.on_up(link->options.context);
    }
}

static void on_open(void *context)
{
    struct redis_link *link = context;

    for (size_t i = 0; i < link->options.greeting_count; i++) {
        struct redis_greeting *greeting = &link->options.greeting[i];
        if (redis_socket_send(
                link->socket, &link->greeting, greeting->words, NULL, greeting->count) !=
            STATUS_OK) {
            return; /* the attempt times out */
        }
    }
}

static void on_closed(void *context, const char *reason)
{
    go_down(context, false, reason);
}

static void connect_to(struct redis_link *link, const char *address)
{
    const struct redis_url *url = &link->options.url;
    const struct redis_socket_events events = {
        .context = link, .on_open = on_open, .on_closed = on_closed};
    TEXT_LOCAL(why, 256);

    if (redis_socket_open(
            link->options.base, url->path, address, url->port, &events, &link->socket, &why) !=
        STATUS_OK) {
        go_down(link, false, why.data);
        return;
    }
    link->phase = PHASE_GREETING;
    link->greeted = 0;
    set_timer(link, LINK_ATTEMPT_MS);
}

static void connect_next(struct redis_link *link)
{
    connect_to(link, link->addresses.text[link->next++]);
}

static void on_resolved(void *context, const struct addresses *addresses, const char *reason)
{
    struct redis_link *link = context;

    link->resolve = NULL;
    if (addresses == NULL) {
        go_down(link, false, reason);
        return;
    }
    link->addresses = *addresses;
    link->next = 0;
    connect_next(link);
}

static bool is_numeric(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static void attempt(struct redis_link *link)
{
    struct redis_url *url = &link->options.url;
    TEXT_LOCAL(why, 512);

    if (link->next < link->addresses.count) {
        connect_next(link);
    } else if (
        link->options.locate != NULL && !link->options.locate(link->options.context, url, &why)) {
        go_down(link, false, why.data);
    } else if (url->path[0] != '\0' || is_numeric(url->host)) {
        connect_to(link, url->host);
    } else if (
        resolve_start(
            link->options.base, url->host, link->options.nameserver, on_resolved, link,
            &link->resolve) == STATUS_OK) {
        link->phase = PHASE_RESOLVING;
    } else {
        go_down(link, false, status_text(STATUS_NO_MEMORY));
    }
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct redis_link *link = context;

    (void)fd;
    (void)what;
    if (link->phase == PHASE_WAITING) {
        attempt(link);
    } else if (link->phase == PHASE_GREETING) {
        TEXT_LOCAL(reason, 64);
        text_addf(&reason, "no answer in %d ms", LINK_ATTEMPT_MS);
        give_up(link, false, reason.data);
    }
}

enum status redis_link_new(const struct redis_link_options *options, struct redis_link **ret_link)
{
    struct redis_link *link = calloc(1, sizeof *link);

    if (link == NULL) {
        return STATUS_NO_MEMORY;
    }
    link->greeting.on_reply = on_greeted;
    link->options = *options;
    link->backoff_ms = LINK_BACKOFF_MIN_MS;
    link->timer = evtimer_new(options->base, on_timer, link);
    if (link->timer == NULL) {
        free(link);
        return STATUS_NO_MEMORY;
    }
    set_timer(link, 0);
    *ret_link = link;
    return STATUS_OK;
}

void redis_link_free(struct redis_link *link)
{
    if (link == NULL) {
        return;
    }
    resolve_cancel(link->resolve);
    redis_socket_close(link->socket);
    event_free(link->timer);
    free(link);
}

void redis_link_leave(struct redis_link *link, const char *reason)
{
    link->addresses.count = 0;
    link->backoff_ms = LINK_BACKOFF_MIN_MS;
    switch (link->phase) {
    case PHASE_WAITING:
        set_timer(link, 0);
        break;
    case PHASE_RESOLVING:
        resolve_cancel(link->resolve);
        link->resolve = NULL;
        link->phase = PHASE_WAITING;
        set_timer(link, 0);
        break;
    case PHASE_GREETING:
    case PHASE_UP:
        give_up(link, false, reason);
        break;
    }
}

bool redis_link_is_up(const struct redis_link *link)
{
    return link->phase == PHASE_UP;
}

enum status redis_link_send(
    struct redis_link *link, struct redis_request *request, const char *const words[],
    const size_t lengths[], size_t count)
{
    if (link->phase != PHASE_UP) {
        return STATUS_DISCONNECTED;
    }
    return redis_socket_send(link->socket, request, words, lengths, count);
}
