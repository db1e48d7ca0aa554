#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/watcher/services.h"

#define SETTLE_MS 60000
#define WALL_MS INT64_C(1700000000000)

/* A watcher's view of a shop, on a clock that stands until the test moves it. */
static struct services services;
static struct now now;
static struct alert alerts[16];
static size_t alert_count;
static char published[512]; /* "redis error, leader running, " since it was last cleared */
static struct text publishing;

static void tell(void)
{
    struct service_news news;

    while (services_next(&services, now, &news)) {
        if (news.publish != NULL) {
            text_addf(
                &publishing, "%s %s, ", news.publish->name,
                service_status_text(news.publish->told));
        }
        if (news.has_alert) {
            assert_true(alert_count < 16);
            alerts[alert_count++] = news.alert;
        }
    }
}

/* As the loop: every turn judges and tells, and a turn comes whenever one is due. */
static void pass(int64_t ms)
{
    int64_t end = now.mono.ms + ms;
    struct mono_time due;

    (void)services_tick(&services, now);
    tell();
    due = services_tick(&services, now);
    while (due.ms != 0 && due.ms <= end) {
        int64_t step = due.ms - now.mono.ms > 0 ? due.ms - now.mono.ms : 1;
        now.mono.ms += step;
        now.wall.ms += step;
        (void)services_tick(&services, now);
        tell();
        due = services_tick(&services, now);
    }
    now.wall.ms += end - now.mono.ms;
    now.mono.ms = end;
    (void)services_tick(&services, now);
    tell();
}

static void says(const char *id, bool leader, bool redis_up, int64_t since)
{
    const struct controller_status status = {
        .leader = leader, .redis_up = redis_up, .since = {since}, .config = "same"};

    services_on_running(&services, id, &status, now);
    pass(0);
}

static void runs(const char *id, bool leader)
{
    says(id, leader, true, 1);
}

static void is_lost(const char *id)
{
    services_on_lost(&services, id, now);
    pass(0);
}

static void is_stopped(const char *id)
{
    services_on_stopped(&services, id, now);
    pass(0);
}

static void connects(void)
{
    services_on_connected(&services, now);
    pass(0);
}

static void disconnects(void)
{
    services_on_disconnected(&services, "connection lost", now);
    pass(0);
}

static void forget_news(void)
{
    publishing = text_over(published, sizeof published);
    alert_count = 0;
}

static void start_process(int64_t mono_ms)
{
    now.mono.ms = mono_ms;
    services_begin(&services, SETTLE_MS, now);
    forget_news();
}

/* Connected, controller one leads, all is well and told. */
static int open_shop(void **state)
{
    (void)state;
    now.wall.ms = WALL_MS;
    start_process(5000);
    connects();
    runs("one", true);
    assert_int_equal(alert_count, 0);
    forget_news();
    return 0;
}

static void assert_alert(size_t index, enum alert_kind kind, const char *service)
{
    assert_true(index < alert_count);
    assert_int_equal(alerts[index].kind, kind);
    assert_string_equal(alerts[index].service, service);
}

static const char *sentence(size_t index)
{
    static char buffer[1024];
    struct text text = text_over(buffer, sizeof buffer);

    assert_true(index < alert_count);
    alert_text(&alerts[index], &text);
    return buffer;
}

/* ---- what is published ---- */

static void C11_6_each_service_that_is_heard_of_is_published_once(void **state)
{
    (void)state;
    start_process(5000);
    connects();
    assert_string_equal(published, "broker running, ");
    runs("one", true);
    assert_string_equal(
        published, "broker running, controller-one running, leader running, redis running, ");
    runs("one", true);
    pass(1000000);
    assert_string_equal(
        published, "broker running, controller-one running, leader running, redis running, ");
    assert_int_equal(alert_count, 0);
}

