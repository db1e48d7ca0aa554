/* An event of C8.2 as the watcher reads it, tells it in Slack and as tagoutctl reads it back. */
#include <string.h>

#include "controller/ctl/sessions.h"
#include "controller/watcher/heard_event.h"
#include "controller/watcher/slack_message.h"
#include "controller/watcher/slack_policy.h"
#include "tests/fuzz/fuzz.h"

static void take_session(void *context, const struct session *session)
{
    unsigned *taken = context;

    FUZZ_CHECK(session->kind <= SESSION_REFUSED && session->lasted_ms >= 0);
    FUZZ_CHECK(++*taken <= 2);
}

static void check_sessions(const struct json *document)
{
    struct sessions *sessions = NULL;
    unsigned taken = 0;

    FUZZ_CHECK(sessions_new(&sessions) == STATUS_OK);
    for (int64_t turn = 1; turn <= 2; turn++) {
        taken = 0;
        FUZZ_CHECK(
            sessions_take(
                sessions, document, (struct wall_time){1000 * turn}, take_session, &taken) ==
            STATUS_OK);
    }
    taken = 0;
    sessions_open(sessions, take_session, &taken);
    sessions_free(sessions);
}

static void check_posts(const struct heard_event *event)
{
    struct slack_post posts[SLACK_POSTS_MAX];
    size_t count = slack_posts_of(event, posts);

    FUZZ_CHECK(count <= SLACK_POSTS_MAX);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(posts[i].lane < SLACK_LANE_COUNT);
        FUZZ_CHECK(utf8_is_valid(posts[i].text, strlen(posts[i].text)));
        /* Nobody is called, and nothing is linked, by a member's name. */
        FUZZ_CHECK(strchr(posts[i].text, '<') == NULL && strchr(posts[i].text, '>') == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *document = NULL;
    struct heard_event event;
    TEXT_LOCAL(why, 256);

    if (json_parse((const char *)data, size, &document, &why) != STATUS_OK) {
        return 0;
    }
    check_sessions(document);
    if (json_type(document) == JSON_OBJECT) {
        if (heard_event_read(document, &event, &why) == STATUS_OK) {
            FUZZ_CHECK(text_is_name(event.machine, 64) && event.display_name[0] != '\0');
            check_posts(&event);
        } else {
            FUZZ_CHECK(why.length > 0);
        }
    }
    json_free(document);
    return 0;
}
