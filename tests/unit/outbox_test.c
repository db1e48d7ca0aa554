#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/support/mqtt_outbox.h"

#define EVENTS_MAX 3

static int set_up(void **state)
{
    struct outbox *outbox;

    if (outbox_new(EVENTS_MAX, &outbox) != STATUS_OK) {
        return -1;
    }
    *state = outbox;
    return 0;
}

static int tear_down(void **state)
{
    outbox_free(*state);
    return 0;
}

static void put(struct outbox *outbox, const char *topic, const char *payload, bool retain)
{
    assert_int_equal(outbox_put(outbox, topic, payload, strlen(payload), 1, retain), STATUS_OK);
}

static struct outbox_message *take(struct outbox *outbox, const char *topic, const char *payload)
{
    struct outbox_message *message = outbox_take(outbox);

    assert_non_null(message);
    assert_string_equal(message->topic, topic);
    assert_int_equal(message->length, strlen(payload));
    assert_string_equal(message->payload, payload);
    return message;
}

static void messages_leave_in_the_order_in_which_they_came(void **state)
{
    struct outbox *outbox = *state;

    put(outbox, "saw/command", "on", true);
    put(outbox, "saw/state", "in use", true);
    put(outbox, "saw/event", "login", false);
    outbox_done(outbox, take(outbox, "saw/command", "on"));
    outbox_done(outbox, take(outbox, "saw/state", "in use"));
    outbox_done(outbox, take(outbox, "saw/event", "login"));
    assert_null(outbox_take(outbox));
}

static void a_newer_retained_message_takes_the_place_of_the_older_one(void **state)
{
    struct outbox *outbox = *state;

    put(outbox, "saw/command", "on", true);
    put(outbox, "saw/event", "login", false);
    put(outbox, "saw/command", "off, and longer than before", true);
    put(outbox, "lathe/command", "on", true);
    assert_int_equal(outbox_counts(outbox).merged, 1);
    assert_int_equal(outbox_counts(outbox).waiting, 3);
    take(outbox, "saw/command", "off, and longer than before");
    take(outbox, "saw/event", "login");
    take(outbox, "lathe/command", "on");
    assert_null(outbox_take(outbox));
}

static void events_of_one_topic_are_never_merged(void **state)
{
    struct outbox *outbox = *state;

    put(outbox, "saw/event", "login", false);
    put(outbox, "saw/event", "logout", false);
    assert_int_equal(outbox_counts(outbox).merged, 0);
    take(outbox, "saw/event", "login");
    take(outbox, "saw/event", "logout");
}

static void what_is_in_flight_is_not_merged_with(void **state)
{
    struct outbox *outbox = *state;
    struct outbox_message *older;

    put(outbox, "saw/command", "on", true);
    older = take(outbox, "saw/command", "on");
    put(outbox, "saw/command", "off", true);
    assert_int_equal(outbox_counts(outbox).merged, 0);
    assert_string_equal(older->payload, "on");
    take(outbox, "saw/command", "off");
    assert_int_equal(outbox_counts(outbox).in_flight, 2);
}

static void the_bytes_in_flight_are_counted(void **state)
{
    struct outbox *outbox = *state;
    struct outbox_message *first;

    put(outbox, "topic", "0123456789", false);
    put(outbox, "topic", "0123456789", true);
    assert_int_equal(outbox_counts(outbox).in_flight_bytes, 0);
    first = outbox_take(outbox);
    assert_int_equal(outbox_counts(outbox).in_flight_bytes, 24);
    assert_non_null(outbox_take(outbox));
    outbox_done(outbox, first);
    assert_int_equal(outbox_counts(outbox).in_flight_bytes, 24);
    outbox_break(outbox, NULL);
    assert_int_equal(outbox_counts(outbox).in_flight_bytes, 0);
}

static void events_are_bounded_and_the_newest_is_refused(void **state)
{
    struct outbox *outbox = *state;

    put(outbox, "e", "1", false);
    put(outbox, "e", "2", false);
    put(outbox, "e", "3", false);
    assert_int_equal(outbox_put(outbox, "e", "4", 1, 1, false), STATUS_FULL);
    assert_int_equal(outbox_counts(outbox).dropped, 1);
    put(outbox, "command", "has room always", true);
    take(outbox, "e", "1");
    put(outbox, "e", "5", false);
    assert_int_equal(outbox_put(outbox, "e", "6", 1, 1, false), STATUS_FULL);
    assert_int_equal(outbox_counts(outbox).waiting, 4);
}

