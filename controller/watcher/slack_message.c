#include "controller/watcher/slack_message.h"

#include <stdlib.h>

struct slack_message *slack_message_new(enum slack_lane lane, int64_t line, struct wall_time seen)
{
    struct slack_message *message = calloc(1, sizeof *message);

    if (message != NULL) {
        message->lane = lane;
        message->line = line;
        message->seen = seen;
    }
    return message;
}

void slack_message_free(struct slack_message *message)
{
    if (message == NULL) {
        return;
    }
    free(message->bulletin);
    free(message->text);
    free(message);
}

void slack_message_text(const struct slack_message *message, struct wall_time now, struct text *out)
{
    if (now.ms - message->seen.ms > SLACK_LATE_MS && message->merged == 0) {
        alert_add_duration(out, now.ms - message->seen.ms);
        text_add(out, " ago: ");
    }
    if (message->merged > 0) {
        text_addf(out, "\xe2\x80\xa6 and %u more; the audit files have them.", message->merged);
    } else if (message->bulletin != NULL) {
        TEXT_LOCAL(sentence, SLACK_TEXT_SIZE);
        slack_bulletin_text(message->bulletin, &sentence);
        slack_add_escaped(out, sentence.data);
    } else {
        text_add(out, message->text);
    }
}

bool slack_message_is_for_all(const struct slack_message *message)
{
    return message->bulletin != NULL && message->bulletin->main.kind == ALERT_OVER;
}
