#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/hash.h"
#include "controller/config/roster.h"

static uint64_t hash_of_user(const struct roster *roster, size_t index)
{
    return roster->users[index].hash;
}

static uint64_t hash_of_machine(const struct roster *roster, size_t index)
{
    return roster->machines[index].hash;
}

static uint64_t combine(
    const struct roster *roster, uint64_t (*hash)(const struct roster *, size_t), size_t count,
    uint64_t *scratch)
{
    for (size_t i = 0; i < count; i++) {
        scratch[i] = hash(roster, i);
    }
    return hash_set(scratch, count);
}

enum status roster_set_fingerprint(struct roster *roster, struct text *why)
{
    size_t most =
        roster->user_count > roster->machine_count ? roster->user_count : roster->machine_count;
    uint64_t *scratch = calloc(most + 1, sizeof *scratch);
    uint64_t both[2];

    if (scratch == NULL) {
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    both[0] = combine(roster, hash_of_user, roster->user_count, scratch);
    both[1] = combine(roster, hash_of_machine, roster->machine_count, scratch);
    free(scratch);
    snprintf(roster->fingerprint, sizeof roster->fingerprint, "%016" PRIx64, hash_list(both, 2));
    return STATUS_OK;
}

const char *roster_fingerprint(const struct roster *roster)
{
    return roster->fingerprint;
}

static struct roster_delta compare_users(const struct roster *before, const struct roster *after)
{
    struct roster_delta delta = {0};
    size_t kept = 0;

    for (size_t i = 0; i < after->user_count; i++) {
        const struct roster_user *now = &after->users[i];
        const struct roster_user *then =
            roster_user_by_account(before, now->holder.user.account_id);
        kept += then != NULL;
        delta.added += then == NULL;
        delta.updated += then != NULL && then->hash != now->hash;
    }
    delta.removed = before->user_count - kept;
    return delta;
}

static struct roster_delta compare_machines(const struct roster *before, const struct roster *after)
{
    struct roster_delta delta = {0};
    size_t kept = 0;

    for (size_t i = 0; i < after->machine_count; i++) {
        const struct roster_machine *now = &after->machines[i];
        const struct roster_machine *then = roster_machine(before, now->name);
        kept += then != NULL;
        delta.added += then == NULL;
        delta.updated += then != NULL && then->hash != now->hash;
    }
    delta.removed = before->machine_count - kept;
    return delta;
}

struct roster_change roster_compare(const struct roster *before, const struct roster *after)
{
    return (struct roster_change){
        .users = compare_users(before, after),
        .machines = compare_machines(before, after),
    };
}
