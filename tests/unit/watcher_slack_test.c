#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/support/json.h"
#include "controller/watcher/slack_answer.h"
#include "controller/watcher/slack_policy.h"
#include "controller/watcher/slack_queue.h"

#define WALL_MS 1700000000000

/* ---- the policy ---- */

static struct slack_post posts[SLACK_POSTS_MAX];

static size_t
posts_of(const char *event_type, const char *text, const char *fault, const char *source)
{
    const struct heard_event event = {
        .event_type = event_type,
        .machine = "table-saw",
        .display_name = "Table Saw",
        .text = text,
        .fault = fault,
        .reason = "",
        .source = source,
    };
    return slack_posts_of(&event, posts);
}

static void what_needs_a_person_goes_to_control_and_the_rest_to_activity(void **state)
{
    static const char *const control[] = {"oops",   "unoops",         "lockout",
                                          "unlock", "override_login", "emergency_login",
                                          "fault",  "fault_cleared"};
    static const char *const activity[] = {"login",       "logout",  "denied",
                                           "unknown_fob", "refused", "machine_offline"};

    (void)state;
    for (size_t i = 0; i < sizeof control / sizeof control[0]; i++) {
        assert_true(posts_of(control[i], "words", "twin", "") >= 1);
        assert_int_equal(posts[0].lane, SLACK_CONTROL);
        assert_false(posts[0].routine);
    }
    for (size_t i = 0; i < sizeof activity / sizeof activity[0]; i++) {
        assert_int_equal(posts_of(activity[i], "words", "", ""), 1);
        assert_int_equal(posts[0].lane, SLACK_ACTIVITY);
        assert_true(posts[0].routine);
        assert_string_equal(posts[0].text, "words");
    }
}

static void what_is_told_elsewhere_or_unknown_is_not_posted(void **state)
{
    (void)state;
    assert_int_equal(posts_of("link_lost", "words", "", ""), 0);
    assert_int_equal(posts_of("save_timeout", "words", "", ""), 0);
    assert_int_equal(posts_of("fault", "words", "save_timeout", ""), 0);
    assert_int_equal(posts_of("fault_cleared", "words", "link_lost", ""), 0);
    assert_int_equal(posts_of("something_new", "words", "", ""), 0);
}

static void every_alert_says_what_to_do_next(void **state)
{
    (void)state;
    posts_of("oops", "Table Saw: Oops pressed", "", "button");
    assert_string_equal(
        posts[0].text,
        "Table Saw: Oops pressed\nCheck it; when it is safe: tagoutctl clear table-saw --oops");
    posts_of("machine_error", "Table Saw: not answering", "", "");
    assert_string_equal(
        posts[0].text,
        "Table Saw: not answering\nIf it runs: card out. A box that hangs may not heed that; "
        "then switch the machine off at its isolator or breaker.");
    posts_of("override_login", "Table Saw: Max runs it", "", "");
    assert_string_equal(
        posts[0].text, "Table Saw: Max runs it\nIt is out of use for a reason: make sure they know "
                       "it.");
    posts_of("fault", "Table Saw: fault user_revoked", "user_revoked", "");
    assert_string_equal(
        posts[0].text, "Table Saw: fault user_revoked\n"
                       "Ask them to stop, or: tagoutctl end table-saw");
    posts_of("fault", "Table Saw: fault new_one", "new_one", "");
    assert_string_equal(posts[0].text, "Table Saw: fault new_one\nSee: tagoutctl status table-saw");
    posts_of("lockout", "Table Saw: locked out", "", "liveness");
    assert_string_equal(
        posts[0].text, "Table Saw: locked out\nWhen it was checked: tagoutctl clear table-saw "
                       "--lockout");
    posts_of("lockout", "Table Saw: locked out by bob", "", "request");
    assert_string_equal(posts[0].text, "Table Saw: locked out by bob");
    posts_of("fault_cleared", "Table Saw: fault twin is over", "twin", "");
    assert_string_equal(posts[0].text, "Table Saw: fault twin is over");
}

static size_t late_posts_of(const char *event_type, int64_t age_ms)
{
    struct heard_event event = {
        .event_type = event_type,
        .machine = "table-saw",
        .display_name = "Table Saw",
        .user = "",
        .text = "Table Saw: words",
        .fault = "",
        .reason = "",
        .source = "",
        .at = {WALL_MS},
    };

    heard_event_mark_late(&event, (struct wall_time){WALL_MS + age_ms});
    return slack_posts_of(&event, posts);
}

