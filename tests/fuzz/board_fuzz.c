/* What tagoutctl makes of whatever is published: messages are lines `topic payload`, and nothing of
 * them may command the terminal. */
#include <string.h>

#include "controller/ctl/board.h"
#include "controller/ctl/words.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

#define MESSAGES_MAX 60
#define OUT_SIZE 65536

/* Printable, or a character of several bytes, or the end of a line. */
static void check_tame(const struct text *out)
{
    FUZZ_CHECK(utf8_is_valid(out->data, out->length));
    for (const char *at = out->data; *at != '\0'; at++) {
        FUZZ_CHECK(*at == '\n' || ((unsigned char)*at >= ' ' && *at != 0x7f));
        /* U+0080 to U+009F are control characters, too. */
        FUZZ_CHECK((unsigned char)at[0] != 0xc2 || (unsigned char)at[1] >= 0xa0);
    }
}

static void check_machine(const struct board_machine *machine, struct text *out)
{
    const struct wall_time now = {INT64_C(1767636000000)};

    if (machine->has_state) {
        text_clear(out);
        (void)words_state(out, &machine->copy.state, now);
        check_tame(out);
        text_clear(out);
        (void)words_relay(out, &machine->copy.state);
        text_add(out, " ");
        (void)words_notes(out, &machine->copy.state, machine->link);
        words_oops(out, &machine->copy.state, now);
        words_lockout(out, &machine->copy.state, now);
        check_tame(out);
    }
}

static void check_board(const struct board *board)
{
    static char bytes[OUT_SIZE];
    struct text out = text_over(bytes, sizeof bytes);

    board_not_well(board, &out);
    check_tame(&out);
    text_clear(&out);
    board_absent(board, &out);
    (void)board_count(board, &out);
    check_tame(&out);
    for (size_t i = 0; i < board->machine_count; i++) {
        FUZZ_CHECK(board_find(board, board->machines[i]->name) == board->machines[i]);
        check_machine(board->machines[i], &out);
    }
    for (size_t back = 0; board_event(board, back) != NULL; back++) {
        FUZZ_CHECK(back < BOARD_EVENTS_MAX);
        text_clear(&out);
        words_escape(&out, board_event(board, back)->text);
        check_tame(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct board *board = calloc(1, sizeof *board);

    FUZZ_CHECK(board != NULL);
    for (int i = 0; i < MESSAGES_MAX && !bytes_end(&bytes); i++) {
        size_t length;
        char *topic = bytes_until(&bytes, ' ', true, &length);
        char *payload = bytes_until(&bytes, '\n', true, &length); /* strndup is taken at its word */
        struct topic_match match;

        if (topic_parse("t", topic, &match) == STATUS_OK) {
            (void)board_take(board, &match, payload, length);
        }
        free(topic);
        free(payload);
    }
    check_board(board);
    board_free(board);
    free(board);
    return 0;
}
