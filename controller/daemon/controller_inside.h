/* The inside of the controller: what its files share, a section for each. Nobody else includes
 * this.
 *
 * Where a file waits for a time, its _tick does what is due, and its _deadline tells when something
 * will be, {0} for never: controller_tick calls the one and answers with the earliest of the other.
 */
#ifndef TAGOUT_DAEMON_CONTROLLER_INSIDE_H
#define TAGOUT_DAEMON_CONTROLLER_INSIDE_H

#include "controller/core/decide.h"
#include "controller/daemon/block_keeping.h"
#include "controller/daemon/card_hash.h"
#include "controller/daemon/controller.h"
#include "controller/daemon/counters.h"
#include "controller/daemon/fleet.h"
#include "controller/daemon/lease.h"
#include "controller/daemon/requests.h"
#include "controller/daemon/saves.h"
#include "controller/daemon/strangers.h"
#include "topics/topic.h"

/* C9.4, in order. */
enum phase {
    PHASE_CONNECTING, /* no broker yet */
    PHASE_COLLECTING, /* retained copies are coming in; Redis is loading beside it */
    PHASE_STANDBY,    /* the broker has told all; the lead is another's, or was asked for */
    PHASE_TAKING,     /* the lead is ours; Redis is read once more */
    PHASE_READY,      /* the shop is open */
};

/* Who caused what comes from outside (C8.2). */
struct origin {
    const char *source;       /* "request", "set", "config"; NULL: the core's word */
    const char *by;           /* NULL for nobody */
    const char *reason;       /* NULL for none */
    const char *reset_reason; /* of the report; NULL for none */
};

/* C11.6: what is known of the watcher. */
struct watcher_watch {
    bool known;
    bool missing;
    struct mono_time missing_at; /* unless it says otherwise by then; {0}: never */
};

struct reload {
    bool wanted; /* SIGHUP came when it could not be heeded */
    bool running;
    bool force;
    bool answers; /* somebody waits for the answer */
    char account[TOPIC_MACHINE_MAX + 1];
    char transaction[REQUEST_TRANSACTION_SIZE];
};

/* How far all that is retained has been published anew, in this order. */
enum republish_step {
    REPUBLISH_NOTHING, /* all of it */
    REPUBLISH_URGENT,  /* commands of machines that are on, oopsed or locked out */
    REPUBLISH_COMMANDS,
    REPUBLISH_STATES,
};

struct republish {
    enum republish_step step;
    size_t next; /* machine */
};

struct held_queue {
    struct held *first;
    struct held *last;
    size_t bytes;
};

struct controller {
    const struct settings *settings;
    struct roster *roster;
    struct controller_ports ports;
    struct fleet *fleet;
    struct counters counters;
    struct now now;       /* of the event that is being handled */
    int64_t received_us;  /* when the message that is being handled came in; 0: not known */
    int64_t answering_us; /* likewise of the report that is being judged */
    struct core_liveness liveness;

    enum phase phase;
    bool connected;
    bool hears;               /* what machines say, since the broker granted the subscription */
    struct mono_time due_at;  /* when controller_tick asked to be called; {0}: never */
    char broker_trouble[128]; /* why the last attempt to connect failed: logged once */
    bool loaded;              /* Redis has told all it kept */
    uint32_t taking_echo;     /* the one that was asked for when the lease was taken */
    bool taking_is_heard;
    struct mono_time conceded_at; /* then who led before has given up by itself */
    struct mono_time loaded_at;
    bool load_wanted;  /* something must be read from Redis (again) */
    size_t load_count; /* machines, from the first on, that the load under way asks for */
    bool card_key_is_kept;
    bool card_key_is_known;     /* configured, or told by Redis; else made for the time being */
    struct mono_time ask_again; /* Redis answered an error: it is asked again then */
    struct lease lease;
    bool others_led;                 /* since Redis was read */
    struct mono_time took_over_at;   /* from another; {0}: from nobody */
    struct mono_time namesake_since; /* that one has the lease under the same id; {0}: none has */
    bool id_is_anothers;             /* another process leads under the same id */
    bool said_standby;               /* on this connection */
    struct mono_time taking_until;   /* then Redis is not waited for any more */
    bool said_ready;                 /* the shop is open, and hears what machines report */
    struct wall_time since;
    uint64_t epoch;
    bool beside_waits;             /* some machine's `shown` is to be acted upon */
    struct mono_time states_until; /* then `state` is not heard any more while it leads */
    struct mono_time newer_ack_at; /* when a device first told of an epoch above ours */
    char marker[33];
    struct mono_time marker_again;   /* it may be lost: published again then, until it comes */
    struct mono_time unheard_at;     /* nothing of its own has come back by then; {0}: it has */
    bool is_unheard;                 /* that was told, and nothing has come since */
    struct mono_time listen_at;      /* to what machines say, if it does not lead by then */
    struct mono_time retained_again; /* something retained was lost: all of it is published then */