static void what_came_late_says_so_in_every_room(void **state)
{
    (void)state;
    assert_int_equal(late_posts_of("oops", 720000), 2);
    assert_string_equal(
        posts[0].text, "Table Saw: words\nCheck it; when it is safe: tagoutctl clear table-saw "
                       "--oops\n(Heard late, 12 min after it happened.)");
    assert_string_equal(
        posts[1].text, "Table Saw: Oops! Do not use it until it has been checked. (Heard late, 12 "
                       "min after it happened.)");
    assert_int_equal(late_posts_of("login", 1000), 1);
    assert_string_equal(posts[0].text, "Table Saw: words\n(Heard late, 1 s after it happened.)");
    assert_int_equal(late_posts_of("login", 999), 1);
    assert_string_equal(posts[0].text, "Table Saw: words\n(Heard late.)");
    assert_int_equal(late_posts_of("login", -5000), 1); /* another host's clock */
    assert_string_equal(posts[0].text, "Table Saw: words\n(Heard late.)");
}

static void what_came_late_gathers_with_nothing(void **state)
{
    (void)state;
    assert_int_equal(late_posts_of("machine_error", 5000), 1);
    assert_int_equal(posts[0].lane, SLACK_CONTROL);
    assert_int_equal(late_posts_of("machine_recovered", 5000), 1);
    assert_int_equal(posts[0].lane, SLACK_CONTROL);
    assert_int_equal(late_posts_of("reboot", 5000), 1);
    assert_int_equal(posts[0].lane, SLACK_ACTIVITY);
    assert_true(posts[0].routine);
}

static void the_oops_channel_gets_no_names(void **state)
{
    static const char *const told[] = {"oops", "unoops", "lockout", "unlock"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(posts_of(told[i], "Table Saw: Ada did it", "", "button"), 2);
        assert_int_equal(posts[1].lane, SLACK_OOPS);
        assert_null(strstr(posts[1].text, "Ada"));
        assert_non_null(strstr(posts[1].text, "Table Saw: "));
    }
}

static void text_from_outside_is_escaped(void **state)
{
    (void)state;
    posts_of("login", "a & b <!channel> <http://x|y> \n\x01 \"q\" \xc3\xa9", "", "");
    assert_string_equal(
        posts[0].text, "a &amp; b &lt;!channel&gt; &lt;http://x|y&gt;    \"q\" \xc3\xa9");
    posts_of("login", "", "", "");
    assert_string_equal(posts[0].text, "Table Saw: login");
}

/* ---- the queue ---- */

static struct slack_queue *queue;
static struct now now;
static int64_t line;

static void open_queue(bool activity, bool oops)
{
    const bool has_room[SLACK_ROOM_COUNT] = {
        [SLACK_ROOM_CONTROL] = true, [SLACK_ROOM_ACTIVITY] = activity, [SLACK_ROOM_OOPS] = oops};

    slack_queue_free(queue);
    assert_int_equal(slack_queue_new(has_room, &queue), STATUS_OK);
    now = (struct now){.mono = {1000000}, .wall = {WALL_MS}};
    line = 0;
}

static int open_shop(void **state)
{
    (void)state;
    open_queue(true, true);
    return 0;
}

static int close_shop(void **state)
{
    (void)state;
    slack_queue_free(queue);
    queue = NULL;
    return 0;
}

static void pass(int64_t ms)
{
    now.mono.ms += ms;
    now.wall.ms += ms;
}

static bool add(enum slack_lane lane, const char *text)
{
    struct slack_post post = {.lane = lane, .routine = lane == SLACK_ACTIVITY};

    text_copy(post.text, sizeof post.text, text);
    return slack_queue_add(queue, &post, ++line, now.wall, 0);
}

static void add_alert(enum alert_kind kind, const char *machine, uint32_t count, int64_t since)
{
    struct alert alert = {
        .kind = kind,
        .count = count,
        .window_ms = 60000,
        .budget_ms = 2000,
        .lasted_ms = 240000,
        .certain = true,
        .since = {since},
        .at = now.wall};

    text_copy(alert.machine, sizeof alert.machine, machine);
    text_copy(alert.display_name, sizeof alert.display_name, machine);
    slack_queue_add_alert(queue, &alert, ++line, now);
}

