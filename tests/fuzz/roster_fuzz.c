/* machines.json and users.json, with a NUL between them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/roster.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

static void check_machines(const struct roster *roster)
{
    for (size_t i = 0; i < roster_machine_count(roster); i++) {
        const struct roster_machine *machine = roster_machine_at(roster, i);

        FUZZ_CHECK(text_is_name(machine->name, 64));
        FUZZ_CHECK(machine->display_name[0] != '\0' && !text_has_control(machine->display_name));
        FUZZ_CHECK(roster_machine(roster, machine->name) == machine);
        FUZZ_CHECK(roster_machine_called(roster, machine->display_name) == machine);
        FUZZ_CHECK(machine->config.authorizations_or.count <= ROSTER_MACHINE_AUTHORIZATIONS_MAX);
    }
}

static void check_users(const struct roster *roster)
{
    for (size_t i = 0; i < roster_user_count(roster); i++) {
        const struct roster_user *user = roster_user_at(roster, i);
        const char *account = user->holder.user.account_id;

        FUZZ_CHECK(!text_has_control(user->holder.user.name) && !text_has_control(account));
        FUZZ_CHECK(roster_user_by_account(roster, account) == user);
        FUZZ_CHECK(user->fob_count <= ROSTER_FOBS_MAX);
        FUZZ_CHECK(user->holder.authorizations.count <= ROSTER_USER_AUTHORIZATIONS_MAX);
        for (size_t fob = 0; fob < user->fob_count; fob++) {
            FUZZ_CHECK(text_is_printable_ascii(user->fobs[fob]) && strlen(user->fobs[fob]) >= 10);
            FUZZ_CHECK(roster_user_by_fob(roster, user->fobs[fob]) == user);
        }
    }
}

/* The same files are the same roster. */
static void check_again(const struct roster *roster, const char *machines, const char *users)
{
    struct roster *again = NULL;
    struct roster_change change;
    char *notes = malloc(65536);
    struct text text = text_over(notes, 65536);
    TEXT_LOCAL(why, 512);

    FUZZ_CHECK(notes != NULL);
    FUZZ_CHECK(roster_load(machines, users, &again, &why) == STATUS_OK);
    FUZZ_CHECK(strcmp(roster_fingerprint(roster), roster_fingerprint(again)) == 0);
    change = roster_compare(roster, again);
    FUZZ_CHECK(change.users.added + change.users.updated + change.users.removed == 0);
    FUZZ_CHECK(change.machines.added + change.machines.updated + change.machines.removed == 0);
    roster_notes(roster, "2026-11-22", &text);
    FUZZ_CHECK(roster_doubts(roster, &text) == STATUS_OK);
    roster_free(again);
    free(notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char nobody[] = "[]";
    const char *bytes = (const char *)data;
    size_t length = strnlen(bytes, size);
    bool has_users = length < size;
    char machines[BYTES_PATH_SIZE];
    char users[BYTES_PATH_SIZE];
    int machines_fd = bytes_file(bytes, length, machines);
    int users_fd = bytes_file(
        has_users ? bytes + length + 1 : nobody, has_users ? size - length - 1 : sizeof nobody - 1,
        users);
    struct roster *roster = NULL;
    TEXT_LOCAL(why, 512);

    if (roster_load(machines, users, &roster, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0 && roster == NULL);
    } else {
        check_machines(roster);
        check_users(roster);
        check_again(roster, machines, users);
    }
    roster_free(roster);
    close(machines_fd);
    close(users_fd);
    return 0;
}
