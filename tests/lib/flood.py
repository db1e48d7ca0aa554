"""Far more reports than a shop ever makes: packets that were made before, over one connection."""
import json
import socket
import struct
import threading
import time

from processes import TIMEOUT_S, wait_until

AHEAD = 5000
PAUSE_S = 0.05
AGAIN_S = 2  # C7.4


def _length(number):
    """MQTT's remaining length."""
    out = b""
    while True:
        number, digit = divmod(number, 128)
        out += bytes([digit | 0x80 if number else digit])
        if not number:
            return out


def _publish(topic, payload):
    body = struct.pack(">H", len(topic)) + topic.encode() + payload
    return b"\x30" + _length(len(body)) + body


def report(machine, seq, card="", oops=False):
    """What a box of that name says, of a boot that is its own."""
    return {"oops": oops, "rfid_value": card, "uptime": 1000 + seq / 100, "boot_id": f"f-{machine}",
            "seq": seq}


def all_answered(client, machines, seq, since):
    """Whether the newest command of each answers the report with that number."""
    newest = {message.topic.split("/")[2]: message.json["seq"]
              for message in client.messages("tagout/machine/+/command", since)}
    return all(newest.get(machine) == seq for machine in machines)


class Flood:
    """Says reports at QoS 0, without waiting for answers."""

    def __init__(self, broker, prefix="tagout"):
        self.prefix = prefix
        self.sent = 0
        self._seq = 0
        self._stopping = False
        self._thread = None
        self._socket = socket.create_connection(broker.address, timeout=TIMEOUT_S)
        name = b"flood"
        self._socket.sendall(b"\x10" + _length(12 + len(name)) + b"\x00\x04MQTT\x04\x02\x00\x00"
                             + struct.pack(">H", len(name)) + name)
        assert self._socket.recv(4)[3] == 0, "the broker refuses the flood"

    def say(self, reports):
        """[(machine, report)], in this order."""
        packets = [_publish(f"{self.prefix}/machine/{machine}/report", json.dumps(said).encode())
                   for machine, said in reports]
        self._socket.sendall(b"".join(packets))
        self.sent += len(packets)

    def start(self, machines, heard):
        """Each says the same again and again, under a new `seq`; all together, AHEAD more than
        `heard()` says, so that a host that is slow is not asked for more than it can read, or as
        fast as the broker takes it when that is None."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, args=(machines, heard), daemon=True)
        self._thread.start()
        return self

    def _run(self, machines, heard):
        while not self._stopping:
            self._seq += 1
            self.say((machine, report(machine, self._seq)) for machine in machines)
            while heard is not None and self.sent % AHEAD < len(machines) and not self._stopping \
                    and self.sent - heard() > AHEAD:
                time.sleep(PAUSE_S)

    def stop(self):
        """Returns the last `seq`."""
        self._stopping = True
        self._thread.join(TIMEOUT_S)
        return self._seq

    def repeat_until_answered(self, client, machines, seq, since, timeout_s):
        """As boxes do, without cards: what nobody answered is said again."""
        again = time.monotonic() + AGAIN_S

        def answered():
            nonlocal again
            if time.monotonic() >= again:
                again = time.monotonic() + AGAIN_S
                self.say((machine, report(machine, seq)) for machine in machines)
            return all_answered(client, machines, seq, since)

        wait_until(answered, "every machine has the answer to its newest report", timeout_s)

    def close(self):
        self._socket.close()
