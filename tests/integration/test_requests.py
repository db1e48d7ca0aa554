"""C6 and C8.3: what people and Home Assistant ask for, each answered once, over a real broker."""
import json
import re
import uuid

import pytest

from harness import ADA, BOB, EVE, MACHINES, MAX, USERS, Machine, Shop, user, wait_until

EVENTS = "tagout/machine/+/event"
RESPONSES = "tagout/response/local/+"
DONE = {"changed": True, "persisted": True, "confirmed": "unknown"}


@pytest.fixture
def controller(start_controller):
    return start_controller(MACHINES, USERS)


@pytest.fixture
def shop(client, controller):
    shop = Shop(client)
    shop.controller = controller
    client.subscribe(EVENTS)
    return shop


def event_of(client, since, machine, kind):
    return client.wait_for(f"tagout/machine/{machine}/event", since=since,
                           predicate=lambda m: m.json["event_type"] == kind).json


# ---- flags ----

@pytest.mark.parametrize("verb, flag, set_word, cleared_word", [
    ("oops", "oops_led", "oops", "unoops"), ("lockout", "lockout", "lockout", "unlock")])
def test_a_flag_is_set_and_cleared(shop, client, verb, flag, set_word, cleared_word):
    saw = shop["saw"]
    saw.report()
    assert saw.report(card=ADA)["relay"] is True
    since = client.position()
    body = {"machine": "saw", "value": True, "reason": "smells of smoke", "by": "Zoë"}
    assert client.request(verb, body) == {
        "status": "ok", "data": DONE, "transaction": client.last_transaction}
    command = client.wait_for("tagout/machine/saw/command", since=since).json
    assert (command["relay"], command[flag], command["seq"]) == (False, True, saw.seq)
    event = event_of(client, since, "saw", set_word)
    assert (event["source"], event["by"], event["reason"]) == (
        "request", "local (Zoë)", "smells of smoke")
    assert event_of(client, since, "saw", "logout")["reason"] == verb
    assert event["text"] == {
        "oops": "Table Saw: Oops set by local (Zoë): smells of smoke",
        "lockout": "Table Saw: locked out by local (Zoë): smells of smoke"}[verb]
    state = client.request("status", {"machine": "saw"})["data"]
    assert (state[verb], state[verb + "_by"]) == (True, "local (Zoë)")

    since = client.position()
    with client.hears_nothing("tagout/machine/saw/#"):
        assert client.request(verb, body)["data"] == dict(DONE, changed=False)
    assert client.request(verb, dict(body, value=False))["data"] == DONE
    assert event_of(client, since, "saw", cleared_word)["by"] == "local (Zoë)"
    state = client.request("status", {"machine": "saw"})["data"]
    assert (state[verb], state[verb + "_by"], state[verb + "_at"]) == (False, None, None)
    # The card that was in starts nothing by itself.
    assert saw.report()["relay"] is False


def test_confirmed_is_what_the_device_says(shop, client):
    saw = shop["saw"]
    command = saw.report()
    command = saw.report(ack=ack_of(command), relay_state=False)
    assert client.request("lockout", {"machine": "saw", "value": False})["data"] == {
        "changed": False, "persisted": True, "confirmed": "off"}
    command = saw.report(card=ADA, ack=ack_of(command), relay_state=False)
    assert state_of(client, "saw")["confirmed"] == "unknown"
    saw.report(ack=ack_of(command), relay_state=True)
    assert state_of(client, "saw")["confirmed"] == "on"


def ack_of(command):
    return {"epoch": command["epoch"], "rev": command["rev"], "oops": command["oops_led"],
            "lockout": command["lockout"]}


def state_of(client, machine):
    return client.request("status", {"machine": machine})["data"]


@pytest.mark.parametrize("name", ["saw", "SAW", "Table Saw", "tABLE sAW"])
def test_a_machine_is_named_in_any_case_or_by_its_alias(controller, client, name):
    assert client.request("oops", {"machine": name, "value": True})["data"]["changed"] is True
    assert state_of(client, name)["machine"] == "saw"