/* Takes what may leave; its text, or NULL. */
static const char *take(enum slack_room room)
{
    static char buffer[SLACK_TEXT_SIZE];
    struct text text = text_over(buffer, sizeof buffer);
    const struct slack_message *message = slack_queue_take(queue, room, now.mono);

    if (message == NULL) {
        return NULL;
    }
    slack_message_text(message, now.wall, &text);
    return buffer;
}

static bool settle(enum slack_room room, enum slack_outcome_kind kind)
{
    const struct slack_outcome outcome = {.kind = kind, .wait_ms = 7000, .ts = "17.5"};
    return slack_queue_settle(queue, room, &outcome, now.mono, 0);
}

static void expect(enum slack_room room, const char *text)
{
    const char *taken = take(room);

    assert_non_null(taken);
    assert_string_equal(taken, text);
    assert_true(settle(room, SLACK_DELIVERED));
}

static void who_is_silent_keeps_what_was_seen_of_late_whatever_the_clock(void **state)
{
    struct wall_time first = now.wall;

    (void)state;
    assert_true(add(SLACK_CONTROL, "one"));
    pass(10000);
    assert_true(add(SLACK_CONTROL, "two"));
    slack_queue_forget(queue, first, now.wall);
    assert_int_equal(slack_queue_waiting(queue, SLACK_CONTROL), 2);
    slack_queue_forget(queue, (struct wall_time){first.ms + 1}, now.wall);
    assert_int_equal(slack_queue_waiting(queue, SLACK_CONTROL), 1);
    slack_queue_forget(queue, first, (struct wall_time){now.wall.ms - 1}); /* put back */
    assert_int_equal(slack_queue_waiting(queue, SLACK_CONTROL), 0);
}

static void order_is_kept_and_one_is_in_flight(void **state)
{
    (void)state;
    assert_true(add(SLACK_CONTROL, "one"));
    assert_true(add(SLACK_CONTROL, "two"));
    assert_string_equal(take(SLACK_ROOM_CONTROL), "one");
    assert_null(take(SLACK_ROOM_CONTROL));
    assert_int_equal(slack_queue_due(queue, now.mono).ms, 0);
    assert_true(settle(SLACK_ROOM_CONTROL, SLACK_DELIVERED));
    expect(SLACK_ROOM_CONTROL, "two");
    assert_null(take(SLACK_ROOM_CONTROL));
}

static void rooms_do_not_wait_for_each_other(void **state)
{
    (void)state;
    add(SLACK_CONTROL, "control");
    add(SLACK_ACTIVITY, "activity");
    add(SLACK_OOPS, "oops");
    assert_string_equal(take(SLACK_ROOM_CONTROL), "control");
    expect(SLACK_ROOM_OOPS, "oops");
    expect(SLACK_ROOM_ACTIVITY, "activity");
}

static void three_at_once_then_one_a_second(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        add(SLACK_CONTROL, "m");
    }
    for (int i = 0; i < SLACK_BURST; i++) {
        expect(SLACK_ROOM_CONTROL, "m");
    }
    assert_null(take(SLACK_ROOM_CONTROL));
    assert_int_equal(slack_queue_due(queue, now.mono).ms, now.mono.ms + SLACK_PACE_MS);
    pass(SLACK_PACE_MS - 1);
    assert_null(take(SLACK_ROOM_CONTROL));
    pass(1);
    expect(SLACK_ROOM_CONTROL, "m");
    assert_null(take(SLACK_ROOM_CONTROL));
    pass(SLACK_PACE_MS);
    expect(SLACK_ROOM_CONTROL, "m");
    pass(100000);
    expect(SLACK_ROOM_CONTROL, "m");
}

static void a_failure_is_tried_again_ever_later(void **state)
{
    static const int64_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};

    (void)state;
    add(SLACK_CONTROL, "m");
    for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
        assert_string_equal(take(SLACK_ROOM_CONTROL), i > 6 ? "2 min ago: m" : "m");
        assert_false(settle(SLACK_ROOM_CONTROL, SLACK_FAILED));
        pass(waits_ms[i] - 1);
        assert_null(take(SLACK_ROOM_CONTROL));
        pass(1);
    }
    assert_non_null(take(SLACK_ROOM_CONTROL));
    assert_true(settle(SLACK_ROOM_CONTROL, SLACK_DELIVERED));
    add(SLACK_CONTROL, "next");
    assert_string_equal(take(SLACK_ROOM_CONTROL), "next");
    settle(SLACK_ROOM_CONTROL, SLACK_FAILED);
    pass(SLACK_RETRY_MIN_MS);
    expect(SLACK_ROOM_CONTROL, "next");
}

