"""A Redis that answers every command with an error, as one does that reads its files."""
import socket
import threading

from processes import TIMEOUT_S, free_port


class RefusingRedis:
    """Stands in front of `redis`. Commands are passed on one by one until `refuse` names the error
    that answers them instead; `refused` counts those."""

    def __init__(self, redis):
        self.port = free_port()
        self.refused = 0
        self._redis = redis
        self._error = None
        self._connections = []
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def redis_url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def refuse(self, error):
        self._error = error

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(TIMEOUT_S)
        for one in self._connections:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def _listen(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            there = self._redis._connect()
            there.settimeout(None)
            self._connections += [client, there]
            threading.Thread(target=self._requests, args=(client, there), daemon=True).start()
            threading.Thread(target=self._replies, args=(there, client), daemon=True).start()

    def _requests(self, client, there):
        try:
            stream = client.makefile("rb")
            while command := _read_command(stream):
                if self._error is None:
                    there.sendall(command)
                else:
                    self.refused += 1
                    client.sendall(f"-{self._error}\r\n".encode())
        except OSError:
            pass

    @staticmethod
    def _replies(there, client):
        try:
            while data := there.recv(65536):
                client.sendall(data)
        except OSError:
            pass


def _read_command(stream):
    head = stream.readline()
    whole = head
    for _ in range(int(head[1:]) if head else 0):
        size = stream.readline()
        whole += size + stream.read(int(size[1:]) + 2)
    return whole
