"""tagoutctl status in a shop whose states do not fit into one answer (C6)."""
import pytest

from ctl_shop import USERS, Shop

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
