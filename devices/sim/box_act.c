/* What people, and bad luck, do to a box. */
#include <string.h>

#include "devices/sim/box.h"

#define TAP_MS 250

void box_card_in(struct box *box, const struct sim_card *card)
{
    box_say(box, "card", TONE_PLAIN, "card in: %s", card->label);
    box->has_card = true;
    box->card = *card;
    box_read_card(box);
}

void box_card_out(struct box *box)
{
    if (box->has_card) {
        box_say(box, "card", TONE_PLAIN, "card out");
        box->has_card = false;
        box_read_card(box);
    }
}

void box_button(struct box *box, bool down)
{
    box->release_ms = BOX_NEVER;
    if (box->button_down != down) {
        box->button_down = down;
        box_say(box, "button", TONE_BAD, down ? "Oops pressed" : "Oops let go");
        box_step(
            box, (struct device_event){
                     .type = down ? DEVICE_EVENT_BUTTON_DOWN : DEVICE_EVENT_BUTTON_UP});
    }
}

void box_tap(struct box *box)
{
    box_button(box, true);
    box->release_ms = box->now_ms + TAP_MS;
}

static void hang(struct box *box, enum box_hang hang)
{
    if (box->power == BOX_RUNNING) {
        box->hang = hang;
        box_say(
            box, "fault", TONE_WARN, "hangs%s",
            hang == BOX_HUNG_WITH_PONGS ? ", but answers probes" : "");
    }
}

/* Whatever hands did meanwhile is there to be read. */
static void resume(struct box *box)
{
    if (box->hang == BOX_SOUND) {
        return;
    }
    box->hang = BOX_SOUND;
    box_say(box, "fault", TONE_PLAIN, "goes on");
    if (box->link.up != box->device.connected) {
        box_step(
            box, (struct device_event){
                     .type = box->link.up ? DEVICE_EVENT_LINK_UP : DEVICE_EVENT_LINK_DOWN});
    }
    box_step(
        box, (struct device_event){
                 .type = box->button_down ? DEVICE_EVENT_BUTTON_DOWN : DEVICE_EVENT_BUTTON_UP});
    if (box->reader_lost) {
        box_step(box, (struct device_event){.type = DEVICE_EVENT_READER_LOST});
    }
    box_read_card(box);
}

static void cut_link(struct box *box, const char *words)
{
    box_say(box, "fault", TONE_WARN, "%s", words);
    box->link.cut = true;
    box->link.complained = true; /* attempts that fail now are no news */
    box_link_drop(box);
    box_step(box, (struct device_event){.type = DEVICE_EVENT_LINK_DOWN});
}

static void lose_link_for(struct box *box, int64_t ms, const char *words)
{
    cut_link(box, words);
    box->link.back_ms = box->now_ms + ms;
}

static void link_back(struct box *box)
{
    if (box->link.cut) {
        box_say(box, "fault", TONE_PLAIN, "link back");
    }
    box->link.cut = false;
    box->link.back_ms = BOX_NEVER;
    box->link.flap_ms = 0;
}

static void set_reader(struct box *box, bool lost)
{
    if (box->reader_lost == lost) {
        return;
    }
    box->reader_lost = lost;
    box_say(box, "fault", lost ? TONE_WARN : TONE_PLAIN, lost ? "reader lost" : "reader back");
    box_step(
        box,
        (struct device_event){.type = lost ? DEVICE_EVENT_READER_LOST : DEVICE_EVENT_READER_BACK});
    box_read_card(box);
}

static void set_contactor(struct box *box, enum box_contactor contactor, const char *words)
{
    box->contactor = contactor;
    box_say(box, "fault", contactor == BOX_OBEYS ? TONE_PLAIN : TONE_WARN, "%s", words);
    if (contactor == BOX_STUCK_CLOSED) {
        return; /* it welds when it has closed */
    }
    for (int i = 0; i < DEVICE_RELAYS; i++) {
        box->contact[i] = box->face.relay[i] && (i > 0 || contactor != BOX_STUCK_OPEN);
    }
    box_step(
        box, (struct device_event){
                 .type = DEVICE_EVENT_CONTACT,
                 .contact = {.relay = box->contact[0], .second_relay = box->contact[1]}});
}

static void restart(struct box *box, bool force)
{
    box_step(box, (struct device_event){.type = DEVICE_EVENT_RESTART, .restart = {.force = force}});
}

static void act_on_link(struct box *box, const struct scenario_step *step)
{
    if (step->action == ACTION_LINK_CUT) {
        cut_link(box, "link cut");
    } else if (step->action == ACTION_LINK_BACK) {
        link_back(box);
    } else if (step->action == ACTION_ROAM) {
        lose_link_for(box, SCENARIO_ROAM_MS, "roams");
    } else {
        box->link.flap_ms = box->now_ms + step->duration_ms;
        lose_link_for(box, SCENARIO_ROAM_MS, "link flaps");
    }
}

static void act_on_power(struct box *box, const struct scenario_step *step)
{
    if (step->action == ACTION_POWER_ON) {
        box_power_on(box);
    } else if (step->action == ACTION_SWITCH_OFF) {
        box_say(box, "power", TONE_PLAIN, "switched off");
        box_switch_off(box);
    } else {
        box_power_cut(box, step->action == ACTION_DIE ? "dies" : "power cut");
    }
}

static void act_on_contactor(struct box *box, const struct scenario_step *step)
{
    if (step->action == ACTION_STICK_CLOSED) {
        set_contactor(box, BOX_STUCK_CLOSED, "the contactor welds when it closes");
    } else if (step->action == ACTION_STICK_OPEN) {
        set_contactor(box, BOX_STUCK_OPEN, "the contactor does not close");
    } else {
        set_contactor(box, BOX_OBEYS, "the contactor obeys again");
    }
}

void box_act(struct box *box, const struct scenario_step *step, const struct sim_card *card)
{
    switch (step->action) {
    case ACTION_CARD_IN:
        box_card_in(box, card);
        break;
    case ACTION_CARD_OUT:
        box_card_out(box);
        break;
    case ACTION_OOPS_PRESS:
    case ACTION_OOPS_RELEASE:
        box_button(box, step->action == ACTION_OOPS_PRESS);
        break;
    case ACTION_OOPS_TAP:
        box_tap(box);
        break;
    case ACTION_POWER_CUT:
    case ACTION_POWER_ON:
    case ACTION_DIE:
    case ACTION_SWITCH_OFF:
        act_on_power(box, step);
        break;
    case ACTION_RESTART:
    case ACTION_RESTART_FORCE:
        restart(box, step->action == ACTION_RESTART_FORCE);
        break;
    case ACTION_HANG:
    case ACTION_HANG_PONGS:
        hang(box, step->action == ACTION_HANG ? BOX_HUNG : BOX_HUNG_WITH_PONGS);
        break;
    case ACTION_RESUME:
        resume(box);
        break;
    case ACTION_LINK_CUT:
    case ACTION_LINK_BACK:
    case ACTION_ROAM:
    case ACTION_FLAP:
        act_on_link(box, step);
        break;
    case ACTION_STICK_CLOSED:
    case ACTION_STICK_OPEN:
    case ACTION_UNSTICK:
        act_on_contactor(box, step);
        break;
    case ACTION_READER_LOST:
    case ACTION_READER_BACK:
        set_reader(box, step->action == ACTION_READER_LOST);
        break;
    case ACTION_AMPS:
        box->amps = step->number;
        break;
    case ACTION_LIFE:
    case ACTION_COUNT:
        break;
    }
}
