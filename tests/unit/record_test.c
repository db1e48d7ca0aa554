/* C9.1: a machine's state as hash fields, and what is believed of it when it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/core/decide.h"
#include "persistence/record.h"

/* A record of an open session with something in every field. */
static struct record in_use(void)
{
    struct record record;

    memset(&record, 0, sizeof record);
    core_state_init(&record.core);
    text_copy(record.machine, sizeof record.machine, "table-saw_2");
    record.core.mode = CORE_IN_USE;
    record.core.second = CORE_SECOND_WARN;
    record.core.second_relay = true;
    text_copy(record.core.card, sizeof record.core.card, "0123456789abcdef0123456789abcdef");
    text_copy(record.card_key, sizeof record.card_key, "fedcba9876543210");
    record.core.has_user = true;
    text_copy(record.core.user.name, sizeof record.core.user.name, "Zoë Ångström 木工");
    text_copy(record.core.user.account_id, sizeof record.core.user.account_id, "acct 7; \"x\"");
    record.core.faults = CORE_FAULT(CORE_FAULT_USER_REVOKED);
    record.core.known = true;
    text_copy(record.core.boot_id, sizeof record.core.boot_id, "b0-07");
    record.core.seq = UINT32_MAX;
    record.core.uptime_s = 12345.678901234567;
    record.core.version = (struct version){VERSION_EPOCH_MAX, VERSION_REV_MAX};
    record.core.switched = (struct version){VERSION_EPOCH_MAX, 7};
    record.core.health = CORE_HEALTH_ONLINE;
    record.core.session_since = (struct wall_time){1700000000123};
    record.core.last_report = (struct wall_time){1700000001001};
    record.core.last_update = (struct wall_time){1700000000999};
    record.core.booted_at = (struct wall_time){1};
    text_copy(record.core.watch.last_user, sizeof record.core.watch.last_user, "Zoë");
    record.event_n = 42;
    record.save_timeouts = 3;
    text_copy(record.fw, sizeof record.fw, "2024.6.1");
    text_copy(record.oops_by, sizeof record.oops_by, "Größe");
    record.oops_at = (struct wall_time){1600000000000};
    text_copy(record.lockout_by, sizeof record.lockout_by, "Jörg");
    text_copy(record.lockout_reason, sizeof record.lockout_reason, "blade\nis \"dull\" \\ ✂");
    record.lockout_at = (struct wall_time){1500000000500};
    return record;
}

static struct record idle(void)
{
    struct record record = in_use();

    record.core.mode = CORE_IDLE;
    record.core.second = CORE_SECOND_NONE;
    record.core.second_relay = false;
    record.core.has_user = false;
    memset(&record.core.user, 0, sizeof record.core.user);
    record.core.session_since = (struct wall_time){0};
    return record;
}

static enum record_verdict
read_back(const struct record_fields *fields, struct record *ret_record, struct text *why)
{
    return record_read("table-saw_2", fields->fields, fields->count, ret_record, why);
}

static void assert_same(const struct record *a, const struct record *b)
{
    struct record_fields of_a;
    struct record_fields of_b;

    record_write(a, &of_a);
    record_write(b, &of_b);
    for (size_t i = 0; i < of_a.count; i++) {
        if (strcmp(of_a.fields[i].value, of_b.fields[i].value) != 0) {
            fail_msg(
                "%s: \"%s\" is not \"%s\"", of_a.fields[i].name, of_a.fields[i].value,
                of_b.fields[i].value);
        }
    }
    /* Bit for bit: a rounded uptime would look like a reboot. */
    assert_memory_equal(&a->core.uptime_s, &b->core.uptime_s, sizeof a->core.uptime_s);
}

static void assert_comes_back(const struct record *record)
{
    struct record_fields fields;
    struct record loaded;
    TEXT_LOCAL(why, 512);

    record_write(record, &fields);
    if (read_back(&fields, &loaded, &why) != RECORD_GOOD) {
        fail_msg("%s: %s", core_mode_text(record->core.mode), why.data);
    }
    assert_same(record, &loaded);
    assert_memory_equal(&loaded.core.user, &record->core.user, sizeof loaded.core.user);
    assert_int_equal(loaded.core.version.epoch, record->core.version.epoch);
    assert_int_equal(loaded.core.version.rev, record->core.version.rev);
    assert_int_equal(loaded.lockout_at.ms, record->lockout_at.ms);
    assert_false(loaded.core.heard);
    assert_int_equal(loaded.core.session_started.ms, 0);
}

static void C9_1_a_session_comes_back_as_it_was(void **state)
{
    struct record record = in_use();

    (void)state;
    assert_comes_back(&record);
}

/* Every combination of mode, flags, user, card and second relay, whether possible or not: what
 * could have been comes back, and all else comes back at base with its flags. */
