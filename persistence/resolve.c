#include "persistence/resolve.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/text.h"

/* evdns may still be ending the other half of a look-up (A and AAAA) when it has answered; its
 * memory must not go before. */
#define AFTERMATH_MS 100

enum phase {
    PHASE_TO_START,
    PHASE_ASKING,
    PHASE_ENDING,
};

struct resolve {
    struct event_base *base;
    struct event *timer;
    struct evdns_base *dns;
    struct evdns_getaddrinfo_request *request;
    enum phase phase;
    resolve_done *done; /* NULL once called or cancelled */
    void *context;
    char host[256];
    char nameserver[64];
};

static void set_timer(struct resolve *resolve, int ms)
{
    struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    (void)event_add(resolve->timer, &delay);
}

static void destroy(struct resolve *resolve)
{
    if (resolve->dns != NULL) {
        evdns_base_free(resolve->dns, 0);
    }
    if (resolve->timer != NULL) {
        event_free(resolve->timer);
    }
    free(resolve);
}

static void finish(struct resolve *resolve, const struct addresses *addresses, const char *reason)
{
    resolve_done *done = resolve->done;

    resolve->done = NULL;
    if (done != NULL) {
        done(resolve->context, addresses, reason);
    }
}

static void collect(const struct evutil_addrinfo *info, struct addresses *addresses)
{
    for (; info != NULL && addresses->count < RESOLVE_ADDRESSES_MAX; info = info->ai_next) {
        char *text = addresses->text[addresses->count];
        const void *address = NULL;

        if (info->ai_family == AF_INET) {
            address = &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr;
        } else if (info->ai_family == AF_INET6) {
            address = &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr;
        }
        if (address != NULL &&
            inet_ntop(info->ai_family, address, text, RESOLVE_ADDRESS_SIZE) != NULL) {
            addresses->count++;
        }
    }
}

static void on_answer(int result, struct evutil_addrinfo *info, void *context)
{
    struct resolve *resolve = context;
    struct addresses addresses = {0};
    TEXT_LOCAL(reason, 512);

    resolve->request = NULL;
    resolve->phase = PHASE_ENDING;
    set_timer(resolve, AFTERMATH_MS);
    collect(info, &addresses);
    if (info != NULL) {
        evutil_freeaddrinfo(info);
    }
    if (addresses.count > 0) {
        finish(resolve, &addresses, NULL);
        return;
    }
    text_addf(
        &reason, "%s has no address: %s", resolve->host,
        result == 0 ? "none of a known kind" : evutil_gai_strerror(result));
    finish(resolve, NULL, reason.data);
}

static void configure(struct resolve *resolve)
{
    struct evdns_base *dns = resolve->dns;

    if (resolve->nameserver[0] != '\0') {
        (void)evdns_base_nameserver_ip_add(dns, resolve->nameserver);
    } else {
        /* A host without a resolv.conf still has its hosts file. */
        (void)evdns_base_resolv_conf_parse(
            dns, DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC, "/etc/resolv.conf");
    }
    (void)evdns_base_load_hosts(dns, "/etc/hosts");
    /* So that a lost packet is asked for again within RESOLVE_TIMEOUT_S. */
    (void)evdns_base_set_option(dns, "timeout", "2");
    (void)evdns_base_set_option(dns, "attempts", "2");
    (void)evdns_base_set_option(dns, "getaddrinfo-allow-skew", "1");
}

/* evdns would write its complaints to standard error, and wait there; the reason comes with the
 * result. */
static void ignore_log(int is_warning, const char *message)
{
    (void)is_warning;
    (void)message;
}

static void ask(struct resolve *resolve)
{
    struct evutil_addrinfo hints;
    struct evdns_getaddrinfo_request *request = NULL;

    memset(&hints, 0, sizeof hints);
    hints.ai_family = PF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    resolve->phase = PHASE_ASKING;
    set_timer(resolve, RESOLVE_TIMEOUT_S * 1000);
    evdns_set_log_fn(ignore_log);
    resolve->dns = evdns_base_new(resolve->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (resolve->dns == NULL) {
        on_answer(EVUTIL_EAI_MEMORY, NULL, resolve);
        return;
    }
    configure(resolve);
    request = evdns_getaddrinfo(resolve->dns, resolve->host, NULL, &hints, on_answer, resolve);
    if (resolve->phase == PHASE_ASKING) {
        resolve->request = request;
    }
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct resolve *resolve = context;
    TEXT_LOCAL(reason, 512);

    (void)fd;
    (void)what;
    switch (resolve->phase) {
    case PHASE_TO_START:
        ask(resolve);
        break;
    case PHASE_ASKING:
        text_addf(&reason, "%s: no name server answered in %d s", resolve->host, RESOLVE_TIMEOUT_S);
        evdns_getaddrinfo_cancel(resolve->request);
        finish(resolve, NULL, reason.data);
        break;
    case PHASE_ENDING:
        destroy(resolve);
        break;
    }
}

enum status resolve_start(
    struct event_base *base, const char *host, const char *nameserver, resolve_done *done,
    void *context, struct resolve **ret_resolve)
{
    struct resolve *resolve = calloc(1, sizeof *resolve);

    if (resolve == NULL) {
        return STATUS_NO_MEMORY;
    }
    resolve->base = base;
    resolve->done = done;
    resolve->context = context;
    text_copy(resolve->host, sizeof resolve->host, host);
    text_copy(resolve->nameserver, sizeof resolve->nameserver, nameserver);
    resolve->timer = evtimer_new(base, on_timer, resolve);
    if (resolve->timer == NULL) {
        destroy(resolve);
        return STATUS_NO_MEMORY;
    }
    set_timer(resolve, 0);
    *ret_resolve = resolve;
    return STATUS_OK;
}

void resolve_cancel(struct resolve *resolve)
{
    if (resolve == NULL) {
        return;
    }
    resolve->done = NULL;
    if (resolve->phase == PHASE_TO_START) {
        destroy(resolve);
    } else if (resolve->request != NULL) {
        evdns_getaddrinfo_cancel(resolve->request);
    }
}
