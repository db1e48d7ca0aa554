#include "controller/watcher/slack_http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/log.h"

#define AUTHORITIES_MAX ((size_t)4 << 20)

struct request {
    CURL *easy;
    struct curl_slist *headers;
    bool busy;
    size_t length;
    char body[SLACK_HTTP_BODY_MAX + 1];
};

struct slack_http {
    struct event_base *base;
    struct event *timer;
    CURLM *multi;
    struct request requests[SLACK_ROOM_COUNT];
    slack_http_done done;
    void *context;
    /* Whom to trust, read once: the loop opens no file later. Empty: curl looks itself. */
    char *authorities;
    size_t authorities_length;
};

/* ---- what curl asks of the loop ---- */

static void finish(struct slack_http *http, unsigned tag, CURLcode result)
{
    struct request *request = &http->requests[tag];
    curl_off_t retry_after_s = 0;
    struct slack_response response = {
        .error = result == CURLE_OK ? NULL : curl_easy_strerror(result),
        .body = request->body,
        .body_length = request->length,
    };

    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &response.code);
    curl_easy_getinfo(request->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    response.retry_after_s = retry_after_s;
    curl_multi_remove_handle(http->multi, request->easy);
    curl_slist_free_all(request->headers);
    request->headers = NULL;
    request->busy = false;
    http->done(http->context, tag, &response);
}

static void collect(struct slack_http *http)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;
        for (unsigned tag = 0; message->msg == CURLMSG_DONE && tag < SLACK_ROOM_COUNT; tag++) {
            if (http->requests[tag].easy == easy) {
                finish(http, tag, result);
                break;
            }
        }
    }
}

static void on_socket(evutil_socket_t fd, short what, void *argument)
{
    struct slack_http *http = argument;
    int running;
    int action = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
                 ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);

    curl_multi_socket_action(http->multi, fd, action, &running);
    collect(http);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct slack_http *http = argument;
    int running;

    (void)fd;
    (void)what;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(http);
}

/* `socket_event` is what curl_multi_assign tied to the socket. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *argument, void *socket_event)
{
    struct slack_http *http = argument;
    struct event *event = socket_event;
    short wanted = EV_PERSIST;

    (void)easy;
    if (event != NULL) {
        event_free(event);
        event = NULL;
    }
    if (what != CURL_POLL_REMOVE) {
        wanted |= (short)((what & CURL_POLL_IN) != 0 ? EV_READ : 0);
        wanted |= (short)((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0);
        event = event_new(http->base, fd, wanted, on_socket, http);
        if (event != NULL) {
            event_add(event, NULL);
        }
    }
    curl_multi_assign(http->multi, fd, event);
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *argument)
{
    struct slack_http *http = argument;
    struct timeval wait = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

    (void)multi;
    if (timeout_ms < 0) {
        event_del(http->timer);
    } else {
        event_add(http->timer, &wait);
    }
    return 0;
}

/* Keeps the beginning. Answering with less than was given ends the transfer, which is well: the
 * status line has been read. */
static size_t keep_body(char *bytes, size_t unit, size_t count, void *argument)
{
    struct request *request = argument;
    size_t room = SLACK_HTTP_BODY_MAX - request->length;
    size_t length = unit * count;
    size_t kept = length > room ? room : length;

    memcpy(request->body + request->length, bytes, kept);
    request->length += kept;
    request->body[request->length] = '\0';
    return kept == length ? length : 0;
}

/* ---- making it ---- */

static void read_authorities(struct slack_http *http)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    FILE *file = info->cainfo == NULL ? NULL : fopen(info->cainfo, "re");
    char *bytes;

    if ((info->features & CURL_VERSION_ASYNCHDNS) == 0) {
        log_warning("this libcurl resolves names while everything waits for it");
    }
    if (file == NULL) {
        return;
    }
    bytes = malloc(AUTHORITIES_MAX);
    if (bytes != NULL) {
        char *fitting;
        http->authorities_length = fread(bytes, 1, AUTHORITIES_MAX, file);
        http->authorities = bytes;
        fitting = realloc(bytes, http->authorities_length + 1);
        if (fitting != NULL) {
            http->authorities = fitting;
        }
    }
    (void)fclose(file);
}

