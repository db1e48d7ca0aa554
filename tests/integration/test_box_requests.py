"""C6 `block`, `card`, `restart`, `forget`: over a real broker, with a real Redis that comes and
goes."""
import re

import pytest

from harness import ADA, BOB, EVE, MACHINES, MAX, USERS, Machine, user, wait_until

SECOND_CARD = "0000000011"  # Ada's, too
GOOD = [dict(USERS[0], fob_codes=[ADA, SECOND_CARD]), *USERS[1:]]


@pytest.fixture
def controller(start_controller):
    return start_controller(MACHINES, GOOD)


@pytest.fixture
def saw(client, controller):
    client.subscribe("tagout/machine/saw/event")
    client.subscribe("tagout/machine/saw/restart")
    machine = Machine(client, "saw")
    machine.report()
    return machine


def opens(machine, card):
    """Whether a card that is put in now switches the machine on."""
    machine.report(card="")
    command = machine.report(card=card)
    machine.report(card="")
    if not command["relay"]:
        assert command["display"] == "Unknown RFID"
    return command["relay"]


def event_of(client, since, kind):
    return client.wait_for("tagout/machine/saw/event", since=since,
                           predicate=lambda m: m.json["event_type"] == kind).json


def saved_to(redis, key, field="document"):
    return redis.command("HGET", key, field) or ""


# ---- block ----

@pytest.mark.parametrize("whom", [{"fob": ADA}, {"fob": "1"}, {"account_id": "1"}])
def test_a_block_ends_the_session_at_once_and_refuses_the_card(client, saw, whom):
    assert saw.report(card=ADA)["relay"] is True
    client.subscribe("tagout/response/local/+")
    since = client.position()
    answer = client.request("block", dict(whom, by="Zoë"))
    changed = 2 if "account_id" in whom else 1
    assert answer["status"] == "ok"
    assert answer["data"] == {"changed": changed, "persisted": True, "ended": 1}
    command = client.wait_for("tagout/machine/saw/command", since=since)
    assert command.json["relay"] is False
    assert command.at < client.wait_for("tagout/response/local/block", since=since).at
    logout = event_of(client, since, "logout")
    assert (logout["reason"], logout["source"], logout["by"]) == (
        "ended", "request", "local (Zoë)")
    assert saw.report()["relay"] is False
    assert not opens(saw, ADA)
    assert opens(saw, SECOND_CARD) is (changed == 1)
    answer = client.request("unblock", whom)
    assert answer["data"] == {"changed": changed, "persisted": True}
    assert opens(saw, ADA) and opens(saw, SECOND_CARD)
    assert client.request("unblock", whom)["data"] == {"changed": 0, "persisted": True}


def test_a_block_of_somebody_else_ends_nothing(client, saw):
    saw.report(card=ADA)
    with client.hears_nothing("tagout/machine/saw/command"):
        assert client.request("block", {"account_id": "2"})["status"] == "ok"
    assert saw.report()["relay"] is True


@pytest.mark.parametrize("body, error", [
    ({}, "/fob: give either this or account_id"),
    ({"fob": EVE}, "users.json lists no such card: it opens nothing"),
    ({"account_id": "nobody"}, "users.json lists no such account_id"),
    ({"fob": 1}, "/fob: must be a string, is a number")])
def test_who_is_not_there_is_not_blocked(client, controller, body, error):
    for verb in ("block", "unblock"):
        answer = client.request(verb, body)
        assert (answer["status"], answer["error"]) == ("error", error)


@pytest.mark.parametrize("loss", ["nothing", "Redis is wiped", "the broker is wiped"])
def test_a_block_outlives_the_controller_and_the_loss_of_either_copy(
        client, saw, controller, broker, redis, loss):
    assert client.request("block", {"account_id": "1"})["data"]["persisted"] is True
    if loss == "Redis is wiped":
        redis.wipe()
    controller.kill()
    if loss == "the broker is wiped":
        client.publish("tagout/controller/blocks", b"", retain=True)
    controller.start()
    assert not opens(saw, ADA)
    assert not opens(saw, SECOND_CARD)
    assert not opens(saw, EVE)
    assert opens(saw, MAX)
    # Both copies are there again.
    assert client.retained("tagout/controller/blocks")["tagout/controller/blocks"].json["cards"]
    wait_until(lambda: '"account_id":"1"' in saved_to(redis, "tagout:blocks"), "it is in Redis")


def test_a_block_ends_when_users_json_lists_the_card_no_longer(client, saw, controller, redis):
    client.request("block", {"fob": ADA})
    controller.write(users=[dict(USERS[0], fob_codes=[SECOND_CARD]), *USERS[1:]])
    assert client.request("reload")["status"] == "ok"
    wait_until(lambda: '"cards":[]' in saved_to(redis, "tagout:blocks"), "it is gone from Redis")
    assert client.retained("tagout/controller/blocks")["tagout/controller/blocks"].json[
        "cards"] == []
    controller.write(users=GOOD)
    assert client.request("reload")["status"] == "ok"
    assert opens(saw, ADA)