static void a_break_forgets_what_is_retained_and_keeps_events(void **state)
{
    struct outbox *outbox = *state;

    put(outbox, "command", "1", true);
    put(outbox, "e", "1", false);
    put(outbox, "state", "1", true);
    put(outbox, "e", "2", false);
    outbox_break(outbox, NULL);
    assert_int_equal(outbox_counts(outbox).waiting, 2);
    take(outbox, "e", "1");
    take(outbox, "e", "2");
    assert_null(outbox_take(outbox));
    put(outbox, "command", "2", true);
    assert_int_equal(outbox_counts(outbox).merged, 0);
    take(outbox, "command", "2");
}

static void a_break_sends_unacknowledged_events_again_and_first(void **state)
{
    struct outbox *outbox = *state;
    struct outbox_message *second;

    put(outbox, "e", "1", false);
    put(outbox, "e", "2", false);
    put(outbox, "e", "3", false);
    take(outbox, "e", "1");
    second = take(outbox, "e", "2");
    take(outbox, "e", "3");
    put(outbox, "e", "4", false);
    put(outbox, "command", "1", true);
    take(outbox, "e", "4");
    take(outbox, "command", "1");
    put(outbox, "e", "5", false);
    outbox_done(outbox, second);
    outbox_break(outbox, NULL);
    assert_int_equal(outbox_counts(outbox).in_flight, 0);
    assert_int_equal(outbox_counts(outbox).waiting, 4);
    take(outbox, "e", "1");
    take(outbox, "e", "3");
    take(outbox, "e", "4");
    take(outbox, "e", "5");
    assert_null(outbox_take(outbox));
}

static bool is_answer(const char *topic)
{
    return strcmp(topic, "answer") == 0;
}

static void a_break_forgets_what_perishes(void **state)
{
    struct outbox *outbox = *state;

    put(outbox, "answer", "1", false);
    put(outbox, "e", "1", false);
    take(outbox, "answer", "1");
    put(outbox, "answer", "2", false);
    outbox_break(outbox, is_answer);
    take(outbox, "e", "1");
    assert_null(outbox_take(outbox));
}

static void a_break_forgets_qos_0(void **state)
{
    struct outbox *outbox = *state;

    assert_int_equal(outbox_put(outbox, "probe", "1", 1, 0, false), STATUS_OK);
    assert_int_equal(outbox_put(outbox, "probe", "2", 1, 0, false), STATUS_OK);
    take(outbox, "probe", "1");
    outbox_break(outbox, NULL);
    assert_null(outbox_take(outbox));
    for (int i = 0; i < EVENTS_MAX; i++) {
        put(outbox, "e", "room as before", false);
    }
}

static void what_could_not_go_out_waits_at_the_front(void **state)
{
    struct outbox *outbox = *state;

    put(outbox, "command", "1", true);
    put(outbox, "e", "1", false);
    outbox_untake(outbox, take(outbox, "command", "1"));
    put(outbox, "command", "2", true);
    assert_int_equal(outbox_counts(outbox).merged, 1);
    take(outbox, "command", "2");
    outbox_untake(outbox, take(outbox, "e", "1"));
    take(outbox, "e", "1");
    assert_null(outbox_take(outbox));
}

static void what_could_not_go_out_gives_way_to_a_newer_one(void **state)
{
    struct outbox *outbox = *state;
    struct outbox_message *older;

    put(outbox, "command", "1", true);
    older = take(outbox, "command", "1");
    put(outbox, "command", "2", true);
    outbox_untake(outbox, older);
    take(outbox, "command", "2");
    assert_null(outbox_take(outbox));
}

static void a_payload_may_be_empty_or_hold_nul(void **state)
{
    struct outbox *outbox = *state;
    struct outbox_message *message;

    assert_int_equal(outbox_put(outbox, "state", NULL, 0, 1, true), STATUS_OK);
    message = take(outbox, "state", "");
    outbox_done(outbox, message);
    assert_int_equal(outbox_put(outbox, "state", "a\0b", 3, 1, true), STATUS_OK);
    message = outbox_take(outbox);
    assert_int_equal(message->length, 3);
    assert_memory_equal(message->payload, "a\0b", 4);
}

