/* The store against a Redis that answers anything: the input is a row of answers, one to each
 * command that comes. `=` is the answer that Redis would give, `@` a raw answer up to the next \1;
 * `!` hangs up. */
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/core/decide.h"
#include "persistence/store.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

#define TURNS_MAX 40
#define SHA "0123456789012345678901234567890123456789"
#define SHA_REST "012345678901234567890123" /* a card key has 64 digits */

/* What is asked for, and has one answer each. */
enum question {
    LOAD,
    LEASE,
    CARD_KEY,
    BLOCKS,
    BLOCKS_SAVE,
    SAVE,
    QUESTIONS,
};

struct play {
    struct event_base *base;
    struct store *store;
    struct bytes answers;
    int peer;
    bool asked;
    unsigned waiting[QUESTIONS]; /* for their answers */
};

/* ---- the store's owner ---- */

static void answered(void *context, enum question question)
{
    struct play *play = context;

    FUZZ_CHECK(play->waiting[question] > 0);
    play->waiting[question]--;
}

static void on_reason(void *context, const char *reason)
{
    (void)context;
    FUZZ_CHECK(reason != NULL && strlen(reason) < 1024);
}

static void on_down(void *context, enum store_down down, const char *reason)
{
    (void)down;
    on_reason(context, reason);
}

static void on_record(void *context, const struct record *record)
{
    const struct core_config config = {.always_enabled = record->core.mode == CORE_ALWAYS_ON};

    (void)context;
    FUZZ_CHECK(core_broken_invariant(&config, &record->core) == 0);
}

static void on_bad_record(void *context, const char *machine, const char *reason)
{
    (void)context;
    FUZZ_CHECK(machine[0] != '\0' && reason[0] != '\0');
}

static void on_loaded(void *context, bool ok)
{
    answered(context, LOAD);
    (void)ok;
}

static void on_lease(void *context, const struct store_lease_answer *answer)
{
    answered(context, LEASE);
    FUZZ_CHECK(answer->epoch <= VERSION_EPOCH_MAX || answer->lease == STORE_LEASE_ERROR);
    FUZZ_CHECK(answer->remaining_ms >= 0);
}

static void on_card_key(void *context, bool ok, const char *key_hex)
{
    answered(context, CARD_KEY);
    FUZZ_CHECK(!ok || strspn(key_hex, "0123456789abcdefABCDEF") == 64);
}

static void on_saved(void *context, uint64_t token, enum store_saved result, const char *reason)
{
    answered(context, SAVE);
    (void)token;
    FUZZ_CHECK(result <= STORE_SAVE_LOST && reason != NULL);
}

static void on_blocks(void *context, bool ok, const char *text)
{
    answered(context, BLOCKS);
    FUZZ_CHECK(ok || text == NULL);
}

static void on_blocks_saved(void *context, enum store_saved result, const char *reason)
{
    answered(context, BLOCKS_SAVE);
    FUZZ_CHECK(result <= STORE_SAVE_LOST && reason != NULL);
}

static void ask_all(struct play *play)
{
    const struct store_operations *operations = play->store->operations;
    const char *const machines[] = {"saw", "laser"};
    const struct store_claim claim = {
        .id = "one", .token = "token", .duration_ms = 5000, .now = {1767636000000}};
    struct record record = {.machine = "saw"};

    core_state_init(&record.core);
    play->waiting[LOAD] += operations->load(play->store, machines, 2) == STATUS_OK;
    play->waiting[LEASE] += operations->take_lease(play->store, &claim) == STATUS_OK;
    play->waiting[BLOCKS] += operations->load_blocks(play->store) == STATUS_OK;
    play->waiting[BLOCKS_SAVE] +=
        operations->save_blocks(play->store, (struct version){1, 1}, "{}") == STATUS_OK;
    (void)operations->forget(play->store, "lathe");
    play->waiting[SAVE] += operations->save(play->store, &record, 1) == STATUS_OK;
    (void)operations->release_lease(play->store, &claim);
    play->waiting[CARD_KEY] += operations->card_key(play->store, SHA SHA_REST) == STATUS_OK;
}

static void on_up(void *context)
{
    struct play *play = context;

    if (!play->asked) {
        play->asked = true;
        ask_all(play);
    }
}

static struct store_events events_of(struct play *play)
{
    return (struct store_events){
        .context = play,
        .on_up = on_up,
        .on_down = on_down,
        .on_record = on_record,
        .on_bad_record = on_bad_record,
        .on_loaded = on_loaded,
        .on_lease = on_lease,
        .on_card_key = on_card_key,
        .on_saved = on_saved,
        .on_blocks = on_blocks,
        .on_blocks_saved = on_blocks_saved,
        .on_trouble = on_reason,
    };
}

/* ---- Redis ---- */

static void send_bytes(const struct play *play, const char *bytes, size_t length)
{
    (void)send(play->peer, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The answer to the next command; false when it hung up. */
static bool answer(struct play *play)
{
    static const char sha[] = "$40\r\n" SHA "\r\n";
    size_t length;
    char *raw;

    switch (bytes_8(&play->answers)) {
    case '@':
        raw = bytes_until(&play->answers, '\1', false, &length);
        send_bytes(play, raw, length);
        free(raw);
        return true;
    case '!':
        return false;
    case 'n':
        send_bytes(play, "$-1\r\n", 5);
        return true;
    default:
        send_bytes(play, sha, sizeof sha - 1);
        return true;
    }
}

/* Counts the commands in what has come: each begins with `*`, and ours hold no other line that
 * does. */
static bool serve(struct play *play)
{
    char buffer[8192];
    ssize_t count = recv(play->peer, buffer, sizeof buffer, MSG_DONTWAIT);
    char last = '\n';

    if (count <= 0) {
        return count < 0;
    }
    for (ssize_t i = 0; i < count; i++) {
        if (buffer[i] == '*' && last == '\n' && !answer(play)) {
            return false;
        }
        last = buffer[i];
    }
    return true;
}

static void run(struct play *play, int listener)
{
    play->peer = -1;
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        if (play->peer < 0) {
            play->peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        }
        if (event_base_loop(play->base, EVLOOP_NONBLOCK) != 0) {
            break;
        }
        if (play->peer >= 0 && !serve(play)) {
            close(play->peer);
            play->peer = -1;
        }
    }
    if (play->peer >= 0) {
        close(play->peer);
    }
    /* Whatever still waits is lost with the connection, and its owner is told. */
    for (int turn = 0; turn < 4; turn++) {
        (void)event_base_loop(play->base, EVLOOP_NONBLOCK);
    }
    for (int question = 0; question < QUESTIONS; question++) {
        FUZZ_CHECK(play->waiting[question] == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int listener = -1;
    static char path[BYTES_PLACE_SIZE];
    struct play play = {.base = event_base_new(), .answers = bytes_of(data, size)};
    struct store_events events = events_of(&play);
    struct redis_options options = {.base = play.base, .prefix = "tagout"};
    TEXT_LOCAL(url, BYTES_PLACE_SIZE + 8);
    TEXT_LOCAL(why, 256);

    if (listener < 0) {
        listener = bytes_listen(path, "redis");
        (void)signal(SIGPIPE, SIG_IGN); /* store.h */
    }
    text_addf(&url, "unix://%s", path);
    options.url = url.data;
    FUZZ_CHECK(redis_store_new(&options, &events, &play.store, &why) == STATUS_OK);
    run(&play, listener);
    play.store->operations->close(play.store);
    event_base_free(play.base);
    return 0;
}
