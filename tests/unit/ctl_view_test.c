#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/ctl/view.h"

/* 15 January 2025, 14:37:30 UTC. */
static const struct wall_time now = {.ms = INT64_C(1736951850000)};

static void put(struct board *board, const char *name, const char *more)
{
    struct topic_match topic = {.id = TOPIC_STATE};
    char payload[512];

    text_copy(topic.first, sizeof topic.first, name);
    (void)snprintf(
        payload, sizeof payload,
        "{\"machine\":\"%s\",\"oops\":false,\"lockout\":false,\"epoch\":1,\"rev\":1,"
        "\"health\":\"online\",%s}",
        name, more);
    assert_int_equal(board_take(board, &topic, payload, strlen(payload)), BOARD_MACHINE);
}

#define IDLE "\"mode\":\"idle\",\"relay\":false,\"confirmed\":\"off\""
#define IN_USE                                                                                     \
    "\"mode\":\"in_use\",\"relay\":true,\"confirmed\":\"on\",\"user\":\"Ada\","                    \
    "\"session_since\":1736949750"

static void run_controller(struct board *board)
{
    static const char payload[] = "{\"status\":\"running\",\"redis\":\"up\"}";
    const struct topic_match topic = {.id = TOPIC_CONTROLLER_STATUS, .first = "one"};

    board_take(board, &topic, payload, sizeof payload - 1);
}

static void happen(struct board *board, int count)
{
    const struct topic_match topic = {.id = TOPIC_EVENT, .first = "saw"};

    for (int i = 0; i < count; i++) {
        char payload[128];
        (void)snprintf(
            payload, sizeof payload, "{\"event_type\":\"login\",\"text\":\"event %d\",\"at\":%d}",
            i, 1736951850 + i);
        board_take(board, &topic, payload, strlen(payload));
    }
}

static char *draw(const struct frame *frame)
{
    char *drawn = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&drawn, &length);

    assert_non_null(out);
    assert_int_equal(view_frame(frame, out), STATUS_OK);
    assert_int_equal(fclose(out), 0);
    return drawn;
}

static void assert_frame(const struct frame *frame, const char *wanted)
{
    char *drawn = draw(frame);
    assert_string_equal(drawn, wanted);
    free(drawn);
}

static void one_machine_is_shown_in_full(void **state)
{
    struct board board = {0};
    char *drawn = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&drawn, &length);

    (void)state;
    put(&board, "saw",
        IN_USE ",\"display_name\":\"Table \\u001b Saw\",\"display\":\"Welcome,\\nAda\","
               "\"second_relay\":true,\"second_relay_authorization\":\"granted\","
               "\"last_update\":1736949750,\"booted_at\":1736000000,\"fw\":\"1.2\","
               "\"save_timeouts\":2");
    view_machine(board_find(&board, "saw"), false, now, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        drawn, "saw (Table \\x1b Saw)\n"
               "  state      in use by Ada since 14:02 (35 min)\n"
               "  relay      on +2nd\n"
               "  2nd relay  on (granted)\n"
               "  display    Welcome, / Ada\n"
               "  notes      none\n"
               "  changed    14:02 (35 min ago)\n"
               "  booted     4 Jan 14:13 (11 d 0 h ago)\n"
               "  firmware   1.2\n"
               "  saves      2 took longer than their budget\n");
    free(drawn);
    board_free(&board);
}

static void a_frame_has_machines_and_the_latest_events(void **state)
{
    struct board board = {0};
    struct frame frame = {.board = &board, .trouble = "", .width = 60, .height = 24, .now = now};

    (void)state;
    run_controller(&board);
    put(&board, "saw", IN_USE);
    put(&board, "lathe", IDLE);
    happen(&board, 2);
    assert_frame(
        &frame, "Tagout  14:37  2 machines, 1 running\n"
                "MACHINE  STATE                               RELAY\n"
                "lathe    idle                                off\n"
                "saw      in use by Ada since 14:02 (35 min)  on\n"
                "\n"
                "14:37  event 0\n"
                "14:37  event 1");
    board_free(&board);
}