static void the_states_of_5000_machines_are_merged_machine_by_machine(void **state)
{
    struct outbox *outbox = *state;
    char topic[32];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5000; i++) {
            snprintf(topic, sizeof topic, "m%d/state", i);
            put(outbox, topic, round == 2 ? "newest" : "old", true);
        }
    }
    assert_int_equal(outbox_counts(outbox).waiting, 5000);
    assert_int_equal(outbox_counts(outbox).merged, 10000);
    for (int i = 0; i < 5000; i++) {
        snprintf(topic, sizeof topic, "m%d/state", i);
        outbox_done(outbox, take(outbox, topic, "newest"));
    }
    assert_null(outbox_take(outbox));
}

/* ---- large messages ---- */

static char large[OUTBOX_LARGE_BYTES + 1]; /* the least that is */

static enum status try_large(struct outbox *outbox, const char *topic, bool retain)
{
    return outbox_put(outbox, topic, large, sizeof large, 1, retain);
}

static void put_large(struct outbox *outbox, const char *topic, bool retain)
{
    assert_int_equal(try_large(outbox, topic, retain), STATUS_OK);
}

static struct outbox_message *take_topic(struct outbox *outbox, const char *topic)
{
    struct outbox_message *message = outbox_take(outbox);

    assert_non_null(message);
    assert_string_equal(message->topic, topic);
    return message;
}

static void a_large_message_lets_the_small_ones_pass(void **state)
{
    struct outbox *outbox = *state;

    put_large(outbox, "answer", false);
    assert_int_equal(outbox_put(outbox, "just small", large, sizeof large - 1, 1, true), STATUS_OK);
    put(outbox, "saw/command", "on", true);
    put(outbox, "saw/event", "login", false);
    assert_int_equal(outbox_counts(outbox).waiting, 4);
    assert_int_equal(outbox_counts(outbox).large_waiting, 1);
    assert_string_equal(outbox_next(outbox)->topic, "just small");
    take_topic(outbox, "just small");
    take_topic(outbox, "saw/command");
    take_topic(outbox, "saw/event");
    assert_string_equal(outbox_next(outbox)->topic, "answer");
    take_topic(outbox, "answer");
    assert_null(outbox_next(outbox));
    assert_int_equal(outbox_counts(outbox).large_waiting, 0);
}

static void a_large_message_does_not_wait_for_ever(void **state)
{
    struct outbox *outbox = *state;

    for (int round = 0; round < 2; round++) {
        put_large(outbox, "answer", false);
        for (int i = 0; i < OUTBOX_PASSED_MAX; i++) {
            put(outbox, "saw/command", "on", true);
            outbox_done(outbox, take_topic(outbox, "saw/command"));
        }
        put(outbox, "saw/command", "off", true);
        outbox_done(outbox, take_topic(outbox, "answer"));
        outbox_done(outbox, take_topic(outbox, "saw/command"));
    }
    assert_null(outbox_take(outbox));
}

static void what_goes_before_all_goes_before_a_large_one_whose_turn_it_is(void **state)
{
    struct outbox *outbox = *state;

    put_large(outbox, "answer", false);
    for (int i = 0; i < OUTBOX_PASSED_MAX; i++) {
        put(outbox, "saw/command", "on", true);
        outbox_done(outbox, take_topic(outbox, "saw/command"));
    }
    put(outbox, "saw/command", "off", true);
    assert_int_equal(outbox_put_first(outbox, "echo", "1", 1), STATUS_OK);
    take_topic(outbox, "echo");
    take_topic(outbox, "answer"); /* it waits for this one, and no longer */
    take_topic(outbox, "saw/command");
}

static void a_newer_retained_message_replaces_the_older_one_whatever_their_size(void **state)
{
    struct outbox *outbox = *state;

    put_large(outbox, "blocks", true);
    put(outbox, "saw/command", "on", true);
    put(outbox, "blocks", "none", true);
    take(outbox, "saw/command", "on");
    outbox_done(outbox, take(outbox, "blocks", "none"));
    put(outbox, "blocks", "none", true);
    put_large(outbox, "blocks", true);
    put_large(outbox, "blocks", true);
    put(outbox, "lathe/command", "on", true);
    assert_int_equal(outbox_counts(outbox).merged, 3);
    take(outbox, "lathe/command", "on");
    assert_int_equal(take_topic(outbox, "blocks")->length, sizeof large);
    assert_null(outbox_take(outbox));
}