static void C2_all_is_published_again_after_a_connect(void **state)
{
    (void)state;
    disconnects();
    pass(1000);
    connects();
    runs("one", true);
    assert_string_equal(
        published, "controller-one running, leader running, redis running, broker running, ");
    assert_int_equal(alert_count, 0);
}

/* ---- controllers ---- */

static void C11_6_a_last_will_is_believed_after_500_ms(void **state)
{
    (void)state;
    is_lost("one");
    pass(SERVICES_DOUBT_MS - 1);
    assert_string_equal(published, "");
    assert_int_equal(alert_count, 0);
    pass(1);
    assert_string_equal(published, "controller-one error, leader error, ");
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_ERROR, "controller-one");
    assert_true(alerts[0].leads);
}

static void C11_6_a_death_is_told_once_and_names_thing_cause_and_next_step(void **state)
{
    (void)state;
    is_lost("one");
    pass(SETTLE_MS * 100);
    assert_int_equal(alert_count, 1);
    assert_string_equal(
        sentence(0),
        "Controller one: it ended or was cut off without a goodbye. It led, and until another "
        "takes over: Machines in use go on while their card is in; no other card opens anything. "
        "Look at its host: systemctl status tagoutd; journalctl -u tagoutd");
}

static void C11_6_the_recovery_is_told_once_when_it_is_steady(void **state)
{
    (void)state;
    is_lost("one");
    pass(30000);
    forget_news();
    says("one", true, true, 2);
    assert_string_equal(published, "controller-one running, leader running, ");
    pass(SERVICES_STEADY_MS - 1);
    assert_int_equal(alert_count, 0);
    pass(1);
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_RECOVERED, "controller-one");
    assert_string_equal(sentence(0), "Controller one: works again and leads, after 30 s.");
    pass(1000000);
    assert_int_equal(alert_count, 1);
}

static void a_crash_loop_is_one_alert(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 20; i++) {
        is_lost("one");
        pass(1000);
        says("one", true, true, i + 1);
        pass(SERVICES_STEADY_MS - 1);
    }
    assert_int_equal(alert_count, 1);
    pass(1);
    assert_int_equal(alert_count, 2);
    assert_alert(1, ALERT_SERVICE_RECOVERED, "controller-one");
}

static void one_that_was_back_within_the_doubt_fell_all_the_same(void **state)
{
    (void)state;
    is_lost("one");
    pass(100);
    says("one", true, true, 2);
    assert_string_equal(published, "");
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_ERROR, "controller-one");
    assert_false(alerts[0].leads);
    pass(SERVICES_STEADY_MS);
    assert_int_equal(alert_count, 2);
    assert_alert(1, ALERT_SERVICE_RECOVERED, "controller-one");
}

static void the_same_process_back_within_the_doubt_only_lost_its_connection(void **state)
{
    (void)state;
    is_lost("one");
    pass(SERVICES_DOUBT_MS - 1);
    runs("one", true);
    pass(1000000);
    assert_int_equal(alert_count, 0);
    assert_string_equal(published, "");
}

static void C11_6_a_clean_stop_is_no_alert(void **state)
{
    (void)state;
    is_stopped("one");
    assert_string_equal(published, "controller-one stopped, leader stopped, ");
    is_lost("one"); /* its will, if its goodbye broke off */
    pass(SETTLE_MS - 1);
    assert_int_equal(alert_count, 0);
}

static void C11_6_after_a_clean_stop_none_is_missed_for_settle_s(void **state)
{
    (void)state;
    is_stopped("one");
    pass(SETTLE_MS - 1);
    assert_int_equal(alert_count, 0);
    pass(1);
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_ERROR, "leader");
    assert_string_equal(
        sentence(0),
        "Leader: controller one was stopped, and none has come back. Machines in use go on while "
        "their card is in; no other card opens anything. Start a controller: systemctl start "
        "tagoutd. Then look: tagoutctl status");
}

