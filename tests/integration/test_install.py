"""What `make install`, and with it the package, puts where; and what a shell completes."""
import glob
import os
import re
import stat
import subprocess

import pytest
import yaml

from harness import BIN, ROOT, TIMEOUT_S, clean_environment
from preload import RELEASE_BIN

PROGRAMS = ("tagoutd", "tagout-watcher", "tagoutctl", "tagout-sim")


def run(*command, environment=None, **options):
    return subprocess.run(command, text=True, env=clean_environment(environment),
                          capture_output=True, stdin=subprocess.DEVNULL, check=False, **options)


def install(folder):
    # Without MAKEFLAGS: this may be run by a make.
    result = run("env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make", "-C", ROOT, "install",
                 f"DESTDIR={folder}", "PREFIX=/usr", timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_everything_is_installed_and_what_is_configured_is_left_alone(scratch):
    old = os.umask(0o022)
    try:
        install(scratch)
        conf = os.path.join(scratch, "etc/tagout")
        assert (mode(conf), sorted(os.listdir(conf))) == (
            0o750, ["machines.json", "tagout.ini", "users.json"])
        for name in os.listdir(conf):
            assert mode(os.path.join(conf, name)) == 0o640
        for program in PROGRAMS:
            installed = os.path.join(scratch, "usr/bin", program)
            assert run(installed, "--version").stdout.startswith(program)
            assert glob.glob(f"{scratch}/usr/share/man/man?/{program}.?"), f"{program} has no page"
            assert "complete -F" in read(
                f"{scratch}/usr/share/bash-completion/completions/{program}")
        check = run(os.path.join(scratch, "usr/bin/tagoutd"), "--check", "-c", f"{conf}/tagout.ini")
        assert (check.returncode, check.stderr) == (0, "")
        assert "0 machines" in check.stdout and "0 users" in check.stdout
        for unit in glob.glob(f"{scratch}/usr/lib/systemd/system/*.service"):
            text = read(unit)
            assert "@" not in re.sub(r"[~=] ?@[a-z-]+( @[a-z-]+)*", "", text), "a place is not filled in"
            program = re.search(r"^ExecStart=(\S+) -c /etc/tagout/tagout.ini$", text, re.M).group(1)
            assert os.access(scratch + program, os.X_OK)
            # With a limit neither locks any memory, and then a page may be on a disk that hangs.
            assert "\nLimitMEMLOCK=infinity\n" in text
        for name in ("tagout.ini", "machines.json", "users.json"):
            with open(os.path.join(conf, name), "w", encoding="utf-8") as file:
                file.write("ours\n")
        install(scratch)
        for name in ("tagout.ini", "machines.json", "users.json"):
            assert read(os.path.join(conf, name)) == "ours\n"
    finally:
        os.umask(old)


def test_every_page_refers_to_pages_that_there_are():
    pages = {os.path.basename(path) for path in glob.glob(f"{ROOT}/deploy/man/*")}
    theirs = {"systemd.1", "systemd.exec.5", "sd_notify.3", "sd_watchdog_enabled.3"}
    for page in pages:
        for name, section in re.findall(r"^\.Xr (\S+) (\d)", read(f"{ROOT}/deploy/man/{page}"), re.M):
            assert f"{name}.{section}" in pages | theirs | KNOWN, f"{page}: {name}({section})"


# Of other packages.
KNOWN = {"mosquitto_passwd.1", "openssl.1", "mosquitto.conf.5", "redis-cli.1"}


# ---- Docker ----

def test_no_container_has_a_privilege_or_a_root_that_it_can_write_to():
    folder = os.path.join(ROOT, "deploy/docker")
    with open(os.path.join(folder, "compose.yaml"), encoding="utf-8") as file:
        compose = yaml.safe_load(file)
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        # Only what an administrator runs for a moment is root.
        assert service["user"] != "root" or service["profiles"] == ["tools"], name
        assert "cap_add" not in service or name == "setup"
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source == "./etc" or source in compose["volumes"], name
            assert source != "./etc" or volume.endswith(":ro") or name == "setup", name
    ports = {port for service in compose["services"].values() for port in service.get("ports", ())}
    assert ports == {"8883:8883", "8884:8884"}, "nothing without TLS leaves the host"
    dockerfile = read(os.path.join(folder, "Dockerfile"))
    for source in re.findall(r"deploy/docker/(\w+)", dockerfile):
        if not source.startswith("Dockerfile"):
            assert os.access(os.path.join(folder, source), os.X_OK), source
    assert re.search(r"^USER tagout$", dockerfile, re.M) and "HEALTHCHECK" in dockerfile


# ---- completion ----

@pytest.fixture
def completes(scratch):
    """What bash offers for a line whose last word is not complete."""
    script = (f"source {ROOT}/deploy/completion/tagout.bash; COMP_WORDS=(\"$@\"); "
              "COMP_CWORD=$(($# - 1)); _tagout; printf '%s\\n' \"${COMPREPLY[@]}\"")

    def offers(program, *words, **environment):
        result = run("bash", "-c", script, "bash", os.path.join(RELEASE_BIN, program), *words,
                     timeout=TIMEOUT_S, cwd=scratch, environment=environment)
        assert result.stderr == ""
        return result.stdout.split()

    return offers


def verbs():
    said = run(os.path.join(BIN, "tagoutctl"), "--help").stdout
    return re.findall(r"^  ([a-z][a-z-]*) ", said, re.M)


def test_verbs_are_completed(completes):
    assert completes("tagoutctl", "loc") == ["lockout"]
    assert len(verbs()) > 10
    assert sorted(completes("tagoutctl", "")) == sorted(verbs())
    assert completes("tagoutctl", "--account", "lockout", "han") == ["handover"]
    assert completes("tagoutctl", "account", "a") == ["add"]


def test_options_are_those_of_the_program_or_the_verb(completes):
    assert "--check" in completes("tagoutd", "--")
    assert "--scenario" in completes("tagout-sim", "--s")
    assert completes("tagoutctl", "lockout", "--r") == ["--reason"]
    assert "--reason" not in completes("tagoutctl", "--")
    assert "--json" in completes("tagoutctl", "--j")


@pytest.mark.parametrize("text", [
    '{"saw": {"alias": "Saw \\"two\\"", "authorizations_or": ["a"]}, "lathe-2": {"mains": "always"}}',
    '{\n  "saw": {\n    "authorizations_or": ["a", "b"]\n  },\n  "lathe-2"\n:\n{"alias": "a}:{"}}',
])
def test_machines_are_completed_from_the_configuration(completes, scratch, text):
    with open(os.path.join(scratch, "machines.json"), "w", encoding="utf-8") as file:
        file.write(text)
    ini = os.path.join(scratch, "tagout.ini")
    assert sorted(completes("tagoutctl", "-c", ini, "lockout", "")) == ["lathe-2", "saw"]
    assert completes("tagoutctl", "-c", ini, "--json", "status", "l") == ["lathe-2"]


def test_machines_are_completed_from_where_tagoutctl_looks(completes, scratch):
    with open(os.path.join(scratch, "machines.json"), "w", encoding="utf-8") as file:
        file.write('{"lathe": {}}')
    assert completes("tagoutctl", "status", "l", TAGOUTCTL_DIRECTORY=scratch) == ["lathe"]


def test_files_are_completed_after_config(completes, scratch):
    with open(os.path.join(scratch, "shop.ini"), "w", encoding="utf-8"):
        pass
    assert completes("tagoutd", "-c", "sh") == ["shop.ini"]
