#include "tests/lib/core_traces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/support/text.h"

#define UNPACKED_MAX (8 << 20)

static pid_t start_gunzip(int *ret_output)
{
    int ends[2];
    pid_t pid = 0;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("gzip", "gzip", "-dc", TRACES_FILE, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *ret_output = ends[0];
    return pid;
}

char *traces_unpack(void)
{
    char *bytes = malloc(UNPACKED_MAX);
    size_t length = 0;
    ssize_t got = 0;
    int output = -1;
    int status = 0;
    pid_t pid = start_gunzip(&output);

    assert_non_null(bytes);
    while ((got = read(output, bytes + length, UNPACKED_MAX - 1 - length)) > 0) {
        length += (size_t)got;
    }
    bytes[length] = '\0';
    close(output);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(length > 0 && length < UNPACKED_MAX - 1);
    return bytes;
}

void traces_pad(char padded[CORE_CARD_SIZE], const char *card)
{
    size_t length = strlen(card);
    size_t zeros = length > 0 && length < 10 ? 10 - length : 0;

    memset(padded, '0', zeros);
    text_copy(padded + zeros, CORE_CARD_SIZE - zeros, card);
}

static core_authorization intern(struct traces_shop *shop, const char *word)
{
    for (size_t i = 0; i < shop->word_count; i++) {
        if (strcmp(shop->words[i], word) == 0) {
            return (core_authorization)i + 1;
        }
    }
    assert_true(shop->word_count < sizeof shop->words / sizeof shop->words[0]);
    shop->words[shop->word_count++] = word;
    return (core_authorization)shop->word_count;
}

static struct core_authorizations intern_all(struct traces_shop *shop, const struct json *list)
{
    struct core_authorizations all = {.items = shop->pool + shop->pool_used};

    assert_true(shop->pool_used + json_count(list) <= sizeof shop->pool / sizeof shop->pool[0]);
    for (const struct json *word = json_first(list); word != NULL; word = json_next(word)) {
        shop->pool[shop->pool_used++] = intern(shop, json_string(word));
        all.count++;
    }
    return all;
}

/* An absent setting is false. */
static bool is_true(const struct json *object, const char *key)
{
    const struct json *member = json_get(object, key);

    return member != NULL && json_bool(member);
}

void traces_open_shop(struct traces_shop *shop, const struct json *line)
{
    const struct json *user = json_first(json_get(line, "users"));

    memset(shop, 0, sizeof *shop);
    shop->line = line;
    for (; user != NULL; user = json_next(user)) {
        struct traces_person *person = &shop->people[shop->people_count++];
        struct core_user *copy = &person->holder.user;

        assert_true(shop->people_count < sizeof shop->people / sizeof shop->people[0]);
        text_copy(
            copy->account_id, sizeof copy->account_id, json_string(json_get(user, "account_id")));
        text_copy(copy->name, sizeof copy->name, json_string(json_get(user, "preferred_name")));
        person->holder.oops_override = is_true(user, "oops_override");
        person->holder.authorizations = intern_all(shop, json_get(user, "authorizations"));
        person->fobs = json_get(user, "fob_codes");
    }
}

void traces_machine(struct traces_shop *shop, const char *name, struct core_config *ret_config)
{
    const struct json *machine = json_get(json_get(shop->line, "machines"), name);
    const struct json *second = json_get(machine, "second_relay");

    assert_non_null(machine);
    *ret_config = (struct core_config){
        .unauthorized_warn_only = is_true(machine, "unauthorized_warn_only"),
        .always_enabled = is_true(machine, "always_enabled"),
        .authorizations_or = intern_all(shop, json_get(machine, "authorizations_or")),
    };
    if (second != NULL) {
        ret_config->second_relay = (struct core_second_relay_config){
            .present = true,
            .unauthorized_warn_only = is_true(second, "unauthorized_warn_only"),
            .always_enabled = is_true(second, "always_enabled"),
            .authorizations_or = intern_all(shop, json_get(second, "authorizations_or")),
        };
    }
}

const struct core_holder *traces_holder(const struct traces_shop *shop, const char *card)
{
    for (size_t i = 0; card[0] != '\0' && i < shop->people_count; i++) {
        const struct json *fob = json_first(shop->people[i].fobs);

        for (; fob != NULL; fob = json_next(fob)) {
            char padded[CORE_CARD_SIZE];

            traces_pad(padded, json_string(fob));
            if (strcmp(padded, card) == 0) {
                return &shop->people[i].holder;
            }
        }
    }
    return NULL;
}