static void C9_1_every_state_comes_back_or_is_at_base_with_its_flags(void **state)
{
    unsigned good = 0;
    unsigned damaged = 0;

    (void)state;
    for (unsigned i = 0; i < CORE_MODE_COUNT * CORE_SECOND_COUNT * 64u; i++) {
        struct record record = in_use();
        struct record loaded;
        struct record_fields fields;
        TEXT_LOCAL(why, 512);

        record.core.mode = (enum core_mode)(i / 64 / CORE_SECOND_COUNT);
        record.core.second = (enum core_second)(i / 64 % CORE_SECOND_COUNT);
        record.core.second_relay = (i & 1) != 0;
        record.core.oopsed = (i & 2) != 0;
        record.core.locked_out = (i & 4) != 0;
        record.core.has_user = (i & 8) != 0;
        record.core.card_spent = (i & 16) != 0;
        if ((i & 32) != 0) {
            record.core.card[0] = '\0';
        }
        record_write(&record, &fields);
        enum record_verdict verdict = read_back(&fields, &loaded, &why);
        assert_int_not_equal(verdict, RECORD_REFUSED);
        assert_int_equal(loaded.core.oopsed, record.core.oopsed);
        assert_int_equal(loaded.core.locked_out, record.core.locked_out);
        assert_string_equal(loaded.core.card, record.core.card);

        struct core_config config = {
            .always_enabled = loaded.core.mode == CORE_ALWAYS_ON,
            .second_relay = {.present = true},
        };
        assert_int_equal(core_broken_invariant(&config, &loaded.core), 0);
        if (verdict == RECORD_GOOD) {
            good++;
            assert_same(&record, &loaded);
        } else {
            damaged++;
            assert_false(core_mode_relay(loaded.core.mode));
            assert_false(loaded.core.second_relay);
            assert_false(loaded.core.has_user);
            assert_int_equal(loaded.core.card_spent, loaded.core.card[0] != '\0');
        }
    }
    print_message("%u possible states, %u impossible ones\n", good, damaged);
    assert_in_range(good, 100, damaged);
}

static void C9_1_strings_at_their_limits_come_back(void **state)
{
    struct record record = idle();

    (void)state;
    memset(record.fw, 'f', sizeof record.fw - 1);
    memset(record.oops_by, 'o', sizeof record.oops_by - 1);
    memset(record.lockout_by, 'l', sizeof record.lockout_by - 1);
    memset(record.core.boot_id, 'b', sizeof record.core.boot_id - 1);
    for (size_t i = 0; i + 4 < sizeof record.lockout_reason; i += 4) {
        memcpy(record.lockout_reason + i, "\xf0\x9f\xaa\x9a", 4);
    }
    assert_comes_back(&record);
}

static void C9_1_an_uptime_comes_back_bit_for_bit(void **state)
{
    static const double uptimes[] = {0, 0.1, 1e-300, 1.0 / 3, 86400.5, 4294967296.125, 1e300};

    (void)state;
    for (size_t i = 0; i < sizeof uptimes / sizeof uptimes[0]; i++) {
        struct record record = idle();
        record.core.uptime_s = uptimes[i];
        assert_comes_back(&record);
    }
}

static void C9_1_people_can_read_the_fields(void **state)
{
    static const char *const expected[][2] = {
        {"machine", "table-saw_2"},
        {"mode", "in_use"},
        {"relay", "true"},
        {"oops", "false"},
        {"second_relay_authorization", "warn"},
        {"user", "Zoë Ångström 木工"},
        {"faults", "user_revoked"},
        {"session_since", "1700000000.123"},
        {"epoch", "1099511627776"},
        {"rev", "4294967295"},
        {"save_timeouts", "3"},
    };
    struct record record = in_use();
    struct record_fields fields;

    (void)state;
    record_write(&record, &fields);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const char *value = "missing";
        for (size_t j = 0; j < fields.count; j++) {
            if (strcmp(fields.fields[j].name, expected[i][0]) == 0) {
                value = fields.fields[j].value;
            }
        }
        assert_string_equal(value, expected[i][1]);
    }
}

static struct record_field *field_of(struct record_fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strcmp(fields->fields[i].name, name) == 0) {
            return &fields->fields[i];
        }
    }
    fail_msg("no field %s", name);
    return &fields->fields[0];
}

static void set_field(struct record_fields *fields, const char *name, const char *value)
{
    struct record_field *field = field_of(fields, name);

    field->value = value;
    field->value_length = strlen(value);
}