def test_a_block_while_redis_is_frozen_holds_and_says_that_it_is_not_kept(
        client, saw, controller, redis):
    assert saw.report(card=ADA)["relay"] is True
    redis.freeze()
    since = client.position()
    assert client.request("block", {"fob": ADA})["data"] == {
        "changed": 1, "persisted": False, "ended": 1}
    assert client.wait_for("tagout/machine/saw/command", since=since).json["relay"] is False
    assert not opens(saw, ADA)
    redis.thaw()
    wait_until(lambda: '"account_id":"1"' in saved_to(redis, "tagout:blocks"), "it is kept now")


def test_the_document_of_blocked_cards_names_no_card(client, controller, redis):
    client.request("block", {"fob": ADA})
    assert ADA not in saved_to(redis, "tagout:blocks")
    document = client.retained("tagout/controller/blocks")["tagout/controller/blocks"]
    assert ADA not in document.text
    assert re.fullmatch("[0-9a-f]{32}", document.json["cards"][0]["card"])


# ---- card ----

def card_of(client, machine="saw", account="local", **body):
    answer = client.request("card", dict(body, machine=machine), account=account)
    assert answer["status"] == "ok", answer
    assert answer["data"]["health"] == "online" and answer["data"]["heard_at"] > 1e9
    return {key: answer["data"][key] for key in ("fob", "in")}


def test_the_number_goes_to_who_asks_and_nowhere_else(client, saw, controller):
    everywhere = client.position()
    client.subscribe("#")
    answer = client.request("card", {"machine": "saw"}, account="front-desk")
    assert (answer["status"], answer["error"]) == (
        "error", "no card is in, and no unknown one was put in within 5 min")
    saw.report(card=EVE)
    assert card_of(client, "Table Saw", "front-desk", by="Zoë") == {"fob": EVE, "in": True}
    saw.report(card="")
    assert card_of(client, account="front-desk") == {"fob": EVE, "in": False}
    saw.report(card=ADA)
    saw.report(card="")
    # A known card that was in is nobody's business once it is out.
    assert card_of(client) == {"fob": EVE, "in": False}
    assert EVE not in controller.log() and ADA not in controller.log()
    controller.wait_log(re.compile(r"saw: its card's number was asked for by front-desk \(Zoë\)"))
    for message in client.messages("#", everywhere):
        if message.topic not in ("tagout/machine/saw/report", "tagout/response/front-desk/card",
                                 "tagout/response/local/card"):
            assert EVE not in message.text and ADA not in message.text, message


def test_a_member_is_enrolled_from_a_fob_in_the_hand(client, saw, controller):
    assert saw.report(card="42")["display"] == "Unknown RFID"
    saw.report(card="")
    fob = client.request("card", {"machine": "saw"})["data"]["fob"]
    assert fob == "0000000042"
    controller.write(users=GOOD + [user(4, "Kim", ["woodshop"], fob_codes=[fob])])
    assert client.request("reload")["data"]["users"]["added"] == 1
    assert saw.report(card="42")["display"] == "Welcome,\nKim"


# ---- restart ----

def restarts(client, since):
    return [m.json for m in client.messages("tagout/machine/saw/restart", since)]


def test_an_idle_machine_is_restarted(client, saw):
    since = client.position()
    answer = client.request("restart", {"machine": "saw"})
    assert answer["status"] == "ok"
    message = client.wait_for("tagout/machine/saw/restart", since=since)
    assert message.json == {"id": answer["data"]["id"], "force": False}
    assert (message.qos, message.retain) == (1, False)
    assert client.retained("tagout/machine/saw/restart") == {}


def test_a_machine_in_use_is_restarted_by_force_only(client, saw):
    saw.report(card=ADA)
    since = client.position()
    answer = client.request("restart", {"machine": "saw"})
    assert answer["status"] == "error"
    assert answer["error"] == "saw is in use by Ada; restart it when_idle, or with force"
    assert restarts(client, since) == []
    assert saw.report()["relay"] is True
    assert client.request("restart", {"machine": "saw", "force": True})["status"] == "ok"
    wait_until(lambda: restarts(client, since), "the restart is sent")
    assert [r["force"] for r in restarts(client, since)] == [True]


