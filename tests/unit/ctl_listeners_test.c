/* By which ports one comes to the broker, as its configuration says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "controller/ctl/listeners.h"
#include "tests/lib/scratch.h"

static void check(
    const struct listeners *listeners, unsigned services, unsigned services_tls, unsigned people,
    unsigned people_tls)
{
    assert_int_equal(listeners->services.plain, services);
    assert_int_equal(listeners->services.tls, services_tls);
    assert_int_equal(listeners->people.plain, people);
    assert_int_equal(listeners->people.tls, people_tls);
}

static void those_of_the_shipped_configurations_are_found(void **state)
{
    struct listeners listeners;
    char *secured = scratch_read_tree("deploy/mosquitto/tagout.conf");
    char *trial = scratch_read_tree("deploy/mosquitto/trial.conf");

    (void)state;
    listeners_parse(secured, &listeners);
    check(&listeners, 1883, 8883, 1884, 8884);
    listeners_parse(trial, &listeners);
    check(&listeners, 0, 0, 1883, 0);
    free(secured);
    free(trial);
}

static void without_any_they_are_the_shipped_ones(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "persistence false",
        "#listener 2000",
        "listener",
        "listener 0 /run/broker",
        "listener 65536",
        "listener -1",
        "listener 12x",
        "listeners 2000",
        "certfile a"};
    struct listeners listeners;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        listeners_parse(texts[i], &listeners);
        check(&listeners, 1883, 8883, 1884, 8884);
    }
}

static void what_stands_behind_a_listener_is_its_own_and_of_several_the_first_counts(void **state)
{
    struct listeners listeners;

    (void)state;
    listeners_parse(
        "  listener\t2000 127.0.0.1\r\n"
        "use_username_as_clientid true\r\n"
        "listener 2001\n"
        "use_username_as_clientid false\n"
        "listener 2002\n"
        "listener 65535\ncertfile x",
        &listeners);
    check(&listeners, 2000, 0, 2001, 65535);
}

static void the_configuration_is_beside_the_accounts_or_in_conf_d(void **state)
{
    struct listeners listeners;

    (void)state;
    listeners_read("absent/tagout.passwords", &listeners);
    check(&listeners, 1883, 8883, 1884, 8884);
    scratch_write_text("tagout.conf", "listener 2000\n");
    listeners_read("tagout.passwords", &listeners);
    check(&listeners, 0, 0, 2000, 0);
    listeners_read("./tagout.passwords", &listeners);
    check(&listeners, 0, 0, 2000, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_the_shipped_configurations_are_found),
        cmocka_unit_test(without_any_they_are_the_shipped_ones),
        cmocka_unit_test(what_stands_behind_a_listener_is_its_own_and_of_several_the_first_counts),
        cmocka_unit_test(the_configuration_is_beside_the_accounts_or_in_conf_d),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
