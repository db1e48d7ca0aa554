#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "topics/access.h"

static const struct access_shop shop = {.prefix = "shop", .discovery_prefix = "home"};

/* The rules of an account, behind those of all devices. */
static const char *rules_of(const char *name)
{
    static char buffer[2 * ACCESS_RULES_SIZE];
    struct text out = text_over(buffer, sizeof buffer);
    struct access_account account;

    assert_int_equal(access_account(name, &account), STATUS_OK);
    access_print_devices(&shop, &out);
    access_print_account(&shop, &account, &out);
    assert_false(out.cut);
    return buffer;
}

static bool has_line(const char *rules, const char *line)
{
    char wanted[256];

    (void)snprintf(wanted, sizeof wanted, "\n%s\n", line);
    return strncmp(rules, wanted + 1, strlen(wanted) - 1) == 0 || strstr(rules, wanted) != NULL;
}

static void an_accounts_name_says_what_it_is(void **state)
{
    static const struct {
        const char *name;
        enum access_role role;
        const char *id;
    } accounts[] = {
        {"table-saw", ACCESS_DEVICE, "table-saw"},
        {"op", ACCESS_DEVICE, "op"},
        {"op.ada", ACCESS_OPERATOR, "ada"},
        {"ad.grace", ACCESS_ADMIN, "grace"},
        {"ha.home", ACCESS_HOME_ASSISTANT, "home"},
        {"svc.watcher", ACCESS_WATCHER, ""},
        {"svc.watcher-two", ACCESS_WATCHER, "two"},
        {"svc.controller-one", ACCESS_CONTROLLER, "one"},
        {"op.12345678901234567890123456789012", ACCESS_OPERATOR,
         "12345678901234567890123456789012"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof accounts / sizeof accounts[0]; i++) {
        struct access_account account;
        assert_int_equal(access_account(accounts[i].name, &account), STATUS_OK);
        assert_int_equal(account.role, accounts[i].role);
        assert_string_equal(account.name, accounts[i].name);
        assert_string_equal(account.id, accounts[i].id);
    }
}

/* Mosquitto would take `+`, `#`, a space or a line's end for part of a rule. */
static void a_name_of_no_role_is_refused(void **state)
{
    static const char *const names[] = {
        "",
        ".",
        "op.",
        "op.Ada",
        "op.a.b",
        "op.+",
        "op.#",
        "op.ada x",
        "op.ada\nuser x",
        "op.a/b",
        "xx.ada",
        "svc.",
        "svc.controller",
        "svc.controller-",
        "svc.watcher-",
        "svc.watcherx",
        "svc.watcher.x",
        "Table-Saw",
        "table saw",
        "saw+",
        "#",
        "%u",
        "%c",
        "saw:x",
        "op.123456789012345678901234567890123",
        "12345678901234567890123456789012345678901234567890123456789012345"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct access_account account;
        assert_int_equal(access_account(names[i], &account), STATUS_INVALID);
    }
}

static void what_all_accounts_share_names_the_account_itself(void **state)
{
    char buffer[ACCESS_RULES_SIZE];
    struct text out = text_over(buffer, sizeof buffer);
    size_t lines = 0;
    char *rest = NULL;

    (void)state;
    access_print_devices(&shop, &out);
    for (char *line = strtok_r(buffer, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        assert_memory_equal(line, "pattern ", 8);
        assert_non_null(strstr(line, " shop/machine/%u/"));
        assert_null(strpbrk(line, "+#"));
        lines++;
    }
    assert_int_equal(lines, 6);
}

static void a_device_writes_its_own_reports_and_reads_its_own_commands(void **state)
{
    (void)state;
    assert_string_equal(
        rules_of("saw"), "pattern write shop/machine/%u/report\n"
                         "pattern write shop/machine/%u/link\n"
                         "pattern write shop/machine/%u/pong\n"
                         "pattern read shop/machine/%u/command\n"
                         "pattern read shop/machine/%u/probe\n"
                         "pattern read shop/machine/%u/restart\n");
}

static void only_controllers_read_reports(void **state)
{
    (void)state;
    assert_true(has_line(rules_of("svc.controller-one"), "topic read shop/machine/+/report"));
    assert_null(strstr(rules_of("svc.watcher"), "+/report"));
    assert_null(strstr(rules_of("ha.home"), "+/report"));
    assert_null(strstr(rules_of("op.ada"), "+/report"));
    assert_null(strstr(rules_of("ad.ada"), "+/report"));
}

static void only_controllers_command(void **state)
{
    static const char *const others[] = {"svc.watcher", "ha.home", "op.ada", "ad.ada"};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const char *rules = rules_of(others[i]);
        assert_null(strstr(rules, "+/command"));
        assert_null(strstr(rules, "+/restart"));
        assert_null(strstr(rules, "write shop/controller"));
        assert_null(strstr(rules, "write shop/machine/+/state"));
    }
    assert_true(has_line(rules_of("svc.controller-one"), "topic write shop/machine/+/command"));
}

static void a_controller_speaks_for_itself_alone(void **state)
{
    const char *rules = rules_of("svc.controller-one");

    (void)state;
    assert_true(has_line(rules, "topic read shop/controller/+/status"));
    assert_true(has_line(rules, "topic write shop/controller/one/status"));
    assert_true(has_line(rules, "topic readwrite shop/controller/one/marker"));
    assert_null(strstr(rules, "write shop/controller/+"));
    assert_true(has_line(rules, "topic write home/device/+/config"));
}

static bool asks(const char *name, enum request_verb verb)
{
    char line[256];

    (void)snprintf(
        line, sizeof line, "topic write shop/request/%s/%s", name, request_verb_text(verb));
    return has_line(rules_of(name), line);
}

static void C6_operators_look_lock_and_clear_and_admins_do_everything(void **state)
{
    static const bool operators[REQUEST_VERB_COUNT] = {
        [REQUEST_OOPS] = true, [REQUEST_LOCKOUT] = true, [REQUEST_CLEAR] = true,
        [REQUEST_END] = true,  [REQUEST_STATUS] = true,  [REQUEST_WHY] = true,
    };

    (void)state;
    for (enum request_verb verb = 0; verb < REQUEST_VERB_COUNT; verb++) {
        assert_true(asks("ad.grace", verb));
        assert_int_equal(asks("op.ada", verb), operators[verb]);
        assert_int_equal(access_may_ask(ACCESS_OPERATOR, verb), operators[verb]);
        assert_int_equal(access_is_admins(request_verb_text(verb)), !operators[verb]);
        assert_false(asks("ha.home", verb));
        assert_false(asks("svc.watcher", verb));
        assert_false(access_may_ask(ACCESS_DEVICE, verb));
    }
    assert_false(access_is_admins("log"));
}

static void a_person_asks_and_hears_under_their_own_name(void **state)
{
    const char *rules = rules_of("op.ada");

    (void)state;
    assert_null(strstr(rules, "request/+"));
    assert_null(strstr(rules, "response/+"));
    assert_true(has_line(rules, "topic read shop/response/op.ada/+"));
}

static void home_assistant_presses_and_announces(void **state)
{
    const char *rules = rules_of("ha.home");

    (void)state;
    assert_true(has_line(rules, "topic write shop/machine/+/set/oops"));
    assert_true(has_line(rules, "topic write shop/machine/+/set/lockout"));
    assert_true(has_line(rules, "topic readwrite home/#"));
    assert_null(strstr(rules, "shop/re"));
}

static void a_watcher_answers_test_alert_alone(void **state)
{
    const char *rules = rules_of("svc.watcher-two");

    (void)state;
    assert_true(has_line(rules, "topic read shop/request/+/test-alert"));
    assert_true(has_line(rules, "topic write shop/response/+/test-alert"));
    assert_null(strstr(rules, "shop/request/+/+"));
    assert_null(strstr(rules, "shop/response/+/+"));
}

static void a_service_comes_in_under_an_account_of_its_own(void **state)
{
    static const struct {
        const char *username;
        enum access_role role;
        const char *why; /* "": it may */
    } cases[] = {
        {"", ACCESS_CONTROLLER, ""},
        {"controller", ACCESS_CONTROLLER, ""},
        {"Somebody.else", ACCESS_WATCHER, ""},
        {"svc.controller-one", ACCESS_CONTROLLER, ""},
        {"svc.watcher", ACCESS_WATCHER, ""},
        {"svc.watcher-two", ACCESS_WATCHER, ""},
        {"svc.controller-two", ACCESS_CONTROLLER,
         "[mqtt] username: \"svc.controller-two\" may not speak for [controller] id \"one\""},
        {"svc.controller-one", ACCESS_WATCHER,
         "[mqtt] username: \"svc.controller-one\" has the role \"controller\"; a watcher's begins "
         "with svc.watcher"},
        {"op.ada", ACCESS_CONTROLLER,
         "[mqtt] username: \"op.ada\" has the role \"operator\"; a controller's begins with "
         "svc.controller-"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(why, 256);
        assert_int_equal(
            access_check(cases[i].username, cases[i].role, "one", &why),
            cases[i].why[0] == '\0' ? STATUS_OK : STATUS_INVALID);
        assert_string_equal(why.data, cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accounts_name_says_what_it_is),
        cmocka_unit_test(a_name_of_no_role_is_refused),
        cmocka_unit_test(what_all_accounts_share_names_the_account_itself),
        cmocka_unit_test(a_device_writes_its_own_reports_and_reads_its_own_commands),
        cmocka_unit_test(only_controllers_read_reports),
        cmocka_unit_test(only_controllers_command),
        cmocka_unit_test(a_controller_speaks_for_itself_alone),
        cmocka_unit_test(C6_operators_look_lock_and_clear_and_admins_do_everything),
        cmocka_unit_test(a_person_asks_and_hears_under_their_own_name),
        cmocka_unit_test(home_assistant_presses_and_announces),
        cmocka_unit_test(a_watcher_answers_test_alert_alone),
        cmocka_unit_test(a_service_comes_in_under_an_account_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
