/* C6 `block`: which cards are refused, as long as which list and which key say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/blocks.h"
#include "controller/support/card.h"
#include "controller/support/mqtt.h"
#include "persistence/store.h"
#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define MACHINES "{\"saw\": {\"authorizations_or\": []}}"

static struct card_key key;
static struct card_key other_key;
static struct roster *roster;
static struct blocks blocks;

static int set_up(void **state)
{
    (void)state;
    assert_true(card_key_from_hex(&key, KEY_A));
    assert_true(card_key_from_hex(&other_key, KEY_B));
    roster = roster_of(
        MACHINES, "[" USER("\"ada\"", "[\"1\", \"2\"]") "," USER("\"bob\"", "[\"3\"]") "]");
    blocks = (struct blocks){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    blocks_free(&blocks);
    roster_free(roster);
    return 0;
}

static void use_roster(const char *users)
{
    roster_free(roster);
    roster = roster_of(MACHINES, users);
}

/* Whether the card opens nothing, its number hashed under that key. */
static bool refused_under(const struct card_key *by, const char *card, const char *account)
{
    char padded[CARD_SIZE];
    char hash[CORE_CARD_SIZE];

    card_pad(padded, card);
    card_hash(by, padded, hash);
    return blocks_refuse(&blocks, by->fingerprint, hash, account);
}

static bool refused(const char *card, const char *account)
{
    return refused_under(&key, card, account);
}

static enum status try_set(const char *account, const char *card, bool blocked, size_t *ret_changed)
{
    char padded[CARD_SIZE];
    const struct roster_user *user = roster_user_by_account(roster, account);

    assert_non_null(user);
    card_pad(padded, card == NULL ? "" : card);
    return blocks_set(&blocks, &key, user, card == NULL ? NULL : padded, blocked, ret_changed);
}

/* How many cards that changed. */
static size_t set(const char *account, const char *card, bool blocked)
{
    size_t changed = 99;

    assert_int_equal(try_set(account, card, blocked, &changed), STATUS_OK);
    return changed;
}

/* ---- setting ---- */

static void C6_one_card_is_blocked_and_the_others_are_not(void **state)
{
    (void)state;
    assert_false(refused("1", "ada"));
    assert_int_equal(set("ada", "1", true), 1);
    assert_true(refused("1", "ada"));
    assert_true(refused("0000000001", "ada"));
    assert_false(refused("2", "ada"));
    assert_false(refused("3", "bob"));
    assert_false(refused("", ""));
    assert_int_equal(set("ada", "1", true), 0);
    assert_int_equal(blocks.count, 1);
    assert_int_equal(set("ada", "1", false), 1);
    assert_false(refused("1", "ada"));
    assert_int_equal(set("ada", "1", false), 0);
}

static void C6_all_cards_of_an_account_are_blocked(void **state)
{
    (void)state;
    assert_int_equal(set("ada", "2", true), 1);
    assert_int_equal(set("ada", NULL, true), 1);
    assert_true(refused("1", "ada"));
    assert_true(refused("2", "ada"));
    assert_false(refused("3", "bob"));
    assert_int_equal(set("bob", NULL, true), 1);
    assert_int_equal(set("ada", NULL, false), 2);
    assert_false(refused("1", "ada"));
    assert_true(refused("3", "bob"));
}

static void C6_a_card_of_somebody_else_is_not_found(void **state)
{
    size_t changed = 99;

    (void)state;
    assert_int_equal(try_set("ada", "3", true, &changed), STATUS_NOT_FOUND);
    assert_int_equal(changed, 99);
    assert_int_equal(blocks.count, 0);
}