static void a_restart_after_a_clean_stop_is_no_news(void **state)
{
    (void)state;
    is_stopped("one");
    pass(SETTLE_MS - 5000);
    says("one", false, true, 2); /* not yet the leader again */
    pass(4999);
    says("one", true, true, 2);
    pass(1000000);
    assert_int_equal(alert_count, 0);
}

static void one_that_died_and_was_then_stopped_is_told_to_work_again(void **state)
{
    (void)state;
    is_lost("one");
    pass(SERVICES_DOUBT_MS);
    assert_int_equal(alert_count, 1);
    runs("one", true);
    pass(SERVICES_STEADY_MS - 1);
    is_stopped("one");
    pass(SETTLE_MS - 1);
    runs("one", true);
    pass(SERVICES_STEADY_MS - 1);
    assert_int_equal(alert_count, 1);
    pass(1);
    assert_int_equal(alert_count, 2);
    assert_alert(1, ALERT_SERVICE_RECOVERED, "controller-one");
    assert_true(alerts[1].leads);
}

/* ---- the leader ---- */

static void C12_a_standby_that_takes_over_is_the_leaders_recovery(void **state)
{
    (void)state;
    runs("two", false);
    is_lost("one");
    pass(6000);
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_ERROR, "controller-one");
    forget_news();
    runs("two", true);
    assert_string_equal(published, "leader running, ");
    pass(SERVICES_STEADY_MS);
    assert_int_equal(alert_count, 1);
    assert_string_equal(sentence(0), "Controller two leads: cards open machines again, after 6 s.");
    forget_news();
    says("one", false, true, 2);
    pass(SERVICES_STEADY_MS);
    assert_int_equal(alert_count, 1);
    assert_false(alerts[0].leads);
}

static void a_standby_that_dies_is_not_the_leaders_death(void **state)
{
    (void)state;
    runs("two", false);
    forget_news();
    is_lost("two");
    pass(1000000);
    assert_string_equal(published, "controller-two error, ");
    assert_int_equal(alert_count, 1);
    assert_false(alerts[0].leads);
}

static void a_lead_that_nobody_has_for_3_s_is_a_death(void **state)
{
    (void)state;
    runs("two", false);
    forget_news();
    runs("one", false);
    pass(SERVICES_OUTAGE_MS - 1);
    assert_string_equal(published, "");
    pass(1);
    assert_string_equal(published, "leader error, ");
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_ERROR, "leader");
}

static void C6_a_handover_is_no_news(void **state)
{
    (void)state;
    runs("two", false);
    runs("one", false);
    pass(SERVICES_OUTAGE_MS - 1);
    forget_news();
    runs("two", true);
    pass(1000000);
    assert_string_equal(published, "leader running, "); /* the reason says who */
    assert_int_equal(alert_count, 0);
}

static void a_shop_without_any_controller_is_told_after_settle_s(void **state)
{
    (void)state;
    start_process(5000);
    connects();
    pass(SETTLE_MS - 1);
    assert_int_equal(alert_count, 0);
    pass(1);
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_ERROR, "leader");
}

/* ---- Redis ---- */

static void C11_6_an_outage_of_redis_of_3_s_is_a_death(void **state)
{
    (void)state;
    says("one", true, false, 1);
    pass(SERVICES_OUTAGE_MS - 1);
    assert_string_equal(published, "");
    pass(1);
    assert_string_equal(published, "redis error, ");
    assert_int_equal(alert_count, 1);
    assert_string_equal(
        sentence(0), "Redis: controller one gets no answer from it. Cards still work; do not "
                     "power-cycle anything. "
                     "Look at the server's disk and: systemctl status redis-server");
    runs("one", true);
    pass(SERVICES_STEADY_MS);
    assert_int_equal(alert_count, 2);
    assert_alert(1, ALERT_SERVICE_RECOVERED, "redis");
}

