"""The disk of the whole host freezes, under broker, Redis, controller and watcher alike, and nobody
reads what they log: cards still open machines, and people are told."""
import fcntl
import os

import pytest

from fleet import BUDGET_MS, PROMPT_MS, STALL_S, Fleet, machines, median_ms
from harness import USERS, Broker, Client, Redis, free_port, wait_until
from preload import Disk, ReleaseWatcher, preloaded
from secured import CONFIG, Secured, configuration, settings_of
from watcher import storage_alerts, wait_alert, wait_service

COUNT = 40
# Of no concern to a disk: here everybody comes in.
WHO_COMES_IN = ("listener", "use_username_as_clientid", "clientid_prefixes", "auto_id_prefix",
                "certfile", "keyfile", "password_file", "acl_file", "allow_anonymous")


def recommended():
    """The broker's configuration as it is recommended: [(key, value)]."""
    return [(key, value) for key, value in settings_of(CONFIG) if key not in WHO_COMES_IN]


@pytest.fixture
def disk(scratch):
    one = Disk(scratch)
    yield one
    one.thaw()


class Unread:
    """A pipe that nobody reads, to log into."""

    def __init__(self):
        self.read_end, self.write_end = os.pipe()
        fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, 4096)

    def fill(self):
        os.set_blocking(self.write_end, False)
        try:
            while True:
                os.write(self.write_end, b"\n")
        except BlockingIOError:
            pass
        os.set_blocking(self.write_end, True)

    def close(self):
        for end in (self.read_end, self.write_end):
            os.close(end)


@pytest.fixture
def unread():
    pipe = Unread()
    yield pipe
    pipe.close()


def frozen_broker(scratch, disk, options):
    """A broker on that disk, with these lines besides its listener."""
    port = free_port()
    broker = Broker(scratch, port=port)
    config = broker.arguments[-1]
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"listener {port} 127.0.0.1\n" + "user root\n" * (os.getuid() == 0))
        file.write("allow_anonymous true\n")
        file.writelines(f"{key} {value}\n" for key, value in options)
    broker.environment = {**broker.environment, **disk.environment}
    return broker


class DurableRedis(Redis):
    """It answers when the command is in its log of commands. What it says goes into a file."""

    def __init__(self, scratch, disk):
        super().__init__(scratch)
        self.arguments += ["--appendonly", "yes", "--appendfsync", "everysec",
                           "--logfile", os.path.join(scratch, "redis.log")]
        self.environment = {**os.environ, **disk.environment}


def frozen_watcher(scratch, broker, slack, disk):
    return ReleaseWatcher(scratch, broker, {
        "slack": {"bot_token": "xoxb", "control_channel": "control",
                  "activity_channel": "activity", "api_url": slack.api_url}}, disk.environment)