def test_clear_clears_both(shop, client):
    for verb in ("oops", "lockout"):
        client.request(verb, {"machine": "mill", "value": True})
    since = client.position()
    assert client.request("clear", {"machine": "mill", "by": "Zoë"})["data"] == DONE
    assert [m.json["event_type"] for m in client.messages(EVENTS, since)] == ["unoops", "unlock"]
    assert client.request("clear", {"machine": "mill"})["data"] == dict(DONE, changed=False)


def test_setting_what_is_set_ends_an_override(shop, client):
    drill = shop["drill"]
    drill.report()
    client.request("lockout", {"machine": "drill", "value": True})
    assert drill.report(card=MAX)["display"] == "OVERRIDE BY\nMax"
    event_of(client, 0, "drill", "override_login")
    since = client.position()
    assert client.request("lockout", {"machine": "drill", "value": True})["data"] == dict(
        DONE, changed=False)
    command = client.wait_for("tagout/machine/drill/command", since=since).json
    assert (command["relay"], command["lockout"]) == (False, True)
    assert [m.json["event_type"] for m in client.messages(EVENTS, since)] == ["logout"]


def test_end_ends_the_session_until_the_card_is_put_in_again(shop, client):
    saw = shop["saw"]
    saw.report()
    saw.report(card=ADA)
    since = client.position()
    assert client.request("end", {"machine": "saw"})["data"] == DONE
    logout = event_of(client, since, "saw", "logout")
    assert (logout["reason"], logout["user"], logout["by"]) == ("ended", "Ada", "local")
    assert saw.report()["relay"] is False
    assert client.request("end", {"machine": "saw"})["data"] == dict(DONE, changed=False)
    saw.report(card="")
    assert saw.report(card=ADA)["relay"] is True


# ---- what is refused ----

LONG = "x" * 121
WORD = "y" * 65


@pytest.mark.parametrize("verb, body, error", [
    ("oops", {"value": True}, "/machine: missing"),
    ("oops", {"machine": "saw"}, "/value: missing"),
    ("oops", {"machine": "saw", "value": 1}, "/value: must be a boolean, is a number"),
    ("oops", {"machine": "", "value": True}, "/machine: empty"),
    ("oops", {"machine": 7, "value": True}, "/machine: must be a string, is a number"),
    ("oops", {"machine": None, "value": True}, "/machine: must be a string, is null"),
    ("oops", {"machine": WORD, "value": True}, "/machine: over 64 characters"),
    ("oops", {"machine": "router", "value": True}, 'no machine is called "router"'),
    ("lockout", {"machine": "saw", "value": "ON"}, "/value: must be a boolean, is a string"),
    ("lockout", {"machine": "saw", "value": True, "reason": LONG}, "/reason: over 120 characters"),
    ("lockout", {"machine": "saw", "value": True, "reason": "a\nb"},
     "/reason: has a control character"),
    ("lockout", {"machine": "saw", "value": True, "by": WORD}, "/by: over 64 characters"),
    ("clear", {}, "/machine: missing"),
    ("end", {"machine": "nobody"}, 'no machine is called "nobody"'),
    ("reload", {"force": "yes"}, "/force: must be a boolean, is a string"),
    ("status", {"machine": "nobody"}, 'no machine is called "nobody"'),
    ("explode", {"machine": "saw"}, 'unknown verb "explode"'),
    ("block", {}, "/fob: give either this or account_id"),
    ("block", {"fob": "1", "account_id": "1"}, "/fob: give either this or account_id"),
    ("card", {"machine": "saw"}, "no card is in, and no unknown one was put in within 5 min"),
    ("restart", {"machine": "saw"}, "saw is not there to be restarted (it was not heard yet)"),
    ("forget", {"machine": "saw"}, "saw is configured; take it out of machines.json and reload"
                                   " first"),
])
def test_an_error_says_what_is_wrong(controller, client, verb, body, error):
    client.subscribe("tagout/machine/#")
    client.request("status")  # what is retained has come
    with client.hears_nothing("tagout/machine/#"):
        answer = client.request(verb, body)
    assert answer == {"status": "error", "error": error, "transaction": client.last_transaction}