static void retries_are_not_in_step(void **state)
{
    const struct slack_outcome outcome = {.kind = SLACK_FAILED};

    (void)state;
    add(SLACK_CONTROL, "m");
    take(SLACK_ROOM_CONTROL);
    slack_queue_settle(queue, SLACK_ROOM_CONTROL, &outcome, now.mono, 999);
    assert_int_equal(slack_queue_due(queue, now.mono).ms, now.mono.ms + 1499);
}

static void a_rate_limit_stops_all_rooms(void **state)
{
    (void)state;
    add(SLACK_CONTROL, "control");
    add(SLACK_ACTIVITY, "activity");
    take(SLACK_ROOM_CONTROL);
    assert_false(settle(SLACK_ROOM_CONTROL, SLACK_RATE_LIMITED));
    pass(6999);
    assert_null(take(SLACK_ROOM_CONTROL));
    assert_null(take(SLACK_ROOM_ACTIVITY));
    pass(1);
    expect(SLACK_ROOM_CONTROL, "control");
    expect(SLACK_ROOM_ACTIVITY, "activity");
}

static void what_slack_refuses_leaves_and_the_next_waits_a_little(void **state)
{
    (void)state;
    add(SLACK_CONTROL, "one");
    add(SLACK_CONTROL, "two");
    take(SLACK_ROOM_CONTROL);
    assert_true(settle(SLACK_ROOM_CONTROL, SLACK_REFUSED));
    assert_null(take(SLACK_ROOM_CONTROL));
    pass(1000);
    expect(SLACK_ROOM_CONTROL, "two");
}

static void what_slack_declines_waits_until_somebody_mends_it(void **state)
{
    (void)state;
    add(SLACK_CONTROL, "one");
    add(SLACK_CONTROL, "two");
    for (int i = 0; i < 100; i++) {
        assert_non_null(take(SLACK_ROOM_CONTROL));
        assert_false(settle(SLACK_ROOM_CONTROL, SLACK_DECLINED));
        assert_null(take(SLACK_ROOM_CONTROL));
        pass(60000);
    }
    assert_int_equal(slack_queue_waiting(queue, SLACK_CONTROL), 2);
    assert_non_null(strstr(take(SLACK_ROOM_CONTROL), "one"));
}

static void a_message_that_is_at_fault_itself_does_not_block_for_ever(void **state)
{
    (void)state;
    add(SLACK_CONTROL, "one");
    for (int i = 1; i <= SLACK_HOPELESS_TRIES; i++) {
        assert_non_null(take(SLACK_ROOM_CONTROL));
        assert_int_equal(settle(SLACK_ROOM_CONTROL, SLACK_HOPELESS), i == SLACK_HOPELESS_TRIES);
        pass(60000);
    }
    assert_int_equal(slack_queue_waiting(queue, SLACK_CONTROL), 0);
}

static void routine_is_merged_first_and_nothing_important_with_it(void **state)
{
    (void)state;
    open_queue(false, true);
    for (int i = 0; i < SLACK_ROUTINE_MAX + 37; i++) {
        assert_int_equal(add(SLACK_ACTIVITY, "login"), i < SLACK_ROUTINE_MAX);
    }
    assert_true(add(SLACK_CONTROL, "oops"));
    add(SLACK_ACTIVITY, "login");
    add(SLACK_ACTIVITY, "login");
    for (int i = 0; i < SLACK_ROUTINE_MAX; i++) {
        expect(SLACK_ROOM_CONTROL, "login");
        pass(1000);
    }
    expect(SLACK_ROOM_CONTROL, "\xe2\x80\xa6 and 37 more; the audit files have them.");
    pass(1000);
    expect(SLACK_ROOM_CONTROL, "oops");
    pass(1000);
    expect(SLACK_ROOM_CONTROL, "\xe2\x80\xa6 and 2 more; the audit files have them.");
    assert_null(take(SLACK_ROOM_CONTROL));
}

static void a_lane_is_bounded_whatever_comes(void **state)
{
    (void)state;
    open_queue(false, true);
    for (int i = 0; i < 100000; i++) {
        add(i % 3 == 0 ? SLACK_CONTROL : SLACK_ACTIVITY, "m");
        assert_true(slack_queue_waiting(queue, SLACK_CONTROL) <= SLACK_LANE_MAX + 1);
        add_alert(i % 2 == 0 ? ALERT_FLEET : ALERT_OVER, "", 2, i / 2 + 1);
        assert_true(slack_queue_waiting(queue, SLACK_STORAGE) <= SLACK_LANE_MAX + 1);
    }
}

