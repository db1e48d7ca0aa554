/* What the files of the client share: client.c (the connection, and what arrives), client_ask.c
 * (a question and its answer). For these two only. */
#ifndef TAGOUT_CTL_CLIENT_INSIDE_H
#define TAGOUT_CTL_CLIENT_INSIDE_H

#include "controller/ctl/client.h"
#include "controller/support/inbox.h"
#include "controller/support/mqtt.h"

#define CLIENT_FILTERS_MAX 8

struct client {
    struct client_options options;
    const char *prefix;
    char account[TOPIC_MACHINE_MAX + 1];
    struct inbox *inbox;
    struct mqtt *mqtt;
    char filters[CLIENT_FILTERS_MAX][TOPIC_SIZE];
    int qos[CLIENT_FILTERS_MAX];
    size_t filter_count;
    int token; /* of the last subscription */
    bool ready;
    bool refused;
    char trouble[512];
    char transaction[17]; /* the answer that is waited for; "" for none */
    struct answer_copy answer;
    bool answered;
};

/* Different from what others chose; no secret. */
void client_random(void *bytes, size_t size);

/* The answer that is waited for, or somebody else's. */
void client_take_response(struct client *client, const char *payload, size_t length);

#endif
