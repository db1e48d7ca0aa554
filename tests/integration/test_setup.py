"""tagoutctl init: a working, secured set-up for one host, from nothing."""
import grp
import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from ctl_shop import bare
from harness import BIN, ROOT, TIMEOUT_S, Process, clean_environment, free_port, user, wait_until
from secured import settings_of
from services import SANITIZER_REPORT

FILES = {"tagout.ini": 0o640, "machines.json": 0o640, "users.json": 0o640, "admin.ini": 0o600,
         "tagoutd.environment": 0o600, "tagout-watcher.environment": 0o600,
         "mosquitto/tagout.conf": 0o644, "mosquitto/tagout.passwords": 0o640,
         "mosquitto/tagout.acl": 0o640, "redis/tagout.conf": 0o640, "ca/ca.crt": 0o644,
         "ca/ca.key": 0o600, "ca/server.crt": 0o644, "ca/server.key": None}


def files_below(folder):
    return {os.path.relpath(os.path.join(top, name), folder)
            for top, _, names in os.walk(folder) for name in names}


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def environment_of(*path):
    return dict(line.split("=", 1) for line in read(*path).splitlines()
                if line and not line.startswith("#"))


@pytest.fixture
def etc(scratch):
    folder = os.path.join(scratch, "etc")
    made = bare("init", "--directory", folder, "--host", "shop.example",
                environment={"SUDO_USER": "grace"})
    assert made.code == 0, made
    assert made.err == "" or "there is no group tagout yet" in made.err
    return folder


def test_it_writes_a_whole_set_up_that_the_check_accepts(etc):
    assert files_below(etc) == set(FILES)
    for name, mode in FILES.items():
        found = stat.S_IMODE(os.stat(os.path.join(etc, name)).st_mode)
        assert found == mode or mode is None and found & 0o007 == 0, (name, oct(found))
    done = subprocess.run([os.path.join(BIN, "tagoutd"), "--check", "-c",
                           os.path.join(etc, "tagout.ini")], capture_output=True, check=False,
                          env=clean_environment(environment_of(etc, "tagoutd.environment")))
    assert done.returncode == 0, done
    assert done.stdout.startswith(b"configuration ok: 1 machine (")


def test_secrets_stand_where_only_their_owners_read_them(etc):
    secrets = [*environment_of(etc, "tagoutd.environment").values(),
               *environment_of(etc, "tagout-watcher.environment").values(),
               re.search("password = (.*)", read(etc, "admin.ini")).group(1)]
    secrets = {value for value in secrets if value not in (
        "tagout", "svc.watcher") and not value.startswith("svc.controller-")}
    assert len(secrets) == 5  # four passwords and the card key
    for name in FILES:
        if FILES[name] != 0o600:
            assert not [secret for secret in secrets if secret in read(etc, name)], name


def test_what_it_writes_says_what_it_is_and_not_how_to_make_it(etc):
    for name in ("mosquitto/tagout.conf", "redis/tagout.conf"):
        text = read(etc, name)
        assert 'Written once, by "tagoutctl init"' in text
        for word in ("sudo", "sha256sum", "sixty-four", "trial.conf", "/etc/mosquitto/certs"):
            assert word not in text, (name, word)
        assert max(map(len, text.splitlines()[:6])) <= 100
        # Reasons, and all that counts, are the shipped file's.
        shipped = read(ROOT, "deploy", name)
        assert set(text.splitlines()) & set(shipped.splitlines()) > {
            line for line in shipped.splitlines() if line and line[0] != "#" and not re.match(
                "user tagout|password_file|acl_file|certfile|keyfile", line)}


def steps(folder, *arguments):
    """What init says, in the order in which it says it."""
    done = subprocess.run([os.path.join(BIN, "tagoutctl"), "init", *arguments], check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=folder, env=clean_environment())
    return done.stdout.decode()


def test_its_steps_name_the_directory_and_nothing_in_etc_tagout(scratch):
    folder = os.path.join(os.path.realpath(scratch), "etc")
    os.mkdir(folder)
    said = steps(scratch, "--directory", "etc")
    for line in (f"ln -s {folder}/mosquitto/tagout.conf /etc/mosquitto/conf.d/",
                 f"echo 'include {folder}/redis/tagout.conf' >> /etc/redis/redis.conf",
                 f"tagoutd --check -c {folder}/tagout.ini",
                 f"EnvironmentFile={folder}/tagoutd.environment",
                 f"ExecStart=tagoutd -c {folder}/tagout.ini",
                 f"EnvironmentFile={folder}/tagout-watcher.environment",
                 f"ExecStart=tagout-watcher -c {folder}/tagout.ini",
                 f"tagoutctl -c {folder}/admin.ini status",
                 f"tagoutctl -c {folder}/tagout.ini device add table-saw --reload"):
        assert f"     {line}\n" in said, said
    assert f"{folder}/machines.json" in said
    assert f"tagoutctl -c {folder}/tagout.ini backup FILE" in said
    assert said.count(" /etc/tagout") == 1 and "units read /etc/tagout" in said


