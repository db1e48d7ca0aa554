/* What a --check by root has to know: how things look to the account as which the services run. */
#ifndef TAGOUT_SUPPORT_SERVICE_ACCOUNT_H
#define TAGOUT_SUPPORT_SERVICE_ACCOUNT_H

#define SERVICE_ACCOUNT "tagout" /* deploy/systemd */

/* What `look` returns, from 0 to 255, when that account calls it: in a process of its own, which
 * has ended when this one returns; to be called before there are threads. -1 for whoever is not
 * root, and where there is no such account. */
int service_account_look(
    const char *account, int (*look)(const void *context), const void *context);

#endif
