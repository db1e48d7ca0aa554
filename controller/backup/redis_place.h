/* A connection to the shop's Redis that waits for each answer, ten seconds at most: for a command
 * line, and nothing else.
 */
#ifndef TAGOUT_BACKUP_REDIS_PLACE_H
#define TAGOUT_BACKUP_REDIS_PLACE_H

#include <stddef.h>

#include "controller/config/settings.h"
#include "controller/support/status.h"
#include "controller/support/text.h"

#define REDIS_WORDS_MAX 1024
#define REDIS_PREFIX_SIZE 64

struct redis_place;
struct redisReply;

/* With Sentinels: asks for the master where the settings say, which they must. */
MUST_USE enum status
redis_place_open(const struct settings *settings, struct redis_place **ret_place, struct text *why);
void redis_place_close(struct redis_place *place); /* takes NULL */

/* "tagout:" */
const char *redis_place_prefix(const struct redis_place *place);

/* Words with their lengths (NULL: they are strings). The answer is freed by freeReplyObject; an
 * error is a status, and so is an answer of another type than `type` (0: any). */
MUST_USE enum status redis_ask(
    struct redis_place *place, int type, int count, const char *const words[],
    const size_t lengths[], struct redisReply **ret_reply, struct text *why);

#endif
