"""A name server on loopback that answers as it is told."""
import os
import socket
import struct
import threading

_A = 1


class Nameserver:
    """`answer` is "address" (of `names`), "nothing" (no such name), or "silence"; it may be changed
    at any time. `asked` counts queries."""

    def __init__(self, names, answer="address"):
        self.names = names
        self.answer = answer
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def resolv_conf(self, folder):
        path = os.path.join(folder, "resolv.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"nameserver 127.0.0.1:{self.port}\n")
        return path

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            query, address = self._socket.recvfrom(4096)
            if not query:
                return
            self.asked += 1
            if self.answer != "silence":
                self._socket.sendto(self._reply(query), address)

    def _reply(self, query):
        labels, position = [], 12
        while query[position]:
            end = position + 1 + query[position]
            labels.append(query[position + 1:end].decode().lower())
            position = end
        kind, = struct.unpack(">H", query[position + 1:position + 3])
        question = query[12:position + 5]
        known = self.names.get(".".join(labels)) if self.answer == "address" else None
        records = b""
        if known and kind == _A:
            records = struct.pack(">HHHIH", 0xC00C, _A, 1, 1, 4) + socket.inet_aton(known)
        flags = 0x8180 if known else 0x8183
        return query[:2] + struct.pack(">5H", flags, 1, bool(records), 0, 0) + question + records