static void without_a_broker_the_frame_says_that_it_is_old(void **state)
{
    struct board board = {0};
    struct frame frame = {
        .board = &board, .trouble = "gone", .width = 200, .height = 24, .now = now};

    (void)state;
    put(&board, "lathe", IDLE);
    assert_frame(
        &frame, "Tagout  14:37  1 machine, 0 running\n"
                "The broker is out of reach (gone): running machines keep running, no new card "
                "opens, emergency cards work. What you see is old.\n"
                "MACHINE  STATE  RELAY\n"
                "lathe    idle   off\n");
    frame.refused = true;
    char *drawn = draw(&frame);
    assert_non_null(strstr(drawn, "\nThe broker does not let us in: gone\n"));
    free(drawn);
    board_free(&board);
}

static void nobody_is_missed_before_the_broker_has_told_what_it_keeps(void **state)
{
    struct board board = {0};
    struct frame frame = {
        .board = &board, .trouble = "", .width = 60, .height = 24, .now = now, .connecting = true};

    (void)state;
    put(&board, "lathe", IDLE);
    assert_frame(
        &frame, "Tagout  14:37  1 machine, 0 running\n"
                "MACHINE  STATE  RELAY\n"
                "lathe    idle   off\n");
    board_free(&board);
}

static void when_there_is_no_room_for_all_the_idle_ones_give_way(void **state)
{
    struct board board = {0};
    struct frame frame = {.board = &board, .trouble = "", .width = 60, .height = 5, .now = now};

    (void)state;
    run_controller(&board);
    for (int i = 0; i < 9; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "m%d", i);
        put(&board, name, i == 7 ? IN_USE : IDLE);
    }
    assert_frame(
        &frame, "Tagout  14:37  9 machines, 1 running\n"
                "MACHINE  STATE                               RELAY\n"
                "m0       idle                                off\n"
                "m7       in use by Ada since 14:02 (35 min)  on\n"
                "and 7 more\n");
    board_free(&board);
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;

    for (size_t length = strlen(text); length > 0; length--, text++) {
        lines += text[0] == '\n' && text[1] != '\0';
    }
    return lines;
}

static void no_frame_is_higher_or_wider_than_the_screen(void **state)
{
    struct board board = {0};

    (void)state;
    for (int i = 0; i < 12; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "m%d", i);
        put(&board, name, i % 3 == 0 ? IN_USE : IDLE ",\"faults\":[\"twin\"]");
    }
    happen(&board, 20);
    for (size_t height = 1; height < 40; height++) {
        for (size_t width = 30; width < 100; width += 7) {
            struct frame frame = {
                .board = &board, .trouble = "", .width = width, .height = height, .now = now};
            char *drawn = draw(&frame);
            char *rest = NULL;
            if (count_lines(drawn) > height) {
                fail_msg("%zu lines on a screen of %zu:\n%s", count_lines(drawn), height, drawn);
            }
            for (char *line = strtok_r(drawn, "\n", &rest); line != NULL;
                 line = strtok_r(NULL, "\n", &rest)) {
                assert_true(table_width(line) <= width);
            }
            free(drawn);
        }
    }
    board_free(&board);
}

static int set_utc(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_machine_is_shown_in_full),
        cmocka_unit_test(a_frame_has_machines_and_the_latest_events),
        cmocka_unit_test(without_a_broker_the_frame_says_that_it_is_old),
        cmocka_unit_test(nobody_is_missed_before_the_broker_has_told_what_it_keeps),
        cmocka_unit_test(when_there_is_no_room_for_all_the_idle_ones_give_way),
        cmocka_unit_test(no_frame_is_higher_or_wider_than_the_screen),
    };
    return cmocka_run_group_tests(tests, set_utc, NULL);
}