    struct card_key card_key;
    struct saves saves;
    struct block_keeping block_keeping;
    struct reload reload;
    struct handover handover;
    struct held_queue held;
    struct republish republish;
    struct watcher_watch watcher_watch;
    struct discovery discovery;
    uint32_t restart_id;
    struct strangers strangers;
    /* For the rate of log lines: what is wrong with whom. */
    struct strangers bad_reporters;   /* machines of which something malformed came */
    struct strangers refused_sets;    /* machines that Home Assistant may not clear */
    struct strangers bad_requesters;  /* accounts */
    struct strangers store_troubles;  /* how what Redis says begins */
    struct mono_time store_asked_at;  /* for the lease, and has not answered; {0}: owes nothing */
    struct mono_time store_looked_at; /* whether it hangs */
    bool store_hangs;                 /* it is connected, and owes an answer for too long */
    char store_refusal[256];    /* what it has against our account, while it refuses; else "" */
    struct machine *judge_soon; /* machines with reports waiting, see waiting.c */
    struct machine *judge_later;
};

/* ---- controller.c ---- */

void refresh_now(struct controller *controller);
const char *prefix(const struct controller *controller);
struct origin origin_none(void);
/* Builds the topic and publishes with the QoS and retain flag of the table. False: it is lost. */
bool publish(
    struct controller *controller, enum topic_id id, const char *first, const char *second,
    const char *payload, size_t length);
void publish_status(struct controller *controller, const char *status);
/* Something in it has changed; not before it was published for the first time. */
void publish_status_again(struct controller *controller);
/* So much waits to be sent that what is added now would come late. */
bool broker_is_behind(const struct controller *controller);
/* It leads, and may say so: what is due in a silence is done after it. */
bool is_at_work(const struct controller *controller);
/* For measuring; 0 where nothing is measured. */
int64_t microseconds(const struct controller *controller);

/* ---- messages.c ---- */

/* What a machine says, and what Home Assistant says to one. */
void take_machine_message(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained);

/* ---- held.c: what is heard while nothing may be said (C12) ---- */

/* Whether what comes now is to be held, so that nothing overtakes what came before. */
bool held_must_wait(const struct controller *controller);
void hold_message(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained);
void hold_request(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool overflow);
/* The last leader has told of the machine after the reports that are held. */
void held_forget_reports(struct controller *controller, const struct machine *machine);
void held_tick(struct controller *controller);
struct mono_time held_deadline(const struct controller *controller);
void held_drop(struct controller *controller);

/* ---- beside.c: what the present leader does not come from (C12) ---- */

void beside_note(struct shown *shown, const struct record *record);
/* Before a newer copy takes its place. */
void beside_note_own(struct machine *machine);
/* Before it leads: sets what was noted and is not in its past; the state is as loaded now. */
void beside_settle(struct machine *machine);
/* While it leads: sets what is shown. */
void beside_set(
    struct controller *controller, struct machine *machine, const struct shown *shown,
    const char *reason);
/* Whether it shows what is not in the past of what was loaded; and then that it is now. */
bool beside_is_unknown(const struct machine *machine, const struct record *found);
void beside_learn(
    struct controller *controller, struct machine *machine, struct shown *shown,
    const char *reason);
