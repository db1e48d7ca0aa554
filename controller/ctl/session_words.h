/* Sessions in words, for people and as JSON. */
#ifndef TAGOUT_CTL_SESSION_WORDS_H
#define TAGOUT_CTL_SESSION_WORDS_H

#include "controller/ctl/sessions.h"
#include "controller/ctl/words.h"
#include "controller/support/text.h"

enum tone session_tone(const struct session *session);

/* "2026-11-22 14:02:11  1 h 8 min  Table Saw  Ada  card out"; `no_end` stands for the end of one
 * that has none. */
void session_line(struct text *out, const struct session *session, const char *no_end);

void session_json(struct text *text, const struct session *session);

#endif