@pytest.mark.parametrize("payload, error", [
    (b"{", "not JSON"),
    (b"[]", "/: must be an object, is an array"),
    (b'{"machine": "saw", "machine": "mill", "value": true}', "twice"),
    (b'{"machine": "saw\\u0000", "value": true}', "\\u0000"),
    (b'{"machine": "saw", "value": true, "by": "' + b"z" * 4096 + b'"}', "4096"),
    (b'{"transaction": [], "machine": "saw", "value": true}', "/transaction: must be"),
])
def test_a_body_that_is_no_request_is_an_error(controller, client, payload, error):
    client.subscribe(RESPONSES)
    client.publish("tagout/request/local/oops", payload)
    answer = client.wait_for("tagout/response/local/oops").json
    assert answer["status"] == "error" and "transaction" not in answer
    assert error in answer["error"], answer
    assert state_of(client, "saw")["oops"] is False


def test_C6_requests_as_large_as_the_broker_lets_through_stop_nobody(controller, client):
    client.subscribe(RESPONSES)
    since = client.position()
    controller.freeze()
    for size in [8100] * 64 + [600000]:
        client.publish("tagout/request/local/oops", b" " * size, qos=0)
    client.publish("tagout/machine/saw/set/lockout", b" " * 600000, qos=0)
    controller.thaw()
    assert client.request("status", {"machine": "saw"})["status"] == "ok"
    refused = client.messages("tagout/response/local/oops", since)
    assert len(refused) == 65
    assert all("4096" in m.json["error"] for m in refused)
    assert state_of(client, "saw")["lockout"] is False
    controller.wait_log(re.compile("saw: set: neither ON nor OFF"))
    assert controller.metrics()["tagout_requests_dropped_total"] == 0


@pytest.mark.parametrize("transaction", ["a \"quoted\" one", 17, 0.1, 9007199254740991])
def test_the_transaction_comes_back_as_it_was(controller, client, transaction):
    client.subscribe(RESPONSES)
    client.publish("tagout/request/local/status", {"transaction": transaction})
    assert client.wait_for("tagout/response/local/status").json["transaction"] == transaction


def test_a_request_without_a_transaction_is_answered_without_one(controller, client):
    client.subscribe("tagout/response/front-desk/+")
    client.publish("tagout/request/front-desk/status", b"")
    answer = client.wait_for("tagout/response/front-desk/status").json
    assert answer["status"] == "ok" and "transaction" not in answer


# ---- status ----

def test_status_tells_of_one_of_all_and_of_strangers(shop, client):
    shop.open()
    client.publish("tagout/machine/router/report", {"oops": False, "rfid_value": "", "uptime": 1})
    data = client.request("status")["data"]
    assert {state["machine"]: state["mode"] for state in data["machines"]} == {
        "saw": "in_use", "laser": "in_use", "lathe": "oops", "mill": "lockout",
        "drill": "override", "fan": "always_on", "press": "in_use"}
    assert [(s["machine"], s["messages"]) for s in data["strangers"]] == [("router", 1)]
    one = state_of(client, "laser")
    assert one in data["machines"]
    assert (one["user"], one["account_id"], one["second_relay_authorization"]) == (
        "Ada", "1", "granted")
    retained = client.retained("tagout/machine/laser/state")
    assert retained["tagout/machine/laser/state"].json == one
    assert ADA not in json.dumps(data) and ADA.lstrip("0") not in (one["card"], one["card_key"])


# ---- reload ----

def reload(client, force=None):
    return client.request("reload", {} if force is None else {"force": force})


def changed(machines=(0, 0, 0), users=(0, 0, 0), energises=()):
    names = ("added", "updated", "removed")
    return {"users": dict(zip(names, users)), "machines": dict(zip(names, machines)),
            "energises": list(energises)}


