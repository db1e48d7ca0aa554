"""Metrics and health: what a scraper reads, that it is well-formed, and that nobody who reads, or
pretends to, holds up a decision."""
import os
import re
import socket
import time

import pytest
import yaml

import exposition
from harness import (ADA, BOB, EVE, MACHINES, ROOT, TIMEOUT_S, USERS, Broker, Client, Controller,
                     Machine, Redis, Shop, free_port, wait_until)

NAMES = ("machine_name", "display_name")


@pytest.fixture
def controller(start_controller):
    return start_controller(MACHINES, USERS)


def scrape(process):
    return exposition.read(process.get("/metrics"))


def of(family, **labels):
    """{machine: value}"""
    return {own["machine_name"]: family.value(**own) for own in family.labels()
            if labels.items() <= own.items()}


# ---- the names of the system that Tagout replaces ----

@pytest.mark.parametrize("name, ones", [
    ("machine_relay_state", {"saw", "laser", "drill", "fan", "press"}),
    ("machine_oops_state", {"lathe"}),
    ("machine_lockout_state", {"mill", "drill"}),
    ("machine_override_login_state", {"drill"}),
    ("machine_unauth_warn_only_state", {"press"}),
    ("machine_rfid_present", {"saw", "laser", "drill", "press"}),
    ("machine_known_user", {"saw", "laser", "drill", "press"}),
    ("machine_second_relay_configured", {"laser"}),
])
def test_a_flag_is_1_for_the_machines_where_it_holds_and_0_for_all_others(opened, name, ones):
    assert opened[name].type == "gauge"
    assert of(opened[name]) == {machine: float(machine in ones) for machine in MACHINES}


@pytest.fixture(scope="module")
def served(request, tmp_path_factory):
    """The controller of a shop at work; many tests look at it and none changes anything."""
    scratch = str(tmp_path_factory.mktemp("m"))
    stops = []
    request.addfinalizer(lambda: [stop() for stop in reversed(stops)])
    broker, redis = Broker(scratch), Redis(scratch)
    stops += [broker.kill, redis.kill]
    broker.start()
    redis.start()
    controller = Controller(scratch, broker, redis, MACHINES, USERS)
    stops.append(controller.kill)
    controller.start()
    client = Client(broker)
    stops.append(client.close)
    shop = Shop(client).open()
    shop["saw"].report(card=ADA, amps=3.5, wifi_signal_db=-61, wifi_signal_percent=78,
                       internal_temperature_c=41.25, uptime=1234.5)
    return controller


@pytest.fixture(scope="module")
def opened(served):
    return scrape(served)


def test_all_of_its_names_are_there_with_their_labels(opened):
    plain = """machine_relay_state machine_oops_state machine_lockout_state
        machine_override_login_state machine_unauth_warn_only_state machine_last_checkin_timestamp
        machine_last_update_timestamp machine_rfid_present machine_rfid_present_since_timestamp
        machine_current_amps machine_known_user machine_uptime_seconds machine_wifi_signal_db
        machine_wifi_signal_percent machine_esp_temperature_c mac_state_save_timeouts_total"""
    labelled = {"machine_status_led": "led_attribute",
                **{f"machine_second_relay_{word}": "second_relay_alias" for word in
                   ("state", "configured", "unauth_warn_only", "always_enabled")}}
    for name in plain.split():
        assert all(set(own) == set(NAMES) for own in opened[name].labels()), name
        assert opened[name].samples, name
    for name, extra in labelled.items():
        assert all(set(own) == {*NAMES, extra} for own in opened[name].labels()), name
        assert opened[name].samples, name
    for name in ("user_count fob_count app_start_timestamp machine_config_load_timestamp "
                 "user_config_load_timestamp user_config_file_mtime").split():
        assert opened[name].labels() == [{}], name
    assert opened["machine_relay_state"].value(machine_name="saw", display_name="Table Saw") == 1
    assert opened["machine_relay_state"].value(machine_name="mill", display_name="mill") == 0


