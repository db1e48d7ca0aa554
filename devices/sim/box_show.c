/* What is seen on a box: said when it changes. */
#include <stdio.h>
#include <string.h>

#include "devices/sim/box.h"

const char *box_light(const struct device_led *led)
{
    bool red = led->rgb[0] > 0.25F;
    bool green = led->rgb[1] > 0.25F;
    bool blue = led->rgb[2] > 0.25F;

    if (led->brightness <= 0 || !(red || green || blue)) {
        return "off";
    }
    if (red && green && !blue) {
        return "orange";
    }
    return red && !green && !blue   ? "red"
           : green && !red && !blue ? "green"
           : blue && !red && !green ? "blue"
                                    : "white";
}

static enum tone tone_of(const char *light)
{
    switch (light[0]) {
    case 'r':
        return TONE_BAD;
    case 'g':
        return TONE_GOOD;
    case 'o':
        return light[1] == 'r' ? TONE_WARN : TONE_PLAIN;
    default:
        return TONE_PLAIN;
    }
}

static bool same_led(const struct device_led *a, const struct device_led *b)
{
    return a->blink == b->blink && box_light(a) == box_light(b);
}

static void show_display(struct box *box, const struct device_outputs *now)
{
    const struct device_led *led = &now->status_led;
    const char *light = box_light(led);
    char words[64];

    (void)snprintf(
        words, sizeof words, "%s%s%s", strcmp(light, "off") == 0 ? "" : light,
        led->blink ? ", blinking" : "",
        now->oops_led ? now->oops_led_blink ? "  Oops lamp blinks" : "  Oops lamp" : "");
    teller_display(box->world->teller, box->name, now->lcd[0], now->lcd[1], words, tone_of(light));
}

/* "the card was put in 7.1 s ago" says more than that it was too long. */
static void word_refusal(const struct box *box, enum device_refusal refusal, struct text *words)
{
    if (refusal == DEVICE_REFUSED_WINDOW) {
        text_addf(
            words, "the card was put in %.1f s ago, the window is %.1f s",
            (double)(box->device.now_ms - box->device.card_ms) / 1000,
            box->config.on_window_ms / 1000.0);
    } else {
        text_add(words, device_refusal_text(refusal));
    }
}

static void show_refusal(struct box *box, const char *what, enum device_refusal refusal)
{
    TEXT_LOCAL(words, 256);

    if (refusal == DEVICE_OBEYED) {
        return;
    }
    text_addf(&words, "refused %s: ", what);
    word_refusal(box, refusal, &words);
    box_note(box->refusals, words.data);
    box_say(box, "refused", TONE_WARN, "%s", words.data);
}

/* A second relay that is kept off because the first is says nothing new. */
static void
show_refusals(struct box *box, const struct device_event *event, const struct device_outputs *now)
{
    if (event->type == DEVICE_EVENT_COMMAND) {
        show_refusal(box, now->refused_on[0] ? "on" : "off", now->refused[0]);
        if (box->config.second_relay && now->refused[0] == DEVICE_OBEYED) {
            show_refusal(
                box, now->refused_on[1] ? "on of the second relay" : "off of the second relay",
                now->refused[1]);
        }
    }
    show_refusal(box, "restart", now->refused_restart);
}

/* A countdown is said once: its seconds are nothing new. */
static bool counts_down(const struct device_outputs *now, const struct device_outputs *before)
{
    static const char words[] = "STARTS in";

    return strncmp(now->lcd[0], words, strlen(words)) == 0 &&
           strncmp(before->lcd[0], words, strlen(words)) == 0;
}

void box_show(struct box *box, const struct device_event *event, const struct device_outputs *now)
{
    static const char *const relays[DEVICE_RELAYS] = {"relay", "second_relay"};
    const struct device_outputs before = box->face;
    bool changed = false;

    box->face = *now;
    show_refusals(box, event, now);
    for (int i = 0; i < DEVICE_RELAYS; i++) {
        if (now->relay[i] != before.relay[i]) {
            teller_switch(box->world->teller, box->name, relays[i], now->relay[i]);
            changed = true;
        }
    }
    if (memcmp(now->lcd, before.lcd, sizeof now->lcd) != 0 ||
        !same_led(&now->status_led, &before.status_led) || now->oops_led != before.oops_led ||
        now->oops_led_blink != before.oops_led_blink) {
        if (box->power == BOX_RUNNING && !counts_down(now, &before)) {
            show_display(box, now);
        }
        changed = true;
    }
    if (changed || box->refusals[0] != '\0') {
        box->world->changed(box->world->context);
    }
}
