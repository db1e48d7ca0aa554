"""Redis Sentinel: real ones with a master and its replica, and one that says what a test wants."""
import os
import socketserver
import threading

from processes import TIMEOUT_S, free_port, wait_until
from services import Redis, Service

NAME = "shop"


class Replica(Redis):
    """A redis-server that follows another."""

    def __init__(self, scratch, master):
        super().__init__(scratch, tcp=True)
        self.arguments += ["--replicaof", "127.0.0.1", str(master.port)]

    def start(self):
        super().start()
        wait_until(lambda: self.command("ROLE")[3] == "connected", f"{self.name} follows")
        return self


class Sentinel(Redis):
    """redis-server as a Sentinel of NAME."""

    def __init__(self, scratch, master, quorum):
        super().__init__(scratch, tcp=True)
        config = os.path.join(scratch, f"sentinel-{self.port}.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"bind 127.0.0.1\nport {self.port}\ndir {scratch}\ndaemonize no\n"
                       f"sentinel monitor {NAME} 127.0.0.1 {master.port} {quorum}\n"
                       f"sentinel down-after-milliseconds {NAME} 1000\n"
                       f"sentinel failover-timeout {NAME} 3000\n")
        self.name = f"sentinel:{self.port}"
        self.arguments = ["redis-server", config, "--sentinel"]

    def wait_knows(self, replicas, sentinels):
        """Until it knows of so many replicas and other Sentinels."""
        def knows():
            found = self.command("SENTINEL", "MASTER", NAME)
            found = dict(zip(found[::2], found[1::2]))
            return (found["num-slaves"], found["num-other-sentinels"]) == (
                str(replicas), str(sentinels))

        wait_until(knows, f"{self.name} knows all", 2 * TIMEOUT_S)

    def master_port(self):
        return int(self.command("SENTINEL", "get-master-addr-by-name", NAME)[1])


class FakeSentinel:
    """Names the Redis that `master` is; None: it knows no such master."""

    def __init__(self, master, password=None):
        self.master = master
        self.password = password
        self.silent = False  # a question gets no answer; later ones are not read
        self.port = free_port()
        self.asked = threading.Semaphore(0)
        self._connections = []
        self._server = None
        self.start()

    def start(self):
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                outer._connections.append(self.connection)
                trusted = outer.password is None
                while words := _read_words(self.rfile):
                    if words[0] == "AUTH":
                        trusted = words[1] == outer.password
                        reply = "+OK" if trusted else "-WRONGPASS invalid password"
                    elif not trusted:
                        reply = "-NOAUTH Authentication required."
                    elif outer.silent and words[0] == "SENTINEL":
                        self.rfile.read()  # until the other side has gone
                        break
                    else:
                        reply = outer._answer(words)
                    self.wfile.write(reply.encode() + b"\r\n")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _answer(self, words):
        if words[0] == "PING":
            return "+PONG"
        assert words == ["SENTINEL", "get-master-addr-by-name", NAME], words
        self.asked.release()
        if self.master is None:
            return "*-1"
        port = str(self.master.port)
        return f"*2\r\n$9\r\n127.0.0.1\r\n${len(port)}\r\n{port}"

    def close(self):
        """As a Sentinel that is killed."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for connection in self._connections:
            try:
                connection.shutdown(2)
            except OSError:
                pass  # it had ended
        self._connections.clear()


def _read_words(stream):
    line = stream.readline()
    if not line:
        return None
    words = []
    for _ in range(int(line[1:])):
        length = int(stream.readline()[1:])
        words.append(stream.read(length + 2)[:-2].decode())
    return words