def test_what_a_machine_measures_is_there_and_what_it_never_told_is_left_out(opened):
    told = {"machine_current_amps": 3.5, "machine_wifi_signal_db": -61,
            "machine_wifi_signal_percent": 78, "machine_esp_temperature_c": 41.25}
    for name, value in told.items():
        assert of(opened[name]) == {"saw": value}
    assert of(opened["machine_uptime_seconds"])["saw"] == 1234.5


def test_times_are_unix_seconds_and_those_that_never_were_are_left_out(opened):
    now = time.time()
    for name in ("machine_last_checkin_timestamp", "machine_last_update_timestamp"):
        assert all(now - 600 < value <= now + 1 for value in of(opened[name]).values()), name
    assert set(of(opened["machine_last_checkin_timestamp"])) == set(MACHINES)
    since = of(opened["machine_rfid_present_since_timestamp"])
    assert set(since) == {"saw", "laser", "drill", "press"}
    assert all(now - 600 < value <= now + 1 for value in since.values())
    assert opened["user_count"].value() == opened["fob_count"].value() == 3
    start = opened["app_start_timestamp"].value()
    assert now - 600 < opened["user_config_file_mtime"].value() <= start + 1
    assert opened["process_start_time_seconds"].value() == start


def test_the_status_light_has_four_attributes(opened):
    led = opened["machine_status_led"]
    for machine, colours in (("saw", (0, 1, 0, 0.5)), ("lathe", (1, 0, 0, 0.5)),
                             ("mill", (1, 0.5, 0, 0.5))):
        found = [led.value(machine_name=machine, led_attribute=attribute)
                 for attribute in ("red", "green", "blue", "brightness")]
        assert tuple(found) == colours, machine


def test_a_machine_without_a_second_relay_has_no_state_of_one(opened):
    for word in ("state", "unauth_warn_only", "always_enabled"):
        assert set(of(opened[f"machine_second_relay_{word}"])) == {"laser"}
    assert opened["machine_second_relay_state"].value(machine_name="laser") == 1


# ---- Tagout's own ----

def test_health_is_one_state_of_six(opened):
    health = opened["tagout_machine_health"]
    for machine in MACHINES:
        states = {own["health"]: health.value(**own) for own in health.labels()
                  if own["machine_name"] == machine}
        assert states == {word: float(word == "online") for word in
                          ("unknown", "online", "settling", "suspect", "error", "offline")}
    assert set(of(opened["tagout_machine_problem"]).values()) == {0}
    assert opened["tagout_machine_fault"].samples == {}


def test_who_leads_and_what_is_connected(opened):
    assert opened["tagout_epoch"].value() > time.time() - 600
    for name in ("tagout_leader", "tagout_broker_connected", "tagout_redis_up",
                 "tagout_build_info", "tagout_config_info"):
        assert list(opened[name].samples.values()) == [1], name
    assert opened["tagout_machines"].value() == len(MACHINES)
    assert re.fullmatch(r"\d+\.\d+\.\d+", opened["tagout_build_info"].labels()[0]["version"])
    assert opened["process_resident_memory_bytes"].value() > 1 << 20
    assert opened["process_cpu_seconds_total"].value() > 0
    assert 5 < opened["process_open_fds"].value() < opened["process_max_fds"].value()


def test_every_command_that_answers_a_report_was_timed(opened):
    decided = opened["tagout_decision_seconds"]
    count = decided.samples[("tagout_decision_seconds_count", ())]
    assert count == opened["tagout_reports_total"].value() > 10
    assert 0 < decided.samples[("tagout_decision_seconds_sum", ())] / count < TIMEOUT_S
    saved = opened["tagout_save_seconds"].samples[("tagout_save_seconds_count", ())]
    assert saved == opened["tagout_saves_total"].value() > 10