static void a_full_list_blocks_all_cards_of_an_account_or_none(void **state)
{
    struct block *items = calloc(BLOCKS_MAX, sizeof *items);
    size_t changed = 99;

    (void)state;
    assert_non_null(items);
    for (size_t i = 0; i < BLOCKS_MAX - 1; i++) {
        text_copy(items[i].card, sizeof items[i].card, "another");
    }
    blocks.items = items;
    blocks.count = BLOCKS_MAX - 1;
    blocks.room = BLOCKS_MAX;
    assert_int_equal(try_set("ada", NULL, true, &changed), STATUS_FULL);
    assert_int_equal(changed, 99);
    assert_int_equal(blocks.count, BLOCKS_MAX - 1);
    assert_int_equal(set("ada", "1", true), 1);
    assert_int_equal(try_set("ada", "2", true, &changed), STATUS_FULL);
    assert_int_equal(set("ada", "1", true), 0);
    assert_int_equal(set("ada", NULL, false), 1);
}

/* ---- reload and key ---- */

static void C6_a_card_is_blocked_until_users_json_lists_it_no_longer(void **state)
{
    (void)state;
    set("ada", NULL, true);
    set("bob", NULL, true);
    assert_false(blocks_settle(&blocks, &key, roster));
    use_roster("[" USER("\"ada\"", "[\"2\", \"4\"]") "]");
    assert_true(blocks_settle(&blocks, &key, roster));
    assert_int_equal(blocks.count, 1);
    assert_true(refused("2", "ada"));
    assert_false(refused("1", "ada"));
    assert_false(refused("4", "ada"));
    assert_false(refused("3", "bob"));
    assert_false(blocks_settle(&blocks, &key, roster));
}

static void C6_a_card_that_went_to_somebody_else_is_not_blocked_for_them(void **state)
{
    (void)state;
    set("ada", "1", true);
    use_roster("[" USER("\"ada\"", "[\"2\"]") "," USER("\"bob\"", "[\"1\"]") "]");
    assert_true(blocks_settle(&blocks, &key, roster));
    assert_false(refused("1", "bob"));
}

static void while_the_key_is_another_one_the_person_is_blocked(void **state)
{
    (void)state;
    set("ada", "1", true);
    assert_true(refused_under(&other_key, "1", "ada"));
    assert_true(refused_under(&other_key, "2", "ada"));
    assert_false(refused_under(&other_key, "3", "bob"));
    assert_false(refused_under(&other_key, "9", ""));
}

static void a_key_that_is_replaced_by_another_keeps_each_card_as_it_is(void **state)
{
    (void)state;
    set("ada", "1", true);
    blocks_change_key(&blocks, &key, &other_key, roster);
    assert_string_equal(blocks.card_key, other_key.fingerprint);
    assert_true(refused_under(&other_key, "1", "ada"));
    assert_false(refused_under(&other_key, "2", "ada"));
    assert_false(blocks_settle(&blocks, &other_key, roster));
}

static void a_list_of_a_third_key_is_not_taken_for_one_of_the_key_that_is_replaced(void **state)
{
    struct card_key third;

    (void)state;
    set("ada", "1", true);
    card_key_random(&third);
    blocks_change_key(&blocks, &third, &other_key, roster);
    assert_string_equal(blocks.card_key, key.fingerprint);
}

static void a_key_that_got_lost_leaves_all_cards_of_the_person_blocked(void **state)
{
    (void)state;
    set("ada", "1", true);
    blocks.version = (struct version){7, 8};
    assert_true(blocks_settle(&blocks, &other_key, roster));
    assert_true(refused_under(&other_key, "1", "ada"));
    assert_true(refused_under(&other_key, "2", "ada"));
    assert_false(refused_under(&other_key, "3", "bob"));
    assert_int_equal(blocks.version.rev, 8);
    assert_false(blocks_settle(&blocks, &other_key, roster));
}

static void two_lists_of_one_key_unite(void **state)
{
    struct blocks other;

    (void)state;
    set("ada", "1", true);
    set("bob", "3", true);
    other = blocks;
    blocks = (struct blocks){0};
    set("ada", NULL, true);
    assert_int_equal(blocks_unite(&blocks, &other), STATUS_OK);
    assert_int_equal(blocks.count, 3);
    assert_true(refused("3", "bob"));
    blocks_free(&blocks);
    assert_int_equal(blocks_unite(&blocks, &other), STATUS_OK);
    assert_int_equal(blocks.count, 2);
    assert_true(refused("1", "ada"));
    blocks_free(&other);
}

