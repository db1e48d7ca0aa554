/* Makes load and measures it: publishes reports of many machines, with so many unanswered at a
 * time (at most one a machine), and waits for the command that answers each. Prints one line of
 * JSON. What is not answered within 2 s is sent again, as C7.4 has it, and counted. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/fleet.h"
#include "tests/bench/wire.h"

#define RESEND_NS 2000000000
#define GIVE_UP_NS 30000000000
#define POLL_MS 100
#define FILTER_SIZE 64
#define SECOND_NS 1e9

struct load {
    const char *prefix;
    const char *card;
    enum bench_mix mix;
    size_t machine_count;
    size_t window;
    struct wire wire;
    struct bench_machine *machines;
    size_t *idle; /* a ring of machines that wait for nothing */
    size_t idle_first;
    size_t idle_count;
    size_t answered;
    size_t sent;
    size_t resent;
    int64_t progress_ns; /* the last answer */
    bool measuring;
    uint32_t *latencies_ns;
    size_t latency_count;
    size_t latency_room;
};

static void send_report(struct load *load, size_t index)
{
    struct bench_machine *machine = &load->machines[index];
    char topic[BENCH_TOPIC_SIZE];
    char payload[BENCH_REPORT_SIZE];
    size_t length = bench_report(machine, load->mix, load->card, payload);

    bench_topic(topic, load->prefix, index, "report");
    machine->waiting = true;
    machine->sent_ns = wire_now_ns();
    wire_publish(&load->wire, topic, payload, length, false);
}

static void keep_latency(struct load *load, int64_t latency_ns)
{
    if (load->latency_count == load->latency_room) {
        load->latency_room = load->latency_room * 2 + 65536;
        load->latencies_ns =
            realloc(load->latencies_ns, load->latency_room * sizeof *load->latencies_ns);
        if (load->latencies_ns == NULL) {
            wire_fail("no memory");
        }
    }
    load->latencies_ns[load->latency_count++] =
        (uint32_t)(latency_ns > UINT32_MAX ? UINT32_MAX : latency_ns);
}

static void on_command(void *context, const char *topic, const char *payload, size_t length)
{
    struct load *load = context;
    size_t index = bench_index(topic, load->prefix);
    struct bench_machine *machine = &load->machines[index];

    if (index >= load->machine_count || !machine->waiting ||
        !bench_answer(machine, payload, length)) {
        return; /* retained, or of a machine of another round */
    }
    load->progress_ns = wire_now_ns();
    if (load->measuring) {
        keep_latency(load, load->progress_ns - machine->sent_ns);
    }
    machine->waiting = false;
    load->idle[(load->idle_first + load->idle_count++) % load->machine_count] = index;
    load->answered++;
}

