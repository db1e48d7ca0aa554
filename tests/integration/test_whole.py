"""All four programs through a day, with everything that makes them start threads, connections and
requests, and then stopped: what `make check-threads` and `make check-valgrind` watch them at."""
import os
import re
import subprocess

from harness import BIN, TIMEOUT_S, wait_until
from services import SANITIZER_REPORT, clean_environment
from simulator import Simulator

MACHINES = {
    "saw": {"authorizations_or": ["wood"], "alias": "Table Saw"},
    "laser": {"authorizations_or": ["laser"],
              "second_relay": {"authorizations_or": ["rotary"], "always_enabled": True}},
    "fan": {"authorizations_or": ["wood"], "always_enabled": True},
}


def user(number, name, *authorizations):
    return {"fob_codes": [number], "account_id": name.lower(), "full_name": name,
            "first_name": name, "last_name": name, "preferred_name": name, "email": "",
            "expiration_ymd": "2031-01-01", "authorizations": list(authorizations)}


USERS = [user("0008214577", "Ada", "wood", "laser"), user("0011903264", "Rosa", "wood")]


def ask(controller, *words, status=0):
    """tagoutctl, which must end with `status` and without a word from a sanitizer."""
    done = subprocess.run(
        [os.path.join(BIN, "tagoutctl"), "-c", controller.ini_file, *words],
        env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=3 * TIMEOUT_S, check=False)
    assert done.returncode == status, f"{words}: status {done.returncode}\n{done.stdout}"
    assert not SANITIZER_REPORT.search(done.stdout), done.stdout
    return done.stdout


def test_a_day_of_all_programs(scratch, broker, redis, start_controller, start_watcher, slack):
    controller = start_controller(
        MACHINES, USERS, settings={"homeassistant": {"discovery": "true"},
                                   "audit": {"directory": os.path.join(scratch, "audit")}})
    watcher = start_watcher()
    sim = Simulator(scratch, broker, MACHINES, USERS, names=MACHINES).controlled(scratch)
    try:
        sim.start()
        sim.ready()
        sim.tell("expect * link up within 15 s", "expect saw relay off within 15 s",
                 "saw card in Ada", "expect saw relay on within 15 s",
                 "laser card in Rosa", "fan oops tap", "expect fan oops on within 15 s")
        assert "in use by Ada" in ask(controller, "status", "saw")
        assert "saw" in ask(controller, "why", "saw")
        ask(controller, "lockout", "saw", "--now", "--reason", "blade", "--wait", "15")
        ask(controller, "clear", "saw")
        ask(controller, "block", "--account-id", "rosa")
        controller.reload()
        ask(controller, "status", "nothing", status=1)
        wait_until(slack.requests, "Slack hears of it")
        since = watcher.log_position()
        broker.restart()
        redis.restart()
        sim.tell("expect * link up within 20 s", "saw card out", "saw power cut", "saw power on",
                 "expect saw link up within 20 s")
        watcher.wait_log(re.compile("(?<!not )connected to the broker"), since=since)
        for program in (controller, watcher):
            wait_until(lambda: program.status_of("/readyz")[0] == 200, f"{program.name} hears")
        ask(controller, "reload", "--force")
        wait_until(lambda: watcher.audit_lines("event"), "the audit has events")
        ask(controller, "log", "--sessions")
        ask(controller, "test-alert")
        ask(controller, "clear", "fan")
        assert sim.terminate() == 0, sim.log()
        assert not SANITIZER_REPORT.search(sim.log()), sim.log()
    finally:
        sim.kill()
