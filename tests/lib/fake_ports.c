#include "tests/lib/fake_ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static enum status fake_publish(
    void *context, const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    struct fake_ports *fake = context;

    if (strstr(topic, "/marker") != NULL) {
        assert_true(length < sizeof fake->marker);
        memcpy(fake->marker, payload, length + 1);
    }
    return fake->on_publish == NULL ? STATUS_OK
                                    : fake->on_publish(topic, payload, length, qos, retain);
}

static enum status
fake_subscribe(void *context, const char *const filters[], const int qos[], size_t count, int token)
{
    struct fake_ports *fake = context;

    (void)qos;
    fake->token = token;
    for (size_t i = 0; fake->on_filter != NULL && i < count; i++) {
        fake->on_filter(filters[i]);
    }
    return STATUS_OK;
}

static enum status fake_unsubscribe(void *context, const char *filter)
{
    (void)context;
    (void)filter;
    return STATUS_OK;
}

static void fake_echo(void *context, uint32_t number)
{
    struct fake_ports *fake = context;
    fake->echo = number;
}

static void fake_discard(void *context, bool events)
{
    struct fake_ports *fake = context;

    (void)events;
    fake->discards++;
}

static size_t fake_waiting(void *context)
{
    const struct fake_ports *fake = context;
    return fake->waiting;
}

static struct now fake_now(void *context)
{
    const struct fake_ports *fake = context;
    return fake->now;
}

static bool fake_clock_is_synchronised(void *context)
{
    (void)context;
    return true;
}

static enum status fake_read_roster(void *context)
{
    const struct fake_ports *fake = context;
    return fake->roster_read;
}

struct controller_ports fake_ports(struct fake_ports *fake)
{
    return (struct controller_ports){
        .broker =
            {
                .context = fake,
                .publish = fake_publish,
                .subscribe = fake_subscribe,
                .unsubscribe = fake_unsubscribe,
                .echo = fake_echo,
                .discard = fake_discard,
                .waiting = fake_waiting,
            },
        .host =
            {
                .context = fake,
                .now = fake_now,
                .clock_is_synchronised = fake_clock_is_synchronised,
                .read_roster = fake_read_roster,
            },
    };
}

void fake_ports_grant(struct fake_ports *fake, struct controller *controller)
{
    controller_on_subscribed(controller, fake->token, true);
}

void fake_ports_hear_marker(struct fake_ports *fake, struct controller *controller)
{
    controller_on_message(
        controller, "tagout/controller/a/marker", fake->marker, strlen(fake->marker), false);
}

void fake_ports_connect(struct fake_ports *fake, struct controller *controller)
{
    controller_on_connected(controller);
    fake_ports_grant(fake, controller);
    fake_ports_hear_marker(fake, controller);
    controller_on_echo(controller, fake->echo);
}

void fake_ports_pass(struct fake_ports *fake, int64_t ms)
{
    fake->now.mono.ms += ms;
    fake->now.wall.ms += ms;
}