def test_reload_counts_what_changed(shop, client):
    controller = shop.controller
    shop["fan"].report()
    assert reload(client) == {"status": "ok", "data": changed(),
                              "transaction": client.last_transaction}
    machines = dict(MACHINES, router={"authorizations_or": ["woodshop"]},
                    saw={"authorizations_or": ["woodshop", "rotary"]})
    del machines["press"]
    users = USERS[1:] + [user(4, "Kim", ["laser"]), user(5, "Lou")]
    users[0] = user(2, "Bob", ["woodshop"])
    controller.write(machines, users)
    before = config_of(client)
    assert reload(client)["data"] == changed(machines=(1, 1, 1), users=(2, 1, 1))
    assert config_of(client) != before
    saw = shop["saw"]
    saw.report()
    assert saw.report(card=BOB)["display"] == "Welcome,\nBob"
    saw.report(card="")
    assert saw.report(card=ADA)["display"] == "Unknown RFID"
    assert Machine(client, "router").report()["display"] == "Please Insert\nRFID Card"


def config_of(client):
    return client.retained("tagout/controller/one/status")[
        "tagout/controller/one/status"].json["config"]


def test_SIGHUP_reloads_too(shop, client):
    shop["saw"].report()
    shop.controller.write(users=USERS + [user(4, "Kim", ["woodshop"])])
    shop.controller.reload()
    shop.controller.wait_log(re.compile(r'reloaded: .*"users":\{"added":1,"updated":0,"removed":0'))
    assert shop["saw"].report(card="0000000004")["relay"] is True


@pytest.mark.parametrize("files, error", [
    ({"machines": "{"}, r"machines\.json: "),
    ({"users": USERS + [dict(user(4, "Kim"), fob_codes=[ADA])]},
     r'users\.json: /3/fob_codes/0: the same card as /0/fob_codes/0 of user "Ada"'),
    ({"machines": dict(MACHINES, router={"authorizations_or": []}), "users": "[1]"},
     r"users\.json: /0: must be an object, not a number"),
])
def test_an_error_in_any_file_keeps_all_that_was_there(shop, client, files, error):
    before = config_of(client)
    shop["saw"].report()
    shop.controller.write(**files)
    answer = reload(client)
    assert answer["status"] == "error" and re.search(error, answer["error"]), answer
    assert config_of(client) == before
    assert shop["saw"].report(card=ADA)["relay"] is True
    assert client.request("status", {"machine": "router"})["status"] == "error"
    assert shop.controller.metrics()["tagout_reloads_failed_total"] == 1
    # Also by SIGHUP, where nobody is answered.
    position = shop.controller.log_position()
    shop.controller.reload()
    shop.controller.wait_log(re.compile("reload refused, everything stays as it was: .*" + error),
                             since=position)


def test_over_half_of_the_users_or_machines_go_only_by_force(shop, client):
    shop["fan"].report()
    few = {name: MACHINES[name] for name in ("saw", "laser", "fan")}
    shop.controller.write(few)
    assert reload(client)["error"] == (
        "it would remove 0 of 3 users and 4 of 7 machines; if that is meant, reload with force")
    shop.controller.write(MACHINES, USERS[:1])
    assert reload(client, force=False)["error"] == (
        "it would remove 2 of 3 users and 0 of 7 machines; if that is meant, reload with force")
    assert reload(client, force=True)["data"] == changed(users=(0, 0, 2))
    shop.controller.write(few)
    assert reload(client, force=True)["data"] == changed(machines=(0, 0, 4))


@pytest.mark.parametrize("machine, why", [
    ("saw", "is in use"), ("lathe", "is oopsed"), ("mill", "is locked out"),
    ("drill", "is locked out"), ("press", "is in use")])
def test_a_machine_in_use_oopsed_or_locked_out_goes_only_by_force(shop, client, machine, why):
    shop.open()
    machines = {name: config for name, config in MACHINES.items() if name != machine}
    shop.controller.write(machines)
    assert reload(client)["error"] == (
        f"it would remove {machine}, which {why}; if that is meant, reload with force")
    assert shop[machine].report()["relay"] is (machine in Shop.ON)
    since = client.position()
    assert reload(client, force=True)["data"] == changed(machines=(0, 0, 1))
    command = client.messages(f"tagout/machine/{machine}/command", since)[-1].json
    assert (command["relay"], command["second_relay"], command["lockout"]) == (False, False, True)


