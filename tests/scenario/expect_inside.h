/* What the files of `expect` share. */
#ifndef TAGOUT_SCENARIO_EXPECT_INSIDE_H
#define TAGOUT_SCENARIO_EXPECT_INSIDE_H

#include "tests/scenario/world.h"

/* The oldest message of this act that no expectation has spoken of; `first` NULL for any. */
struct published *find_new(struct world *world, enum topic_id id, const char *first);
void describe_act(const struct world *world, struct text *text);
/* Fails, and shows all that was published in this act. */
void fail_with_act(struct world *world, const char *what);

/* expect_message.c; false when the words are none of theirs. */
bool expect_message(struct world *world, struct words *words);
bool expect_stored(struct world *world, struct words *words);
void expect_command(struct world *world, struct words *words);

#endif
