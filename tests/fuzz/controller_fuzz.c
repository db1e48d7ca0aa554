/* The whole controller: any messages, from a broker and a store that come and go. Each line of the
 * input is one thing that happens; `m topic payload` is a message, and the other letters are in
 * happen(). A `D` in front of all lets it tell Home Assistant. After each line no machine breaks an
 * invariant, and all that was published is well-formed. */
#include <string.h>
#include <unistd.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/json.h"
#include "controller/watcher/heard_event.h"
#include "persistence/memory.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "topics/command.h"
#include "topics/state.h"

#define LINES_MAX 150
#define TOKENS_MAX 64
#define LOOPS_MAX 20

static const char machines[] =
    "{\"saw\":{\"authorizations_or\":[\"wood\"],\"alias\":\"Table Saw\",\"idle_amps\":0.5,"
    "\"second_relay\":{\"authorizations_or\":[\"air\"],\"alias\":\"Extractor\"}},"
    "\"press\":{\"authorizations_or\":[],\"always_enabled\":true,"
    "\"second_relay\":{\"authorizations_or\":[\"air\"],\"always_enabled\":true}},"
    "\"laser\":{\"authorizations_or\":[\"laser\"],\"unauthorized_warn_only\":true,"
    "\"mains\":\"switched\"}}";
static const char machines_reloaded[] =
    "{\"saw\":{\"authorizations_or\":[\"laser\"],\"always_enabled\":true},"
    "\"lathe\":{\"authorizations_or\":[\"wood\"]},"
    "\"laser\":{\"authorizations_or\":[\"laser\"]}}";

#define PERSON(card, account, name, authorizations, more)                                          \
    "{\"fob_codes\":[\"" card "\"],\"account_id\":\"" account "\",\"full_name\":\"" name           \
    "\",\"first_name\":\"\",\"last_name\":\"\",\"preferred_name\":\"" name                         \
    "\",\"email\":\"\",\"expiration_ymd\":\"\",\"authorizations\":[" authorizations "]" more "}"
static const char users[] = "[" PERSON("1", "1", "Ada", "\"wood\",\"air\"", "") "," PERSON(
    "2", "2", "Bob", "",
    "") "," PERSON("3", "3", "Rosa", "\"laser\"", ",\"oops_override\":true") "]";
static const char users_reloaded[] =
    "[" PERSON("1", "1", "Ada", "", "") "," PERSON("3", "3", "Rosa", "\"wood\"", "") "]";

struct play {
    struct controller *controller;
    struct settings *settings;
    struct memory_database *database;
    struct store *store;
    struct now now;
    int tokens[TOKENS_MAX];
    size_t token_count;
    uint32_t echo;
    bool echo_waits;
    bool connected;
    bool roster_wanted;
    bool refuses; /* the outbox is full */
    char marker[64];
    bool marker_waits;
};

static struct roster *make_roster(bool reloaded)
{
    const char *first = reloaded ? machines_reloaded : machines;
    const char *second = reloaded ? users_reloaded : users;
    char machines_path[BYTES_PATH_SIZE];
    char users_path[BYTES_PATH_SIZE];
    int machines_fd = bytes_file(first, strlen(first), machines_path);
    int users_fd = bytes_file(second, strlen(second), users_path);
    struct roster *roster = NULL;
    TEXT_LOCAL(why, 512);

    FUZZ_CHECK(roster_load(machines_path, users_path, &roster, &why) == STATUS_OK);
    close(machines_fd);
    close(users_fd);
    return roster;
}

/* ---- what it publishes ---- */

static void
check_command(const struct play *play, const char *name, const char *payload, size_t length)
{
    const struct machine *machine = fleet_find(play->controller->fleet, name);
    struct command command;
    TEXT_LOCAL(why, 256);

    FUZZ_CHECK(command_parse(payload, length, &command, &why) == STATUS_OK);
    FUZZ_CHECK(machine != NULL);
    FUZZ_CHECK(!command.second_relay || command.relay); /* I3 */
    if (command.relay) {
        FUZZ_CHECK(
            (!command.oops_led && !command.lockout) ||
            machine->record.core.mode == CORE_OVERRIDE); /* I1 */
        FUZZ_CHECK(
            command.needs_card ? machine->record.core.card[0] != '\0'
                               : machine->config->config.always_enabled); /* I2 */
    }
}

