"""tagoutd as whoever runs it sees it: its arguments, exit status, last words and rivals (C1)."""
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from harness import (ADA, MACHINES, TIMEOUT_S, USERS, Controller, Machine, clean_environment, user,
                     wait_until)

STATUS = "tagout/controller/one/status"
INI = "[redis]\nsave_timeout_ms = 500\n"


@pytest.fixture
def tagoutd(scratch):
    """Writes the files and runs tagoutd in their folder: tagoutd("--check", machines=…)."""
    def run(*arguments, ini=INI, machines=MACHINES, users=USERS, mode=0o600, **environment):
        for name, content in (("tagout.ini", ini), ("machines.json", machines),
                              ("users.json", users)):
            with open(os.path.join(scratch, name), "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content if isinstance(content, str) else json.dumps(content))
        return subprocess.run(Controller.command_line(*arguments), cwd=scratch, text=True,
                              env=clean_environment(environment), capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False)

    return run


def check(tagoutd, **files):
    return tagoutd("--check", "-c", "tagout.ini", **files)


# ---- arguments ----

def test_help_and_version(tagoutd):
    for option in ("-h", "--help"):
        result = tagoutd(option)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("Usage: tagoutd")
        for word in ("--config FILE", "--check", "--version", "SIGHUP", "Exit status: 0 "):
            assert word in result.stdout
    for option in ("-V", "--version"):
        result = tagoutd(option)
        assert result.returncode == 0 and re.fullmatch(r"tagoutd \d+\.\d+\.\d+\n", result.stdout)


@pytest.mark.parametrize("arguments, complaint", [
    (["--frobnicate"], "unrecognized option '--frobnicate'"),
    (["-x"], "invalid option -- 'x'"),
    (["-c"], "option requires an argument -- 'c'"),
    (["--check", "tagout.ini"],
     "unexpected argument 'tagout.ini'; did you mean -c tagout.ini?\n"),
    (["--check", "no.ini"], "unexpected argument 'no.ini'\n"),
    (["-c", "tagout.ini", "tagout.ini"], "unexpected argument 'tagout.ini'\n"),
])
def test_wrong_usage_ends_with_2(tagoutd, arguments, complaint):
    result = tagoutd(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert complaint in result.stderr and "Try 'tagoutd --help'." in result.stderr


# ---- --check ----

def test_check_says_what_is_there(tagoutd):
    result = check(tagoutd, users=[dict(user(1, "Ada"), expiration_ymd="")])
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "configuration ok: 7 machines (machines.json), 1 user (users.json)"
    assert "not enforced" not in result.stdout


def test_check_asks_whether_authorizations_that_do_not_meet_are_meant(tagoutd):
    good = [dict(user(1, "Ada"), expiration_ymd="", authorizations=["woodshop"])]
    result = check(tagoutd, machines=only(), users=good)
    assert result.stdout == (
        "configuration ok: 1 machine (machines.json), 1 user (users.json)\n")
    result = check(tagoutd, machines=only(authorizations_or=["wood"]), users=good)
    assert result.returncode == 0, "odd, but no error"
    assert result.stdout.split("\n", 1)[1] == (
        "is that meant?\n"
        "machines.json: saw: nobody holds \"wood\"\n"
        "users.json: 1 user holds \"woodshop\", which opens no machine\n")


def test_a_check_and_a_start_tell_of_secrets_for_the_services_that_everyone_can_read(
        tagoutd, scratch, start_controller):
    told = "everyone on this host can read the secrets in it; chmod o= "
    for name in ("environment", "tagoutd.environment", "tagout-watcher.environment"):
        path = os.path.join(scratch, name)
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o640)
        assert told not in check(tagoutd).stdout
        os.chmod(path, 0o644)
        assert f"{name}: {told}{name}\n" in check(tagoutd).stdout
        os.remove(path)
    controller = start_controller(MACHINES, USERS)
    path = os.path.join(controller.folder, "tagoutd.environment")
    with open(path, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
    controller.stop()
    since = controller.log_position()
    controller.start()
    controller.wait_log(re.compile(re.escape(f"{path}: {told}{path}")), since=since)


def test_check_asks_whether_both_programs_shall_listen_at_one_address(tagoutd):
    doubt = "[http] listen and watcher_listen are both 127.0.0.1:9465: one of the two has no metrics"
    assert doubt in check(tagoutd, ini="[http]\nlisten = 127.0.0.1:9465\n").stdout
    for ini in ("", "[http]\nlisten =\nwatcher_listen =\n"):
        assert "watcher_listen" not in check(tagoutd, ini=ini).stdout


def test_check_asks_whether_everyone_shall_read_card_numbers(tagoutd):
    good = [dict(user(1, "Ada"), expiration_ymd="", authorizations=["woodshop"])]
    result = check(tagoutd, machines=only(), users=good, mode=0o644)
    assert result.returncode == 0
    assert result.stdout.split("\n", 1)[1] == (
        "is that meant?\n"
        "users.json: everyone on this host can read the card numbers in it; chmod o= users.json\n")
    result = check(tagoutd, machines=only(), users=good, mode=0o644, ini="[slack]\nbot_token = a\n")
    assert (result.returncode, result.stderr) == (
        2, "tagoutd: tagout.ini:2: [slack] bot_token: is a secret, and everyone can read it; run: "
        "chmod o= tagout.ini\n")


EXPIRED = ("users.json: 1 user has authorizations although expiration_ymd has passed (/0 \"Ada\"); "
           "Tagout does not look at it: take away the authorizations\n")


def test_check_says_what_is_loaded_but_not_enforced(tagoutd):
    users = [dict(user(1, "Ada"), expiration_ymd="2001-01-01", authorizations=["woodshop"]),
             user(2, "Bob"),
             dict(user(3, "Max"), expiration_ymd="soon")]
    result = check(tagoutd, users=users)
    assert result.returncode == 0
    ok, enforced, expired, asked, *doubts = result.stdout.splitlines(keepends=True)
    assert ok == "configuration ok: 7 machines (machines.json), 3 users (users.json)\n"
    assert (enforced, expired, asked) == (
        "loaded, but not enforced:\n", EXPIRED, "is that meant?\n")
    assert doubts[-1] == ("users.json: 1 user has an expiration_ymd that is not a date "
                          '(YYYY-MM-DD): /2 "Max"\n')
    result = check(tagoutd, users=[dict(user(1, "Ada"), expiration_ymd="2001-01-01",
                                        authorizations=[])])
    assert "users.json: 1 user has an expiration_ymd, and Tagout does not look at it\n" in (
        result.stdout)


def test_a_start_and_a_reload_warn_of_members_whose_time_is_over(start_controller):
    expired = [dict(USERS[0], expiration_ymd="2001-01-01"), *USERS[1:]]
    controller = start_controller(MACHINES, expired)
    controller.wait_log(re.compile(r"although expiration_ymd has passed \(/0 "))
    since = controller.log_position()
    controller.signal(signal.SIGHUP)
    controller.wait_log(re.compile(r"although expiration_ymd has passed \(/0 "), since=since)


def test_a_user_name_without_a_password_is_asked_about(tagoutd):
    ini = "[controller]\nid = one\n[mqtt]\nusername = svc.controller-one\n"
    assert '[mqtt] username: "svc.controller-one" has no password here' in (
        check(tagoutd, ini=ini).stdout)
    result = check(tagoutd, ini=ini, TAGOUT_MQTT_PASSWORD="secret")
    assert result.returncode == 0 and "username" not in result.stdout


def only(**config):
    return {"saw": dict({"authorizations_or": ["woodshop"]}, **config)}


def first_user(**changes):
    return [dict(USERS[0], **changes)]


def without(key):
    return [{name: value for name, value in USERS[0].items() if name != key}]


@pytest.mark.parametrize("files, error", [
    ({"ini": "id = x\n"}, "tagout.ini:1: id: stands before any [section]"),
    ({"ini": "[contoller]\nid = x\n"},
     "tagout.ini:1: [contoller]: unknown section; did you mean controller?"),
    ({"ini": "[controller]\n\nprefx = x\n"},
     "tagout.ini:3: [controller] prefx: unknown key; did you mean prefix?"),
    ({"ini": "[redis]\nsave_timeout_ms = 5\nsave_timeout_ms = 5\n"},
     "tagout.ini:3: [redis] save_timeout_ms: stands here twice, first in line 2"),
    ({"ini": "[redis]\nsave_timeout_ms = fast\n"},
     'tagout.ini:2: [redis] save_timeout_ms: "fast" is not a whole number from 1 to 60000'),
    ({"ini": "[redis\n"}, "tagout.ini:1: the line is neither [section] nor key = value nor a"
                          " comment"),
    ({"ini": "[mqtt]\nurl = http://broker\n"},
     'tagout.ini:2: [mqtt] url: "http://broker" is not mqtt://host:port or mqtts://host:port'),
    ({"ini": "[mqtt]\npassword = hunter2\n"}, "tagout.ini:2: [mqtt] password: needs username too"),
    ({"ini": "[mqtt]\nurl = mqtts://h\nca_file = ca.crt\n"},
     "tagout.ini:3: [mqtt] ca_file: ca.crt cannot be read: No such file or directory"),
    ({"ini": "[mqtt]\nca_file = users.json\n"},
     "tagout.ini:2: [mqtt] ca_file: is for TLS, and the broker is mqtt://127.0.0.1:1883: its url"
     " must begin with mqtts://"),
    ({"ini": "[mqtt]\nurl = mqtts://h\nca_file = users.json\n"},
     "[mqtt] ca_file: users.json: holds no certificate in PEM form"),
    ({"ini": "[mqtt]\nurl = mqtts://h\ncert_file = users.json\nkey_file = users.json\n"},
     "[mqtt] cert_file: users.json: holds no certificate in PEM form"),
    ({"TAGOUT_MQTT_URL": f"mqtt://{'h' * 254}"},
     f'TAGOUT_MQTT_URL: "mqtt://{"h" * 41}..." is not mqtt://host:port or mqtts://host:port'),
    ({"ini": "[mqtt]\nusername = svc.watcher\n"},
     '[mqtt] username: "svc.watcher" has the role "watcher"; a controller\'s begins with'
     ' svc.controller-'),
    ({"ini": "[controller]\nusers = people.json\n"},
     "people.json: cannot be read: No such file or directory ([controller] users)"),
    ({"ini": "[slack]\ncontrol_channel = C012345 # ours\n"},
     'tagout.ini:2: [slack] control_channel: "C012345 # ours" has a # behind it: a comment there'
     " begins with ;"),
    ({"users": ""}, "users.json: is empty; with no users it says []"),
    ({"TAGOUT_REDIS_SAVE_TIMEOUT_MS": "0"},
     'TAGOUT_REDIS_SAVE_TIMEOUT_MS: "0" is not a whole number from 1 to 60000'),
    ({"TAGOUT_REDIS_URI": "x"},
     "TAGOUT_REDIS_URI: names no key of tagout.ini; did you mean TAGOUT_REDIS_URL?"),
    ({"machines": "[]"}, "machines.json: /: must be an object, not an array"),
    ({"machines": '{"saw":'}, "machines.json: not JSON: it ends too early at byte 7"),
    ({"machines": '{"saw": {"authorizations_or": []}, "saw": {"authorizations_or": []}}'},
     'machines.json: the key "saw" stands twice in /'),
    ({"machines": {"Saw": {"authorizations_or": []}}},
     "machines.json: /Saw: a machine's name is 1 to 64 characters of a to z, 0 to 9, _ and -"),
    ({"machines": {"saw": {}}}, "machines.json: /saw: lacks authorizations_or"),
    ({"machines": only(alwaysenabled=True)},
     "machines.json: /saw/alwaysenabled: unknown key; did you mean always_enabled?"),
    ({"machines": only(always_enabled="yes")},
     "machines.json: /saw/always_enabled: must be a boolean, not a string"),
    ({"machines": only(authorizations_or=["woodshop", 7])},
     "machines.json: /saw/authorizations_or/1: must be a string, not a number"),
    ({"machines": only(second_relay={"authorizations_or": []})},
     "machines.json: /saw/second_relay/authorizations_or: must hold at least one"),
    ({"machines": only(mains="maybe")},
     'machines.json: /saw/mains: must be "always" or "switched", not "maybe"'),
    ({"machines": dict(only(alias="MILL"), mill={"authorizations_or": []})},
     'machines.json: /saw/alias: /mill is called "MILL" too'),
    ({"users": {}}, "users.json: /: must be an array, not an object"),
    ({"users": [1]}, "users.json: /0: must be an object, not a number"),
    ({"users": without("email")}, "users.json: /0: lacks email"),
    ({"users": first_user(colour="red")}, "users.json: /0/colour: unknown key"),
    ({"users": first_user(fob_codes=["1", 2])},
     "users.json: /0/fob_codes/1: must be a string, not a number"),
    ({"users": first_user(preferred_name="A\tB")},
     "users.json: /0/preferred_name: must not hold control characters"),
    ({"users": first_user(preferred_name="A" * 65)},
     "users.json: /0/preferred_name: must be at most 64 characters"),
    ({"users": USERS + [dict(user(4, "Kim"), fob_codes=["1"])]},
     'users.json: /3/fob_codes/0: the same card as /0/fob_codes/0 of user "Ada"'),
    ({"users": USERS + [dict(user(4, "Kim"), account_id="2")]},
     'users.json: /3/account_id: "2" is also user "Bob" (/1)'),
])
def test_C10_an_error_names_the_file_and_the_place(tagoutd, files, error):
    """And ends a start like a --check: with status 2, and nothing else is said."""
    for arguments in (("--check", "-c", "tagout.ini"), ("-c", "tagout.ini")):
        result = tagoutd(*arguments, **files)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == f"tagoutd: {error}\n"


def test_a_file_that_is_not_there(tagoutd):
    result = tagoutd("--check", "-c", "other.ini")
    assert (result.returncode, result.stderr) == (
        2, "tagoutd: other.ini: cannot be read: No such file or directory\n")


@pytest.mark.parametrize("arguments", [("--check",), ()])
def test_without_a_file_it_says_what_it_took_instead(tagoutd, scratch, arguments):
    for name in ("machines.json", "users.json", "tagout.ini"):
        assert not os.path.exists(os.path.join(scratch, name))
    result = subprocess.run(Controller.command_line(*arguments), cwd=scratch, text=True,
                            env=clean_environment(), capture_output=True,
                            stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    first, second, *more = result.stderr.splitlines()
    assert first == ("tagoutd: machines.json: cannot be read: No such file or directory "
                     "([controller] machines)")
    assert second == ("tagoutd: without -c FILE every key has its default, and machines.json and "
                      "users.json are looked for in the working directory")
    usual = "/etc/tagout/tagout.ini"
    assert more == ([f"tagoutd: did you mean: tagoutd {'--check ' if arguments else ''}-c {usual}"]
                    if os.path.exists(usual) else [])


# ---- the end ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_stop_ends_with_0_and_says_stopped(client, start_controller, number):
    controller = start_controller(MACHINES, USERS)
    saw = Machine(client, "saw")
    saw.report()
    saw.report(card=ADA)
    running = client.retained(STATUS)[STATUS].json
    assert (running["status"], running["leader"], running["redis"]) == ("running", True, "up")
    client.subscribe(STATUS)
    controller.signal(number)
    assert controller.wait() == 0
    stopped = client.wait_for(STATUS, lambda m: m.json["status"] != "running").json
    assert stopped == dict(running, status="stopped", leader=False)
    controller.assert_sane()
    # Its end switches nothing: the machine in use goes on.
    assert client.retained("tagout/machine/saw/state")[
        "tagout/machine/saw/state"].json["relay"] is True


def test_a_stop_without_a_broker_and_without_redis_ends_with_0_too(broker, redis,
                                                                   start_controller):
    controller = start_controller(MACHINES, USERS)
    broker.kill()
    redis.kill()
    controller.wait_log(re.compile("the broker is gone"))
    controller.stop()


def test_a_killed_controller_leaves_lost(client, start_controller):
    controller = start_controller(MACHINES, USERS)
    client.subscribe(STATUS)
    controller.kill()
    assert client.wait_for(STATUS, lambda m: not m.retain).json == {"status": "lost"}
    assert client.retained("tagout/controller/+/status")[STATUS].json == {"status": "lost"}


# ---- the supervisor ----

@pytest.fixture
def supervisor(scratch):
    """What systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ears:
        ears.bind(os.path.join(scratch, "notify"))
        yield ears


def test_C1_the_supervisor_is_told_when_it_is_ready_and_when_it_stops(
        broker, supervisor, start_controller):
    broker.stop()
    controller = start_controller(MACHINES, USERS, ready=False,
                                  environment={"NOTIFY_SOCKET": supervisor.getsockname()})
    controller.wait_log(re.compile("no broker at"))
    supervisor.setblocking(False)
    with pytest.raises(BlockingIOError):
        supervisor.recv(1000)
    assert health(controller) == 503
    broker.start()
    controller.wait_log(controller.READY)
    supervisor.settimeout(TIMEOUT_S)
    assert supervisor.recv(1000) == b"READY=1"
    assert health(controller) == 200
    controller.stop()
    assert supervisor.recv(1000) == b"STOPPING=1"


def signs_of_life(supervisor, process, wanted):
    """Waits for so many, and for none once the process stands still."""
    supervisor.settimeout(TIMEOUT_S)
    while wanted > 0:
        wanted -= supervisor.recv(1000) == b"WATCHDOG=1"
    process.freeze()
    supervisor.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            supervisor.recv(1000)
    process.thaw()
    supervisor.settimeout(TIMEOUT_S)
    while supervisor.recv(1000) != b"WATCHDOG=1":
        pass


def test_the_supervisor_hears_that_the_loop_turns_though_nothing_happens(
        supervisor, start_controller, start_watcher):
    environment = {"NOTIFY_SOCKET": supervisor.getsockname(), "WATCHDOG_USEC": "300000"}
    controller = start_controller(MACHINES, USERS, environment=environment)
    signs_of_life(supervisor, controller, 10)
    controller.stop()
    watcher = start_watcher(environment=environment)
    signs_of_life(supervisor, watcher, 10)


def health(controller):
    with socket.create_connection(("127.0.0.1", controller.http_port), TIMEOUT_S) as connection:
        connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        return int(connection.makefile("rb").readline().split()[1])
