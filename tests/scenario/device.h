/* A machine's box as far as a controller can tell: which boot it is, how far it has counted, the
 * card that is in, and the last command that it took.
 *
 *   table-saw reports [card X | card none] [oops] [emergency] [uptime N] [seq N | no seq]
 *       [boot ID | no boot id] [ack E.R | ack E.R+oops+lockout | no ack] [relay on|off]
 *       [firmware X] [amps N] [signal N] [temperature N] [retained]
 *   table-saw boots …             the same, as a new boot
 *   table-saw repeats its report  the very same bytes again
 *   table-saw sends '{"oops": …'  any bytes; `sends retained '…'`
 *   table-saw link offline        or lost, or online
 *
 * Once it was heard it answers probes, as long as nothing else is said (life.h).
 *
 * What is not said is as it was (card) or as usual: the boot goes on, `seq` and `uptime` grow, and
 * `ack` is the last command of this boot. Oops and emergency are told only where they are said.
 */
#ifndef TAGOUT_SCENARIO_DEVICE_H
#define TAGOUT_SCENARIO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/scenario/life.h"
#include "tests/scenario/words.h"
#include "topics/command.h"
#include "topics/report.h"
#include "topics/topic.h"

struct device {
    char name[65];
    unsigned boots;
    char boot_id[REPORT_BOOT_SIZE];
    uint32_t seq;
    int64_t booted_ms; /* on the scenario's clock */
    char card[REPORT_CARD_SIZE];
    bool inserted; /* since this boot a report has told of a card put in (I4) */
    bool has_news; /* a command or a state was published that check_act has not seen */
    bool has_command;
    struct command command; /* the last one that was published */
    struct version applied; /* by this boot; {0, 0} for none */
    bool applied_oops;
    bool applied_lockout;
    bool ever_always_on;
    char last_report[1024];
    struct life life; /* what it does by itself, see life.h */
};

struct world;

/* False when the words are none of a device's. */
bool device_play(struct world *world, struct words *words);

void device_take_command(struct device *device, const struct command *command);

/* A report in which nothing is new. */
void device_report(struct world *world, struct device *device);
/* Publishes on one of its topics, if the broker is there. */
void device_send(
    struct world *world, struct device *device, enum topic_id id, const char *payload, bool retain);

#endif
