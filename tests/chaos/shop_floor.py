"""The whole of a shop as processes of its own: broker, Redis (or two under Sentinels), two
controllers, the watcher, and boxes in groups, everybody behind a proxy of his own."""
import json
import os
import random
import shutil
import signal

from fake_slack import FakeSlack
from host import DAY_S, Hosts
from preload import WrongClock, preload_into
from processes import TIMEOUT_S, free_port, state_of, wait_until
from proxy import Proxy
from sentinel import NAME, Replica, Sentinel
from services import BIN, Broker, Controller, Redis
from shop import user
from simulator import Simulator
from tls_broker import make_certificate
from watcher import TOKEN, Watcher

IDS = ("one", "two")
START_DELAY_S = 1.0
GROUPS = 3
VICTIMS = ("victim-0", "victim-1")  # what is forged is forged about these
LAMP = "lamp"                       # always on, or not, by reload
GUEST = "guest"                     # a machine that comes and goes by reload
SHY = "Hal"                         # whose cards are blocked and unblocked
FLIPS = "Flo"                       # whose right comes and goes by reload
COMES = "Gus"                       # who comes and goes by reload
OVERRIDES = "Max"                   # who may override oops and lockout
ALL_PATHS = os.environ["PATH"] + ":/usr/sbin"
NAMES = ("Ada", "Bob", "Cleo", "Dan", OVERRIDES, FLIPS, COMES, SHY)
RIGHTS = {"Ada": ["wood", "metal"], "Bob": [], "Cleo": ["wood"], "Dan": ["metal"],
          OVERRIDES: ["wood"], FLIPS: ["wood"], COMES: ["wood", "metal"], SHY: ["wood", "metal"]}


class Roster:
    """Users and machines as they are now, and as reloads change them."""

    def __init__(self, count):
        self.machines = {LAMP: {"authorizations_or": ["wood"], "always_enabled": True},
                         "fan": {"authorizations_or": ["wood"], "always_enabled": True},
                         GUEST: {"authorizations_or": ["wood"]},
                         "press": {"authorizations_or": ["wood"], "unauthorized_warn_only": True}}
        for name in VICTIMS:
            self.machines[name] = {"authorizations_or": ["wood"]}
        for number in range(count - len(self.machines)):
            self.machines[f"m{number:02}"] = {
                "authorizations_or": ["wood"] if number % 3 else ["metal"]}
            if number % 4 == 1:
                self.machines[f"m{number:02}"]["second_relay"] = {"authorizations_or": ["metal"]}
        self.rights = dict(RIGHTS)
        self.away = set()

    def configured(self):
        return {name: its for name, its in self.machines.items() if name not in self.away}

    def users(self, everybody=False):
        return [user(number + 1, name, self.rights.get(name, RIGHTS[name]),
                     **({"oops_override": True} if name == OVERRIDES else {}))
                for number, name in enumerate(NAMES) if everybody or name in self.rights]

    def may(self, name, machine):
        its = self.machines[machine]
        if name not in self.rights:
            return False
        return (its.get("unauthorized_warn_only", False)
                or bool(set(its["authorizations_or"]) & set(self.rights[name])))

    def change(self, dice):
        """Returns of what or whom nobody knows for now how it is."""
        what = dice.choice((FLIPS, COMES, LAMP, GUEST))
        if what == GUEST:
            self.away ^= {GUEST}
        elif what == FLIPS:
            self.rights[FLIPS] = [] if self.rights[FLIPS] else ["wood"]
        elif what == COMES and COMES in self.rights:
            del self.rights[COMES]
        elif what == COMES:
            self.rights[COMES] = RIGHTS[COMES]
        else:
            self.machines[LAMP]["always_enabled"] = not self.machines[LAMP]["always_enabled"]
        return what


class Memory(Broker):
    """A broker with a file, which it writes when it is asked to: killed, it comes back without
    one, or with the one that was kept of old. `tls`: whether it has a second listener."""

    def __init__(self, scratch, tls):
        self.folder = os.path.join(scratch, "broker")
        os.makedirs(self.folder)
        text = f"persistence true\nautosave_interval 0\npersistence_location {self.folder}/\n"
        if tls:
            self.tls_address = ("127.0.0.1", free_port())
            self.tls_ca_file, key = make_old_certificate(self.folder)
            text += (f"listener {self.tls_address[1]} 127.0.0.1\n"
                     f"certfile {self.tls_ca_file}\nkeyfile {key}\n")
        super().__init__(scratch, text)
        self.file = os.path.join(self.folder, "mosquitto.db")
        self.old = os.path.join(scratch, "broker.old")

    def remember(self):
        forget(self.file)
        self.signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(self.file), "the broker has written its file")
        shutil.copy(self.file, self.old)

    def start_with(self, what):
        forget(self.file)
        if what == "old" and os.path.exists(self.old):
            shutil.copy(self.old, self.file)
        self.start()