def test_what_comes_first_of_all_is_said_first(scratch):
    said = steps(scratch, "--directory", "etc")
    warning = said.find("there is no group tagout yet")
    assert warning < said.index("Written to ")
    try:
        grp.getgrnam("tagout")
    except KeyError:
        assert (warning >= 0) == (os.getuid() == 0)


def test_nothing_that_is_there_is_written_over(etc):
    before = {name: read(etc, name) for name in FILES}
    again = bare("init", "--directory", etc)
    assert again.code == 1
    assert "mosquitto/tagout.passwords is there already\n" in again.err
    assert "nothing was set up" in again.err
    assert "a host is set up once" in again.err
    assert {name: read(etc, name) for name in FILES} == before


def test_what_a_package_installed_is_no_obstacle_and_users_and_machines_are_kept(scratch):
    for name, content in (("machines.json", '{"lathe": {"authorizations_or": ["metal"]}}'),
                          ("users.json", "[]")):
        with open(os.path.join(scratch, name), "w", encoding="utf-8") as file:
            file.write(content)
    with open(os.path.join(ROOT, "deploy/etc/tagout.ini"), "rb") as shipped:
        with open(os.path.join(scratch, "tagout.ini"), "wb") as file:
            file.write(shipped.read())
    assert bare("init", "--directory", scratch).code == 0
    assert "lathe" in read(scratch, "machines.json")
    assert "\nid = " in read(scratch, "tagout.ini")


def test_a_tagout_ini_that_somebody_wrote_stays_and_nothing_is_set_up(scratch):
    with open(os.path.join(scratch, "tagout.ini"), "w", encoding="utf-8") as file:
        file.write("[controller]\nid = mine\n")
    result = bare("init", "--directory", scratch)
    assert result.code == 1
    assert "tagout.ini is there already, and not as it was shipped" in result.err
    assert os.listdir(scratch) == ["tagout.ini"]


def test_what_fails_half_way_leaves_nothing(scratch):
    folder = os.path.join(scratch, "etc")
    os.mkdir(folder)
    result = bare("init", "--directory", folder, environment={"PATH": scratch})
    assert result.code == 1
    assert "openssl cannot be run: No such file or directory" in result.err
    assert files_below(folder) == set()


class Site:
    """The generated set-up at work, on ports of the test's own."""

    def __init__(self, scratch, etc):
        self.scratch = scratch
        self.etc = etc
        self.ports = {port: free_port() for port in (1883, 1884, 8883, 8884)}
        self.redis_port = free_port()
        self.http = {key: f"127.0.0.1:{free_port()}" for key in (
            "TAGOUT_HTTP_LISTEN", "TAGOUT_HTTP_WATCHER_LISTEN")}
        self.processes = []
        self.move_ports()

    def move_ports(self):
        path = os.path.join(self.etc, "mosquitto/tagout.conf")
        text = "user root\n" * (os.getuid() == 0) + "log_dest stderr\nlog_type all\n"
        for key, value in settings_of(path):
            if key == "listener":
                value = f"{self.ports[int(value.split()[0])]} 127.0.0.1"
            text += f"{key} {value}\n" if not key.startswith("log_") else ""
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, name, *arguments, **environment):
        process = Process(name, list(arguments), dict(
            clean_environment(environment), PATH=os.environ["PATH"] + ":/usr/sbin"))
        self.processes.append(process)
        return process.start()

    def wait_port(self, port):
        def answers():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S).close()
            except OSError:
                return False
            return True

        wait_until(answers, f"port {port} answers")

    def start(self):
        self.run("mosquitto", "mosquitto", "-c", os.path.join(self.etc, "mosquitto/tagout.conf"))
        self.run("redis", "redis-server", os.path.join(self.etc, "redis/tagout.conf"),
                 "--port", str(self.redis_port), "--dir", self.scratch, "--daemonize", "no")
        self.wait_port(self.ports[8884])
        self.wait_port(self.redis_port)
        places = {"TAGOUT_MQTT_URL": f"mqtt://127.0.0.1:{self.ports[1883]}",
                  "TAGOUT_REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
                  "TAGOUT_AUDIT_DIRECTORY": os.path.join(self.scratch, "audit"), **self.http}
        for name in ("tagoutd", "tagout-watcher"):
            self.run(name, os.path.join(BIN, name), "-c", os.path.join(self.etc, "tagout.ini"),
                     **places, **environment_of(self.etc, f"{name}.environment"))
        for process in self.processes[2:]:
            process.wait_log(re.compile(r"(?<!not )\bready(:|$)"))
        return self

    def ctl(self, *arguments, ini="admin.ini", **environment):
        environment.setdefault("TAGOUT_MQTT_URL", f"mqtt://127.0.0.1:{self.ports[1884]}")
        return bare("-c", os.path.join(self.etc, ini), *arguments, environment=environment)

    def plain(self, *arguments, **environment):
        """As people do who are where init was."""
        return bare(*arguments, environment=dict(environment, TAGOUTCTL_DIRECTORY=self.etc))

    def stop(self):
        for process in self.processes:
            process.kill()


