/* A machine's box, and what is true of it. */
#ifndef TAGOUT_CLUSTER_BOX_H
#define TAGOUT_CLUSTER_BOX_H

#include "devices/device.h"
#include "tests/cluster/broker.h"

/* Somebody was told so, and nobody has asked for the contrary since. */
struct promise {
    bool holds;
    struct version since;
    int64_t made_at;
};

struct truth {
    bool inserted; /* a card was put in after the last boot, press and card-out */
    int64_t inserted_at;
    bool told_insertion; /* a report of this boot has told of it */
    bool stopped;        /* a press that nobody has cleared since */
    bool in_session;     /* a member's, that nobody has ended */
    int64_t asked_at;    /* the operator's last request */
    int64_t clears_by;   /* one to clear may be carried out till then, on a later press, too */
    uint64_t epoch;      /* the greatest of a command that it accepted in this boot */
    struct promise oops;
    struct promise lockout;
    uint32_t calm_seq; /* of the first report in the calm; 0: none yet */
    int64_t calm_report_at;
    bool answered; /* it was */
};

struct box {
    unsigned index;
    const char *name;
    bool always;
    struct device_config config;
    struct device device;
    struct device_keep keep;
    struct device_outputs outputs;
    bool runs;
    unsigned boots;
    int card; /* in the slot; 0: none */
    int reported_card;
    bool reported; /* since the boot */
    bool button_down;
    struct due tick;
    struct due boots_at;
    struct due hand; /* the next visitor */
    struct truth truth;
};

/* ---- box.c ---- */

void box_init(struct world *world, unsigned index);
void box_step(struct world *world, struct box *box, struct device_event event);
void box_take(struct world *world, struct box *box, const struct message *message);
void box_connected(struct world *world, struct box *box);
void box_power_off(struct world *world, struct box *box);
void box_boot(struct world *world, struct box *box);
void box_card(struct world *world, struct box *box, int card);
void box_button(struct world *world, struct box *box, bool down);
const char *card_number(int card);

enum {
    CARD_NONE,
    CARD_MEMBER,   /* may use every machine that needs a card */
    CARD_OTHER,    /* a member, too */
    CARD_STRANGER, /* known to nobody */
    CARDS,
};

#endif