static void C11_6_a_shorter_outage_of_redis_is_a_restart(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        says("one", true, false, 1);
        pass(SERVICES_OUTAGE_MS - 1);
        runs("one", true);
        pass(10);
    }
    assert_string_equal(published, "");
    assert_int_equal(alert_count, 0);
}

static void redis_is_down_when_one_controller_cannot_reach_it(void **state)
{
    (void)state;
    says("two", false, false, 1);
    pass(SERVICES_OUTAGE_MS - 1);
    runs("one", true);
    pass(1);
    assert_int_equal(alert_count, 1);
    assert_string_equal(alerts[0].reason, "controller two gets no answer from it");
}

static void redis_that_refuses_a_controller_is_told_with_what_it_has_against_it(void **state)
{
    const struct controller_status status = {
        .leader = true,
        .redis_refuses = "it does not take [redis] password",
        .since = {1},
        .config = "same"};

    (void)state;
    services_on_running(&services, "one", &status, now);
    pass(SERVICES_OUTAGE_MS);
    assert_int_equal(alert_count, 1);
    assert_string_equal(
        alerts[0].reason, "it refuses controller one: it does not take [redis] password");
}

static void of_redis_nothing_is_known_without_controllers(void **state)
{
    (void)state;
    says("one", true, false, 1);
    is_stopped("one");
    pass(SETTLE_MS - 1);
    assert_int_equal(alert_count, 0);
}

/* ---- the broker ---- */

static void C11_6_an_outage_of_the_broker_is_told_after_4_s(void **state)
{
    (void)state;
    disconnects();
    pass(SERVICES_BROKER_MS - 1);
    disconnects(); /* an attempt that failed */
    assert_int_equal(alert_count, 0);
    pass(1);
    assert_int_equal(alert_count, 1);
    assert_string_equal(
        sentence(0),
        "Broker: connection lost. Machines in use go on while their card is in; no other card "
        "opens anything. Look at its host and network, and: systemctl status mosquitto");
    pass(17000);
    connects();
    runs("one", true);
    pass(SERVICES_STEADY_MS - 1);
    assert_int_equal(alert_count, 1);
    pass(1);
    assert_int_equal(alert_count, 2);
    assert_string_equal(sentence(1), "Broker: works again, after 21 s.");
}

static void C11_6_a_shorter_outage_of_the_broker_is_a_restart(void **state)
{
    (void)state;
    disconnects();
    pass(SERVICES_BROKER_MS - 1);
    connects();
    runs("one", true);
    pass(1000000);
    assert_int_equal(alert_count, 0);
}

static void at_a_start_the_broker_has_settle_s_to_come(void **state)
{
    (void)state;
    start_process(5000);
    pass(SETTLE_MS - 1);
    assert_int_equal(alert_count, 0);
    pass(1);
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_ERROR, "broker");
}

static void last_wills_of_a_broker_that_stops_are_no_deaths(void **state)
{
    (void)state;
    runs("two", false);
    forget_news();
    is_lost("one");
    is_lost("two");
    pass(SERVICES_DOUBT_MS - 1);
    disconnects();
    pass(1500);
    connects();
    is_lost("one"); /* it kept them on its disk */
    is_lost("two");
    pass(SETTLE_MS - 1);
    runs("one", true);
    runs("two", false);
    pass(1000000);
    assert_int_equal(alert_count, 0);
}

static void
a_controller_that_does_not_come_back_with_the_broker_is_missed_after_settle_s(void **state)
{
    (void)state;
    runs("two", false);
    disconnects();
    pass(2000);
    connects();
    runs("one", true);
    pass(SETTLE_MS - 1);
    assert_int_equal(alert_count, 0);
    pass(1);
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_ERROR, "controller-two");
    assert_string_equal(alerts[0].reason, "it has not come back to the broker");
}

/* ---- a watcher that was away ---- */