/* ---- the document ---- */

static void what_is_printed_is_read_back(void **state)
{
    struct blocks read = {0};
    TEXT_LOCAL(printed, 4096);
    TEXT_LOCAL(why, 256);

    (void)state;
    use_roster("[" USER("\"a \\\"quoted\\\" ✂\"", "[\"1\", \"2\"]") "]");
    set("a \"quoted\" ✂", NULL, true);
    blocks.version = (struct version){VERSION_EPOCH_MAX, VERSION_REV_MAX};
    blocks_print(&blocks, &printed);
    assert_false(printed.cut);
    assert_null(strstr(printed.data, "0000000001"));
    assert_int_equal(blocks_parse(printed.data, printed.length, &read, &why), STATUS_OK);
    assert_int_equal(read.count, 2);
    assert_int_equal(version_compare(read.version, blocks.version), 0);
    assert_string_equal(read.card_key, key.fingerprint);
    for (size_t i = 0; i < read.count; i++) {
        assert_string_equal(read.items[i].card, blocks.items[i].card);
        assert_string_equal(read.items[i].account_id, blocks.items[i].account_id);
    }
    blocks_free(&read);
}

/* As many cards as there may be, all of that account; how long the document is. */
static size_t print_longest(const char *account)
{
    char *buffer = malloc(STORE_BLOCKS_MAX);
    struct text printed = text_over(buffer, STORE_BLOCKS_MAX);

    assert_non_null(buffer);
    blocks.items = calloc(BLOCKS_MAX, sizeof *blocks.items);
    assert_non_null(blocks.items);
    blocks.room = BLOCKS_MAX;
    for (blocks.count = 0; blocks.count < BLOCKS_MAX; blocks.count++) {
        struct block *block = &blocks.items[blocks.count];
        memset(block->card, 'f', sizeof block->card - 1);
        text_copy(block->account_id, sizeof block->account_id, account);
    }
    blocks_print(&blocks, &printed);
    assert_false(printed.cut);
    free(buffer);
    return printed.length;
}

static void the_longest_list_fits_into_what_is_kept(void **state)
{
    char account[CORE_NAME_SIZE];

    (void)state;
    for (size_t i = 0; i + 4 < sizeof account; i += 4) {
        memcpy(account + i, "🔨", 4); /* NOLINT(bugprone-not-null-terminated-result) */
    }
    account[sizeof account - 1] = '\0';
    assert_true(print_longest(account) < STORE_BLOCKS_MAX);
}

static void the_longest_list_of_plain_accounts_is_told_in_one_piece(void **state)
{
    char account[65];

    (void)state;
    memset(account, 'x', sizeof account - 1);
    account[sizeof account - 1] = '\0';
    assert_true(print_longest(account) <= MQTT_DIRECT_PAYLOAD_MAX);
}

static void a_card_that_stands_twice_in_a_document_is_unblocked_at_once(void **state)
{
    char hash[CORE_CARD_SIZE];
    TEXT_LOCAL(document, 512);
    TEXT_LOCAL(why, 256);

    (void)state;
    card_hash(&key, "0000000001", hash);
    text_addf(
        &document,
        "{\"epoch\":1,\"rev\":2,\"card_key\":\"%s\",\"cards\":["
        "{\"card\":\"%s\",\"account_id\":\"ada\"},{\"card\":\"%s\",\"account_id\":\"ada\"}]}",
        key.fingerprint, hash, hash);
    assert_int_equal(blocks_parse(document.data, document.length, &blocks, &why), STATUS_OK);
    assert_int_equal(set("ada", "1", false), 1);
    assert_false(refused("1", "ada"));
}

