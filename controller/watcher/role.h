/* Which of two watchers speaks (C11.6). Pure.
 *
 * Whoever speaks says so on `service/watcher`, with its id, and repeats it; who hears another one
 * there is silent, and speaks when that one is lost, has stopped or is heard no more (a broker that
 * was killed may keep an old "running" for ever). Where both speak, the greater id gives way. One
 * watcher alone waits for nobody longer than ROLE_LISTEN_MS, and not at all without a broker.
 */
#ifndef TAGOUT_WATCHER_ROLE_H
#define TAGOUT_WATCHER_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/time.h"
#include "controller/watcher/services.h"

#define ROLE_ID_SIZE 33
#define ROLE_LISTEN_MS 1000  /* what is retained has come by then */
#define ROLE_RETURN_MS 5000  /* so long a silent one waits for the other after a connect */
#define ROLE_DOUBT_MS 500    /* a broker that stops sends all last wills */
#define ROLE_REPEAT_MS 30000 /* the one that speaks */
#define ROLE_MISSED_MS 90000 /* the one that is silent */
#define ROLE_ALONE_MS 60000  /* without a broker: the other may be as dead as that */

struct role {
    const char *id;
    bool connected;
    bool silent;
    char other[ROLE_ID_SIZE];   /* who speaks, or spoke last; "" for none heard */
    bool other_lost;            /* by its last will */
    struct mono_time speak_at;  /* until then it listens, or is silent; {0}: not by itself */
    struct mono_time repeat_at; /* {0}: does not speak */
};

enum role_change {
    ROLE_SAME,
    ROLE_SPEAKS,     /* has to say that it does */
    ROLE_TAKES_OVER, /* the same, from one that was lost */
    ROLE_IS_SILENT,
};

/* After each subscription. */
void role_on_listening(struct role *role, struct now now);
/* Also after each attempt that failed. */
void role_on_disconnected(struct role *role, struct now now);

/* What `service/watcher` says; `id` "" where it says none. */
enum role_change
role_on_watcher(struct role *role, enum service_status status, const char *id, struct now now);

/* Decides when it is time. */
enum role_change role_tick(struct role *role, struct now now);
struct mono_time role_due(const struct role *role);

/* While it listens it says nothing; without a broker it goes by what it was. */
bool role_may_speak(const struct role *role);

#endif