@pytest.fixture
def site(scratch, etc):
    with open(os.path.join(etc, "users.json"), "w", encoding="utf-8") as file:
        json.dump([user(1, "Ada", ["Woodshop"])], file)
    one = Site(scratch, etc)
    try:
        yield one.start()
        for process in one.processes:
            assert not SANITIZER_REPORT.search(process.log()), process.log()
    finally:
        one.stop()


def test_with_it_broker_redis_controller_watcher_box_and_admin_work_together(site):
    added = site.ctl("device", "add", "table-saw", "--json", ini="tagout.ini")
    assert added.code == 0, added
    broker = site.processes[0]
    since = broker.log_position()
    broker.signal(signal.SIGHUP)  # systemctl reload mosquitto
    broker.wait_log(re.compile("Reloading config"), since=since)
    story = os.path.join(site.scratch, "story")
    with open(story, "w", encoding="utf-8") as file:
        file.write("table-saw card in Ada\nexpect table-saw relay on within 15 s\n")
    box = site.run("sim", os.path.join(BIN, "tagout-sim"), "--broker",
                   f"mqtts://localhost:{site.ports[8884]}", "--ca-file",
                   os.path.join(site.etc, "ca/ca.crt"), "--username", "table-saw", "--users",
                   os.path.join(site.etc, "users.json"), "--machines",
                   os.path.join(site.etc, "machines.json"), "--boot", "0.3", "--scenario", story,
                   "--stay", TAGOUT_MQTT_PASSWORD=added.json["password"])
    wait_until(lambda: "in use by Ada" in site.ctl("status").out, "Ada is in")
    locked = site.ctl("lockout", "table-saw", "--now", "--reason", "blade")
    assert locked.code == 0, locked
    assert "all is well" not in site.ctl("status").out
    wait_until(lambda: "locked out" in site.plain("log", TAGOUT_AUDIT_DIRECTORY=os.path.join(
        site.scratch, "audit")).out, "it is in the audit")
    by_itself = site.plain(
        "status", "table-saw", TAGOUT_MQTT_URL=f"mqtt://127.0.0.1:{site.ports[1884]}")
    assert by_itself.code == 0 and "blade" in by_itself.out, by_itself
    over_tls = site.ctl("status", "table-saw", TAGOUT_MQTT_URL=f"mqtts://localhost:"
                        f"{site.ports[8884]}", TAGOUT_MQTT_CA_FILE=os.path.join(
                            site.etc, "ca/ca.crt"))
    assert over_tls.code == 0 and "blade" in over_tls.out, over_tls
    assert box.terminate() == 0
    nobody = site.ctl("status", TAGOUT_MQTT_PASSWORD="wrong")
    assert nobody.code == 1 and "does not let us in" in nobody.err


def test_a_backup_of_it_comes_back(site):
    passphrase = os.path.join(site.scratch, "passphrase")
    with open(passphrase, "w", encoding="utf-8") as file:
        file.write("correct horse battery\n")
    os.chmod(passphrase, 0o600)
    places = {"TAGOUT_REDIS_URL": f"redis://127.0.0.1:{site.redis_port}/0",
              "TAGOUT_AUDIT_DIRECTORY": os.path.join(site.scratch, "audit")}
    before = {name: read(site.etc, name) for name in FILES}
    arguments = (os.path.join(site.scratch, "backup"), "--passphrase-file", passphrase)
    made = site.ctl("backup", *arguments, ini="tagout.ini", **places)
    assert (made.code, made.err) == (0, ""), made
    for process in site.processes[2:]:
        assert process.terminate() == 0
    os.rename(site.etc, site.etc + ".lost")
    result = site.ctl("restore", *arguments, "--force", ini="tagout.ini", **places)
    assert result.code == 0, result
    assert f"      tagoutctl -c {os.path.realpath(site.etc)}/admin.ini status\n" in result.out
    assert {name: read(site.etc, name) for name in FILES} == before