/* A `state` that was heard while it leads. */
void beside_hear(
    struct controller *controller, struct machine *machine, const struct record *found);
/* From now on, for a while. */
void beside_listen(struct controller *controller);
void beside_tick(struct controller *controller);
struct mono_time beside_deadline(const struct controller *controller);

/* ---- start.c: the order of a start ---- */

/* Leads from now on, with what is known. */
void open_shop(struct controller *controller);
/* Once: that it leads or follows, and hears what machines say. */
void say_ready(struct controller *controller);
void start_tick(struct controller *controller);
struct mono_time start_deadline(const struct controller *controller);
/* What is said of the machine carries the controller's epoch from now on. */
void adopt_epoch(struct controller *controller, struct machine *machine);
void adopt_epoch_everywhere(struct controller *controller, uint64_t epoch);
/* Newer wins; of equal ones Redis (C9.4). */
void merge_copy(struct machine *machine, const struct record *found, bool from_redis);

/* ---- republish.c: all that is retained, once more ---- */

/* Every retained topic of ours, from memory: begins now, and ends in turns of the loop. */
void publish_everything(struct controller *controller);
void republish_tick(struct controller *controller);
struct mono_time republish_deadline(const struct controller *controller);

/* ---- start_broker.c: what is subscribed when, and what the broker retained ---- */

/* To what machines and people say. */
void subscribe_live(struct controller *controller);
/* Reads again, from the beginning, what the broker retains. */
void start_collecting(struct controller *controller);
/* What they tell is known now. */
void unsubscribe_retained(struct controller *controller);
/* The end of the retained messages, as seen by whoever published it after subscribing. */
void publish_marker(struct controller *controller);
/* The broker has brought back something that the controller has said to itself. */
void start_is_heard(struct controller *controller);
/* It has not, for as long as no line and no fleet takes. */
void start_tell_unheard(struct controller *controller);
void start_collected(struct controller *controller, const char *payload, size_t length);
void start_retained_state(
    struct controller *controller, const char *name, const char *payload, size_t length);
void start_controller_status(
    struct controller *controller, const char *id, const char *payload, size_t length);

/* ---- start_store.c: what Redis kept ---- */

/* Asks for everything that Redis has not told yet. */
void ask_store(struct controller *controller);
/* And what it has told already; nothing is saved before it has. */
void ask_store_anew(struct controller *controller);
/* Redis answers, but with an error (it loads its own files, say): it is asked again soon. */
void ask_store_again(struct controller *controller);
/* Reads the fleet from Redis again if somebody set `load_wanted`. */
void start_load_if_wanted(struct controller *controller);
/* Why there is no Redis, for the beginning of a sentence. */
const char *store_away_text(const struct controller *controller);
/* It is connected, and does not hang. */
bool store_answers(const struct controller *controller);

/* ---- leading.c: the lease (C12) ---- */

void lead_init(struct controller *controller);
/* An event that carries nothing. */
void lead_event(struct controller *controller, enum lease_event_type type);
/* To be called before anything is done: whoever slept may have been replaced. */
void lead_notice_standstill(struct controller *controller);
void lead_tick(struct controller *controller);
void lead_on_status(struct controller *controller, const struct lease_status *status);
/* A `state` shows this epoch, and it is not this controller's own. */
void lead_on_epoch(struct controller *controller, uint64_t epoch);
void lead_on_lease(void *context, const struct store_lease_answer *answer);
/* Redis refused a save for its older epoch (C9.1). */
void lead_deposed(struct controller *controller, const char *reason);
/* The process ends: the lease is given back. */
void lead_stop(struct controller *controller);
/* Gives the lead back for another to take. */
void lead_hand_over(struct controller *controller);

/* ---- waiting.c: reports that wait to be judged ---- */

/* Merges it into the last one of that machine where nothing is lost by it. */
void judge_enqueue(
    struct controller *controller, struct machine *machine, const struct report *report);
/* A standby keeps the newest report of each machine, and judges it when it takes over. */
void judge_keep_newest(
    struct controller *controller, struct machine *machine, const struct report *report);
