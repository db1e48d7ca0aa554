#include "controller/support/mqtt_reason.h"

#include <string.h>

void mqtt_address(const struct mqtt_url *url, struct text *address)
{
    bool is_ip6 = strchr(url->host, ':') != NULL;

    text_addf(
        address, "%s://%s%s%s:%u", url->tls ? "ssl" : "tcp", is_ip6 ? "[" : "", url->host,
        is_ip6 ? "]" : "", (unsigned)url->port);
}

/* OpenSSL's word for an authority that is not known as well as for a date. */
#define UNVERIFIED "certificate verify failed"

/* CONNACK's return codes, MQTT 3.1.1 section 3.2.2.3. */
static const char *refusal_text(int code)
{
    switch (code) {
    case 1:
        return "refused: the broker does not speak MQTT 3.1.1";
    case 2:
        return "refused: client id not accepted";
    case 3:
        return "refused: the broker is unavailable";
    case 4:
        return "refused: bad user name or password";
    case 5:
        return "refused: not authorised (user name or password?)";
    default:
        return NULL;
    }
}

/* Ports that tagout.conf, and most brokers, have for TLS and without it: a url that mixes them up
 * is let wait until the broker gives it up, and nobody says why. */
static bool is_for_tls(uint16_t port)
{
    return port == 8883 || port == 8884;
}

static bool is_plain(uint16_t port)
{
    return port == 1883 || port == 1884;
}

void mqtt_connect_reason(
    const struct mqtt_url *url, int code, const char *tls_reason, struct text *reason)
{
    const char *refusal = refusal_text(code);

    if (refusal != NULL) {
        text_add(reason, refusal);
        return;
    }
    text_addf(reason, "can't connect to %s, port %u", url->host, (unsigned)url->port);
    if (tls_reason[0] != '\0') {
        text_addf(reason, ": TLS: %s", tls_reason);
        if (strcmp(tls_reason, UNVERIFIED) == 0) {
            text_add(
                reason,
                " (is its authority in ca_file, and this host's date right? On the broker's "
                "host \"tagoutctl ca show\" tells until when it holds)");
        }
    } else if (url->tls && is_plain(url->port)) {
        text_add(reason, ": is that port for TLS? Without it, the url begins with mqtt://");
    } else if (url->tls) {
        /* Paho tells neither of these from the other. */
        text_add(reason, ": no TCP connection, or its certificate is not for this host");
    } else if (is_for_tls(url->port)) {
        text_add(reason, ": is that port for TLS? Then the url begins with mqtts://");
    }
}

/* From OpenSSL's "...:error:code:library:function:reason:file:line:" the reason, else all. */
static void add_reason(struct text *reason, const char *string, size_t length)
{
    const char *start = memmem(string, length, "error:", 6);
    const char *end = string + length;

    for (int fields = 0; fields < 4 && start != NULL; fields++) {
        start = memchr(start, ':', (size_t)(end - start));
        start = start == NULL ? NULL : start + 1;
    }
    if (start != NULL && memchr(start, ':', (size_t)(end - start)) != NULL) {
        end = memchr(start, ':', (size_t)(end - start));
        text_add_bytes(reason, start, (size_t)(end - start));
    } else {
        text_add_bytes(reason, string, length);
    }
}

void mqtt_keep_tls_reason(char tls_reason[MQTT_TLS_REASON_SIZE], const char *string, size_t length)
{
    if (tls_reason[0] == '\0') {
        struct text reason = text_over(tls_reason, MQTT_TLS_REASON_SIZE);
        add_reason(&reason, string, strnlen(string, length));
    }
}
