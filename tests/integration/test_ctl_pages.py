"""tagoutctl status in a shop whose states do not fit into one answer (C6)."""
import json
import subprocess

import pytest

from ctl_shop import CTL, USERS, Shop
from harness import TIMEOUT_S, clean_environment

CROWD = [f"m{number:03}" for number in range(600)]
MACHINES = {name: {"authorizations_or": ["wood"]} for name in CROWD}
LAST = CROWD[-1]


@pytest.fixture
def shop(start_controller, client, broker):
    whole = Shop(start_controller(MACHINES, USERS), client, broker)
    yield whole
    whole.end()


def test_status_tells_of_every_machine_page_by_page(shop, client):
    shop.controller.write(machines={**MACHINES, "lathe": {"authorizations_or": ["metal"]}})
    assert client.request("reload")["status"] == "ok"
    shop.controller.write(machines=MACHINES)
    assert client.request("reload")["status"] == "ok"
    client.publish("tagout/machine/router/report", {"oops": False, "rfid_value": "", "uptime": 1})
    shop.wait_state("m000", lambda state: state["machine"] == "m000")  # behind the router
    assert "next" in client.request("status")["data"]
    assert shop.run("status").out.startswith("600 machines, 0 running")
    told = shop.run("--json", "status").json
    assert [machine["machine"] for machine in told["machines"]] == CROWD
    # One that was heard stands on the first page, one that left on the last.
    assert [one["machine"] for one in told["strangers"]] == ["router", "lathe"]
    assert shop.run("--json", "status", "--strangers").json["strangers"] == told["strangers"]
    assert [line.split(":")[0] for line in shop.run("status", "--strangers").out.splitlines()] == [
        "router", "lathe"]


def test_status_on_finds_what_is_on_on_the_last_page(shop, client):
    result = shop.run("status", "--on")
    assert result.code == 3
    assert [line.split(":")[0] for line in result.out.splitlines()[:-1]] == CROWD
    assert "600 machines are commanded off and not confirmed off" in result.err
    shop.controller.write(machines={**MACHINES, LAST: {"authorizations_or": [],
                                                       "always_enabled": True}})
    assert client.request("reload")["status"] == "ok"
    client.publish(f"tagout/machine/{LAST}/report",
                   {"oops": False, "rfid_value": "", "uptime": 99, "boot_id": "b", "seq": 1})
    shop.wait_state(LAST, lambda state: state["relay"])
    result = shop.run("status", "--on")
    assert result.code == 1 and result.out.startswith(f"{LAST}: ")


def page(epoch, names, count, after=None):
    """Of a controller's answer."""
    machines = [{"machine": name, "mode": "idle", "oops": False, "lockout": False,
                 "confirmed": "off", "epoch": epoch, "rev": 1} for name in names]
    return dict({"machines": machines, "strangers": [], "count": count, "epoch": epoch},
                **({"next": after} if after else {}))


@pytest.fixture
def answered(broker, client):
    """Plays the controller to `status`: (exit status, machines, complaints) of tagoutctl."""
    client.subscribe("tagout/request/local/status")

    def play(*pages):
        since = client.position()
        ctl = subprocess.Popen([CTL, "--json", "status"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True,
                               env=clean_environment({"TAGOUT_MQTT_URL": broker.url}))
        after = None
        for data in pages:
            asked = client.wait_for("tagout/request/local/status", since=since)
            since = client.position()
            assert asked.json.get("after") == after
            client.publish("tagout/response/local/status", {
                "status": "ok", "transaction": asked.json["transaction"], "data": data})
            after = data.get("next")
        out, err = ctl.communicate(timeout=TIMEOUT_S)
        return ctl.returncode, [m["machine"] for m in json.loads(out)["machines"]], err

    return play


def test_when_another_leader_came_between_two_pages_it_is_asked_from_the_first(answered):
    # Of the second's order the machine c stands before b, and as many are told as there are.
    assert answered(page(5, "ab", 4, after="b"), page(6, "da", 4),
                    page(6, "cb", 4, after="b"), page(6, "da", 4)) == (0, list("cbda"), "")


def test_when_a_reload_came_between_two_pages_it_is_asked_from_the_first(answered):
    assert answered(page(5, "ab", 4, after="b"), page(5, "c", 2),
                    page(5, "bc", 2)) == (0, list("bc"), "")


def test_what_changes_each_time_is_told_as_far_as_it_is_known(answered):
    code, machines, complaint = answered(
        page(1, "a", 2, after="a"), page(2, "b", 2), page(3, "a", 2, after="a"), page(4, "b", 2),
        page(5, "a", 2, after="a"), page(6, "b", 2))
    assert (code, machines) == (1, list("ab"))
    assert "another controller took the lead while it was asked: please ask again" in complaint