static void a_malformed_document_is_refused_and_changes_nothing(void **state)
{
    static const char *const documents[] = {
        "",
        "[]",
        "{}",
        "{\"epoch\":1,\"rev\":1,\"card_key\":\"k\"}",
        "{\"epoch\":1,\"rev\":1,\"cards\":[]}",
        "{\"epoch\":-1,\"rev\":1,\"card_key\":\"k\",\"cards\":[]}",
        "{\"epoch\":1,\"rev\":4294967296,\"card_key\":\"k\",\"cards\":[]}",
        "{\"epoch\":1099511627777,\"rev\":1,\"card_key\":\"k\",\"cards\":[]}",
        "{\"epoch\":1,\"rev\":1,\"card_key\":7,\"cards\":[]}",
        "{\"epoch\":1,\"rev\":1,\"card_key\":\"k\",\"cards\":{}}",
        "{\"epoch\":1,\"rev\":1,\"card_key\":\"k\",\"cards\":[7]}",
        "{\"epoch\":1,\"rev\":1,\"card_key\":\"k\",\"cards\":[{\"card\":\"a\"}]}",
        "{\"epoch\":1,\"rev\":1,\"card_key\":\"k\",\"cards\":[{\"card\":7,\"account_id\":\"a\"}]}",
        "{\"epoch\":1,\"rev\":1,\"card_key\":\"k\",\"cards\":[{\"card\":\"a\","
        "\"account_id\":null}]}",
        "{\"epoch\":1,\"rev\":1,\"card_key\":\"k\",\"cards\":[{\"account_id\":\"a\",\"card\":"
        "\"012345678901234567890123456789012\"}]}",
        "{\"epoch\":1,\"rev\":1,\"card_key\":\"k\",\"cards\":[]} x",
    };

    (void)state;
    set("ada", "1", true);
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        TEXT_LOCAL(why, 256);
        if (blocks_parse(documents[i], strlen(documents[i]), &blocks, &why) == STATUS_OK) {
            fail_msg("was taken: %s", documents[i]);
        }
        assert_true(why.length > 0);
        assert_int_equal(blocks.count, 1);
    }
    assert_true(refused("1", "ada"));
}

static void a_document_over_the_limit_is_refused(void **state)
{
    size_t size = 256 + (BLOCKS_MAX + 1) * 64;
    char *buffer = malloc(size);
    struct text document = text_over(buffer, size);
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_non_null(buffer);
    for (int too_many = 0; too_many <= 1; too_many++) {
        text_clear(&document);
        text_add(&document, "{\"epoch\":1,\"rev\":1,\"card_key\":\"k\",\"cards\":[");
        for (int i = 0; i < BLOCKS_MAX + too_many; i++) {
            text_addf(&document, "%s{\"card\":\"%d\",\"account_id\":\"a\"}", i > 0 ? "," : "", i);
        }
        text_add(&document, "]}");
        assert_false(document.cut);
        assert_int_equal(
            blocks_parse(document.data, document.length, &blocks, &why),
            too_many ? STATUS_FULL : STATUS_OK);
        assert_int_equal(blocks.count, BLOCKS_MAX);
    }
    free(buffer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C6_one_card_is_blocked_and_the_others_are_not),
        TEST(C6_all_cards_of_an_account_are_blocked),
        TEST(C6_a_card_of_somebody_else_is_not_found),
        TEST(a_full_list_blocks_all_cards_of_an_account_or_none),
        TEST(C6_a_card_is_blocked_until_users_json_lists_it_no_longer),
        TEST(C6_a_card_that_went_to_somebody_else_is_not_blocked_for_them),
        TEST(while_the_key_is_another_one_the_person_is_blocked),
        TEST(a_key_that_is_replaced_by_another_keeps_each_card_as_it_is),
        TEST(a_list_of_a_third_key_is_not_taken_for_one_of_the_key_that_is_replaced),
        TEST(a_key_that_got_lost_leaves_all_cards_of_the_person_blocked),
        TEST(two_lists_of_one_key_unite),
        TEST(what_is_printed_is_read_back),
        TEST(the_longest_list_fits_into_what_is_kept),
        TEST(the_longest_list_of_plain_accounts_is_told_in_one_piece),
        TEST(a_card_that_stands_twice_in_a_document_is_unblocked_at_once),
        TEST(a_malformed_document_is_refused_and_changes_nothing),
        TEST(a_document_over_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