def test_energises_names_what_the_next_report_will_switch_on(shop, client):
    shop.open()
    always = dict(MACHINES, lathe=dict(MACHINES["lathe"], always_enabled=True),
                  saw=dict(MACHINES["saw"], always_enabled=True))
    always["router"] = {"authorizations_or": [], "always_enabled": True}
    always["vacuum"] = {"authorizations_or": [], "always_enabled": True}
    shop["saw"].report(card="")
    shop.controller.write(always)
    since = client.position()
    data = reload(client)["data"]
    # Not the lathe, which is oopsed; nor the fan, which is on.
    assert data == changed(machines=(2, 2, 0), energises=data["energises"])
    assert sorted(data["energises"]) == ["router", "saw", "vacuum"]
    # A reload switches nothing on by itself.
    assert [m for m in client.messages("tagout/machine/saw/command", since)
            if m.json["relay"]] == []
    command = shop["saw"].report()
    assert (command["relay"], command["needs_card"]) == (True, False)
    assert Machine(client, "router").report()["relay"] is True


def test_a_session_goes_on_as_it_was_opened_when_its_user_goes(shop, client):
    shop.open()
    since = client.position()
    shop.controller.write(users=USERS[1:])
    assert reload(client)["data"] == changed(users=(0, 0, 1))
    fault = event_of(client, since, "saw", "fault")
    assert fault["fault"] == "user_revoked"
    command = shop["saw"].report()
    assert (command["relay"], command["display"]) == (True, "Welcome,\nAda")
    assert state_of(client, "saw")["faults"] == ["user_revoked"]
    assert shop["saw"].report(card="")["relay"] is False
    assert shop["saw"].report(card=ADA)["display"] == "Unknown RFID"


def test_C2_a_machine_that_leaves_is_told_and_has_its_lockout_when_it_comes_back(
        shop, client, redis):
    shop.open()
    shop.controller.write({n: c for n, c in MACHINES.items() if n not in ("mill", "saw")})
    client.subscribe("tagout/machine/+/state")
    since = client.position()
    assert reload(client, force=True)["status"] == "ok"
    for name in ("mill", "saw"):
        command = client.messages(f"tagout/machine/{name}/command", since)[-1].json
        assert command["display"] == f"Not set up:\n{name}"
        assert (command["relay"], command["lockout"], command["boot_id"]) == (
            False, True, shop[name].boot_id)
        assert client.messages(f"tagout/machine/{name}/state", since)[-1].payload == b""
        assert redis.hash(f"tagout:machine:{name}")["lockout"] == (
            "true" if name == "mill" else "false")
    client.unsubscribe("tagout/machine/+/state")
    assert f"tagout/machine/{name}/state" not in client.retained("tagout/machine/+/state")
    assert {s["machine"] for s in client.request("status")["data"]["strangers"]} == {"mill", "saw"}
    since = client.position()
    shop["saw"].send()
    client.request("status")
    assert client.messages("tagout/machine/saw/command", since) == []  # it gets no command

    shop.controller.write(MACHINES)
    assert reload(client)["data"] == changed(machines=(2, 0, 0))
    state = state_of(client, "mill")
    assert (state["mode"], state["lockout_reason"]) == ("lockout", "blade is cracked")
    assert shop["mill"].report()["lockout"] is True
    assert shop["saw"].report(card="")["lockout"] is False
    assert shop["saw"].report(card=ADA)["relay"] is True


def test_C2_a_lockout_outlives_the_controller_while_the_machine_is_not_configured(
        shop, client):
    shop.open()
    shop.controller.write({n: c for n, c in MACHINES.items() if n != "mill"})
    assert reload(client, force=True)["status"] == "ok"
    wait_until(lambda: client.request("status", {"machine": "saw"})["status"] == "ok", "answers")
    shop.controller.stop()
    shop.controller.start()
    shop.controller.write(MACHINES)
    assert reload(client)["data"] == changed(machines=(1, 0, 0))
    wait_until(lambda: state_of(client, "mill")["lockout"], "the lockout is back from Redis")
    assert shop["mill"].report(card=ADA)["lockout"] is True