static bool make_request(struct slack_http *http, struct request *request)
{
    struct curl_blob blob = {
        .data = http->authorities, .len = http->authorities_length, .flags = CURL_BLOB_NOCOPY};
    CURL *easy = curl_easy_init();

    if (easy == NULL) {
        return false;
    }
    request->easy = easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)SLACK_HTTP_CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)SLACK_HTTP_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tagout-watcher/" TAGOUT_VERSION);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    /* A resolver that hangs is left behind, not waited for. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    if (http->authorities_length > 0) {
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else it is looked into all the same */
    }
    return true;
}

enum status slack_http_new(
    struct event_base *base, slack_http_done done, void *context, struct slack_http **ret_http)
{
    struct slack_http *http = calloc(1, sizeof *http);

    if (http == NULL) {
        return STATUS_NO_MEMORY;
    }
    http->base = base;
    http->done = done;
    http->context = context;
    read_authorities(http);
    http->timer = evtimer_new(base, on_timer, http);
    http->multi = curl_multi_init();
    if (http->timer == NULL || http->multi == NULL) {
        slack_http_free(http);
        return STATUS_NO_MEMORY;
    }
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    for (unsigned tag = 0; tag < SLACK_ROOM_COUNT; tag++) {
        if (!make_request(http, &http->requests[tag])) {
            slack_http_free(http);
            return STATUS_NO_MEMORY;
        }
    }
    *ret_http = http;
    return STATUS_OK;
}

void slack_http_free(struct slack_http *http)
{
    if (http == NULL) {
        return;
    }
    for (unsigned tag = 0; tag < SLACK_ROOM_COUNT; tag++) {
        struct request *request = &http->requests[tag];
        if (request->busy) {
            curl_multi_remove_handle(http->multi, request->easy);
        }
        curl_slist_free_all(request->headers);
        curl_easy_cleanup(request->easy);
    }
    if (http->multi != NULL) {
        curl_multi_cleanup(http->multi);
    }
    if (http->timer != NULL) {
        event_free(http->timer);
    }
    free(http->authorities);
    free(http);
}

/* ---- posting ---- */

static struct curl_slist *make_headers(const char *token)
{
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json; charset=utf-8");
    struct curl_slist *more =
        headers == NULL ? NULL : curl_slist_append(headers, "Expect:"); /* no 100-continue */
    TEXT_LOCAL(authorization, 1200);

    if (more != NULL && token != NULL) {
        text_addf(&authorization, "Authorization: Bearer %s", token);
        more = curl_slist_append(headers, authorization.data);
    }
    if (more == NULL) {
        curl_slist_free_all(headers);
        return NULL;
    }
    return headers;
}

enum status slack_http_post(
    struct slack_http *http, unsigned tag, const char *url, const char *token, const char *body,
    size_t length)
{
    struct request *request = &http->requests[tag];

    if (request->busy) {
        return STATUS_BUSY;
    }
    request->headers = make_headers(token);
    if (request->headers == NULL) {
        return STATUS_NO_MEMORY;
    }
    request->length = 0;
    request->body[0] = '\0';
    curl_easy_setopt(request->easy, CURLOPT_URL, url);
    curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers);
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE, (long)length);
    curl_easy_setopt(request->easy, CURLOPT_COPYPOSTFIELDS, body);
    if (curl_multi_add_handle(http->multi, request->easy) != CURLM_OK) {
        curl_slist_free_all(request->headers);
        request->headers = NULL;
        return STATUS_NO_MEMORY;
    }
    request->busy = true;
    return STATUS_OK;
}
