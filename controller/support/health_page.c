#include "controller/support/health_page.h"

#include "controller/support/json.h"

static void start(struct http_reply *reply, struct json_out *out, const char *status)
{
    reply->type = "application/json";
    *out = json_out(reply->out);
    json_out_open(out, NULL, '{');
    json_out_string(out, "status", status);
}

static void end(struct http_reply *reply, struct json_out *out)
{
    json_out_close(out, '}');
    text_add(reply->out, "\n");
}

bool health_page_alive(void *context, struct http_reply *reply)
{
    struct json_out out;

    (void)context;
    start(reply, &out, "alive");
    end(reply, &out);
    return false;
}

static void ignore(void *context, const char *what)
{
    (void)context;
    (void)what;
}

static void add_reason(void *context, const char *what)
{
    json_out_string(context, NULL, what);
}

void health_page_ready(
    struct http_reply *reply,
    bool (*check)(void *context, void (*say)(void *to, const char *what), void *to), void *context)
{
    bool ready = check(context, ignore, NULL);
    struct json_out out;

    reply->status = ready ? 200 : 503;
    start(reply, &out, ready ? "ready" : "not ready");
    if (!ready) {
        json_out_open(&out, "reasons", '[');
        (void)check(context, add_reason, &out);
        json_out_close(&out, ']');
    }
    end(reply, &out);
}