def make_old_certificate(folder):
    """Valid whatever a clock is set to: a clock that is wrong ends no connection by itself."""
    clock = WrongClock(folder, "certificate")
    clock.set(-20750 * DAY_S)
    openssl = shutil.which("openssl")
    return make_certificate(folder, "broker", "127.0.0.1", days=73000, environment={
        **os.environ, **clock.environment, **preload_into(openssl, "wrong_clock")})


def forget(file):
    if os.path.exists(file):
        os.remove(file)


class OneRedis:
    """A Redis with a log of its commands, as it is recommended."""

    def __init__(self, scratch, hosts):
        self.redis = Redis(scratch)
        self.redis.arguments += ["--appendonly", "yes", "--appendfsync", "everysec"]
        self.redis.environment = {
            **os.environ, **hosts.environment("redis", shutil.which("redis-server"))}
        self.processes = {"redis": self.redis}
        self.folder = os.path.join(scratch, "appendonlydir")
        self.old = os.path.join(scratch, "redis.old")
        self.disk = hosts.disks["redis"]

    def remember(self):
        shutil.rmtree(self.old, ignore_errors=True)
        shutil.copytree(self.folder, self.old)

    def start_with(self, redis, what):
        if what != "whole":
            self.disk.empty()
            shutil.rmtree(self.folder)
        if what == "old" and os.path.exists(self.old):
            shutil.copytree(self.old, self.folder)
        redis.start().wait_loaded()

    def start(self):
        self.redis.start()
        return self

    def master(self):
        return self.redis if answers(self.redis) else None

    def wipe(self):
        try:
            if answers(self.redis):
                self.redis.wipe()
        except RuntimeError:
            pass  # its disk is full: it refuses that, too


class Sentinels:
    """A master, its replica, and three Sentinels. Which is which changes."""

    def __init__(self, scratch, hosts):
        environment = {**os.environ, **hosts.environment("redis", shutil.which("redis-server"))}
        self.one = Redis(scratch, tcp=True)
        self.one.environment = environment
        self.one.start()
        self.two = Replica(scratch, self.one)
        self.two.environment = environment
        self.processes = {"redis": self.one, "replica": self.two}
        self.two.start()
        self.sentinels = [Sentinel(scratch, self.one, 2) for _ in range(3)]
        for number, sentinel in enumerate(self.sentinels):
            sentinel.environment = environment
            self.processes[f"sentinel-{number}"] = sentinel.start()

    def start(self):
        for sentinel in self.sentinels:
            sentinel.wait_knows(1, 2)
        return self

    def remember(self):
        pass

    @staticmethod
    def start_with(redis, _what):
        """Not as a Replica, which waits until it follows: it may be the master by now."""
        Redis.start(redis)

    def settings(self):
        places = ", ".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return {"url": "redis://127.0.0.1:1/0", "sentinels": places, "master": NAME}

    def master(self):
        """Which one most Sentinels name, if it says so itself. Who is stopped is not asked."""
        named = [s.master_port() for s in self.sentinels if answers(s)]
        for redis in (self.one, self.two):
            if named.count(redis.port) >= 2 and answers(redis) \
                    and redis.command("ROLE")[0] == "master":
                return redis
        return None

    def wipe(self):
        master = self.master()
        if master is not None:
            master.wipe()


def answers(process):
    return process.is_running() and state_of(process.pid) not in "TZ"


