"""More reports than the controller can judge: the newest is answered, an Oops and a card edge are
never lost, requests are carried out, memory is bounded, and afterwards all is as before."""
import time

import pytest

import flood as flooding
from flood import Flood, all_answered
from harness import ADA, Machine, user, wait_until
from release import Release

CROWD = [f"m{number:03}" for number in range(300)]
SHOP = {name: {"authorizations_or": ["woodshop"]} for name in ["saw", *CROWD]}
USERS = [user(1, "Ada", ["woodshop"])]
FLOOD_S = 4
BEYOND_S = 12  # beyond the moment at which the controller ends subscriptions of its start
TRIES = 2  # a host that stands still takes the connection, too; a fault takes it each time
FROZEN_S = 1.5  # neither the broker nor the lease gives up so soon
BURST = 40  # reports of each machine meanwhile
# What comes stands behind what came before; a loaded host reads slowly.
ANSWER_S = 60
# Two inboxes, what waits of each machine, the outbox.
GROWTH_MAX_BYTES = 32 << 20


@pytest.fixture
def controller(scratch, broker, redis):
    one = Release(scratch, broker, redis, SHOP, USERS)
    try:
        yield one.start()
        one.stop()
    finally:
        print("\n".join(line for line in one.log().splitlines() if "INFO" not in line))
        one.kill()


@pytest.fixture
def flood(broker):
    one = Flood(broker)
    yield one
    one.close()


def test_C3_reports_of_a_standstill_merge_and_no_oops_or_card_edge_is_lost(
        controller, client, flood):
    client.subscribe("tagout/machine/+/command")
    client.subscribe("tagout/machine/+/event")
    flood.say((name, flooding.report(name, 1)) for name in CROWD)
    wait_until(lambda: all_answered(client, CROWD, 1, 0), "all were heard")
    since = client.position()
    merged = controller.metrics()["tagout_reports_merged_total"]
    controller.freeze()
    began = time.monotonic()
    # In the middle of it each machine's card is in for one report; every tenth is oopsed instead.
    for seq in range(2, BURST + 1):
        flood.say((name, flooding.report(
            name, seq, ADA if seq == BURST // 2 and number % 10 else "",
            seq == BURST // 2 and number % 10 == 0)) for number, name in enumerate(CROWD))
    time.sleep(max(0.0, FROZEN_S - (time.monotonic() - began)))
    controller.thaw()
    flood.repeat_until_answered(client, CROWD, BURST, since, ANSWER_S)
    told = {}
    for message in client.messages("tagout/machine/+/event", since):
        told.setdefault(message.topic.split("/")[2], []).append(message.json["event_type"])
    for number, name in enumerate(CROWD):
        assert told.get(name) == (["login", "logout"] if number % 10 else ["oops"]), name
    assert controller.metrics()["tagout_reports_merged_total"] - merged > len(CROWD) * BURST / 2


def growth_in_a_flood(controller, client, flood):
    before = controller.resident_bytes()
    peak = before
    flood.start(CROWD, None)
    until = time.monotonic() + BEYOND_S
    while time.monotonic() < until:
        peak = max(peak, controller.resident_bytes())
        time.sleep(0.1)
    since = client.position()
    seq = flood.stop()
    flood.repeat_until_answered(client, CROWD, seq, since, ANSWER_S)
    peak = max(peak, controller.resident_bytes())
    print(f"note: {flood.sent} reports, memory {(peak - before) / 2**20:+.1f} MiB")
    return peak - before


def test_a_flood_that_nothing_holds_back_takes_no_memory_and_no_connection(
        controller, client, flood):
    client.subscribe("tagout/machine/+/command")
    for _ in range(TRIES):
        connects = controller.metrics()["tagout_mqtt_connects_total"]
        assert growth_in_a_flood(controller, client, flood) < GROWTH_MAX_BYTES
        if controller.metrics()["tagout_mqtt_connects_total"] == connects:
            break
    assert controller.metrics()["tagout_mqtt_connects_total"] == connects


def test_C6_requests_and_oops_are_carried_out_in_a_flood_and_memory_is_bounded(
        controller, client, flood, connect):
    saw = Machine(connect(), "saw")
    saw.report()
    client.subscribe("tagout/machine/+/command")
    client.subscribe("tagout/response/#")
    before = controller.resident_bytes()
    peak = before
    took = []
    flood.start(CROWD, controller.heard)
    until = time.monotonic() + FLOOD_S
    while time.monotonic() < until:
        began = time.monotonic()
        assert saw.report(oops=True, timeout_s=ANSWER_S)["oops_led"]
        took.append(time.monotonic() - began)
        saw.report(oops=False, timeout_s=ANSWER_S)
        answer = client.request("clear", {"machine": "saw"}, timeout_s=ANSWER_S)
        assert answer["status"] == "ok"
        peak = max(peak, controller.resident_bytes())
        time.sleep(0.1)
    since = client.position()
    seq = flood.stop()
    flood.repeat_until_answered(client, CROWD, seq, since, ANSWER_S)
    metrics = controller.metrics()
    assert metrics["tagout_reports_merged_total"] > flood.sent / 10
    assert metrics["tagout_mqtt_connects_total"] == 1
    wait_until(lambda: controller.metrics()["tagout_mqtt_waiting"] == 0, "all was said")
    began = time.monotonic()
    saw.report()
    print(f"note: {flood.sent} reports in a flood, an Oops answered within {max(took):.2f} s of "
          f"{len(took)}, memory {(peak - before) / 2**20:+.1f} MiB, afterwards "
          f"{(time.monotonic() - began) * 1000:.1f} ms")
    assert peak - before < GROWTH_MAX_BYTES
