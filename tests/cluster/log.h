/* The controllers' log lines become part of the trace. */
#ifndef TAGOUT_CLUSTER_LOG_H
#define TAGOUT_CLUSTER_LOG_H

struct world;

void cluster_log_to(struct world *world);
/* Whose turn it is. */
void cluster_log_who(const char *who);

#endif