/* The leader has told of the machine after that. */
void judge_forget_kept(struct machine *machine);
/* Whether what the leader tells now is newer than the report. */
bool judge_is_told_beyond(const struct machine *machine, const struct report *report);
/* Judges what was kept, where it is news. */
void judge_kept(struct controller *controller);
/* Judges what waits of all machines, whatever waits to be sent. */
void judge_all(struct controller *controller);
void judge_tick(struct controller *controller);
struct mono_time judge_deadline(const struct controller *controller);
/* Judges what waits of one machine, so that what comes next is judged after it. */
void judge_waiting(struct controller *controller, struct machine *machine);
/* Forgets what waits of all machines. */
void judge_drop_waiting(struct controller *controller);

/* ---- judge.c: from what happened to a decision ---- */

void judge_report(
    struct controller *controller, struct machine *machine, const struct report *report);
/* One decision and everything that follows from it. True when it made a new version. */
bool judge(
    struct controller *controller, struct machine *machine, struct core_event *event,
    const struct origin *origin, struct core_effects *effects);
/* Redis says that the lease is ours: what was acknowledged above it is answered (C12.3). */
void judge_confirmed(struct controller *controller);
/* CORE_EVENT_CONFIG with the session's person looked up. */
void judge_config(struct controller *controller, struct machine *machine);
/* The moment has come at which the core wants to be asked again. */
void judge_due(struct controller *controller, struct machine *machine);

/* ---- perform.c: from a decision to what is said and kept ---- */

/* Command, then state and events, then save, then counters. */
void perform(
    struct controller *controller, struct machine *machine, const struct core_event *event,
    const struct core_effects *effects, const struct origin *origin);
void publish_command(struct controller *controller, const struct machine *machine);
void publish_state(struct controller *controller, const struct machine *machine);
/* `save_timeout`, at the start (`save_late`) or the end of an outage of saving (C8.2). */
void publish_save_notice(struct controller *controller, struct machine *machine);
/* The last command of a machine that has left the configuration (C2). */
void publish_farewell(struct controller *controller, const struct machine *machine);

/* ---- reload.c: users and machines anew ---- */

/* What came before the controller was ready. */
void reload_if_wanted(struct controller *controller);
/* `account` NULL: nobody waits for an answer. */
void reload_begin(
    struct controller *controller, bool force, const char *account, const char *transaction);

/* ---- liveness.c: who is there (C11) ---- */

/* Who locks a machine out whose relay is stuck on, and why. */
#define LIVENESS_BY "Tagout"
#define LIVENESS_LOCKOUT_REASON "its relay stays on though it was switched off"

void liveness_init(struct controller *controller);
void liveness_on_link(
    struct controller *controller, struct machine *machine, const char *payload, size_t length,
    bool retained);
void liveness_on_pong(
    struct controller *controller, struct machine *machine, const char *payload, size_t length);
/* The broker has granted the subscription to what machines say, or is lost. */
void liveness_hears(struct controller *controller, bool hears);
/* Tells the machine's watch whether the controller hears it. */
void liveness_follow(struct controller *controller, struct machine *machine);
/* First of all in each turn: whoever could not listen may not judge who was silent. */
void liveness_notice_stall(struct controller *controller);
void publish_probe(struct controller *controller, const struct machine *machine, uint32_t id);
size_t liveness_watched(const struct controller *controller);

/* ---- watcher_watch.c: whether tagout-watcher runs (C11.6) ---- */

/* The connection stands: it has its time to say that it runs. */
void watcher_watch_begin(struct controller *controller);
/* The connection is lost: nothing is judged. */
void watcher_watch_pause(struct controller *controller);
void watcher_watch_heard(struct controller *controller, const char *payload, size_t length);
void watcher_watch_tick(struct controller *controller);
struct mono_time watcher_watch_deadline(const struct controller *controller);
/* "running", "missing", or "unknown" before either is certain. */
const char *watcher_watch_text(const struct controller *controller);

/* ---- telemetry.c: numbers of the reports (C2) ---- */

void telemetry_take(
    struct controller *controller, struct machine *machine, const struct report *report);

#endif
