/* What the controller asks of the world, by its ports: the broker by way of the MQTT adapter, the
 * host's clocks, and the reader of files. */
#include "controller/daemon/loop_inside.h"
#include "controller/support/clock.h"

#define CLOCK_ASK_MS 1000

static enum status broker_publish(
    void *context, const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    struct loop *loop = context;
    return mqtt_publish(loop->mqtt, topic, payload, length, qos, retain);
}

static enum status broker_subscribe(
    void *context, const char *const filters[], const int qos[], size_t count, int token)
{
    struct loop *loop = context;
    return mqtt_subscribe(loop->mqtt, filters, qos, count, token);
}

static enum status broker_unsubscribe(void *context, const char *filter)
{
    struct loop *loop = context;
    return mqtt_unsubscribe(loop->mqtt, filter);
}

static void broker_echo(void *context, uint32_t number)
{
    struct loop *loop = context;
    echo_ask(&loop->echo, loop->mqtt, number);
}

static void broker_discard(void *context, bool events)
{
    struct loop *loop = context;
    mqtt_discard(loop->mqtt, events);
    echo_discarded(&loop->echo);
}

static size_t broker_waiting(void *context)
{
    struct loop *loop = context;
    return mqtt_counts(loop->mqtt).waiting;
}

static struct now host_now(void *context)
{
    (void)context;
    return clock_now();
}

static int64_t host_microseconds(void *context)
{
    (void)context;
    return clock_us();
}

/* It changes rarely, and each report wants to know: the kernel is asked once a second. */
static bool host_clock_is_synchronised(void *context)
{
    struct loop *loop = context;
    struct mono_time now = clock_now().mono;

    if (loop->clock_asked.ms == 0 || now.ms - loop->clock_asked.ms >= CLOCK_ASK_MS) {
        loop->clock_is_synchronised = clock_is_synchronised();
        loop->clock_asked = now;
    }
    return loop->clock_is_synchronised;
}

static enum status host_read_roster(void *context)
{
    struct loop *loop = context;
    return roster_reader_start(loop->reader);
}

struct controller_ports loop_ports(struct loop *loop)
{
    return (struct controller_ports){
        .broker =
            {
                .context = loop,
                .publish = broker_publish,
                .subscribe = broker_subscribe,
                .unsubscribe = broker_unsubscribe,
                .echo = broker_echo,
                .discard = broker_discard,
                .waiting = broker_waiting,
            },
        .host =
            {
                .context = loop,
                .now = host_now,
                .microseconds = host_microseconds,
                .clock_is_synchronised = host_clock_is_synchronised,
                .read_roster = host_read_roster,
            },
    };
}
