#include "persistence/redis_sentinel.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/clock.h"
#include "persistence/redis_link.h"
#include "persistence/redis_votes.h"

#define REASON_SIZE 256
#define MISSED_MAX (SENTINEL_FRESH_MS / SENTINEL_ASK_MS)

/* One of them. */
struct sentinel {
    struct redis_request question; /* first, so that a question is its Sentinel */
    struct redis_sentinel *owner;
    struct redis_link *link;
    bool asked;      /* and not answered */
    unsigned missed; /* questions that were not asked since, for that reason */
    char place[ENDPOINT_HOST_SIZE + 16];
    char trouble[REASON_SIZE]; /* "": none, or nothing is known yet */
};

struct redis_sentinel {
    struct redis_sentinel_options options;
    struct event *timer;
    struct endpoint last; /* what redis_sentinel_master told; no host: nothing yet */
    bool closing;
    size_t count;
    struct sentinel all[SENTINELS_MAX];
    struct sentinel_voice voices[SENTINELS_MAX];
};

static struct sentinel_voice *voice_of(const struct sentinel *one)
{
    return &one->owner->voices[one - one->owner->all];
}

/* Its last answer counts no more. */
static void in_trouble(struct sentinel *one, const char *reason)
{
    struct redis_sentinel *sentinel = one->owner;
    TEXT_LOCAL(text, REASON_SIZE + sizeof one->place + 16);

    voice_of(one)->named = false;
    if (strcmp(one->trouble, reason) != 0) {
        text_copy(one->trouble, sizeof one->trouble, reason);
        text_addf(&text, "Sentinel %s: %s", one->place, reason);
        sentinel->options.on_trouble(sentinel->options.context, text.data);
    }
}

/* ---- questions and answers ---- */

static void weigh(struct redis_sentinel *sentinel)
{
    const struct endpoint *moved =
        sentinel_moved(sentinel->voices, sentinel->count, clock_now().mono, &sentinel->last);
    TEXT_LOCAL(reason, ENDPOINT_HOST_SIZE + 64);

    if (moved != NULL) {
        text_add(&reason, "the master is now ");
        endpoint_add(&reason, moved);
        sentinel->options.on_moved(sentinel->options.context, reason.data);
    }
}

static bool read_master(const struct redisReply *reply, struct endpoint *ret_master)
{
    const char *host = NULL;
    const char *port = NULL;

    if (redis_reply_count(reply) == 2) {
        host = redis_reply_text(redis_reply_at(reply, 0), NULL);
        port = redis_reply_text(redis_reply_at(reply, 1), NULL);
    }
    return host != NULL && port != NULL && endpoint_set(host, port, ret_master);
}

static struct redis_account account_of(const struct redis_sentinel *sentinel)
{
    return (struct redis_account){
        .password = sentinel->options.password,
        .password_key = "[redis] sentinel_password",
    };
}

static void on_answer(struct redis_request *request, const struct redisReply *reply)
{
    struct sentinel *one = (struct sentinel *)request;
    struct redis_sentinel *sentinel = one->owner;
    struct sentinel_voice *voice = voice_of(one);
    TEXT_LOCAL(reason, REASON_SIZE);

    one->asked = false;
    if (sentinel->closing || reply == NULL) {
        return;
    }
    if (redis_reply_error(reply) != NULL) {
        const struct redis_account account = account_of(sentinel);
        if (!redis_refusal(&account, redis_reply_error(reply), &reason)) {
            redis_error(&account, redis_reply_error(reply), &reason);
        }
        in_trouble(one, reason.data);
    } else if (!read_master(reply, &voice->master)) {
        text_addf(&reason, "it knows no master \"%s\"", sentinel->options.master);
        in_trouble(one, reason.data);
    } else {
        one->trouble[0] = '\0';
        voice->named = true;
        voice->at = clock_now().mono;
        weigh(sentinel);
    }
}

static void ask(struct sentinel *one)
{
    const char *const words[] = {"SENTINEL", "get-master-addr-by-name", one->owner->options.master};

    if (one->asked) {
        one->missed++;
        if (one->missed == MISSED_MAX) {
            in_trouble(one, "it does not answer");
        }
    } else {
        one->missed = 0;
        one->asked = redis_link_send(one->link, &one->question, words, NULL, 3) == STATUS_OK;
    }
}