static void check_published(
    const struct play *play, const struct topic_match *match, const char *payload, size_t length)
{
    struct state_copy copy = {0};
    struct json *document = NULL;
    struct heard_event event;
    TEXT_LOCAL(why, 256);

    if (length == 0) {
        FUZZ_CHECK(match->id == TOPIC_STATE || match->id == TOPIC_COMMAND);
        return;
    }
    FUZZ_CHECK(json_parse(payload, length, &document, &why) == STATUS_OK);
    if (match->id == TOPIC_COMMAND) {
        check_command(play, match->first, payload, length);
    } else if (match->id == TOPIC_STATE) {
        FUZZ_CHECK(state_parse(payload, length, &copy, &why) == STATUS_OK);
        state_copy_free(&copy);
    } else if (match->id == TOPIC_EVENT) {
        FUZZ_CHECK(heard_event_read(document, &event, &why) == STATUS_OK);
    }
    json_free(document);
}

static enum status take_published(
    void *context, const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    struct play *play = context;
    struct topic_match match;

    FUZZ_CHECK(qos >= 0 && qos <= 1);
    if (strncmp(topic, "homeassistant/", strlen("homeassistant/")) == 0) {
        FUZZ_CHECK(retain);
        return play->refuses ? STATUS_FULL : STATUS_OK;
    }
    FUZZ_CHECK(topic_parse("tagout", topic, &match) == STATUS_OK);
    if (match.id == TOPIC_CONTROLLER_MARKER) {
        FUZZ_CHECK(length < sizeof play->marker);
        memcpy(play->marker, payload, length);
        play->marker[length] = '\0';
        play->marker_waits = true;
    } else {
        check_published(play, &match, payload, length);
    }
    return play->refuses ? STATUS_FULL : STATUS_OK;
}

static enum status
subscribe(void *context, const char *const filters[], const int qos[], size_t count, int token)
{
    struct play *play = context;

    (void)filters;
    (void)qos;
    (void)count;
    if (!play->connected || play->token_count == TOKENS_MAX) {
        return STATUS_DISCONNECTED;
    }
    play->tokens[play->token_count++] = token;
    return STATUS_OK;
}

static enum status unsubscribe(void *context, const char *filter)
{
    (void)context;
    (void)filter;
    return STATUS_OK;
}

static void echo(void *context, uint32_t number)
{
    struct play *play = context;

    play->echo = number;
    play->echo_waits = play->connected;
}

static void discard(void *context, bool events)
{
    (void)context;
    (void)events;
}

static struct now now(void *context)
{
    const struct play *play = context;
    return play->now;
}

static bool is_synchronised(void *context)
{
    (void)context;
    return true;
}

static enum status read_roster(void *context)
{
    struct play *play = context;

    play->roster_wanted = true;
    return STATUS_OK;
}

/* ---- what happens ---- */

/* Everything that a broker and a store answer by themselves. */
static void settle(struct play *play)
{
    for (int i = 0; i < LOOPS_MAX; i++) {
        bool done = memory_store_run(play->store) == 0;

        while (play->connected && play->token_count > 0) {
            controller_on_subscribed(play->controller, play->tokens[--play->token_count], true);
            done = false;
        }
        if (play->connected && play->marker_waits) {
            play->marker_waits = false;
            controller_on_message(
                play->controller, "tagout/controller/one/marker", play->marker,
                strlen(play->marker), false);
            done = false;
        }
        if (play->connected && play->echo_waits) {
            play->echo_waits = false;
            controller_on_echo(play->controller, play->echo);
            done = false;
        }
        if (done) {
            return;
        }
    }
}

/* Time passes, in steps in which the controller may do what is due. */
static void pass(struct play *play, int64_t ms)
{
    int64_t end = play->now.mono.ms + ms;

    for (int i = 0; i < LOOPS_MAX; i++) {
        struct mono_time next = controller_tick(play->controller);
        int64_t at = next.ms > play->now.mono.ms && next.ms < end ? next.ms : end;

        play->now.wall.ms += at - play->now.mono.ms;
        play->now.mono.ms = at;
        memory_database_set_clock(play->database, play->now.mono);
        (void)controller_tick(play->controller);
        settle(play);
        if (at == end) {
            return;
        }
    }
    play->now.mono.ms = end;
}

static void connect_broker(struct play *play)
{
    if (!play->connected) {
        play->connected = true;
        controller_on_connected(play->controller);
    }
}

