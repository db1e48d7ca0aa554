"""An MQTT client that remembers what it heard, and a machine that talks as C3 says."""
import contextlib
import json
import socket
import threading
import time
import uuid

import paho.mqtt.client as paho

from processes import TIMEOUT_S


class Message:
    def __init__(self, topic, payload, qos, retain):
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.at = time.monotonic()

    @property
    def text(self):
        return self.payload.decode()

    @property
    def json(self):
        return json.loads(self.payload)

    def __repr__(self):
        return f"{self.topic}{' (retained)' if self.retain else ''}: {self.payload!r}"


def _send_at_once(_client, _data, connection):
    """Nagle's algorithm would hold each answer back for some 40 ms."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Client:
    """Connected when made. What arrives is kept in order; a position in it is an index.

    To ask for what comes *after* something one does: since = client.position(), do it, wait_for(…,
    since=since).
    """

    def __init__(self, broker, client_id=None, will=None, prefix="tagout", username=None,
                 password=None, keepalive_s=60):
        self.prefix = prefix
        self.last_transaction = None
        self._messages = []
        self._changed = threading.Condition()
        self._filters = {}
        self._unanswered = set()
        self._unsubscribed = set()
        self._dropped = False
        self._connected = threading.Event()
        self._paho = paho.Client(client_id or f"test-{uuid.uuid4().hex[:12]}", clean_session=True)
        if username:
            self._paho.username_pw_set(username, password)
        if getattr(broker, "ca_file", None):
            self._paho.tls_set(broker.ca_file)
        if will:
            self._paho.will_set(*will)  # topic, payload, qos, retain
        self._paho.on_socket_open = _send_at_once
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_subscribe = self._on_subscribe
        self._paho.on_unsubscribe = self._on_unsubscribe
        self._paho.on_message = self._on_message
        self._paho.max_inflight_messages_set(0)
        self._paho.reconnect_delay_set(1, 1)
        self._paho.connect(broker.address[0], broker.address[1], keepalive_s)
        self._paho.loop_start()
        self.wait_connected()

    def _on_connect(self, _client, _data, _flags, status):
        """Connected means: also subscribed again to all that it was, for a broker that was
        restarted has forgotten it."""
        if status != paho.MQTT_ERR_SUCCESS:
            return
        with self._changed:
            self._unanswered = {self._paho.subscribe(topic, qos)[1]
                                for topic, qos in self._filters.items()}
            if not self._unanswered:
                self._connected.set()

    def _on_subscribe(self, _client, _data, message_id, _granted):
        with self._changed:
            self._unanswered.discard(message_id)
            if not self._unanswered:
                self._connected.set()
            self._changed.notify_all()

    def _on_unsubscribe(self, _client, _data, message_id):
        with self._changed:
            self._unsubscribed.add(message_id)
            self._changed.notify_all()

    def _on_disconnect(self, *_):
        with self._changed:
            self._connected.clear()
            self._changed.notify_all()

    def _on_message(self, _client, _data, message):
        heard = Message(message.topic, message.payload, message.qos, bool(message.retain))
        with self._changed:
            self._messages.append(heard)
            self._changed.notify_all()

    def is_connected(self):
        return self._connected.is_set()

    def wait_connected(self, timeout_s=TIMEOUT_S):
        """Until the broker answers: that the last connection has ended may not be noticed yet."""
        deadline = time.monotonic() + timeout_s
        while not (self._connected.wait(max(0.0, deadline - time.monotonic()))
                   and self._answers(deadline)):
            assert time.monotonic() < deadline, "not connected to the broker"

    def _answers(self, deadline):
        """Asked for something that it can't refuse."""
        status, message_id = self._paho.unsubscribe("test/none")
        if status != paho.MQTT_ERR_SUCCESS:
            time.sleep(0.01)
            return False
        with self._changed:
            self._changed.wait_for(
                lambda: message_id in self._unsubscribed or not self._connected.is_set(),
                deadline - time.monotonic())
            return message_id in self._unsubscribed

    def subscribe(self, topic, qos=1):
        """Returns when the broker has said that it listens."""
        with self._changed:
            self._filters[topic] = qos
            status, message_id = self._paho.subscribe(topic, qos)
            assert status == paho.MQTT_ERR_SUCCESS, paho.error_string(status)
            self._unanswered.add(message_id)
            done = self._changed.wait_for(lambda: message_id not in self._unanswered, TIMEOUT_S)
        assert done, f"no answer to the subscription of {topic}"

    def unsubscribe(self, topic):
        self._filters.pop(topic, None)
        self._paho.unsubscribe(topic)

    def publish(self, topic, payload=b"", qos=1, retain=False, wait=True):
        """Returns when the broker has it (QoS 0: when it was sent; without `wait`: at once)."""
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload)
        info = self._paho.publish(topic, payload, qos, retain)
        if not wait:
            return
        info.wait_for_publish(TIMEOUT_S)
        assert info.is_published(), f"{topic}: not acknowledged"

    def position(self):
        with self._changed:
            return len(self._messages)

    def messages(self, topic="#", since=0):
        with self._changed:
            return [m for m in self._messages[since:] if paho.topic_matches_sub(topic, m.topic)]

    def wait_for(self, topic, predicate=None, timeout_s=TIMEOUT_S, since=0):
        """The first message from `since` on whose topic fits the filter and that satisfies the
        predicate."""
        deadline = time.monotonic() + timeout_s
        position = since
        late = False
        with self._changed:
            while True:
                while position < len(self._messages):
                    message = self._messages[position]
                    position += 1
                    if paho.topic_matches_sub(topic, message.topic) and (
                            predicate is None or predicate(message)):
                        return message
                if late:
                    heard = "\n".join(repr(m) for m in self._messages[since:][-30:])
                    raise TimeoutError(f"no such message on {topic} in {timeout_s} s; heard:\n"
                                       + (heard or "nothing"))
                late = not self._changed.wait(deadline - time.monotonic())

    def expect_silence(self, topic, seconds, predicate=None, since=None):
        """Fails when such a message comes within the time: a rule that something does not happen
        has no event to wait for."""
        since = self.position() if since is None else since
        try:
            message = self.wait_for(topic, predicate, seconds, since)
        except TimeoutError:
            return
        raise AssertionError(f"unexpected: {message!r}")

    @contextlib.contextmanager
    def hears_nothing(self, topic):
        """Fails when something came on `topic` by the end of the block; unless meanwhile all that
        is retained was published again, as a new leader does once (C12.1). The blocks come last
        then."""
        blocks = f"{self.prefix}/controller/blocks"
        if blocks not in self._filters:
            self.subscribe(blocks)
        since = self.position()
        yield
        heard = self.messages(topic, since)
        assert not heard or [m for m in self.messages(blocks, since) if not m.retain], heard

    def retained(self, topic, timeout_s=TIMEOUT_S):
        """What the broker holds: {topic: Message}. A message of one's own on a topic subscribed
        after `topic` comes behind all retained ones and so ends the wait. `topic` must not be
        subscribed already."""
        since = self.position()
        marker = f"test/marker/{uuid.uuid4().hex}"
        self.subscribe(topic)
        self.subscribe(marker)
        self.publish(marker, "end")
        self.wait_for(marker, timeout_s=timeout_s, since=since)
        self.unsubscribe(topic)
        self.unsubscribe(marker)
        return {m.topic: m for m in self.messages(topic, since) if m.retain}

    def states(self, **options):
        """The answers to `status` of all machines, page by page."""
        after = {}
        while after is not None:
            answer = self.request("status", after, **options)
            yield answer["data"]["machines"]
            after = {"after": answer["data"]["next"]} if "next" in answer["data"] else None

    def request(self, verb, body=None, account="local", timeout_s=TIMEOUT_S, final=True):
        """C6: sends a request and returns its answer; `final` waits past `queued`."""
        transaction = self.last_transaction = uuid.uuid4().hex
        topic = f"{self.prefix}/response/{account}/{verb}"
        answers = f"{self.prefix}/response/{account}/+"
        if answers not in self._filters:
            self.subscribe(answers)
        since = self.position()
        self.publish(f"{self.prefix}/request/{account}/{verb}",
                     dict(body or {}, transaction=transaction))

        def is_answer(message):
            answer = message.json
            return answer.get("transaction") == transaction and not (
                final and answer["status"] == "queued")

        return self.wait_for(topic, is_answer, timeout_s, since).json

    def drop(self):
        """Breaks the connection without a goodbye: the broker publishes the last will."""
        connection = self._paho.socket()
        self._paho.loop_stop()
        self._dropped = True
        if connection is not None:
            connection.close()

    def close(self):
        if not self._dropped:
            self._paho.disconnect()
            self._paho.loop_stop()


