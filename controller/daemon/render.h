/* From the core's state to what is published: texts, colours, payload structs. */
#ifndef TAGOUT_DAEMON_RENDER_H
#define TAGOUT_DAEMON_RENDER_H

#include "controller/config/config.h"
#include "controller/core/effect.h"
#include "controller/daemon/fleet.h"
#include "topics/command.h"
#include "topics/state.h"

/* A display text with the whole name in it: two lines, not cut (C8.1). */
#define RENDER_DISPLAY_SIZE 512

void render_display(
    const struct settings *settings, const struct core_state *state,
    char display[RENDER_DISPLAY_SIZE]);

/* C5 `status_led_rgb` and `status_led_brightness`: red, green, blue, brightness. */
#define RENDER_LIGHTS 4
void render_light(const struct core_state *state, double ret_light[RENDER_LIGHTS]);

void render_command(
    const struct settings *settings, const struct core_state *state, struct command *ret_command);

/* `display` is the buffer that the payload's display points into. */
void render_state(
    const struct settings *settings, const struct machine *machine,
    char display[RENDER_DISPLAY_SIZE], struct state_payload *ret_payload);

/* What a sentence needs besides its notice. */
struct sentence_words {
    const char *machine;      /* as people call it */
    const char *by;           /* NULL for nobody */
    const char *reason;       /* NULL for none */
    const char *reset_reason; /* NULL for none */
    struct wall_time now;
};

/* The sentence that a person reads (C8.2 `text`). In sentence.c. */
void render_sentence(
    const struct core_notice *notice, const struct sentence_words *words, struct text *out);

/* What a fault means and what to do about it, as in the sentence of its event. */
const char *render_fault(enum core_fault_index fault);

/* The fault that the daemon adds to the core's (C8.1 `save_timeout`). */
#define RENDER_SAVE_LATE "its state is not saved in time; cards work as before"

#endif