static void disconnect_broker(struct play *play)
{
    if (play->connected) {
        play->connected = false;
        play->token_count = 0;
        play->marker_waits = play->echo_waits = false;
        controller_on_disconnected(play->controller, "the test says so");
    }
}

static void hear(struct play *play, struct bytes *line, bool retained)
{
    size_t topic_length;
    size_t length;
    char *topic = bytes_until(line, ' ', true, &topic_length);
    char *payload = bytes_until(line, '\0', true, &length);
    TEXT_LOCAL(whole, 2 * TOPIC_SIZE);

    text_addf(&whole, "tagout/%s", topic);
    if (topic_is_request(whole.data)) {
        controller_on_request(play->controller, whole.data, payload, length, retained, false);
    } else {
        controller_on_message(
            play->controller, topic[0] == '/' ? topic + 1 : whole.data, payload, length, retained);
    }
    free(topic);
    free(payload);
}

static void happen(struct play *play, struct bytes *line)
{
    uint8_t what = bytes_8(line);

    switch (what) {
    case 'm':
    case 'r':
        hear(play, line, what == 'r');
        break;
    case 'j':
        controller_flush(play->controller);
        break;
    case 'c':
        connect_broker(play);
        break;
    case 'd':
        disconnect_broker(play);
        break;
    case 'u':
        memory_store_up(play->store);
        break;
    case 'b':
        memory_store_down(play->store, "the test says so", bytes_8(line) == '1');
        break;
    case 'f':
        memory_store_freeze(play->store, bytes_8(line) == '1');
        break;
    case 'x':
        memory_store_fail(play->store, 1, (enum memory_fault)(bytes_8(line) % 4));
        break;
    case 'w':
        memory_database_wipe(play->database);
        break;
    case 'o':
        play->refuses = bytes_8(line) == '1';
        break;
    case 'h':
        controller_reload(play->controller);
        break;
    case 'l':
        if (play->roster_wanted) {
            bool fails = bytes_8(line) == '1';
            play->roster_wanted = false;
            controller_on_roster(
                play->controller, fails ? NULL : make_roster(bytes_8(line) == '1'),
                fails ? "the test says so" : NULL);
        }
        break;
    default:
        pass(play, bytes_ms(line));
        break;
    }
}

static void check_fleet(const struct play *play)
{
    for (size_t i = 0; i < fleet_count(play->controller->fleet); i++) {
        const struct machine *machine = fleet_at(play->controller->fleet, i);

        FUZZ_CHECK(
            machine->config == NULL ||
            core_broken_invariant(&machine->config->config, &machine->record.core) == 0);
    }
}

/* Read once: it is the same each time, and takes long under the sanitizers. */
static struct settings *the_settings(void)
{
    static struct settings *settings;
    TEXT_LOCAL(why, 256);

    if (settings == NULL) {
        FUZZ_CHECK(settings_load(NULL, &settings, &why) == STATUS_OK);
        free(settings->controller.id);
        settings->controller.id = strdup("one");
        settings->homeassistant.may_clear = true;
    }
    return settings;
}

static void open_play(struct play *play, bool discovery)
{
    struct controller_ports ports = {
        .broker = {play, take_published, subscribe, unsubscribe, echo, discard, NULL},
        .host = {play, now, NULL, is_synchronised, read_roster},
    };
    struct store_events events;

    play->settings = the_settings();
    play->settings->homeassistant.discovery = discovery;
    FUZZ_CHECK(memory_database_new(&play->database) == STATUS_OK);
    FUZZ_CHECK(
        controller_new(play->settings, make_roster(false), &ports, &play->controller) == STATUS_OK);
    events = controller_store_events(play->controller);
    FUZZ_CHECK(memory_store_new(play->database, &events, &play->store) == STATUS_OK);
    controller_start(play->controller, play->store);
    memory_store_up(play->store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct play play = {.now = {.mono = {5000}, .wall = {INT64_C(1767636000000)}}};

    open_play(&play, bytes_8(&bytes) == 'D');
    for (int i = 0; i < LINES_MAX && !bytes_end(&bytes); i++) {
        size_t length;
        char *line = bytes_until(&bytes, '\n', false, &length);
        struct bytes rest = bytes_of((const uint8_t *)line, length);

        happen(&play, &rest);
        settle(&play);
        check_fleet(&play);
        free(line);
    }
    controller_stop(play.controller);
    play.store->operations->close(play.store);
    controller_free(play.controller);
    memory_database_free(play.database);
    return 0;
}