static void a_merged_message_on_its_way_takes_no_more(void **state)
{
    (void)state;
    for (int i = 0; i < SLACK_ROUTINE_MAX + 1; i++) {
        add(SLACK_ACTIVITY, "login");
    }
    for (int i = 0; i < SLACK_ROUTINE_MAX; i++) {
        expect(SLACK_ROOM_ACTIVITY, "login");
        pass(1000);
    }
    assert_string_equal(
        take(SLACK_ROOM_ACTIVITY), "\xe2\x80\xa6 and 1 more; the audit files have them.");
    assert_true(add(SLACK_ACTIVITY, "later"));
    settle(SLACK_ROOM_ACTIVITY, SLACK_DELIVERED);
    pass(1000);
    expect(SLACK_ROOM_ACTIVITY, "later");
}

static void without_a_room_nobody_is_told(void **state)
{
    (void)state;
    open_queue(true, false);
    assert_false(add(SLACK_OOPS, "oops"));
    assert_null(take(SLACK_ROOM_OOPS));
    assert_int_equal(slack_queue_lane(queue, SLACK_ACTIVITY), SLACK_ACTIVITY);
    open_queue(false, false);
    assert_int_equal(slack_queue_lane(queue, SLACK_ACTIVITY), SLACK_CONTROL);
}

static void a_position_owes_nothing_before_it(void **state)
{
    (void)state;
    assert_int_equal(slack_queue_position(queue, SLACK_CONTROL, 41), 41);
    add(SLACK_OOPS, "oops"); /* line 1 */
    add(SLACK_CONTROL, "one");
    add(SLACK_CONTROL, "two");
    assert_int_equal(slack_queue_position(queue, SLACK_CONTROL, 3), 1);
    assert_int_equal(slack_queue_position(queue, SLACK_OOPS, 3), 0);
    assert_int_equal(slack_queue_position(queue, SLACK_ACTIVITY, 3), 3);
    take(SLACK_ROOM_CONTROL);
    assert_int_equal(slack_queue_position(queue, SLACK_CONTROL, 3), 1);
    settle(SLACK_ROOM_CONTROL, SLACK_DELIVERED);
    assert_int_equal(slack_queue_position(queue, SLACK_CONTROL, 3), 2);
}

static void lines_of_the_past_come_before_newer_ones(void **state)
{
    struct slack_post post = {.lane = SLACK_CONTROL, .text = "past"};

    (void)state;
    add(SLACK_CONTROL, "one");
    add(SLACK_CONTROL, "two");
    take(SLACK_ROOM_CONTROL);
    assert_true(slack_queue_add(queue, &post, -3, now.wall, 0));
    assert_int_equal(slack_queue_position(queue, SLACK_CONTROL, 2), -4);
    settle(SLACK_ROOM_CONTROL, SLACK_DELIVERED);
    expect(SLACK_ROOM_CONTROL, "past");
    expect(SLACK_ROOM_CONTROL, "two");
}

/* ---- an outage ---- */

#define FLEET(count)                                                                               \
    "Fleet: storage hangs, " #count " machines in 60 s. Cards still work; do not power-cycle "     \
    "anything. Look at the server's disk and Redis."

static void machine_alerts_of_an_outage_merge_into_the_fleets(void **state)
{
    (void)state;
    add_alert(ALERT_MACHINE, "saw", 2, 5);
    add_alert(ALERT_FLEET, "", 2, 5);
    add_alert(ALERT_MACHINE, "lathe", 2, 5);
    slack_queue_grow(queue, (struct wall_time){5}, 7);
    slack_queue_grow(queue, (struct wall_time){6}, 99);
    pass(SLACK_GATHER_MS - 1);
    assert_null(take(SLACK_ROOM_CONTROL));
    pass(1);
    expect(SLACK_ROOM_CONTROL, FLEET(7) " Not for the first time: saw and lathe.");
    assert_null(take(SLACK_ROOM_CONTROL));
}