def test_what_happened_is_counted_by_kind(opened):
    events = opened["tagout_events_total"]
    assert {own["event_type"]: events.value(**own) for own in events.labels()
            if events.value(**own)} == {
                "login": 3, "override_login": 1, "oops": 1, "lockout": 2}
    answers = opened["tagout_answers_total"]
    assert answers.value(verb="lockout", status="ok") == 2
    assert sum(answers.samples.values()) == 2
    published = opened["tagout_published_total"]
    assert published.value(kind="command") == opened["tagout_commands_total"].value()
    assert published.value(kind="event") == sum(events.samples.values())


def test_C3_bad_reports_are_counted_by_what_is_wrong_with_them(client, controller):
    for payload, reason in ((b"{", "not_json"), (b'{"oops":true,"oops":true}', "not_json"),
                            (b" " * 5000, "too_long"), (b"{}", "missing_key"),
                            (b'{"oops":1,"rfid_value":"","uptime":1}', "bad_value"),
                            (b"[]", "bad_value")):
        before = scrape(controller)["tagout_bad_reports_total"].value(reason=reason)
        client.publish("tagout/machine/saw/report", payload)
        wait_until(lambda: scrape(controller)["tagout_bad_reports_total"].value(
            reason=reason) == before + 1, "counted")


def test_a_verb_that_somebody_made_up_makes_no_label(client, controller):
    assert client.request("fly\"", {})["status"] == "error"
    answers = scrape(controller)["tagout_answers_total"]
    assert answers.value(verb="unknown", status="error") == 1
    assert "fly" not in controller.get("/metrics")


ODD = 'Säge "Ö" \\ 锯 #1 {a="b"} ,'


def test_any_name_comes_through_whole(client, start_controller):
    controller = start_controller({"saw": {"authorizations_or": [], "alias": ODD}}, USERS)
    assert scrape(controller)["machine_relay_state"].labels() == [
        {"machine_name": "saw", "display_name": ODD}]


def test_a_machine_that_was_never_heard_has_only_what_is_known(controller):
    found = scrape(controller)
    assert set(of(found["machine_relay_state"])) == set(MACHINES)
    for name in ("machine_last_checkin_timestamp", "machine_uptime_seconds",
                 "machine_rfid_present_since_timestamp", "machine_current_amps",
                 "tagout_machine_relay_confirmed"):
        assert found[name].samples == {}, name


def test_since_when_a_card_is_in_moves_with_the_card_only(client, controller):
    saw = Machine(client, "saw")
    since = []
    saw.report()
    for card in (EVE, EVE, BOB, ""):
        saw.report(card=card)
        since.append(of(scrape(controller)["machine_rfid_present_since_timestamp"]).get("saw"))
    assert since[0] == since[1] < since[2] and since[3] is None


def test_C9_3_save_timeouts_count_for_the_machines_life(client, redis, start_controller):
    controller = start_controller(MACHINES, USERS, settings={"redis": {"save_timeout_ms": 1500}})
    saw = Machine(client, "saw")
    saw.report()
    wait_until(lambda: scrape(controller)["tagout_save_budgets"].value() == 0, "it is saved")
    redis.freeze()
    try:
        saw.report(card=ADA)
        wait_until(lambda: of(scrape(controller)["mac_state_save_timeouts_total"])["saw"] == 1,
                   "the timeout")
        found = scrape(controller)
        assert found["tagout_machine_fault"].labels() == [
            {"machine_name": "saw", "display_name": "Table Saw", "fault": "save_timeout"}]
        assert of(found["tagout_machine_problem"])["saw"] == 1
    finally:
        redis.thaw()
    wait_until(lambda: of(scrape(controller)["tagout_machine_problem"])["saw"] == 0, "saved")
    assert of(scrape(controller)["mac_state_save_timeouts_total"])["saw"] == 1


