"""A TCP proxy that can misbehave, between the controller and its broker or Redis."""
import asyncio
import socket
import threading

from processes import TIMEOUT_S, free_port

TRICKLE_S = 0.05
CATCH_UP_S = 0.1  # so much later than it was due, a trickle is made up for
SEVERED_BYTES = 2  # of any reply of Redis some is missing then


class Proxy:
    """Listens on a port of its own and passes bytes to and from `target`, (host, port) or a Unix
    socket's path. Each direction has a mode, `up` being towards the target:

      pass     bytes go through
      freeze   connections stay open, nothing goes through; what was held goes when it passes again
      trickle  `trickle_bytes` each `trickle_s`; with `buffer_bytes`, the kernel keeps no more
      sever    the first `severed_bytes` of what comes next go through, then its connection is closed
      garble   one bit of what comes next is another; then bytes go through again
      cut      connections are closed, and new ones at once (both directions)
    """

    def __init__(self, target, trickle_s=TRICKLE_S, trickle_bytes=1, buffer_bytes=None):
        self.target = getattr(target, "address", target)
        self.trickle_s = trickle_s
        self.trickle_bytes = trickle_bytes
        self.buffer_bytes = buffer_bytes
        self.port = free_port()
        self.severed = 0
        self.severed_bytes = SEVERED_BYTES
        self._modes = {"up": "pass", "down": "pass"}
        self._writers = set()
        self._tasks = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._call(self._open())

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    @property
    def url(self):
        """For a broker in front of which it stands; Redis: see redis_url."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def redis_url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def set(self, mode, direction="both"):
        """Takes effect before it returns."""
        assert mode in ("pass", "freeze", "trickle", "sever", "garble", "cut")
        assert mode != "cut" or direction == "both"
        self._call(self._set(mode, ("up", "down") if direction == "both" else (direction,)))

    def connections(self):
        return len(self._writers) // 2

    def close(self):
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT_S)
        self._loop.close()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(TIMEOUT_S)

    async def _open(self):
        self._changed = asyncio.Condition()
        listener = socket.create_server(("127.0.0.1", self.port))
        if self.buffer_bytes:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer_bytes)
        self._server = await asyncio.start_server(self._serve, sock=listener,
                                                  limit=self.buffer_bytes or 65536)

    async def _set(self, mode, directions):
        async with self._changed:
            for direction in directions:
                self._modes[direction] = mode
            self._changed.notify_all()
        if mode == "cut":
            for writer in list(self._writers):
                writer.transport.abort()

    async def _close(self):
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        if self._modes["up"] == "cut":
            writer.transport.abort()
            return
        try:
            if isinstance(self.target, str):
                there_reader, there_writer = await asyncio.open_unix_connection(self.target)
            else:
                there_reader, there_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, there_writer}
        self._writers |= both
        pumps = [asyncio.ensure_future(self._pump("up", reader, there_writer)),
                 asyncio.ensure_future(self._pump("down", there_reader, writer))]
        self._tasks.update(pumps)
        try:
            # The end of one direction is the end of the connection: neither peer half-closes.
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for one in both:
                one.close()
            self._writers -= both
            self._tasks.difference_update(pumps)

    async def _pump(self, direction, reader, writer):
        due = 0.0
        while data := await reader.read(65536):
            while data:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._modes[direction] != "freeze")
                if self._modes[direction] == "trickle":
                    piece, data = data[:self.trickle_bytes], data[self.trickle_bytes:]
                    # By the clock: on a busy host a sleep takes longer.
                    now = self._loop.time()
                    due = (due if now - due < CATCH_UP_S else now) + self.trickle_s
                    await asyncio.sleep(max(0.0, due - now))
                else:
                    piece, data = data, b""
                if self._modes[direction] == "garble":
                    self._modes[direction] = "pass"
                    at = len(piece) // 2
                    piece = piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1:]
                sever = self._modes[direction] == "sever"
                writer.write(piece[:self.severed_bytes] if sever else piece)
                await writer.drain()
                if sever:
                    self.severed += 1
                    return