static void C9_1_unknown_fields_and_any_order_are_fine(void **state)
{
    struct record record = in_use();
    struct record_fields fields;
    struct record loaded;
    TEXT_LOCAL(why, 512);

    (void)state;
    record_write(&record, &fields);
    fields.fields[fields.count++] = (struct record_field){"colour", 6, "blue", 4};
    for (size_t i = 0; i < fields.count / 2; i++) {
        struct record_field swapped = fields.fields[i];
        fields.fields[i] = fields.fields[fields.count - 1 - i];
        fields.fields[fields.count - 1 - i] = swapped;
    }
    assert_int_equal(read_back(&fields, &loaded, &why), RECORD_GOOD);
    assert_same(&record, &loaded);
}

/* What a damaged field costs. A row a field; every other field must come back as it was. */
static const struct {
    const char *field;
    bool session; /* ends */
} costs[] = {
    {"format", true},
    {"machine", true},
    {"health", false},
    {"mode", true},
    {"relay", true},
    {"second_relay", true},
    {"second_relay_authorization", true},
    {"oops_at", false},
    {"lockout_at", false},
    {"override", true},
    {"emergency", true},
    {"has_user", true},
    {"session_since", false},
    {"last_update", false},
    {"last_user", false},
    {"last_report", false},
    {"booted_at", false},
    {"known", true},
    {"boot_id", true},
    {"seq", true},
    {"uptime", true},
    {"card", true},
    {"card_key", true},
    {"card_spent", true},
    {"faults", false},
    {"event_n", false},
    {"save_timeouts", false},
    {"switched_epoch", false},
    {"switched_rev", false},
    {"epoch", false},
    {"rev", false},
    {"oops_by", false},
    {"lockout_by", false},
    {"lockout_reason", false},
    {"user", true},
    {"account_id", true},
    {"fw", false},
};

static const char *const rubbish[] = {
    "maybe", "-1", "99999999999999999999", "1.5.5", "\xff\xfe", "\"", " 1", "1e", "0x10",
};