static void ask_all(evutil_socket_t fd, short what, void *context)
{
    struct redis_sentinel *sentinel = context;

    (void)fd;
    (void)what;
    for (size_t i = 0; i < sentinel->count; i++) {
        ask(&sentinel->all[i]);
    }
}

static void on_up(void *context)
{
    ask(context);
}

static void on_down(void *context, bool refused, const char *reason)
{
    (void)refused;
    in_trouble(context, reason);
}

/* ---- what others see ---- */

bool redis_sentinel_master(
    struct redis_sentinel *sentinel, struct endpoint *ret_master, struct text *why)
{
    const struct endpoint *chosen =
        sentinel_choose(sentinel->voices, sentinel->count, clock_now().mono, &sentinel->last);

    if (chosen != NULL) {
        sentinel->last = *chosen;
    } else if (sentinel->last.host[0] == '\0') {
        for (size_t i = 0; i < sentinel->count; i++) {
            const struct sentinel *one = &sentinel->all[i];
            if (one->trouble[0] == '\0') {
                text_clear(why);
                break;
            }
            text_addf(why, "%sSentinel %s: %s", i == 0 ? "" : "; ", one->place, one->trouble);
        }
        return false;
    }
    *ret_master = sentinel->last;
    return true;
}

static enum status
start_one(struct redis_sentinel *sentinel, struct sentinel *one, const struct endpoint *place)
{
    struct redis_link_options options = {
        .base = sentinel->options.base,
        .url = {.port = place->port},
        .nameserver = sentinel->options.nameserver,
        .account = account_of(sentinel),
        .context = one,
        .on_up = on_up,
        .on_down = on_down,
    };
    struct redis_greeting *next = options.greeting;
    struct text text = text_over(one->place, sizeof one->place);

    one->question.on_reply = on_answer;
    one->owner = sentinel;
    endpoint_add(&text, place);
    text_copy(options.url.host, sizeof options.url.host, place->host);
    if (sentinel->options.password[0] != '\0') {
        *next++ =
            (struct redis_greeting){.words = {"AUTH", sentinel->options.password}, .count = 2};
    }
    *next++ = (struct redis_greeting){.words = {"PING"}, .count = 1};
    options.greeting_count = (size_t)(next - options.greeting);
    return redis_link_new(&options, &one->link);
}

enum status redis_sentinel_new(
    const struct redis_sentinel_options *options, struct redis_sentinel **ret_sentinel,
    struct text *why)
{
    const struct timeval period = {
        .tv_sec = SENTINEL_ASK_MS / 1000, .tv_usec = SENTINEL_ASK_MS % 1000 * 1000};
    struct endpoint places[SENTINELS_MAX];
    size_t count = 0;
    struct redis_sentinel *sentinel = NULL;
    enum status status =
        endpoint_list(options->sentinels, SENTINEL_PORT, SENTINELS_MAX, places, &count);

    if (status != STATUS_OK) {
        text_add(why, "the Sentinels of Redis are not a list of host:port");
        return status;
    }
    sentinel = calloc(1, sizeof *sentinel);
    if (sentinel == NULL) {
        goto no_memory;
    }
    sentinel->options = *options;
    sentinel->timer = event_new(options->base, -1, EV_PERSIST, ask_all, sentinel);
    if (sentinel->timer == NULL || event_add(sentinel->timer, &period) != 0) {
        goto no_memory;
    }
    for (; sentinel->count < count; sentinel->count++) {
        size_t i = sentinel->count;
        if (start_one(sentinel, &sentinel->all[i], &places[i]) != STATUS_OK) {
            goto no_memory;
        }
    }
    *ret_sentinel = sentinel;
    return STATUS_OK;

no_memory:
    redis_sentinel_free(sentinel);
    text_add(why, status_text(STATUS_NO_MEMORY));
    return STATUS_NO_MEMORY;
}

void redis_sentinel_free(struct redis_sentinel *sentinel)
{
    if (sentinel == NULL) {
        return;
    }
    sentinel->closing = true;
    for (size_t i = 0; i < sentinel->count; i++) {
        redis_link_free(sentinel->all[i].link);
    }
    if (sentinel->timer != NULL) {
        event_free(sentinel->timer);
    }
    free(sentinel);
}
