"""A host that refuses tagoutd one call, whichever it is, from its start to its first decisions: it
ends with an error and a word about it, or it goes on and decides as ever. It never crashes or hangs,
and no relay goes on for a card that may not."""
import concurrent.futures
import contextlib
import mmap
import os
import re
import struct

import pytest

from harness import ADA, Client, Machine
from preload import preloaded
from shop import USERS

MACHINES = {"saw": {"authorizations_or": ["woodshop"]}}
STRANGER = "4711471147"
AT_ONCE = 6
READY_S = 90.0  # with all its retries, on a loaded machine
STRUGGLE_S = 4.0
ANSWER_S = 2.0  # C7.4
PERIODS = 30
STOP_S = 60.0
OPENSSL = "memory: libcrypto"
SAMPLE = 48  # of OpenSSL's seven hundred
STRUGGLES = 4  # of each kind
# Paho and hiredis take it for granted that they get memory, and crash without; a supervisor starts
# the process again. libevent tells its loop of a signal by a socket, into which a byte always fits.
SPARED = "memory:libpaho memory:libhiredis write:libevent"
WORD = re.compile(r"ERROR|tagoutd: ")


class Order:
    """What failing_calls is to refuse, and what it did."""

    _SITES, _SITE, _FOR_GOOD, _STRUCK, _WHAT = 0, 4, 8, 12, 16

    def __init__(self, folder, name, site=0, for_good=False):
        path = os.path.join(folder, f"order-{name}")
        with open(path, "wb") as file:
            file.write(bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            self._words = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self._words[self._SITE:self._STRUCK] = struct.pack("=II", site, for_good)
        self.environment = {"FAILING_CALLS": path, "FAILING_CALLS_SPARE": SPARED,
                            "MALLOC_PERTURB_": "165"}

    def _number(self, at):
        return struct.unpack("=I", self._words[at:at + 4])[0]

    @property
    def sites(self):
        return self._number(self._SITES)

    @property
    def struck(self):
        return self._number(self._STRUCK)

    @property
    def what(self):
        return self._words[self._WHAT:self._WHAT + 256].split(b"\0")[0].decode()


class Bench:
    """One client at the broker, for the machines of all controllers."""

    def __init__(self, broker, prefix):
        self._client = Client(broker, prefix=prefix)
        self.prefix = prefix
        self.subscribe(f"{prefix}/machine/+/command")

    def __getattr__(self, name):
        return getattr(self._client, name)

    def ask(self, machine, card, periods=PERIODS):
        """Reports until it is answered, as a box does (C7.4)."""
        since = self.position()
        machine.send(card=card)
        for _ in range(periods):
            try:
                return machine.answer(since, ANSWER_S)
            except TimeoutError:
                machine.seq -= 1
                machine.send()
        raise TimeoutError(f"a report with the card {card!r} is not answered")

    def relays_on(self):
        return [m for m in self.messages(f"{self.prefix}/machine/+/command") if m.json["relay"]]


def decide(bench):
    """A member comes in, a stranger does not; nothing is on before."""
    saw = Machine(bench, "saw")
    assert bench.ask(saw, "")["relay"] is False
    assert bench.ask(saw, STRANGER)["relay"] is False
    assert bench.ask(saw, "")["relay"] is False
    assert not bench.relays_on()
    assert bench.ask(saw, ADA)["relay"] is True
    assert bench.ask(saw, "")["relay"] is False


def check_end(controller, status):
    """A refusal is no fault of the configuration: a supervisor shall start it again."""
    assert status in (0, 1), f"it ended with status {status}"
    assert status == 0 or WORD.search(controller.log()), "it ended without a word"


def is_ready(controller, within_s):
    """False: it ended."""
    try:
        controller.wait_log(controller.READY, within_s)
        return True
    except AssertionError:
        return False


def live(controller, bench):
    """From start to end, where one call is refused."""
    controller.start(ready=False)
    if is_ready(controller, READY_S):
        decide(bench)
        check_end(controller, controller.terminate(STOP_S))
    else:
        status = controller.wait(STOP_S)
        assert status != 0, "it ended and called that a success"
        check_end(controller, status)
        assert not bench.relays_on()


def struggle(controller, bench):
    """The same where all calls of a kind are refused from one on: it may go on without success, but
    it can be told to end."""
    controller.start(ready=False)
    with contextlib.suppress(TimeoutError):
        if is_ready(controller, STRUGGLE_S):
            bench.ask(Machine(bench, "saw"), STRANGER, periods=2)
    status = controller.terminate(STOP_S) if controller.is_running() else controller.wait()
    check_end(controller, status)
    assert not bench.relays_on()


@pytest.fixture
def run(scratch, broker, redis):
    """Lives with one refusal: run(life, site) tells whether anything was refused, and what was wrong
    with that, if anything."""
    def make(life, site, listed=None):
        name = f"{life.__name__}{site}"
        order = Order(scratch, name, site, life is struggle)
        environment = dict(order.environment, **({"FAILING_CALLS_LIST": listed} if listed else {}))
        controller = preloaded(scratch, broker, redis, MACHINES, USERS, ["failing_calls"],
                               environment, identity=name, prefix=name)
        bench = Bench(broker, name)
        try:
            life(controller, bench)
        except (AssertionError, TimeoutError) as error:
            return order.struck > 0, f"site {site}, {order.what}:\n{error}\n{controller.log()}"
        finally:
            controller.kill()
            bench.close()
        return order.struck > 0, None

    return make


@pytest.fixture
def sites(scratch, run):
    """What tagoutd asks for where nothing is refused: {kind: [numbers of sites]}; what OpenSSL asks
    for is a kind of its own."""
    listed = os.path.join(scratch, "sites")
    _, wrong = run(live, 0, listed)
    assert wrong is None, wrong
    found = {}
    with open(listed, encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, 1):
            kind = OPENSSL if line.startswith(OPENSSL) else line.partition(":")[0]
            found.setdefault(kind, []).append(number)
    return found


def spread(numbers, count):
    """So many of them, from the first to the last."""
    if "ALL_SITES" in os.environ or len(numbers) <= count:
        return numbers
    return [numbers[i * (len(numbers) - 1) // (count - 1)] for i in range(count)]


def run_all(run, life, numbers):
    """Several at a time, each started by a thread that outlives it."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        lives = list(pool.map(lambda number: run(life, number), numbers))
    wrong = [text for _, text in lives if text]
    assert not wrong, f"{len(wrong)} of {len(numbers)} sites:\n" + "\n\n".join(wrong[:5])
    # Threads reach theirs in no order, so some were refused another call than was listed, or none.
    assert sum(struck for struck, _ in lives) > 0.8 * len(numbers)


def test_a_call_of_the_host_is_refused_once(run, sites):
    kinds = set(sites) - {"memory", OPENSSL}
    assert {"open", "read", "write", "socket", "connect", "thread", "event"} <= kinds
    run_all(run, live, [number for kind in sorted(kinds) for number in sites[kind]])


def test_memory_is_refused_once(run, sites):
    assert len(sites["memory"]) > 100
    run_all(run, live, sites["memory"])


def test_memory_is_refused_to_openssl_once(run, sites):
    run_all(run, live, spread(sites[OPENSSL], SAMPLE))


def test_a_kind_of_call_is_refused_for_good(run, sites):
    run_all(run, struggle,
            [number for kind in sorted(sites) for number in spread(sites[kind], STRUGGLES)])