def test_C12_only_the_leader_tells_of_machines(client, controller, start_controller):
    standby = start_controller(MACHINES, USERS, identity="two")
    found = scrape(standby)
    assert found["tagout_leader"].value() == 0
    assert not [name for name in found if name.startswith(("machine_r", "tagout_machine_"))]
    assert found["user_count"].value() == 3
    assert standby.status_of("/readyz") == (200, '{"status":"ready"}\n'), "it stands by"
    assert scrape(controller)["tagout_leader"].value() == 1


# ---- what is made of them ----

def queries(node):
    """Every PromQL expression in a document, wherever it stands."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "definition") and isinstance(value, str):
                yield value
            else:
                yield from queries(value)
    elif isinstance(node, list):
        for item in node:
            yield from queries(item)


def metric_names(expression):
    """Without labels, durations and the names of functions."""
    bare = re.sub(r'\{.*?\}|\[.*?\]|"[^"]*"', " ", expression)
    bare = re.sub(r"\b(by|on|without|ignoring)\s*\(.*?\)", " ", bare)
    found = re.findall(r"\b(?:tagout|machine|mac|user|fob|app|process)_[a-z0-9_]+", bare)
    return set(found) - set(NAMES)


@pytest.fixture
def known(opened, start_watcher):
    """The names of all samples of both programs."""
    families = {**opened, **scrape(start_watcher())}
    names = [(family, family.name + ending) for family in families.values()
             for ending in ("", "_bucket", "_sum", "_count")]
    return {name for family, name in names if family.owns(name)}


def deployed(path):
    with open(os.path.join(ROOT, "deploy", path), encoding="utf-8") as file:
        return yaml.safe_load(file)  # of which JSON is a part


def test_rules_and_dashboard_ask_only_for_what_there_is(known):
    rules = deployed("prometheus/tagout.rules.yaml")
    dashboard = deployed("grafana/dashboard.json")
    for document, least in ((rules, 15), (dashboard, 30)):
        asked = [metric_names(expression) for expression in queries(document)]
        assert len(asked) >= least
        assert set().union(*asked) <= known, set().union(*asked) - known


def test_the_readme_names_only_what_there_is(known):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        chapter = file.read().partition("### Metrics and health")[2].partition("\n## ")[0]
    named = set(re.findall(r"`((?:tagout|machine|mac|user|fob|app)_[a-z_]+)(\*?)`", chapter))
    assert len(named) > 20
    for name, star in named - {(label, "") for label in NAMES}:
        there = [one for one in known if one.startswith(name)]
        assert there if star else name in there or f"{name}_bucket" in there, name


def test_every_rule_is_proved_to_ring_and_says_what_to_do():
    rules = [rule for group in deployed("prometheus/tagout.rules.yaml")["groups"]
             for rule in group["rules"]]
    rung = {case["alertname"] for test in deployed("prometheus/tagout.rules_test.yaml")["tests"]
            for case in test["alert_rule_test"] if case.get("exp_alerts")}
    assert {rule["alert"] for rule in rules} == rung
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]


def test_the_dashboard_fits_its_grid():
    panels = deployed("grafana/dashboard.json")["panels"]
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


# ---- health ----

def test_alive_is_not_ready(broker, start_controller):
    broker.stop()
    controller = start_controller(MACHINES, USERS, ready=False)
    controller.wait_log(re.compile("no broker at"))
    assert controller.status_of("/healthz") == (200, '{"status":"alive"}\n')
    assert controller.status_of("/readyz") == (
        503, '{"status":"not ready","reasons":["not connected to the broker"]}\n')
    broker.start()
    wait_until(lambda: controller.status_of("/readyz")[0] == 200, "it is ready")
    broker.stop()
    wait_until(lambda: controller.status_of("/readyz")[0] == 503, "and no more")
    assert controller.status_of("/healthz")[0] == 200


def test_an_address_that_is_taken_stops_nobody_and_is_tried_again(start_controller, client):
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", free_port()))
        taker.listen()
        port = taker.getsockname()[1]
        controller = start_controller(MACHINES, USERS,
                                      settings={"http": {"listen": f"127.0.0.1:{port}"}})
        controller.wait_log(re.compile(
            rf"\[http\] listen: cannot listen on 127.0.0.1:{port} \(Address already in use\)"))
        assert Machine(client, "saw").report()["relay"] is False
    controller.http_port = port
    controller.wait_log(re.compile(f"metrics and health: http://127.0.0.1:{port}/metrics"))
    assert controller.status_of("/readyz")[0] == 200


# ---- whoever asks badly, slowly, or for a lot ----

def exchange(controller, sent, end=False):
    """All that comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", controller.http_port), TIMEOUT_S) as connection:
        connection.sendall(sent)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


