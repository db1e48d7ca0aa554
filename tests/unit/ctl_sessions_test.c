#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/ctl/sessions.h"

static struct sessions *sessions;
static struct session taken[8];
static size_t count;

static void take(void *context, const struct session *session)
{
    (void)context;
    assert_true(count < 8);
    taken[count++] = *session;
}

static int set_up(void **state)
{
    (void)state;
    count = 0;
    return sessions_new(&sessions) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sessions_free(sessions);
    return 0;
}

static void hears(const char *event, int64_t at_s)
{
    struct json *document;
    TEXT_LOCAL(why, 128);

    assert_int_equal(json_parse(event, strlen(event), &document, &why), STATUS_OK);
    assert_int_equal(
        sessions_take(sessions, document, (struct wall_time){at_s * 1000}, take, NULL), STATUS_OK);
    json_free(document);
}

#define SAW "\"machine\": \"saw\", \"display_name\": \"Table Saw\", "
#define ADA "\"user\": \"Ada\", \"account_id\": \"17\""

static void a_session_is_told_when_it_ends(void **state)
{
    (void)state;
    hears("{\"event_type\": \"login\", " SAW ADA "}", 100);
    assert_int_equal(count, 0);
    hears(
        "{\"event_type\": \"logout\", " SAW ADA ", \"reason\": \"oops\", \"session_s\": 59.5}",
        160);
    assert_int_equal(count, 1);
    assert_int_equal(taken[0].kind, SESSION_LOGIN);
    assert_string_equal(taken[0].display_name, "Table Saw");
    assert_string_equal(taken[0].user, "Ada");
    assert_string_equal(taken[0].reason, "oops");
    assert_int_equal(taken[0].from.ms, 100000);
    assert_int_equal(taken[0].to.ms, 160000);
    assert_int_equal(taken[0].lasted_ms, 59500);
    assert_false(taken[0].approximate);
    sessions_open(sessions, take, NULL);
    assert_int_equal(count, 1);
}

static void one_that_began_before_begins_where_its_end_says(void **state)
{
    (void)state;
    hears(
        "{\"event_type\": \"logout\", " SAW ADA
        ", \"reason\": \"card_removed\", \"session_s\": 60, \"approx\": true}",
        160);
    assert_int_equal(count, 1);
    assert_int_equal(taken[0].from.ms, 100000);
    assert_true(taken[0].approximate);
}

static void one_without_an_end_ends_with_the_next(void **state)
{
    (void)state;
    hears("{\"event_type\": \"override_login\", " SAW ADA "}", 100);
    hears("{\"event_type\": \"emergency_login\", " SAW "\"user\": null}", 200);
    assert_int_equal(count, 1);
    assert_int_equal(taken[0].kind, SESSION_OVERRIDE);
    assert_int_equal(taken[0].to.ms, 0);
    sessions_open(sessions, take, NULL);
    assert_int_equal(count, 2);
    assert_int_equal(taken[1].kind, SESSION_EMERGENCY);
    assert_string_equal(taken[1].user, "");
}

static void machines_have_sessions_of_their_own(void **state)
{
    (void)state;
    hears("{\"event_type\": \"login\", " SAW ADA "}", 100);
    hears("{\"event_type\": \"login\", \"machine\": \"mill\", " ADA "}", 110);
    hears("{\"event_type\": \"logout\", \"machine\": \"mill\", " ADA ", \"session_s\": 10}", 120);
    assert_int_equal(count, 1);
    assert_string_equal(taken[0].display_name, "mill");
}

static void a_refused_try_is_told_at_once(void **state)
{
    static const char *const types[] = {"denied", "unknown_fob", "refused"};

    (void)state;
    hears("{\"event_type\": \"login\", " SAW ADA "}", 90);
    for (size_t i = 0; i < 3; i++) {
        TEXT_LOCAL(event, 128);
        text_addf(&event, "{\"event_type\": \"%s\", \"machine\": \"saw\"}", types[i]);
        hears(event.data, 100);
        assert_int_equal(count, i + 1);
        assert_int_equal(taken[i].kind, SESSION_REFUSED);
        assert_string_equal(taken[i].reason, types[i]);
    }
    hears("{\"event_type\": \"reboot\", \"machine\": \"saw\"}", 101);
    assert_int_equal(count, 3);
}

#define LOGIN "{\"event_type\": \"login\", " SAW ADA
#define LOGOUT "{\"event_type\": \"logout\", " SAW ADA ", \"reason\": \"card_removed\", "
#define LATE ", \"late\": true}"

static void a_session_whose_end_two_leaders_told_is_one(void **state)
{
    (void)state;
    hears(LOGIN "}", 100);
    hears(LOGOUT "\"session_s\": 60" LATE, 160);
    hears(LOGOUT "\"session_s\": 63}", 165); /* it began at 102: as far apart as clocks may be */
    assert_int_equal(count, 1);
    assert_int_equal(taken[0].to.ms, 160000);
    hears(LOGOUT "\"session_s\": 62.999}", 166); /* at 103.001 */
    assert_int_equal(count, 2);
    sessions_open(sessions, take, NULL);
    assert_int_equal(count, 2);
}

static void a_session_whose_beginning_two_leaders_told_is_one(void **state)
{
    (void)state;
    hears(LOGIN LATE, 100);
    hears(LOGIN "}", 103);
    hears(LOGIN LATE, 104);
    hears(LOGOUT "\"session_s\": 60}", 163);
    assert_int_equal(count, 1);
    assert_int_equal(taken[0].from.ms, 100000);
    hears(LOGIN "}", 200);
    hears(LOGIN "}", 210); /* told in its turn: the one before has no end */
    assert_int_equal(count, 2);
    assert_int_equal(taken[1].to.ms, 0);
    hears("{\"event_type\": \"login\", " SAW "\"user\": \"Bob\"" LATE, 220);
    assert_int_equal(count, 3);
    assert_int_equal(taken[2].from.ms, 210000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_told_when_it_ends),
        TEST(one_that_began_before_begins_where_its_end_says),
        TEST(one_without_an_end_ends_with_the_next),
        TEST(machines_have_sessions_of_their_own),
        TEST(a_refused_try_is_told_at_once),
        TEST(a_session_whose_end_two_leaders_told_is_one),
        TEST(a_session_whose_beginning_two_leaders_told_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