static void turn(struct load *load)
{
    struct pollfd pollfd = {.fd = load->wire.fd, .events = POLLIN};
    bool flushed = wire_flush(&load->wire);

    pollfd.events = (short)(POLLIN | (flushed ? 0 : POLLOUT));
    if (poll(&pollfd, 1, POLL_MS) > 0 && (pollfd.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        wire_read(&load->wire);
    }
}

static void resend(struct load *load)
{
    int64_t now = wire_now_ns();

    if (now - load->progress_ns > GIVE_UP_NS) {
        wire_fail("no answer for 30 s");
    }
    for (size_t i = 0; i < load->machine_count; i++) {
        if (load->machines[i].waiting && now - load->machines[i].sent_ns > RESEND_NS) {
            enum bench_mix mix = load->mix;
            load->mix = BENCH_HEARTBEATS; /* the present state, under a new seq */
            send_report(load, i);
            load->mix = mix;
            load->resent++;
        }
    }
}

/* Until the time is over or so many reports were sent, then until all are answered. */
static void run(struct load *load, int64_t until_ns, size_t reports_max)
{
    int64_t looked_ns = wire_now_ns();

    load->progress_ns = looked_ns;
    load->sent = load->answered = 0;
    for (;;) {
        int64_t now = wire_now_ns();
        bool more = now < until_ns && load->sent < reports_max;

        while (more && load->sent - load->answered < load->window && load->sent < reports_max &&
               load->idle_count > 0) {
            size_t index = load->idle[load->idle_first];
            load->idle_first = (load->idle_first + 1) % load->machine_count;
            load->idle_count--;
            load->sent++;
            send_report(load, index);
        }
        if (!more && load->sent == load->answered) {
            return;
        }
        turn(load);
        if (now - looked_ns > RESEND_NS / 4) {
            looked_ns = now;
            resend(load);
        }
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static double percentile_us(const struct load *load, double share)
{
    size_t at = (size_t)((double)(load->latency_count - 1) * share);
    return load->latencies_ns[at] / 1e3;
}

static void print(const struct load *load, double seconds, size_t warm)
{
    if (load->latency_count == 0) {
        wire_fail("nothing was measured");
    }
    qsort(load->latencies_ns, load->latency_count, sizeof *load->latencies_ns, compare);
    (void)printf(
        "{\"reports\":%zu,\"all_reports\":%zu,\"seconds\":%.6f,\"rate\":%.1f,\"p50_us\":%.2f,"
        "\"p99_us\":%.2f,\"p999_us\":%.2f,\"max_us\":%.2f,\"resent\":%zu}\n",
        load->answered, load->answered + warm, seconds, (double)load->answered / seconds,
        percentile_us(load, 0.5), percentile_us(load, 0.99), percentile_us(load, 0.999),
        percentile_us(load, 1), load->resent);
}

static enum bench_mix mix_of(const char *word)
{
    static const char *const words[] = {"heartbeats", "swipes", "mixed"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            return (enum bench_mix)i;
        }
    }
    wire_fail("the mix is heartbeats, swipes or mixed");
}

static void prepare(struct load *load, uint16_t port, uint32_t first_seq)
{
    char client_id[FILTER_SIZE];
    char filter[FILTER_SIZE];

    load->machines = calloc(load->machine_count, sizeof *load->machines);
    load->idle = calloc(load->machine_count, sizeof *load->idle);
    if (load->machines == NULL || load->idle == NULL) {
        wire_fail("no memory");
    }
    for (size_t i = 0; i < load->machine_count; i++) {
        load->machines[i].seq = first_seq;
        load->idle[load->idle_count++] = i;
    }
    load->wire.on_publish = on_command;
    load->wire.context = load;
    (void)snprintf(client_id, sizeof client_id, "bench-load-%s", load->prefix);
    (void)snprintf(filter, sizeof filter, "%s/machine/+/command", load->prefix);
    wire_open(&load->wire, port, client_id, NULL);
    wire_subscribe(&load->wire, filter);
    while (!load->wire.subscribed) {
        turn(load);
    }
}

int main(int argc, char **argv)
{
    if (argc != 10) {
        wire_fail("usage: bench-load PORT PREFIX MACHINES WINDOW heartbeats|swipes|mixed CARD "
                  "SECONDS SECONDS-BEFORE FIRST-SEQ");
    }
    struct load load = {
        .prefix = argv[2],
        .machine_count = strtoul(argv[3], NULL, 10),
        .window = strtoul(argv[4], NULL, 10),
        .card = argv[6],
        .mix = BENCH_HEARTBEATS,
    };
    double seconds = strtod(argv[7], NULL);
    double before = strtod(argv[8], NULL);

    if (load.machine_count == 0 || load.window == 0) {
        wire_fail("MACHINES and WINDOW are at least 1");
    }
    prepare(&load, (uint16_t)strtoul(argv[1], NULL, 10), (uint32_t)strtoul(argv[9], NULL, 10));
    /* Each machine once, without a card, so that all begin alike. */
    run(&load, INT64_MAX, load.machine_count);
    size_t warm = load.answered;
    load.mix = mix_of(argv[5]);
    if (before > 0) {
        run(&load, wire_now_ns() + (int64_t)(before * SECOND_NS), SIZE_MAX);
        warm += load.answered;
    }
    load.measuring = true;
    int64_t start_ns = wire_now_ns();
    run(&load, start_ns + (int64_t)(seconds * SECOND_NS), SIZE_MAX);
    print(&load, (double)(load.progress_ns - start_ns) / SECOND_NS, warm);
    wire_cut(&load.wire);
    return EXIT_SUCCESS;
}