REQUESTS = [
    (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    (b"GET /metrics?name[]=up HTTP/1.1\r\n\r\n", 200),
    (b"GET /readyz HTTP/1.0\n\n", 200),
    (b"GET /healthz HTTP/1.1\r\nA: " + b"b" * 4000 + b"\r\n\r\n", 200),
    (b"GET /healthz HTTP/1.1\r\nA: " + b"b" * 5000 + b"\r\n\r\n", 400),
    (b"A" * 5000, 400),
    (b"GET / HTTP/1.1\r\n\r\n", 404),
    (b"GET /metrics/ HTTP/1.1\r\n\r\n", 404),
    (b"GET /" + b"m" * 1000 + b" HTTP/1.1\r\n\r\n", 404),
    (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 413),
    (b"POST /metrics HTTP/1.1\r\n\r\n", 501),
    (b"POST /metrics HTTP/1.1\r\nConnection: keep-alive\r\n\r\n", 501),
    (b"DELETE /metrics HTTP/1.1\r\n\r\n", 501),
    (b"\r\n\r\n", 400), (b"GET\r\n\r\n", 400), (b"GET /metrics\r\n\r\n", 400),
    (b"GET  /metrics HTTP/1.1\r\n\r\n", 404), (b"GET /metrics HTTP/2.0\r\n\r\n", 400),
    (b"GET metrics HTTP/1.1\r\n\r\n", 404), (b"GET /\x00 HTTP/1.1\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
]


@pytest.mark.parametrize("end", [False, True], ids=["", "after its sender has ended"])
def test_every_request_has_its_answer_and_the_connection_ends(served, end):
    for sent, status in REQUESTS:
        answer = exchange(served, sent, end)
        assert re.match(rb"HTTP/1\.[01] %d " % status, answer), (sent[:100], answer[:200])
        assert b"\r\nConnection: close\r\n" in answer.partition(b"\r\n\r\n")[0] + b"\r\n"


def test_HEAD_has_no_body_and_HTTP_1_0_no_chunks(served):
    head, _, body = exchange(served, b"HEAD /metrics HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    assert b"Content-Type: text/plain; version=0.0.4; charset=utf-8" in head and body == b""
    head, _, body = exchange(served, b"GET /metrics HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert "tagout_leader" in exposition.read(body.decode())


def many(count):
    return {f"m{number:05}": {"authorizations_or": ["woodshop"], "alias": f"Machine {number}"}
            for number in range(count)}


@pytest.fixture
def large(start_controller):
    return start_controller(many(2048), USERS)  # pieces end where families do, too


def test_a_page_of_a_large_fleet_is_whole(large):
    found = scrape(large)
    assert len(found["machine_relay_state"].samples) == 2048
    assert len(found["machine_status_led"].samples) == 4 * 2048
    assert len(found["tagout_machine_health"].samples) == 6 * 2048
    assert found["machine_current_amps"].samples == {}


def test_readers_that_do_not_read_hold_up_no_decision(large, client):
    """Eight ask for a page of megabytes and take none of it."""
    saw = Machine(client, "m00000")
    saw.report()
    idle = []
    try:
        for _ in range(8):
            connection = socket.create_connection(("127.0.0.1", large.http_port), TIMEOUT_S)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            idle.append(connection)
        for card in (ADA, "") * 20:
            assert saw.report(card=card)["relay"] is (card == ADA)
    finally:
        for connection in idle:
            connection.close()
    assert scrape(large)["tagout_decision_seconds"].samples[
        ("tagout_decision_seconds_count", ())] == 41


def is_closed(connection):
    """By the other side; what it drips meanwhile keeps it from nothing."""
    connection.settimeout(0.1)
    try:
        connection.sendall(b"A")
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_who_asks_for_nothing_makes_room_and_is_thrown_out(controller, client):
    """Not even by a byte now and then can a connection be kept."""
    saw = Machine(client, "saw")
    idle = [socket.create_connection(("127.0.0.1", controller.http_port), TIMEOUT_S)
            for _ in range(30)]
    try:
        began = time.monotonic()
        idle[-1].sendall(b"GET /metrics HTTP/1.1\r\n")
        saw.report()
        assert saw.report(card=ADA)["relay"] is True
        assert scrape(controller)["tagout_leader"].value() == 1
        assert scrape(controller)["process_open_fds"].value() < 40
        wait_until(lambda: is_closed(idle[-1]), "its time is over")
        assert time.monotonic() - began > 4
        assert all(is_closed(connection) for connection in idle)
    finally:
        for connection in idle:
            connection.close()


# ---- the watcher's ----

def test_the_watcher_tells_of_alerts_services_slack_and_the_audit(broker, client, start_watcher,
                                                                  controller):
    watcher = start_watcher()
    Machine(client, "saw").report(card=EVE)
    wait_until(lambda: scrape(watcher)["tagout_service_status"].labels(), "services are known")
    assert client.request("test-alert", {})["status"] == "ok"
    wait_until(lambda: scrape(watcher)["tagout_audit_lines_total"].value() >= 2
               and scrape(watcher)["tagout_watcher_events_total"].value() >= 1, "it has heard")
    found = scrape(watcher)
    assert found["tagout_watcher_alerts_total"].value(alert="test") == 1
    assert found["tagout_slack_done_total"].value() >= 1
    assert found["tagout_slack_works"].value() == found["tagout_watcher_speaks"].value() == 1
    assert found["tagout_slack_waiting"].value(lane="control") == 0
    assert found["tagout_audit_lines_dropped_total"].value() == 0
    wait_until(lambda: scrape(watcher)["tagout_audit_behind_seconds"].value() == 0, "written")
    wait_until(lambda: scrape(watcher)["tagout_audit_waiting_bytes"].value() == 0, "all of it")
    wait_until(lambda: all(scrape(watcher)["tagout_service_status"].value(
        service=name, status="running") == 1 for name in ("controller-one", "leader", "redis",
                                                          "broker")), "all run")
    assert watcher.status_of("/healthz") == (200, '{"status":"alive"}\n')
    wait_until(lambda: scrape(controller)["tagout_watcher_seen"].value() == 1, "it is seen")
    controller.kill()
    wait_until(lambda: scrape(watcher)["tagout_service_status"].value(
        service="controller-one", status="error") == 1, "its end")


def test_the_watcher_is_ready_while_it_hears_and_can_write(broker, start_watcher):
    watcher = start_watcher()
    wait_until(lambda: watcher.status_of("/readyz") == (200, '{"status":"ready"}\n'), "ready")
    broker.stop()
    wait_until(lambda: watcher.status_of("/readyz") == (
        503, '{"status":"not ready","reasons":["not connected to the broker"]}\n'), "cut off")
    broker.start()
    wait_until(lambda: watcher.status_of("/readyz")[0] == 200, "ready again")


def test_a_watcher_that_cannot_write_its_audit_is_not_ready(start_watcher, scratch):
    with open(f"{scratch}/file", "w", encoding="utf-8"):
        pass
    watcher = start_watcher(settings={"audit": {"directory": f"{scratch}/file"}})
    assert watcher.status_of("/readyz") == (
        503, '{"status":"not ready","reasons":["the audit cannot be written"]}\n')