static bool is_text(const char *field)
{
    static const char *const texts[] = {"oops_by",    "lockout_by", "lockout_reason", "user",
                                        "account_id", "fw",         "last_user"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(field, texts[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void
assert_cost(const struct record_fields *fields, const char *field, bool session, const char *value)
{
    struct record before = in_use();
    struct record loaded;
    TEXT_LOCAL(why, 512);

    if (read_back(fields, &loaded, &why) != RECORD_DAMAGED) {
        fail_msg("%s = \"%s\" was not noticed: %s", field, value, why.data);
    }
    if (strncmp(why.data, field, strlen(field)) != 0) {
        /* The field that follows from the mode is blamed with it. */
        assert_non_null(strstr(why.data, field));
    }
    assert_false(loaded.core.oopsed);
    assert_false(loaded.core.locked_out);
    if (session) {
        assert_int_equal(loaded.core.mode, CORE_IDLE);
        assert_false(loaded.core.second_relay);
        assert_false(loaded.core.has_user);
        assert_string_equal(loaded.core.user.name, "");
        assert_int_equal(loaded.core.card_spent, loaded.core.card[0] != '\0');
    } else {
        assert_int_equal(loaded.core.mode, CORE_IN_USE);
        assert_string_equal(loaded.core.user.name, before.core.user.name);
        assert_string_equal(loaded.core.card, before.core.card);
        assert_string_equal(loaded.core.boot_id, before.core.boot_id);
    }
    if (strcmp(field, "epoch") == 0 || strcmp(field, "rev") == 0) {
        assert_int_equal(loaded.core.version.epoch, 0);
        assert_int_equal(loaded.core.version.rev, 0);
    } else {
        assert_int_equal(loaded.core.version.rev, before.core.version.rev);
    }
    assert_true(version_compare(loaded.core.switched, loaded.core.version) <= 0);
}

static void C9_1_a_damaged_field_costs_what_it_must_and_no_more(void **state)
{
    struct record record = in_use();

    (void)state;
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        for (size_t j = 0; j < sizeof rubbish / sizeof rubbish[0]; j++) {
            struct record_fields fields;
            const char *value = is_text(costs[i].field) ? "\xc3(" : rubbish[j];

            if (strncmp(costs[i].field, "card", 4) == 0 || strcmp(costs[i].field, "boot_id") == 0) {
                value = j % 2 == 0 ? "back\\slash" : "t\xc3\xb6o";
                value = strcmp(costs[i].field, "card_spent") == 0 ? rubbish[j] : value;
            }
            if (strcmp(costs[i].field, "uptime") == 0 && rubbish[j][0] == '9') {
                value = "1e999"; /* any finite number is an uptime */
            }
            record_write(&record, &fields);
            set_field(&fields, costs[i].field, value);
            assert_cost(&fields, costs[i].field, costs[i].session, value);
        }
    }
}

static void C9_1_a_missing_field_costs_what_a_damaged_one_does(void **state)
{
    struct record record = in_use();

    (void)state;
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        struct record_fields fields;

        record_write(&record, &fields);
        *field_of(&fields, costs[i].field) = fields.fields[fields.count - 1];
        fields.count--;
        assert_cost(&fields, costs[i].field, costs[i].session, "(missing)");
    }
}

static void C9_1_too_long_or_with_a_NUL_is_damaged(void **state)
{
    static char longer[700];
    struct record record = in_use();
    struct record loaded;
    struct record_fields fields;
    TEXT_LOCAL(why, 512);

    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    for (size_t cut = 257; cut < sizeof longer; cut += 200) {
        record_write(&record, &fields);
        *field_of(&fields, "user") = (struct record_field){"user", 4, longer, cut};
        assert_int_equal(read_back(&fields, &loaded, &why), RECORD_DAMAGED);
        assert_int_equal(loaded.core.mode, CORE_IDLE);
    }
    record_write(&record, &fields);
    *field_of(&fields, "oops") = (struct record_field){"oops", 4, "false\0x", 7};
    assert_int_equal(read_back(&fields, &loaded, &why), RECORD_DAMAGED);
    assert_true(loaded.core.oopsed);
}

/* Losing a lockout is worse than losing a session. */
static void C9_1_lockout_survives_damage_to_everything_else(void **state)
{
    struct record record = idle();

    (void)state;
    record.core.locked_out = true;
    record.core.mode = CORE_LOCKOUT;
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        struct record_fields fields;
        struct record loaded;
        TEXT_LOCAL(why, 512);

        record_write(&record, &fields);
        set_field(&fields, costs[i].field, "\xff");
        assert_int_equal(read_back(&fields, &loaded, &why), RECORD_DAMAGED);
        assert_true(loaded.core.locked_out);
        assert_false(loaded.core.oopsed);
        assert_int_equal(loaded.core.mode, CORE_LOCKOUT);
    }
}

static void C9_1_a_flag_that_cannot_be_read_counts_as_set(void **state)
{
    static const char *const flags[] = {"oops", "lockout"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct record record = in_use();
        struct record loaded;
        struct record_fields fields;
        TEXT_LOCAL(why, 512);

        record_write(&record, &fields);
        set_field(&fields, flags[i], "maybe");
        assert_int_equal(read_back(&fields, &loaded, &why), RECORD_DAMAGED);
        assert_int_equal(loaded.core.oopsed, i == 0);
        assert_int_equal(loaded.core.locked_out, i == 1);
        assert_int_equal(loaded.core.mode, i == 0 ? CORE_OOPS : CORE_LOCKOUT);
    }
}

static void C9_1_a_foreign_hash_is_refused(void **state)
{
    static const struct record_field foreign[] = {{"name", 4, "saw", 3}, {"mode", 4, "in_use", 6}};
    struct record untouched = {.event_n = 77};
    TEXT_LOCAL(why, 2048);

    (void)state;
    assert_int_equal(record_read("saw", foreign, 2, &untouched, &why), RECORD_REFUSED);
    assert_int_equal(untouched.event_n, 77);
    assert_non_null(strstr(why.data, "format is missing"));
    assert_int_equal(record_read("saw", NULL, 0, &untouched, &why), RECORD_REFUSED);
}

static void C9_1_a_later_format_keeps_its_flags_only(void **state)
{
    struct record record = in_use();
    struct record loaded;
    struct record_fields fields;
    TEXT_LOCAL(why, 512);

    (void)state;
    record.core.oopsed = true;
    record_write(&record, &fields);
    set_field(&fields, "format", "2");
    set_field(&fields, "mode", "two_person");
    assert_int_equal(read_back(&fields, &loaded, &why), RECORD_DAMAGED);
    assert_true(loaded.core.oopsed);
    assert_int_equal(loaded.core.mode, CORE_OOPS);
    assert_int_equal(loaded.core.version.rev, record.core.version.rev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C9_1_a_session_comes_back_as_it_was),
        cmocka_unit_test(C9_1_every_state_comes_back_or_is_at_base_with_its_flags),
        cmocka_unit_test(C9_1_strings_at_their_limits_come_back),
        cmocka_unit_test(C9_1_an_uptime_comes_back_bit_for_bit),
        cmocka_unit_test(C9_1_people_can_read_the_fields),
        cmocka_unit_test(C9_1_unknown_fields_and_any_order_are_fine),
        cmocka_unit_test(C9_1_a_damaged_field_costs_what_it_must_and_no_more),
        cmocka_unit_test(C9_1_a_missing_field_costs_what_a_damaged_one_does),
        cmocka_unit_test(C9_1_too_long_or_with_a_NUL_is_damaged),
        cmocka_unit_test(C9_1_lockout_survives_damage_to_everything_else),
        cmocka_unit_test(C9_1_a_flag_that_cannot_be_read_counts_as_set),
        cmocka_unit_test(C9_1_a_foreign_hash_is_refused),
        cmocka_unit_test(C9_1_a_later_format_keeps_its_flags_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