class Floor:
    """`groups`: {group: Simulator}; `box_groups`: {machine: group}."""

    def __init__(self, scratch, options):
        self.scratch = scratch
        self.roster = Roster(options.machines)
        self.tls = options.tls
        self.hosts = Hosts(scratch)
        self.broker = Memory(scratch, options.tls)
        self.broker.environment = {
            **self.broker.environment,
            **self.hosts.environment("broker", shutil.which("mosquitto", path=ALL_PATHS))}
        self.slack = FakeSlack()
        self.proxies = {}
        self.controllers = {}
        self.groups = {}
        self.box_groups = {}
        self.store = None
        self.watcher = None
        self.dice = random.Random(f"floor {options.seed}")
        self.use_sentinels = options.sentinel
        self.heartbeat_s = options.heartbeat

    def start(self, heard):
        """`heard(group, line)` is given each line of each group of boxes."""
        self.broker.start()
        self.store = (Sentinels if self.use_sentinels else OneRedis)(self.scratch,
                                                                     self.hosts).start()
        for identity in IDS:
            broker = self._door(f"{identity}-broker")
            settings = {"redis": {"load_timeout_ms": 2500, "save_timeout_ms": 1000},
                        "mqtt": {"url": broker.url, **self._trust()},
                        "homeassistant": {"discovery": "true", "may_clear": "true"},
                        "liveness": {"recent_report_s": None}}
            if self.use_sentinels:
                settings["redis"].update(self.store.settings())
                redis = self.store.one
            else:
                redis = self._proxy(f"{identity}-redis", self.store.redis)
                settings["redis"]["url"] = redis.redis_url
            self.controllers[identity] = Controller(
                self.scratch, broker, redis, self.roster.machines, self.roster.users(),
                identity=identity, settings=settings,
                environment=self.hosts.environment(identity, os.path.join(BIN, "tagoutd")))
        self.watcher = Watcher(
            self.scratch, self._door("watcher-broker"),
            {"mqtt": self._trust(), "slack": {"bot_token": TOKEN, "control_channel": "control",
                                              "api_url": self.slack.api_url}},
            dict(self.hosts.environment("watcher", Watcher.program()),
                 RUNTIME_DIRECTORY=self.scratch))
        self.watcher.start()
        for controller in self.controllers.values():
            controller.start(ready=False)
        for controller in self.controllers.values():
            controller.wait_log(Controller.READY)
        self._start_boxes(heard)
        self._write_ctl()
        return self

    def _proxy(self, name, target):
        self.proxies[name] = Proxy(target, trickle_s=0.002)
        return self.proxies[name]

    def _door(self, name):
        """A proxy of the broker, or of its TLS."""
        if not self.tls:
            return self._proxy(name, self.broker)
        self.proxies[name] = TlsProxy(self.broker.tls_address, trickle_s=0.002)
        return self.proxies[name]

    def _trust(self):
        return {"ca_file": self.broker.tls_ca_file} if self.tls else {}

    def _start_boxes(self, heard):
        names = list(self.roster.machines)
        for number in range(GROUPS):
            group = f"boxes-{number}"
            folder = os.path.join(self.scratch, group)
            os.makedirs(folder)
            mine = names[number::GROUPS]
            sim = Boxes(folder, self._door(f"{group}-broker"),
                        self.roster.machines, self.roster.users(everybody=True), "--json",
                        "--heartbeat", str(self.heartbeat_s), "--start-delay", str(START_DELAY_S),
                        "--seed", str(self.dice.randrange(1 << 30)),
                        *(["--ca-file", self.broker.tls_ca_file] if self.tls else []), names=mine)
            sim.follow(group, heard)
            sim.controlled(folder)
            self.groups[group] = sim
            self.box_groups.update({name: group for name in mine})
            sim.start().ready()
            sim.open()

    def _write_ctl(self):
        self.ctl_ini = os.path.join(self.scratch, "ctl.ini")
        with open(self.ctl_ini, "w", encoding="utf-8") as file:
            file.write(f"[mqtt]\nurl = {self.broker.url}\n")

    def write_roster(self):
        for controller in self.controllers.values():
            controller.write(self.roster.configured(), self.roster.users())

    def processes(self):
        return {"broker": self.broker, "watcher": self.watcher, **self.store.processes,
                **self.controllers, **self.groups}

    def tell(self, machine, what):
        self.groups[self.box_groups[machine]].tell_later(f"{machine} {what}")

    def stop(self):
        """Everybody says goodbye; who does not, or complains on the way out, is returned."""
        wrong = []
        for name, process in {**self.groups, **self.controllers, "watcher": self.watcher}.items():
            try:
                status = process.terminate(2 * TIMEOUT_S)
            except TimeoutError as late:
                wrong.append(str(late))
                continue
            if status != 0:
                wrong.append(f"{name} ended with status {status}")
        return wrong

    def kill(self):
        for process in self.processes().values() if self.store else (self.broker,):
            if process is not None:
                process.kill()
        for proxy in self.proxies.values():
            proxy.close()
        self.slack.close()


class TlsProxy(Proxy):
    @property
    def url(self):
        return f"mqtts://127.0.0.1:{self.port}"


class Boxes(Simulator):
    """Told what happens without waiting for it, for it may be stopped."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.group = None
        self._heard = None
        self._pipe = None
        self._is_ready = False

    def follow(self, group, heard):
        self.group, self._heard = group, heard

    def open(self):
        self._pipe = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)

    def tell_later(self, line):
        os.write(self._pipe, (line + "\n").encode())

    def _add(self, line):
        if line is not None and line.startswith("{"):
            said = json.loads(line)
            self._is_ready = self._is_ready or said["what"] == "ready"
            self._heard(self.group, said)
            return  # not kept: only what is not JSON is a complaint
        super()._add(line)

    def ready(self):
        wait_until(lambda: self._is_ready, "the boxes are ready")
        return self