static void large_messages_are_bounded_by_their_bytes_in_flight_too(void **state)
{
    struct outbox *outbox = NULL;
    struct outbox_message *first;
    size_t count = 0;

    (void)state;
    assert_int_equal(outbox_new(1000, &outbox), STATUS_OK);
    while (try_large(outbox, "answer", false) == STATUS_OK) {
        count++;
    }
    assert_int_equal(count, OUTBOX_LARGE_BYTES_MAX / sizeof large);
    assert_int_equal(outbox_counts(outbox).dropped, 1);
    put_large(outbox, "blocks", true); /* of each topic there is one */
    put(outbox, "saw/event", "login", false);
    outbox_done(outbox, take_topic(outbox, "saw/event"));
    first = take_topic(outbox, "answer");
    assert_int_equal(outbox_counts(outbox).in_flight_bytes, 0);
    assert_int_equal(try_large(outbox, "answer", false), STATUS_FULL);
    outbox_done(outbox, first);
    put_large(outbox, "answer", false);
    outbox_discard(outbox, true);
    put_large(outbox, "answer", false);
    outbox_free(outbox);
}

static void a_break_keeps_a_large_message_that_was_on_its_way(void **state)
{
    struct outbox *outbox = *state;

    put_large(outbox, "large", false);
    take_topic(outbox, "large");
    put_large(outbox, "answer", false);
    put_large(outbox, "blocks", true);
    outbox_break(outbox, is_answer);
    assert_int_equal(outbox_counts(outbox).waiting, 1);
    outbox_untake(outbox, take_topic(outbox, "large"));
    assert_int_equal(outbox_counts(outbox).large_waiting, 1);
    take_topic(outbox, "large");
    assert_null(outbox_take(outbox));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void what_is_put_first_goes_first_and_loses_nothing(void **state)
{
    struct outbox *outbox = NULL;
    static const char *const order[] = {"echo", "a/state", "a/event"};

    (void)state;
    assert_int_equal(outbox_new(1, &outbox), STATUS_OK);
    assert_int_equal(outbox_put(outbox, "a/state", "1", 1, 1, true), STATUS_OK);
    assert_int_equal(outbox_put(outbox, "a/event", "1", 1, 1, false), STATUS_OK);
    assert_int_equal(outbox_put_first(outbox, "echo", "1", 1), STATUS_OK);
    assert_int_equal(outbox_put(outbox, "a/state", "2", 1, 1, true), STATUS_OK);
    assert_int_equal(outbox_counts(outbox).waiting, 3);
    for (size_t i = 0; i < 3; i++) {
        struct outbox_message *message = outbox_take(outbox);
        assert_non_null(message);
        assert_string_equal(message->topic, order[i]);
        outbox_done(outbox, message);
    }
    assert_null(outbox_take(outbox));
    outbox_free(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_first_goes_first_and_loses_nothing),
        TEST(a_large_message_lets_the_small_ones_pass),
        TEST(a_large_message_does_not_wait_for_ever),
        TEST(what_goes_before_all_goes_before_a_large_one_whose_turn_it_is),
        TEST(a_newer_retained_message_replaces_the_older_one_whatever_their_size),
        TEST(large_messages_are_bounded_by_their_bytes_in_flight_too),
        TEST(a_break_keeps_a_large_message_that_was_on_its_way),
        TEST(messages_leave_in_the_order_in_which_they_came),
        TEST(a_newer_retained_message_takes_the_place_of_the_older_one),
        TEST(events_of_one_topic_are_never_merged),
        TEST(what_is_in_flight_is_not_merged_with),
        TEST(the_bytes_in_flight_are_counted),
        TEST(events_are_bounded_and_the_newest_is_refused),
        TEST(a_break_forgets_what_is_retained_and_keeps_events),
        TEST(a_break_sends_unacknowledged_events_again_and_first),
        TEST(a_break_forgets_what_perishes),
        TEST(a_break_forgets_qos_0),
        TEST(what_could_not_go_out_waits_at_the_front),
        TEST(what_could_not_go_out_gives_way_to_a_newer_one),
        TEST(a_payload_may_be_empty_or_hold_nul),
        TEST(the_states_of_5000_machines_are_merged_machine_by_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
