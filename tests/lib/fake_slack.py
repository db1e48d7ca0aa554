"""A Slack of the test's own: remembers what is posted, and has moods.

    slack = FakeSlack()
    slack.mood(Slow(3), Status(500), Refuse("channel_not_found"))   # for the next three requests
    slack.mood_until_changed(Status(503))

Speaks chat.postMessage below /api and incoming webhooks below /hook. A request's mood is taken
from the script, else the standing one, else all is well. Every request is in `requests`, with
`taken` true where it was answered with ok.
"""
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from processes import TIMEOUT_S, free_port


class Request:
    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = body
        self.at = time.monotonic()
        self.taken = False
        self.ts = None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.json["text"]

    @property
    def channel(self):
        return self.json.get("channel", self.path)

    @property
    def thread(self):
        return self.json.get("thread_ts")

    def __repr__(self):
        return f"{'taken' if self.taken else 'not taken'}: {self.path} {self.body!r}"


class Fine:
    def answer(self, handler, request):
        request.taken = True
        if request.path.startswith("/hook"):
            handler.reply(200, b"ok", "text/plain")
        else:
            request.ts = handler.server.slack.next_ts()
            handler.reply(200, json.dumps({"ok": True, "channel": request.channel,
                                           "ts": request.ts}).encode())


class Slow:
    """Answers well, after a while."""

    def __init__(self, seconds):
        self.seconds = seconds

    def answer(self, handler, request):
        handler.server.slack.closing.wait(self.seconds)
        Fine().answer(handler, request)


class Held:
    """Answers well, once it is let go."""

    def __init__(self):
        self._may_go = threading.Event()

    def let_go(self):
        self._may_go.set()

    def answer(self, handler, request):
        self._may_go.wait(TIMEOUT_S)
        Fine().answer(handler, request)


class Status:
    def __init__(self, code, headers=None, body=b""):
        self.code = code
        self.headers = headers or {}
        self.body = body

    def answer(self, handler, request):
        handler.reply(self.code, self.body, "text/plain", self.headers)


class RateLimited(Status):
    def __init__(self, retry_after_s):
        super().__init__(429, {"Retry-After": str(retry_after_s)}, b"")


class Refuse:
    """ok: false."""

    def __init__(self, error):
        self.error = error

    def answer(self, handler, request):
        handler.reply(200, json.dumps({"ok": False, "error": self.error}).encode())


class Garbage:
    def __init__(self, body=b"<html>a captive portal</html>"):
        self.body = body

    def answer(self, handler, request):
        request.taken = True  # the status line says so
        handler.reply(200, self.body, "text/html")


class CloseInBody:
    """The status line and half of the body."""

    def answer(self, handler, request):
        request.taken = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                            b"Content-Length: 4000\r\n\r\n{\"ok\": tr")
        handler.cut()


class CloseBefore:
    """Takes the request and says nothing."""

    def answer(self, handler, request):
        handler.cut()


class Endless:
    """A body that never ends."""

    def answer(self, handler, request):
        request.taken = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        try:
            while not handler.server.slack.closing.is_set():
                handler.wfile.write(b" " * 65536)
        except OSError:
            pass
        handler.cut()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(self.path, dict(self.headers), body)
        self.server.slack.take(request).answer(self, request)
        self.server.slack.changed_now()

    def reply(self, code, body, kind="application/json", headers=None):
        try:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # whoever asked has gone

    def cut(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_):
        pass


class FakeSlack:
    def __init__(self):
        self.port = free_port()
        self.closing = threading.Event()
        self._changed = threading.Condition()  # with an RLock: may be taken twice
        self._requests = []
        self._script = []
        self._standing = Fine()
        self._stamps = 0
        self._server = None
        self.open()

    def open(self):
        """Listens (again)."""
        self.closing.clear()
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.slack = self
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Refuses connections from now on."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def api_url(self):
        return f"http://127.0.0.1:{self.port}/api"

    def webhook(self, name):
        return f"http://127.0.0.1:{self.port}/hook/{name}"

    def mood(self, *moods):
        with self._changed:
            self._script += moods

    def mood_until_changed(self, mood):
        with self._changed:
            self._standing = mood

    def take(self, request):
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
            return self._script.pop(0) if self._script else self._standing

    def changed_now(self):
        with self._changed:
            self._changed.notify_all()

    def next_ts(self):
        with self._changed:
            self._stamps += 1
            return f"1700000000.{self._stamps:06}"

    def requests(self):
        with self._changed:
            return list(self._requests)

    def taken(self, channel=None):
        return [r for r in self.requests() if r.taken and channel in (None, r.channel)]

    def texts(self, channel=None):
        """What people read, in its order."""
        return [r.text for r in self.taken(channel)]

    def wait_for(self, part, channel=None, timeout_s=TIMEOUT_S):
        """The first message that was taken and has these words."""
        return self.wait_until(
            lambda: next((r for r in self.taken(channel) if part in r.text), None),
            f"a message with {part!r}", timeout_s)

    def wait_until(self, condition, what, timeout_s=TIMEOUT_S):
        deadline = time.monotonic() + timeout_s
        late = False
        with self._changed:
            while True:
                value = condition()
                if value:
                    return value
                if late:
                    heard = "\n".join(map(repr, self._requests[-20:])) or "nothing"
                    raise TimeoutError(f"Slack: not {what} in {timeout_s} s; heard:\n{heard}")
                late = not self._changed.wait(deadline - time.monotonic())