def test_C2_a_lockout_that_redis_tells_of_late_is_not_saved_over(shop, client, redis):
    shop.open()
    shop.controller.write({n: c for n, c in MACHINES.items() if n != "mill"})
    assert reload(client, force=True)["status"] == "ok"
    shop.controller.stop()
    shop.controller.start()
    redis.freeze()
    shop.controller.write(MACHINES)
    assert reload(client)["data"] == changed(machines=(1, 0, 0))
    mill = shop["mill"]
    mill.report()
    assert mill.report(card=ADA)["relay"] is True  # nobody knows better
    since = client.position()
    redis.thaw()
    command = client.wait_for("tagout/machine/mill/command", since=since).json
    assert (command["relay"], command["lockout"]) == (False, True)
    assert mill.report()["lockout"] is True
    assert state_of(client, "mill")["lockout_reason"] == "blade is cracked"
    assert client.request("lockout", {"machine": "mill", "value": True})["data"] == dict(
        DONE, changed=False)
    assert redis.hash("tagout:machine:mill")["lockout"] == "true"


def test_a_second_reload_meanwhile_is_an_error(start_controller, client):
    """Each of many at once is answered; a file is read by one at a time."""
    many = [user(number, f"U{number}") for number in range(1, 5000)]
    controller = start_controller(MACHINES, many)
    controller.freeze()
    transactions = ask_many(client, "reload", 20)
    client.publish("test/none")  # they are on its line
    controller.thaw()
    answers = wait_for_answers(client, transactions)
    texts = [answer.get("error") for answer in answers]
    assert set(texts) == {None, "a reload is under way already"}


# ---- many at once ----

def ask_many(client, verb, count, body=None):
    client.subscribe(RESPONSES)
    transactions = [uuid.uuid4().hex for _ in range(count)]
    for transaction in transactions:
        client.publish(f"tagout/request/local/{verb}",
                       dict(body or {}, transaction=transaction), wait=False)
    return transactions


def wait_for_answers(client, transactions):
    def answered():
        return [m.json for m in client.messages(RESPONSES)
                if m.json.get("transaction") in wanted]

    wanted = set(transactions)
    wait_until(lambda: len(answered()) >= len(transactions), "all are answered")
    client.request("status", {"machine": "fan"})  # behind them all: no second answer is on its way
    answers = answered()
    assert sorted(answer["transaction"] for answer in answers) == sorted(transactions)
    return answers


def test_an_overflow_of_requests_is_answered_busy_and_each_just_once(client, start_controller):
    fleet = {f"m{number}": {"authorizations_or": []} for number in range(300)}
    controller = start_controller(dict(fleet, fan={"authorizations_or": []}), USERS)
    controller.freeze()
    transactions = ask_many(client, "status", 1000)
    controller.thaw()
    answers = wait_for_answers(client, transactions)
    busy = [answer for answer in answers if answer["status"] == "error"]
    assert {answer["error"] for answer in busy} == {"busy"}
    assert 0 < len(busy) < 1000
    metrics = controller.metrics()
    assert metrics["tagout_requests_busy_total"] == len(busy)
    assert metrics["tagout_requests_dropped_total"] == 0


def test_reports_are_heard_while_requests_flood(shop, client):
    """Requests have a ring of their own."""
    saw = shop["saw"]
    saw.report()
    shop.controller.freeze()
    transactions = ask_many(client, "oops", 600, {"machine": "mill", "value": True})
    since = client.position()
    saw.send(card=ADA)
    shop.controller.thaw()
    assert saw.answer(since)["relay"] is True
    wait_for_answers(client, transactions)


# ---- set/oops, set/lockout ----

@pytest.mark.parametrize("may_clear", [False, True])
@pytest.mark.parametrize("flag", ["oops", "lockout"])
def test_C8_3_home_assistant_sets_and_clears_only_where_it_may(
        client, start_controller, flag, may_clear):
    controller = start_controller(MACHINES, USERS, settings={
        "homeassistant": {"may_clear": "true" if may_clear else "false"}})
    client.subscribe(EVENTS)
    client.subscribe("tagout/response/#")
    saw = Machine(client, "saw")
    saw.report()
    saw.report(card=ADA)
    since = client.position()
    client.publish(f"tagout/machine/saw/set/{flag}", "ON")
    event = event_of(client, since, "saw", flag)
    assert (event["source"], event["by"]) == ("set", "Home Assistant")
    assert client.wait_for("tagout/machine/saw/command", since=since).json["relay"] is False
    client.publish(f"tagout/machine/saw/set/{flag}", "OFF")
    for wrong in ("on", "off", "1", "", "ON "):
        client.publish(f"tagout/machine/saw/set/{flag}", wrong)
    if may_clear:
        event_of(client, since, "saw", "unoops" if flag == "oops" else "unlock")
    else:
        controller.wait_log(re.compile("saw: set: OFF refused"))
    wait_until(lambda: controller.metrics()["tagout_bad_messages_total"] == 5, "counted")
    assert state_of(client, "saw")[flag] is not may_clear
    # Nothing of this is answered.
    assert {m.topic for m in client.messages("tagout/response/#")} == {
        "tagout/response/local/status"}