class Machine:
    """A device as far as C3 goes: one boot, growing `seq`, its whole state in every report."""

    def __init__(self, client, name, boot_id=None, uptime=100.0):
        self.client = client
        self.name = name
        self.topic = f"{client.prefix}/machine/{name}"
        self.boot_id = boot_id or uuid.uuid4().hex[:8]
        self.seq = 0
        self.card = ""
        self.oops = False
        self._uptime = uptime
        self._began = time.monotonic()
        client.subscribe(f"{self.topic}/command")

    def reboot(self, boot_id=None):
        self.boot_id = boot_id or uuid.uuid4().hex[:8]
        self.seq = 0
        self._uptime = 1.0
        self._began = time.monotonic()

    def send(self, card=None, oops=None, **more):
        """Publishes a report and does not wait for its answer."""
        self.card = self.card if card is None else card
        self.oops = self.oops if oops is None else oops
        self.seq += 1
        uptime = round(self._uptime + time.monotonic() - self._began, 3)
        self.client.publish(f"{self.topic}/report",
                            dict({"oops": self.oops, "rfid_value": self.card, "uptime": uptime,
                                  "boot_id": self.boot_id, "seq": self.seq}, **more))

    def report(self, card=None, oops=None, timeout_s=TIMEOUT_S, **more):
        """Publishes a report and returns the command that answers it."""
        since = self.client.position()
        self.send(card, oops, **more)
        return self.answer(since, timeout_s)

    def answer(self, since, timeout_s=TIMEOUT_S):
        def answers(message):
            command = message.json
            return command["boot_id"] == self.boot_id and (command["seq"] or 0) >= self.seq

        return self.client.wait_for(f"{self.topic}/command", answers, timeout_s, since).json
