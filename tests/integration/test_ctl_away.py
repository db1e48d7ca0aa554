"""tagoutctl when the broker or the controller is away: what it says that this means."""
import os
import re
import subprocess
import time

from ctl_shop import CTL, MACHINES, MEANWHILE, bare, shop  # noqa: F401
from harness import TIMEOUT_S, Broker, clean_environment

def test_without_a_broker_it_says_what_that_means(shop):
    shop.broker.stop()
    for verb in (["status"], ["lockout", "table-saw"]):
        result = shop.run(*verb)
        assert (result.code, result.out) == (1, "")
        assert f"the broker at {shop.broker.url} is out of reach: " in result.err
        assert "next: on its host: systemctl status mosquitto;" in result.err
        assert MEANWHILE in result.err


def test_a_broker_that_hangs_is_out_of_reach_too(shop, proxy):
    between = proxy(shop.broker)
    between.set("freeze")
    result = shop.run("status", environment={"TAGOUT_MQTT_URL": between.url})
    assert result.code == 1
    assert "is out of reach" in result.err


def test_without_a_controller_status_shows_what_it_last_said(shop):
    shop.box("table-saw")
    shop.controller.stop()
    result = shop.run("status")
    assert result.code == 1
    assert "the controller does not answer: no controller is running (one was stopped)" in result.err
    assert MEANWHILE in result.err
    assert "What follows is OLD" in result.err
    assert re.search(r"table-saw +idle +off", result.out)


def test_a_reload_waits_long_only_for_a_controller_that_runs(shop):
    """One that reads large files has 30 s for it; where none runs that is known after 5."""
    shop.controller.stop()
    began = time.monotonic()
    result = shop.run("reload")
    assert result.code == 1
    assert "no controller is running (one was stopped)" in result.err
    assert "next: on its host: systemctl status tagoutd" in result.err
    assert time.monotonic() - began < 25


def test_a_controller_that_hangs_is_told_from_one_that_is_gone(shop):
    """Its status says `running`: a frozen one's does until the broker gives it up, in 3 to 8 s."""
    status = "tagout/controller/one/status"
    shop.box("table-saw")
    shop.client.subscribe(status)
    running = shop.client.wait_for(status, lambda m: m.json.get("leader")).payload
    since = shop.client.position()
    shop.controller.kill()
    shop.client.wait_for(status, lambda m: m.json["status"] == "lost", since=since)
    shop.client.publish(status, running, retain=True)
    result = shop.run("status", "TABLE SAW")
    assert result.code == 1
    assert "the controller does not answer: it says that it runs, but nothing came" in result.err
    assert 'does not let account "local" ask' in result.err
    assert result.out.startswith("table-saw (Table Saw)\n")


def test_a_lockout_without_an_answer_has_changed_nothing(shop):
    shop.box("table-saw")
    shop.controller.freeze()
    result = shop.run("lockout", "table-saw")
    assert (result.code, result.out) == (1, "")
    assert "the controller does not answer" in result.err
    shop.controller.thaw()


def test_stale_states_are_marked_in_json(shop):
    shop.box("table-saw")
    shop.controller.kill()
    result = shop.run("--json", "status")
    assert result.code == 1
    assert result.json["stale"] is True
    assert {m["machine"] for m in result.json["machines"]} == set(MACHINES)


def test_a_prefix_without_a_controller_is_named(shop):
    result = shop.run("status", environment={"TAGOUT_CONTROLLER_PREFIX": "elsewhere"})
    assert result.code == 1
    assert 'no controller has been heard of under "elsewhere"' in result.err
    assert "[controller] prefix differs from ours" in result.err
    assert "next: on its host: systemctl status tagoutd;" in result.err


def test_the_account_at_the_broker_is_the_one_that_asks(shop):
    shop.box("table-saw")
    result = shop.run("lockout", "table-saw", environment={"TAGOUT_MQTT_USERNAME": "rosa"})
    assert result.code == 0
    assert shop.wait_state("table-saw", lambda s: s["lockout_by"] == "rosa (ada)")


def test_an_account_that_the_broker_does_not_know_is_told_at_once(scratch):
    passwords = os.path.join(scratch, "passwords")
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "ada", "right"], check=True)
    broker = Broker(scratch, extra=f"password_file {passwords}\n")
    try:
        broker.start()
        result = bare("status", environment={
            "TAGOUT_MQTT_URL": broker.url, "TAGOUT_MQTT_USERNAME": "ada",
            "TAGOUT_MQTT_PASSWORD": "wrong"})
    finally:
        broker.kill()
    assert result.code == 1
    assert re.fullmatch(f"tagoutctl: the broker at {broker.url} does not let us in: refused: .*\n",
                        result.err)


IDLE = {"machine": "saw", "mode": "idle", "oops": False, "lockout": False, "confirmed": "off",
        "epoch": 1, "rev": 1}


def lock_out(broker, client, *arguments):
    """Starts `lockout saw` and answers its `status` as a controller does; returns the process and
    the lockout's request."""
    client.subscribe("tagout/request/local/+")
    ctl = subprocess.Popen(
        [CTL, "lockout", "saw", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=clean_environment({"TAGOUT_MQTT_URL": broker.url}))
    asked = client.wait_for("tagout/request/local/status").json
    client.publish("tagout/response/local/status", {
        "status": "ok", "transaction": "somebody else's", "data": {}})
    client.publish("tagout/response/local/status", {
        "status": "ok", "transaction": asked["transaction"], "data": IDLE})
    return ctl, client.wait_for("tagout/request/local/lockout").json


def test_a_lockout_that_is_sent_and_not_answered_may_have_happened(broker, client):
    ctl, request = lock_out(broker, client)
    assert request["value"] is True
    _, err = ctl.communicate(timeout=TIMEOUT_S)
    assert ctl.returncode == 1
    assert b"it is not known whether saw is locked out: treat it as live\n" in err


def test_only_a_state_that_has_the_lockout_confirms_it(broker, client):
    client.publish("tagout/machine/saw/state", IDLE, retain=True)
    ctl, request = lock_out(broker, client, "--wait", "1")
    client.publish("tagout/response/local/lockout", {
        "status": "ok", "transaction": request["transaction"],
        "data": {"changed": True, "persisted": True, "confirmed": "unknown"}})
    client.publish("tagout/machine/saw/state", dict(IDLE, rev=2))
    _, err = ctl.communicate(timeout=TIMEOUT_S)
    assert ctl.returncode == 3
    assert err.startswith(b"LOCKED OUT, BUT saw HAS NOT CONFIRMED OFF: treat it as live\n")