static void an_outage_is_one_thread(void **state)
{
    const struct slack_message *message;
    char name[16];

    (void)state;
    add_alert(ALERT_FLEET, "", 2, 5);
    pass(SLACK_GATHER_MS);
    message = slack_queue_take(queue, SLACK_ROOM_CONTROL, now.mono);
    assert_string_equal(slack_queue_thread_of(queue, message), "");
    settle(SLACK_ROOM_CONTROL, SLACK_DELIVERED);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        add_alert(ALERT_MACHINE, name, 2, 5);
        pass(100);
        assert_null(take(SLACK_ROOM_CONTROL));
    }
    pass(SLACK_DETAILS_MS);
    message = slack_queue_take(queue, SLACK_ROOM_CONTROL, now.mono);
    assert_non_null(message);
    assert_string_equal(slack_queue_thread_of(queue, message), "17.5");
    assert_false(slack_message_is_for_all(message));
    {
        TEXT_LOCAL(text, SLACK_TEXT_SIZE);
        slack_message_text(message, now.wall, &text);
        assert_string_equal(
            text.data,
            "m0, m1, m2, m3, m4 and 35 more: storage did not save their state, not for the first "
            "time. Their cards still work; do not power-cycle anything. Look at the server's disk "
            "and Redis.");
    }
    settle(SLACK_ROOM_CONTROL, SLACK_DELIVERED);
    add_alert(ALERT_OVER, "", 0, 5);
    message = slack_queue_take(queue, SLACK_ROOM_CONTROL, now.mono);
    assert_non_null(message);
    assert_string_equal(slack_queue_thread_of(queue, message), "17.5");
    assert_true(slack_message_is_for_all(message));
    settle(SLACK_ROOM_CONTROL, SLACK_DELIVERED);
    add_alert(ALERT_FLEET, "", 2, 6);
    pass(SLACK_GATHER_MS);
    message = slack_queue_take(queue, SLACK_ROOM_CONTROL, now.mono);
    assert_string_equal(slack_queue_thread_of(queue, message), "");
}

static void the_end_waits_for_nothing_and_comes_last(void **state)
{
    (void)state;
    add_alert(ALERT_FLEET, "", 2, 5);
    add_alert(ALERT_OVER, "", 0, 5);
    expect(SLACK_ROOM_CONTROL, FLEET(2));
    expect(SLACK_ROOM_CONTROL, "Storage answers again after 4 min; nothing lost.");
}

static void machine_errors_overtake_storage(void **state)
{
    (void)state;
    add_alert(ALERT_FLEET, "", 2, 5);
    add_alert(ALERT_OVER, "", 0, 5);
    add(SLACK_REBOOTS, "three restarted");
    add(SLACK_RETURNS, "Mill: answers again");
    add(SLACK_MACHINES, "Saw: not answering");
    expect(SLACK_ROOM_CONTROL, "Saw: not answering");
    expect(SLACK_ROOM_CONTROL, "Mill: answers again");
    expect(SLACK_ROOM_CONTROL, "three restarted");
    pass(SLACK_PACE_MS);
    expect(SLACK_ROOM_CONTROL, FLEET(2));
    assert_int_equal(slack_queue_position(queue, SLACK_STORAGE, line), 1);
    assert_int_equal(slack_queue_position(queue, SLACK_CONTROL, line), line);
}

static void one_machine_alone_has_its_own_words(void **state)
{
    (void)state;
    add_alert(ALERT_MACHINE, "Saw <1>", 2, 5);
    pass(SLACK_GATHER_MS);
    expect(
        SLACK_ROOM_CONTROL,
        "Saw &lt;1&gt;: storage did not save its state within 2 s, not for the first time. Its "
        "cards still work; do not power-cycle it. Look at the server's disk and Redis.");
    add_alert(ALERT_REPEATED, "Saw", 5, 6);
    pass(SLACK_GATHER_MS);
    expect(
        SLACK_ROOM_CONTROL,
        "Saw: storage did not save its state in time, 5 times in 60 s. Its cards still work; do "
        "not power-cycle it. Look at the server's disk and Redis.");
}

/* ---- answers ---- */

static struct slack_verdict judge(long code, const char *body, const char *error, int64_t retry_s)
{
    static const char *const secrets[] = {"xoxb-1", "", NULL};
    const struct slack_response response = {
        .code = code,
        .error = error,
        .retry_after_s = retry_s,
        .body = body,
        .body_length = strlen(body),
    };
    struct slack_verdict verdict;

    slack_judge(&response, false, secrets, &verdict);
    return verdict;
}