# ---- what must not come back ----

def test_C2_what_arrives_retained_is_discarded(broker, redis, client, start_controller):
    """Somebody's `mosquitto_pub -r` must not come back as a report at every start."""
    press = {"oops": True, "rfid_value": "", "uptime": 5, "boot_id": "b", "seq": 1}
    retained = [("tagout/machine/saw/report", press),
                ("tagout/machine/saw/set/lockout", "ON"),
                ("tagout/request/local/oops", {"machine": "saw", "value": True}),
                ("tagout/machine/saw/link", "offline")]
    for topic, payload in retained:
        client.publish(topic, payload, retain=True)
    client.subscribe(RESPONSES)
    controller = start_controller(MACHINES, USERS)
    wait_until(lambda: controller.metrics()["tagout_retained_discarded_total"] >= 3, "counted")
    state = state_of(client, "saw")
    assert (state["mode"], state["health"], state["boot_id"]) == ("idle", "unknown", None)
    assert {m.topic for m in client.messages(RESPONSES)} == {"tagout/response/local/status"}
    # Live, the same is heard.
    saw = Machine(client, "saw")
    assert saw.report(card="")["relay"] is False
    client.publish("tagout/machine/saw/set/lockout", "ON")
    wait_until(lambda: state_of(client, "saw")["lockout"], "locked out")
    client.publish("tagout/machine/saw/link", "offline")
    wait_until(lambda: state_of(client, "saw")["health"] == "offline", "offline")


# ---- cards, boxes ----

def test_a_blocked_card_is_refused_at_once(shop, client):
    shop.open()
    since = client.position()
    answer = client.request("block", {"account_id": "1", "by": "Zoë"})
    assert answer["status"] == "ok" and answer["data"]["persisted"] is True
    assert event_of(client, since, "saw", "logout")["user"] == "Ada"
    assert shop["saw"].report()["relay"] is False
    shop["saw"].report(card="")
    assert shop["saw"].report(card=ADA)["display"] == "Unknown RFID"
    assert client.request("unblock", {"account_id": "1"})["data"]["persisted"] is True
    shop["saw"].report(card="")
    assert shop["saw"].report(card=ADA)["display"] == "Welcome,\nAda"


def test_the_number_of_a_card_goes_to_who_asks_and_nowhere_else(shop, client):
    shop["saw"].report()
    shop["saw"].report(card=EVE)
    data = client.request("card", {"machine": "saw"})["data"]
    assert (data["fob"], data["in"]) == (EVE, True)
    shop["saw"].report(card="")
    data = client.request("card", {"machine": "saw"})["data"]
    assert (data["fob"], data["in"]) == (EVE, False)
    assert EVE not in shop.controller.log()


def test_a_restart_waits_until_nobody_uses_the_machine(shop, client):
    shop.open()
    client.subscribe("tagout/machine/saw/restart")
    assert client.request("restart", {"machine": "saw"})["error"] == (
        "saw is in use by Ada; restart it when_idle, or with force")
    queued = client.request("restart", {"machine": "saw", "when_idle": True}, final=False)
    assert queued["status"] == "queued"
    since = client.position()
    shop["saw"].report(card="")
    asked = client.wait_for("tagout/machine/saw/restart").json
    done = client.wait_for("tagout/response/local/restart", since=since).json
    assert (done["status"], done["transaction"]) == ("ok", queued["transaction"])
    assert (asked["id"], asked["force"]) == (done["data"]["id"], False)
