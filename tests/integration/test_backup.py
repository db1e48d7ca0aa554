"""tagoutctl backup and restore: a whole host in one encrypted file, and back, or nothing."""
import json
import os
import shutil
import stat
import subprocess
import tempfile

import pytest

from ctl_shop import CTL, MACHINES, USERS, Result, Terminal
from harness import ROOT, TIMEOUT_S, Machine, Redis
from services import clean_environment

PASSPHRASE = "correct horse battery staple"


class Host:
    """The folders of one host: configuration and audit."""

    def __init__(self, folder, redis, prefix="tagout"):
        self.folder = folder
        self.etc = os.path.join(folder, "etc", "tagout")
        self.audit = os.path.join(folder, "lib", "audit")
        self.ini = os.path.join(self.etc, "tagout.ini")
        self.redis = redis
        self.prefix = prefix
        self.environment = clean_environment({"TZ": "UTC"})
        self.passphrase = os.path.join(folder, "passphrase")
        os.makedirs(folder, exist_ok=True)
        self.write_passphrase(PASSPHRASE)

    def write_passphrase(self, passphrase, mode=0o600):
        with open(self.passphrase, "w", encoding="utf-8") as file:
            file.write(passphrase + "\n")
        os.chmod(self.passphrase, mode)

    def fill(self):
        os.makedirs(os.path.join(self.etc, "ca"))
        os.makedirs(self.audit)
        self.write("tagout.ini", f"[controller]\nprefix = {self.prefix}\n"
                                 f"[redis]\nurl = {self.redis.url}\n"
                                 f"[audit]\ndirectory = {self.audit}\n"
                                 # never the host's own
                                 "[mosquitto]\npassword_file = none\nacl_file = none\n", 0o640)
        self.write("machines.json", json.dumps(MACHINES))
        self.write("users.json", json.dumps(USERS), 0o640)
        self.write("environment", "# secrets\nTAGOUT_MQTT_USERNAME=svc\n", 0o600)
        self.write("ca/ca.key", "the key", 0o600)
        with open(os.path.join(self.audit, "events-2026-11.jsonl"), "wb") as file:
            file.write(b'{"kind":"event"}\n' * 9000 + b'{"kind":"torn')
        self.redis.command("HSET", f"{self.prefix}:machine:lathe", "rev", 7,
                           "oops_by", "Ada\n\r\0é")
        self.redis.command("HSET", f"{self.prefix}:machine:table-saw", "rev", 9, "lockout", 1)
        self.redis.command("SET", f"{self.prefix}:epoch", 1795330948)
        self.redis.command("SET", "somebody:else", 1)
        return self

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.etc, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def run(self, *arguments, environment=None):
        done = subprocess.run([CTL, "-c", self.ini, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              env=dict(self.environment, **(environment or {})),
                              timeout=2 * TIMEOUT_S, start_new_session=True)  # no terminal
        return Result(done)

    def backup(self, *arguments):
        self.file = os.path.join(self.folder, "backup")
        return self.run("backup", self.file, "--passphrase-file", self.passphrase, *arguments)

    def restore(self, *arguments, **options):
        return self.run("restore", self.file, "--passphrase-file", self.passphrase, *arguments,
                        **options)

    def lose(self):
        """The disk."""
        shutil.rmtree(os.path.dirname(self.etc))
        shutil.rmtree(os.path.dirname(self.audit))
        for key in self.redis.command("KEYS", f"{self.prefix}:*"):
            self.redis.command("DEL", key)

    def everything(self):
        """All that a restore may change: files with modes and contents, and Redis."""
        found = {}
        for top in (os.path.join(self.folder, "etc"), os.path.join(self.folder, "lib")):
            for folder, _, files in os.walk(top):
                for path in [folder, *(os.path.join(folder, name) for name in files)]:
                    content = None
                    if os.path.isfile(path):
                        with open(path, "rb") as file:
                            content = file.read()
                    found[path] = (stat.S_IMODE(os.stat(path).st_mode), content)
        for key in self.redis.command("KEYS", "*"):
            kind = self.redis.command("TYPE", key)
            found[key] = self.redis.hash(key) if kind == "hash" else self.redis.command("GET", key)
        return found


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


@pytest.fixture
def host(scratch, redis):
    return Host(scratch, redis).fill()


@pytest.fixture(scope="module")
def all_kept():
    """A host with a backup, for tests that change nothing: a key takes its time to be made."""
    folder = tempfile.mkdtemp(prefix="t-")
    redis = Redis(folder)
    try:
        host = Host(folder, redis.start()).fill()
        made = host.backup()
        assert made.code == 0, made
        yield host
    finally:
        redis.kill()
        shutil.rmtree(folder)


@pytest.fixture
def kept(all_kept):
    before = all_kept.everything()
    yield all_kept
    assert all_kept.everything() == before


def test_everything_of_a_lost_host_comes_back_but_for_the_lease_of_a_process(host):
    before = host.everything()
    host.redis.command("SET", "tagout:lease", "one token")
    made = host.backup()
    assert made.code == 0, made
    assert made.out.splitlines()[1:4] == ["  configuration  5 files", "  Redis          3 keys",
                                          "  audit          1 file"]
    assert stat.S_IMODE(os.stat(host.file).st_mode) == 0o600
    host.lose()
    result = host.restore()
    assert result.code == 0, result
    assert host.everything() == before
    assert "  Redis          3 keys\n" in result.out
    assert os.listdir(os.path.dirname(host.etc)) == ["tagout"]


def test_nothing_that_is_kept_can_be_read_in_the_file(kept):
    with open(kept.file, "rb") as file:
        content = file.read()
    assert content.startswith(b"tagout-backup 1\n")
    for secret in (b"the key", b"lathe", b"events-", b"configuration", b"ustar"):
        assert secret not in content


def test_a_backup_is_not_written_over(kept):
    content = os.stat(kept.file)
    again = kept.backup()
    assert again.code == 1
    assert "is there already; to write over it: --force" in again.err
    assert os.stat(kept.file) == content


def refused(host, why, *arguments, file=None):
    file, host.file = host.file, file or host.file
    try:
        result = host.restore(*arguments)
    finally:
        host.file = file
    assert result.code == 1, result
    assert why in result.err
    assert "nothing was changed" in result.err
    return result


def test_what_is_there_is_not_restored_over(kept):
    result = refused(kept, f"{kept.etc} is there already\n")
    assert "nothing was changed; to put aside what is there: --force" in result.err


def test_a_redis_that_holds_state_is_not_restored_over(kept):
    os.rename(kept.etc, kept.etc + ".lost")
    try:
        refused(kept, "Redis holds 3 keys of Tagout's already")
        assert not os.path.exists(kept.etc)
    finally:
        os.rename(kept.etc + ".lost", kept.etc)


def test_a_wrong_passphrase_changes_nothing(kept):
    kept.write_passphrase("another passphrase")
    try:
        refused(kept, "the passphrase is wrong", "--force")
    finally:
        kept.write_passphrase(PASSPHRASE)


def test_a_file_that_was_cut_or_changed_or_is_none_changes_nothing(kept, scratch):
    with open(kept.file, "rb") as file:
        whole = file.read()
    changed = bytearray(whole)
    changed[-30] ^= 1
    other = os.path.join(scratch, "other")
    for content, why in ((whole[:len(whole) // 2], "it is damaged, or cut short"),
                         (whole[:50], "it is cut short"), (changed, "it is damaged"),
                         (b"a letter", "it is no backup of Tagout")):
        with open(other, "wb") as file:
            file.write(content)
        refused(kept, why, "--force", file=other)


def test_while_a_controller_leads_nothing_is_restored(kept):
    kept.redis.command("SET", "tagout:lease", "one token")
    try:
        refused(kept, "a controller leads: stop tagoutd", "--force")
    finally:
        kept.redis.command("DEL", "tagout:lease")


def test_a_redis_that_refuses_a_write_leaves_all_as_it_was(kept):
    kept.redis.command("CONFIG", "SET", "maxmemory", "1")
    try:
        refused(kept, "OOM", "--force")
    finally:
        kept.redis.command("CONFIG", "SET", "maxmemory", "0")


def test_force_puts_aside_what_is_there(host):
    assert host.backup().code == 0
    host.write("users.json", "[]")
    host.redis.command("HSET", "tagout:machine:new", "rev", 1)
    host.redis.command("HSET", "tagout:machine:lathe", "extra", 1)
    result = host.restore("--force")
    assert result.code == 0, result
    asides = [name for name in os.listdir(os.path.dirname(host.etc)) if ".before-" in name]
    assert len(asides) == 1 and asides[0] in result.out
    with open(os.path.join(os.path.dirname(host.etc), asides[0], "users.json"),
              encoding="utf-8") as file:
        assert file.read() == "[]"
    with open(os.path.join(host.etc, "users.json"), encoding="utf-8") as file:
        assert json.load(file) == USERS
    assert sorted(host.redis.command("KEYS", "*")) == [
        "somebody:else", "tagout:epoch", "tagout:machine:lathe", "tagout:machine:table-saw"]
    assert set(host.redis.hash("tagout:machine:lathe")) == {"rev", "oops_by"}


def test_without_redis_nothing_is_restored_and_nothing_backed_up(host):
    assert host.backup().code == 0
    host.redis.stop()
    host.redis.command = lambda *words: []
    before = host.everything()
    result = host.restore("--force")
    again = host.backup("--force")
    assert (result.code, again.code) == (1, 1)
    for failed in (result, again):
        assert "Redis is out of reach" in failed.err
    assert "no backup was made" in again.err
    assert host.everything() == before
    assert not [name for name in os.listdir(host.folder) if ".part-" in name]


def test_the_user_of_redis_that_we_recommend_may_do_it_with_the_services_secrets(host):
    with open(os.path.join(ROOT, "deploy/redis/tagout.conf"), encoding="utf-8") as file:
        rule = next(line for line in file if line.startswith("user tagout ")).split()[2:]
    rule = [">s3cret word" if word.startswith("#") else word for word in rule]
    host.redis.command("ACL", "SETUSER", "tagout", *rule)
    host.write("environment", "TAGOUT_REDIS_USERNAME=wrong\n", 0o600)
    host.write("tagoutd.environment",
               "TAGOUT_REDIS_USERNAME=tagout\nTAGOUT_REDIS_PASSWORD='s3cret word'\n", 0o600)
    before = host.everything()
    assert host.backup().code == 0
    host.lose()
    result = host.restore()
    assert result.code == 0, result
    assert host.everything() == before


def test_files_outside_of_the_directory_come_along(host):
    outside = os.path.join(host.folder, "mosquitto")
    os.mkdir(outside)
    paths = {name: os.path.join(outside, name) for name in ("members", "passwords", "acl")}
    for name, path in paths.items():
        with open(path, "w", encoding="utf-8") as file:
            file.write("[]" if name == "members" else name)
        os.chmod(path, 0o640)
    host.write("tagout.ini", read(host.ini)
               .replace("[controller]\n", f"[controller]\nusers = {paths['members']}\n")
               .replace("password_file = none", f"password_file = {paths['passwords']}")
               .replace("acl_file = none", f"acl_file = {paths['acl']}"))
    os.symlink(paths["passwords"], os.path.join(host.etc, "linked"))
    assert host.backup().code == 0
    host.lose()
    for name in ("members", "passwords"):
        os.remove(paths[name])
    with open(paths["acl"], "w", encoding="utf-8") as file:
        file.write("newer")
    refused = host.restore()
    assert refused.code == 1
    assert f"{paths['acl']} is there already" in refused.err
    assert not os.path.exists(host.etc) and sorted(os.listdir(outside)) == ["acl"]
    result = host.restore("--force")
    assert result.code == 0, result
    assert all(path in result.out for path in paths.values())
    assert not os.path.islink(os.path.join(host.etc, "linked"))  # it came as a file
    assert read(host.etc, "linked") == "passwords"
    assert [read(path) for path in paths.values()] == ["[]", "passwords", "acl"]
    assert os.stat(paths["passwords"]).st_mode & 0o777 == 0o640
    asides = set(os.listdir(outside)) - set(paths)
    assert [read(outside, name) for name in asides] == ["newer"]


def test_a_backup_into_the_directory_is_not_in_itself(kept):
    first = kept.run("backup", os.path.join(kept.etc, "backup"), "--passphrase-file",
                     kept.passphrase)
    os.remove(os.path.join(kept.etc, "backup"))
    assert first.code == 0
    assert "  configuration  5 files\n" in first.out


@pytest.mark.parametrize("passphrase", ["", "elevenchars"])
def test_a_new_passphrase_has_twelve_characters(host, passphrase):
    host.write_passphrase(passphrase)
    result = host.backup()
    assert result.code == 2
    assert "a passphrase of at least 12 characters" in result.err
    assert not os.path.exists(host.file)


def test_a_passphrase_that_others_may_read_is_refused(host):
    host.write_passphrase(PASSPHRASE, 0o644)
    result = host.backup()
    assert (result.code, result.err) == (
        2, f"tagoutctl: {host.passphrase}: others may read it; chmod 600 it\n")


def test_a_backup_that_is_not_there_is_no_reason_to_ask_for_a_passphrase(host):
    result = host.run("restore", os.path.join(host.folder, "none"))
    assert (result.code, result.err) == (
        1, f"tagoutctl: {host.folder}/none: No such file or directory\n")


def test_without_a_terminal_there_has_to_be_a_file(host):
    result = host.run("backup", os.path.join(host.folder, "backup"))
    assert result.code == 2
    assert "there is no terminal to ask for the passphrase: give --passphrase-file" in result.err


def test_the_terminal_is_asked_twice_and_shows_nothing(host):
    host.file = os.path.join(host.folder, "backup")
    terminal = Terminal(host, "backup", host.file)
    try:
        for question in ("New passphrase: ", "Once more: "):
            terminal.wait_for(question)
            terminal.send(PASSPHRASE + "\n")
        assert terminal.wait() == 0
        assert PASSPHRASE not in terminal.text
        assert terminal.modes() == terminal.before
    finally:
        terminal.close()
    host.lose()
    assert host.restore().code == 0


def test_a_slip_the_second_time_or_an_interrupt_makes_no_backup(host):
    for second, why in (("something else\n", "that is not the same"), ("\003\n", "interrupted")):
        terminal = Terminal(host, "backup", os.path.join(host.folder, "backup"))
        try:
            terminal.wait_for("New passphrase: ")
            terminal.send(PASSPHRASE + "\n")
            terminal.wait_for("Once more: ")
            terminal.send(second)
            terminal.wait_for(why)
            assert terminal.wait() == 2
            assert terminal.modes() == terminal.before
        finally:
            terminal.close()
    assert not os.path.exists(os.path.join(host.folder, "backup"))


def test_a_lockout_is_there_again_after_the_disk_the_broker_and_redis_were_lost(
        scratch, redis, client, broker, start_controller):
    controller = start_controller(MACHINES, USERS)
    saw = Machine(client, "table-saw")
    saw.report()
    answer = client.request("lockout", {"machine": "table-saw", "value": True, "reason": "blade"})
    assert answer["data"]["persisted"] is True
    host = Host(os.path.join(scratch, "host"), redis)
    host.ini, host.etc = controller.ini_file, controller.folder
    environment = {"TAGOUT_AUDIT_DIRECTORY": host.audit, "TAGOUT_MOSQUITTO_ACL_FILE": "none",
                   "TAGOUT_MOSQUITTO_PASSWORD_FILE": "none"}
    made = host.run("backup", os.path.join(scratch, "backup"), "--passphrase-file",
                    host.passphrase, environment=environment)
    assert made.code == 0, made
    controller.stop()
    broker.restart()  # forgets what was retained
    redis.wipe()
    shutil.rmtree(controller.folder)
    host.file = os.path.join(scratch, "backup")
    result = host.restore(environment=environment)
    assert result.code == 0, result
    controller.start()
    client.wait_connected()
    again = client.request("status", {"machine": "table-saw"})["data"]
    assert (again["lockout"], again["lockout_reason"], again["oops"]) == (True, "blade", False)