static void assert_verdict(
    const struct slack_verdict *verdict, enum slack_outcome_kind kind, bool works,
    const char *reason)
{
    assert_int_equal(verdict->outcome.kind, kind);
    assert_int_equal(verdict->works, works);
    assert_string_equal(verdict->reason, reason);
}

static void an_answer_of_slacks_is_delivered_or_refused(void **state)
{
    struct slack_verdict verdict = judge(200, "{\"ok\":true,\"ts\":\"1.25\"}", NULL, 0);

    (void)state;
    assert_verdict(&verdict, SLACK_DELIVERED, true, "");
    assert_string_equal(verdict.outcome.ts, "1.25");
    verdict = judge(200, "{\"ok\":true,\"ts\":17}", NULL, 0);
    assert_verdict(&verdict, SLACK_DELIVERED, true, "");
    assert_string_equal(verdict.outcome.ts, "");
    verdict = judge(200, "{\"ok\":false,\"error\":\"channel_not_found\"}", NULL, 0);
    assert_verdict(&verdict, SLACK_DECLINED, false, "channel_not_found");
    verdict = judge(200, "{\"ok\":false,\"error\":\"msg_too_long\"}", NULL, 0);
    assert_verdict(&verdict, SLACK_REFUSED, false, "msg_too_long");
    verdict = judge(200, "{\"ok\":false}", NULL, 0);
    assert_verdict(&verdict, SLACK_REFUSED, false, "refused without a reason");
}

static void a_status_of_2xx_is_delivered_whatever_follows(void **state)
{
    struct slack_verdict verdict = judge(200, "<html>", NULL, 0);

    (void)state;
    assert_verdict(&verdict, SLACK_DELIVERED, false, "the answer is not Slack's");
    verdict = judge(200, "", NULL, 0);
    assert_verdict(&verdict, SLACK_DELIVERED, false, "the answer is not Slack's");
    verdict = judge(204, "{}", NULL, 0);
    assert_verdict(&verdict, SLACK_DELIVERED, false, "the answer is not Slack's: no \"ok\" in it");
    verdict = judge(200, "{\"ok\": tr", "Transferred a partial file", 0);
    assert_verdict(
        &verdict, SLACK_DELIVERED, false, "the answer broke off: Transferred a partial file");
    verdict = judge(200, "{", "\033[2Jcut", 0);
    assert_verdict(&verdict, SLACK_DELIVERED, false, "the answer broke off: ?[2Jcut");
}

static void what_broke_before_is_sent_again(void **state)
{
    struct slack_verdict verdict = judge(0, "", "Could not resolve host", 0);

    (void)state;
    assert_verdict(&verdict, SLACK_FAILED, false, "Could not resolve host");
    verdict = judge(503, "busy\r\n", NULL, 0);
    assert_verdict(&verdict, SLACK_FAILED, false, "HTTP status 503: busy??");
    verdict = judge(404, "<html>", NULL, 0);
    assert_verdict(&verdict, SLACK_FAILED, false, "HTTP status 404");
    verdict = judge(302, "", NULL, 0);
    assert_verdict(&verdict, SLACK_FAILED, false, "HTTP status 302");
    verdict = judge(400, "invalid_payload", NULL, 0);
    assert_verdict(&verdict, SLACK_HOPELESS, false, "HTTP status 400: invalid_payload");
}

static void retry_after_is_honoured_within_reason(void **state)
{
    struct slack_verdict verdict = judge(429, "", NULL, 7);

    (void)state;
    assert_verdict(&verdict, SLACK_RATE_LIMITED, false, "too many messages; none for 7 s");
    assert_int_equal(verdict.outcome.wait_ms, 7000);
    verdict = judge(429, "", NULL, 0);
    assert_int_equal(verdict.outcome.wait_ms, 30000);
    verdict = judge(429, "", NULL, 1000000);
    assert_int_equal(verdict.outcome.wait_ms, 3600000);
}

static void a_secret_that_comes_back_is_not_repeated(void **state)
{
    struct slack_verdict verdict =
        judge(200, "{\"ok\":false,\"error\":\"bad token xoxb-1\"}", NULL, 0);

    (void)state;
    assert_verdict(&verdict, SLACK_REFUSED, false, "(an answer with a secret in it)");
    verdict = judge(500, "xoxb-1?", NULL, 0);
    assert_verdict(
        &verdict, SLACK_FAILED, false, "HTTP status 500: (an answer with a secret in it)");
}