def test_a_restart_that_waits_is_queued_and_then_ok(client, saw):
    saw.report(card=ADA)
    since = client.position()
    queued = client.request("restart", {"machine": "saw", "when_idle": True}, final=False)
    assert queued["status"] == "queued"
    again = client.request("restart", {"machine": "saw", "when_idle": True})
    assert (again["status"], again["error"]) == ("error", "a restart is waiting for it already")
    assert restarts(client, since) == []
    saw.report(card="")
    answer = client.wait_for(
        "tagout/response/local/restart", since=since,
        predicate=lambda m: m.json["transaction"] == queued["transaction"]
        and m.json["status"] != "queued").json
    assert answer["status"] == "ok"
    wait_until(lambda: restarts(client, since), "the restart is sent")
    assert restarts(client, since) == [{"id": answer["data"]["id"], "force": False}]
    saw.report(card=ADA)
    saw.report(card="")
    answers = [m.json["status"] for m in client.messages("tagout/response/local/restart", since)
               if m.json["transaction"] == queued["transaction"]]
    assert answers == ["queued", "ok"]
    assert len(restarts(client, since)) == 1


def test_a_restart_that_waits_is_answered_when_the_controller_stops(client, saw, controller):
    saw.report(card=ADA)
    since = client.position()
    assert client.request("restart", {"machine": "saw", "when_idle": True},
                          final=False)["status"] == "queued"
    controller.stop()
    answer = client.wait_for("tagout/response/local/restart", since=since,
                             predicate=lambda m: m.json["status"] != "queued").json
    assert (answer["status"], answer["error"]) == ("error", "the controller stops")


def test_a_machine_that_is_not_there_is_not_restarted(client, saw):
    answer = client.request("restart", {"machine": "mill", "force": True})
    assert answer["error"] == "mill is not there to be restarted (it was not heard yet)"
    client.publish("tagout/machine/saw/link", "offline", retain=True)
    wait_until(lambda: client.request("status", {"machine": "saw"})["data"]["health"] == "offline",
               "it has signed off")
    answer = client.request("restart", {"machine": "saw"})
    assert answer["error"] == "saw is not there to be restarted (it signed off)"


# ---- forget ----

def test_a_configured_machine_is_not_forgotten(client, saw):
    for name in ("saw", "Table Saw", "SAW"):
        answer = client.request("forget", {"machine": name})
        assert answer["status"] == "error" and "is configured" in answer["error"]
    assert saw.report(card=ADA)["relay"] is True


def test_what_is_known_of_a_machine_that_has_left_is_forgotten(client, saw, controller, redis):
    client.request("lockout", {"machine": "saw", "value": True})
    controller.write(machines={k: v for k, v in MACHINES.items() if k != "saw"})
    assert client.request("reload", {"force": True})["status"] == "ok"
    assert client.request("forget", {"machine": "saw"})["status"] == "ok"
    wait_until(lambda: redis.hash("tagout:machine:saw") == {}, "its hash is gone")
    topics = client.retained("tagout/machine/saw/+")
    assert "tagout/machine/saw/command" not in topics and "tagout/machine/saw/state" not in topics
    # Nor does it come back when Redis was away for a moment, and the controller lives.
    since = controller.log_position()
    redis.command("CLIENT", "KILL", "TYPE", "normal")
    controller.wait_log(re.compile("Redis answers"), since=since)
    Machine(client, "mill").report()
    wait_until(lambda: redis.hash("tagout:machine:mill").get("seq") == "1", "the mill is saved")
    assert redis.hash("tagout:machine:saw") == {}
    controller.write(machines=MACHINES)
    assert client.request("reload")["status"] == "ok"
    assert client.request("status", {"machine": "saw"})["data"]["lockout"] is False
    assert saw.report(card=BOB)["display"] == "Unauthorized"


def test_a_name_that_was_never_heard_is_an_error_and_forgotten_all_the_same(client, controller, redis):
    client.publish("tagout/machine/ghost/command", {"relay": False}, retain=True)
    client.publish("tagout/machine/ghost/state", {"machine": "ghost"}, retain=True)
    redis.command("HSET", "tagout:machine:ghost", "oops", "true")
    since = controller.log_position()
    answer = client.request("forget", {"machine": "ghost"})
    assert answer["status"] == "error" and answer["error"].startswith("ghost was never heard of")
    controller.wait_log(re.compile("ghost was to be forgotten by local, and is not known"), since=since)
    assert client.retained("tagout/machine/ghost/+") == {}
    wait_until(lambda: redis.hash("tagout:machine:ghost") == {}, "its hash is gone")


def test_a_machine_is_not_forgotten_while_redis_would_remember_it(client, controller, redis):
    since = controller.log_position()
    redis.kill()
    controller.wait_log(re.compile("Redis is out of reach"), since=since)
    answer = client.request("forget", {"machine": "ghost"})
    assert answer["error"] == "Redis is out of reach, and it would remember: try again later"