static void recall(const char *name, enum service_status told, const char *reason, bool died)
{
    services_recall(
        &services, &(struct service_memory){
                       .name = name,
                       .told = told,
                       .reason = reason,
                       .since = {WALL_MS - 60000},
                       .died = {died ? WALL_MS - 60000 : 0},
                   });
}

static void C11_6_what_the_process_before_told_is_not_told_again(void **state)
{
    (void)state;
    start_process(1);
    recall("controller-one", SERVICE_ERROR, "it ended", true);
    recall("leader", SERVICE_ERROR, "controller one is gone", true);
    recall("broker", SERVICE_ERROR, "connection lost", true);
    pass(SETTLE_MS * 2);
    assert_int_equal(alert_count, 0); /* the broker is still away */
    connects();
    is_lost("one");
    pass(SETTLE_MS * 2);
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_RECOVERED, "broker");
    says("one", true, true, 2);
    pass(SERVICES_STEADY_MS);
    assert_int_equal(alert_count, 2);
    assert_alert(1, ALERT_SERVICE_RECOVERED, "controller-one");
    assert_true(alerts[1].leads);
}

static void C11_6_who_died_while_the_watcher_was_away_is_found_after_settle_s(void **state)
{
    (void)state;
    start_process(1);
    recall("controller-one", SERVICE_RUNNING, "", false);
    recall("leader", SERVICE_RUNNING, "one", false);
    connects();
    is_lost("one");
    pass(SETTLE_MS - 1);
    assert_int_equal(alert_count, 0);
    pass(1);
    assert_int_equal(alert_count, 1);
    assert_alert(0, ALERT_SERVICE_ERROR, "controller-one");
    assert_true(alerts[0].leads);
}

static void C11_6_a_watcher_that_stood_still_invents_no_death(void **state)
{
    (void)state;
    says("one", true, false, 1); /* Redis restarts */
    (void)services_tick(&services, now);
    now.mono.ms += 60000; /* this process is stopped and goes on; what was said lies in the inbox */
    now.wall.ms += 60000;
    (void)services_tick(&services, now);
    tell();
    assert_int_equal(alert_count, 0);
    runs("one", true);
    pass(1000000);
    assert_int_equal(alert_count, 0);
}

static void a_turn_that_is_late_by_less_than_a_second_is_no_standstill(void **state)
{
    (void)state;
    says("one", true, false, 1);
    (void)services_tick(&services, now);
    now.mono.ms += SERVICES_OUTAGE_MS + SERVICES_STALL_MS - 1;
    (void)services_tick(&services, now);
    tell();
    assert_int_equal(alert_count, 1);
}

static void what_the_other_watcher_told_is_not_told_again(void **state)
{
    (void)state;
    services_disown(&services);
    is_lost("one");
    services_recall(
        &services, &(struct service_memory){
                       .name = "controller-one",
                       .told = SERVICE_ERROR,
                       .reason = "it ended or was cut off without a goodbye",
                       .since = now.wall,
                       .heard = true});
    pass(SERVICES_DOUBT_MS);
    assert_alert(0, ALERT_SERVICE_ERROR, "leader"); /* which it had not told */
    assert_int_equal(alert_count, 1);
}

/* ---- configurations ---- */

static void has_config(const char *id, bool leader, const char *config)
{
    const struct controller_status status = {
        .leader = leader, .redis_up = true, .since = {1}, .config = config};

    services_on_running(&services, id, &status, now);
    pass(0);
}

static void C12_4_configurations_that_differ_for_10_s_are_an_alert(void **state)
{
    (void)state;
    has_config("two", false, "other");
    pass(SERVICES_CONFIG_MS - 1);
    assert_int_equal(alert_count, 0);
    pass(1);
    assert_int_equal(alert_count, 1);
    assert_int_equal(alerts[0].kind, ALERT_CONFIG_DIFFERS);
    assert_string_equal(
        sentence(0),
        "Controllers one, two have different users or machines: after a change of the leader "
        "other cards would open. Compare users.json and machines.json on their hosts, then: "
        "tagoutctl reload");
    is_stopped("two"); /* not said: they agree */
    pass(1000000);
    assert_int_equal(alert_count, 1);
    has_config("two", false, "same");
    pass(1000000);
    assert_int_equal(alert_count, 2);
    assert_int_equal(alerts[1].kind, ALERT_CONFIG_AGREES);
}