static void a_webhook_needs_no_more_than_its_status(void **state)
{
    static const char *const secrets[] = {NULL};
    const struct slack_response response = {.code = 200, .body = "ok", .body_length = 2};
    struct slack_verdict verdict;

    (void)state;
    slack_judge(&response, true, secrets, &verdict);
    assert_verdict(&verdict, SLACK_DELIVERED, true, "");
}

/* ---- alerts ---- */

static void an_alert_reads_back_as_it_was_written(void **state)
{
    struct alert alert = {
        .kind = ALERT_OVER,
        .machine = "saw",
        .display_name = "S\xc3\xa4ge",
        .count = 7,
        .window_ms = 60500,
        .budget_ms = 2000,
        .lasted_ms = 61001,
        .certain = true,
        .by = "local (Ada)",
        .since = {WALL_MS + 1},
        .at = {WALL_MS + 123},
    };

    (void)state;
    for (enum alert_kind kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        struct json *document;
        struct alert read;
        TEXT_LOCAL(printed, ALERT_BYTES_MAX);
        TEXT_LOCAL(again, ALERT_BYTES_MAX);
        TEXT_LOCAL(why, 256);

        alert.kind = kind;
        assert_int_equal(alert_print(&alert, &printed), STATUS_OK);
        assert_int_equal(json_parse(printed.data, printed.length, &document, &why), STATUS_OK);
        assert_int_equal(alert_read(document, &read), STATUS_OK);
        json_free(document);
        assert_int_equal(alert_print(&read, &again), STATUS_OK);
        assert_string_equal(again.data, printed.data);
        assert_int_equal(read.since.ms, WALL_MS + 1);
        assert_int_equal(read.kind, kind);
    }
}

static void durations_are_told_as_people_do(void **state)
{
    static const struct {
        int64_t ms;
        const char *words;
    } cases[] = {
        {0, "0 s"},
        {499, "0 s"},
        {500, "1 s"},
        {59499, "59 s"},
        {59500, "1 min"},
        {89999, "1 min"},
        {90000, "2 min"},
        {240000, "4 min"},
        {3569999, "59 min"},
        {3570000, "1 h 0 min"},
        {90000000, "25 h 0 min"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(words, 32);
        alert_add_duration(&words, cases[i].ms);
        assert_string_equal(words.data, cases[i].words);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_needs_a_person_goes_to_control_and_the_rest_to_activity),
        TEST(what_is_told_elsewhere_or_unknown_is_not_posted),
        TEST(every_alert_says_what_to_do_next),
        TEST(what_came_late_says_so_in_every_room),
        TEST(what_came_late_gathers_with_nothing),
        TEST(the_oops_channel_gets_no_names),
        TEST(text_from_outside_is_escaped),
        TEST(who_is_silent_keeps_what_was_seen_of_late_whatever_the_clock),
        TEST(order_is_kept_and_one_is_in_flight),
        TEST(rooms_do_not_wait_for_each_other),
        TEST(three_at_once_then_one_a_second),
        TEST(a_failure_is_tried_again_ever_later),
        TEST(retries_are_not_in_step),
        TEST(a_rate_limit_stops_all_rooms),
        TEST(what_slack_refuses_leaves_and_the_next_waits_a_little),
        TEST(what_slack_declines_waits_until_somebody_mends_it),
        TEST(a_message_that_is_at_fault_itself_does_not_block_for_ever),
        TEST(routine_is_merged_first_and_nothing_important_with_it),
        TEST(a_lane_is_bounded_whatever_comes),
        TEST(a_merged_message_on_its_way_takes_no_more),
        TEST(without_a_room_nobody_is_told),
        TEST(a_position_owes_nothing_before_it),
        TEST(lines_of_the_past_come_before_newer_ones),
        TEST(machine_alerts_of_an_outage_merge_into_the_fleets),
        TEST(an_outage_is_one_thread),
        TEST(the_end_waits_for_nothing_and_comes_last),
        TEST(machine_errors_overtake_storage),
        TEST(one_machine_alone_has_its_own_words),
        TEST(an_answer_of_slacks_is_delivered_or_refused),
        TEST(a_status_of_2xx_is_delivered_whatever_follows),
        TEST(what_broke_before_is_sent_again),
        TEST(retry_after_is_honoured_within_reason),
        TEST(a_secret_that_comes_back_is_not_repeated),
        TEST(a_webhook_needs_no_more_than_its_status),
        TEST(an_alert_reads_back_as_it_was_written),
        TEST(durations_are_told_as_people_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
