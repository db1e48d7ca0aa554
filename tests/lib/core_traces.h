/* The observed decisions in tests/traces: each line of the file is one configuration (users and
 * machines as in their files) with traces, each the steps of one machine. */
#ifndef TAGOUT_TESTS_CORE_TRACES_H
#define TAGOUT_TESTS_CORE_TRACES_H

#include "controller/core/decide.h"
#include "controller/support/json.h"

#define TRACES_FILE "tests/traces/decisions.jsonl.gz"
#define TRACES_STEPS 4034

/* The file unpacked, NUL-terminated, to be freed. The path counts from the top of the tree. */
char *traces_unpack(void);

/* A line's users and machines as the core takes them. */
struct traces_shop {
    const struct json *line;
    struct traces_person {
        struct core_holder holder;
        const struct json *fobs;
    } people[64];
    size_t people_count;
    core_authorization pool[1024]; /* all lists of authorizations, one behind the other */
    size_t pool_used;
    const char *words[64]; /* an authorization's number is its place here, from 1 on */
    size_t word_count;
};

void traces_open_shop(struct traces_shop *shop, const struct json *line);
void traces_machine(struct traces_shop *shop, const char *name, struct core_config *ret_config);
/* By padded number; NULL for an unknown card. */
const struct core_holder *traces_holder(const struct traces_shop *shop, const char *card);
/* C3: left-padded with `0` to 10 characters; "" stays. */
void traces_pad(char padded[CORE_CARD_SIZE], const char *card);

#endif