def test_cards_open_machines_and_people_are_told_while_the_hosts_disk_is_frozen(
        scratch, disk, unread, slack):
    broker = frozen_broker(scratch, disk, recommended())
    redis = DurableRedis(scratch, disk)
    controller = preloaded(
        scratch, broker, redis, machines(COUNT), USERS, [], settings={
            "redis": {"save_timeout_ms": BUDGET_MS}},
        environment=disk.environment)
    watcher = frozen_watcher(scratch, broker, slack, disk)
    client = None
    try:
        broker.unread = controller.unread = watcher.unread = unread.write_end
        broker.start()
        redis.start()
        unread.fill()
        controller.start(ready=False)
        wait_until(lambda: is_healthy(controller), "the controller is ready")
        client = Client(broker)
        client.subscribe("tagout/fleet/alert")
        client.subscribe("tagout/service/+")
        watcher.start(ready=False)
        wait_service(client, "watcher", "running")
        fleet = Fleet(client, COUNT).boot()
        usual = median_ms(fleet.swipe())
        fleet.wait_kept(redis)  # from here on only the frozen disk is late

        disk.freeze()
        since = client.position()
        before = fleet.reports
        took = fleet.swipe()
        disk.wait_held()  # Redis, in its log of commands
        Client(broker).close()  # somebody new comes in as well
        while controller.metrics()["tagout_log_dropped_total"] == 0:
            took += fleet.swipe()  # a decision is a line
            assert len(took) < 200 * COUNT, "no log line was dropped"
        took += fleet.swipe()
        frozen = median_ms(took)
        print(f"note: a command at the median: {usual:.2f} ms, on a frozen disk {frozen:.2f} ms, "
              f"of {len(took)}")
        assert frozen < PROMPT_MS
        assert max(took) < STALL_S
        late = fleet.reports - before
        wait_until(lambda: len(fleet.timeouts(since)) >= late, "every report's timeout")
        assert all(s["faults"] == ["save_timeout"] for s in fleet.states().values())
        wait_alert(client, "fleet_save_timeouts")
        slack.wait_for("Fleet: storage hangs", channel="control")
        assert watcher.audit_lines("save_timeout") == []  # its disk is the same

        disk.thaw()
        wait_until(lambda: not any(s["problem"] for s in fleet.states().values()), "it is over")
        fleet.wait_kept(redis)
        assert len(fleet.timeouts(since)) == late
        wait_alert(client, "save_timeouts_over")
        slack.wait_for("Storage answers again", channel="control")
        assert disk.held == 0
        assert watcher.terminate() == 0
        assert len(storage_alerts(client)) == COUNT + 2
        assert len(slack.taken("control")) <= 6  # with one about Redis, where it lasts
        assert len(watcher.audit_lines("save_timeout")) == late
        assert watcher.audit_lines("dropped") == watcher.audit_lines("gap") == []
        controller.stop()
    finally:
        if client:
            client.close()
        for process in (watcher, controller, redis, broker):
            process.kill()


def is_healthy(controller):
    try:
        return controller.get("/readyz") == '{"status":"ready"}\n'
    except OSError:
        return False


def test_a_broker_that_saves_each_change_serves_nobody_then(scratch, disk):
    """Why it is recommended otherwise; and a proof that this disk is frozen."""
    folder = os.path.join(scratch, "store")
    os.mkdir(folder)
    broker = frozen_broker(scratch, disk, [
        ("persistence", "true"), ("autosave_on_changes", "true"),
        ("autosave_interval", "1"), ("persistence_location", folder + "/"),
        ("log_dest", "stderr")])
    try:
        broker.start()
        client = Client(broker)
        try:
            client.subscribe("answer")
            disk.freeze()
            client.publish("kept", "1", retain=True, wait=False)
            client.publish("kept", "2", retain=True, wait=False)
            disk.wait_held()
            client.publish("answer", wait=False)
            client.expect_silence("answer", 0.5)
            disk.thaw()
            client.wait_for("answer")
        finally:
            client.close()
    finally:
        broker.kill()


def test_the_recommended_broker_keeps_no_store_and_logs_to_no_pipe_and_no_file():
    keys = [key for key, _ in recommended()]
    values = dict(recommended())
    assert values["persistence"] == "false"
    assert not [key for key in keys if key.startswith(("autosave", "persistence_"))]
    destinations = [value for key, value in recommended() if key == "log_dest"]
    assert destinations == ["none", "syslog"]  # "none" revokes what stands before: Debian's file
    types = {value for key, value in recommended() if key == "log_type"}
    assert types == {"error", "warning"}
    assert values["set_tcp_nodelay"] == "true"


def test_the_recommended_broker_opens_no_file_under_debians_own_configuration(scratch):
    """Debian's mosquitto.conf asks for a store and a log file, and includes ours after that."""
    broker = Secured(scratch).add("svc.watcher")
    config = broker.arguments[-1]
    store = os.path.join(scratch, "lib")
    ours = os.path.join(scratch, "conf.d")
    for folder in (store, ours):
        os.mkdir(folder)
    with open(os.path.join(ours, "tagout.conf"), "w", encoding="utf-8") as file:
        file.write(configuration(broker.ports, broker.files, keep_log=True))
    with open(config, "w", encoding="utf-8") as file:
        file.write("persistence true\n"
                   f"persistence_location {store}/\n"
                   f"log_dest file {store}/mosquitto.log\n"
                   + f"include_dir {ours}\n")
    try:
        broker.start()
        client = broker.login("svc.watcher")
        client.publish("tagout/service/kept", "1", retain=True)
        client.close()
        broker.stop()
        assert os.listdir(store) == []
    finally:
        broker.kill()