static void C6_a_reload_that_reaches_all_within_10_s_is_no_alert(void **state)
{
    (void)state;
    runs("two", false);
    has_config("one", true, "new");
    pass(SERVICES_CONFIG_MS - 1);
    has_config("two", false, "new");
    pass(1000000);
    assert_int_equal(alert_count, 0);
}

static void too_many_controllers_are_ignored(void **state)
{
    char id[] = "c00";

    (void)state;
    for (int i = 0; i < 40; i++) {
        id[1] = (char)('0' + i / 10);
        id[2] = (char)('0' + i % 10);
        runs(id, false);
        is_lost(id);
        is_stopped(id);
    }
    assert_int_equal(services.controller_count, SERVICES_CONTROLLERS_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, open_shop)
    const struct CMUnitTest tests[] = {
        TEST(C11_6_each_service_that_is_heard_of_is_published_once),
        TEST(C2_all_is_published_again_after_a_connect),
        TEST(C11_6_a_last_will_is_believed_after_500_ms),
        TEST(C11_6_a_death_is_told_once_and_names_thing_cause_and_next_step),
        TEST(C11_6_the_recovery_is_told_once_when_it_is_steady),
        TEST(a_crash_loop_is_one_alert),
        TEST(one_that_was_back_within_the_doubt_fell_all_the_same),
        TEST(the_same_process_back_within_the_doubt_only_lost_its_connection),
        TEST(C11_6_a_clean_stop_is_no_alert),
        TEST(one_that_died_and_was_then_stopped_is_told_to_work_again),
        TEST(C11_6_after_a_clean_stop_none_is_missed_for_settle_s),
        TEST(a_restart_after_a_clean_stop_is_no_news),
        TEST(C12_a_standby_that_takes_over_is_the_leaders_recovery),
        TEST(a_standby_that_dies_is_not_the_leaders_death),
        TEST(a_lead_that_nobody_has_for_3_s_is_a_death),
        TEST(C6_a_handover_is_no_news),
        TEST(a_shop_without_any_controller_is_told_after_settle_s),
        TEST(C11_6_an_outage_of_redis_of_3_s_is_a_death),
        TEST(C11_6_a_shorter_outage_of_redis_is_a_restart),
        TEST(redis_is_down_when_one_controller_cannot_reach_it),
        TEST(redis_that_refuses_a_controller_is_told_with_what_it_has_against_it),
        TEST(of_redis_nothing_is_known_without_controllers),
        TEST(C11_6_an_outage_of_the_broker_is_told_after_4_s),
        TEST(C11_6_a_shorter_outage_of_the_broker_is_a_restart),
        TEST(at_a_start_the_broker_has_settle_s_to_come),
        TEST(last_wills_of_a_broker_that_stops_are_no_deaths),
        TEST(a_controller_that_does_not_come_back_with_the_broker_is_missed_after_settle_s),
        TEST(C11_6_what_the_process_before_told_is_not_told_again),
        TEST(C11_6_who_died_while_the_watcher_was_away_is_found_after_settle_s),
        TEST(C11_6_a_watcher_that_stood_still_invents_no_death),
        TEST(a_turn_that_is_late_by_less_than_a_second_is_no_standstill),
        TEST(what_the_other_watcher_told_is_not_told_again),
        TEST(C12_4_configurations_that_differ_for_10_s_are_an_alert),
        TEST(C6_a_reload_that_reaches_all_within_10_s_is_no_alert),
        TEST(too_many_controllers_are_ignored),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
