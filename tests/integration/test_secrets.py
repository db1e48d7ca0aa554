"""Secrets are in no output, argument, message or core dump."""
import os
import re
import resource
import signal
import subprocess

import pytest

from harness import (ADA, BIN, MACHINES, TIMEOUT_S, USERS, Controller, Machine, clean_environment)
from preload import RELEASE_BIN

NOBODY = "http://127.0.0.1:9"  # the discard port
SECRETS = {
    "controller": {"card_key": "5ec4e7" + "0f" * 29},
    "mqtt": {"username": "shop", "password": "hunter2-of-mqtt"},
    "redis": {"password": "hunter2-of-redis", "load_timeout_ms": 300},
    "slack": {"bot_token": "xoxb-hunter2", "control_channel": "control",
              "oops_webhook": f"{NOBODY}/hunter2/hook", "api_url": f"{NOBODY}/api"},
}
STRANGER = "0009999999"
HIDDEN = [SECRETS["controller"]["card_key"], "hunter2", ADA, STRANGER,
          STRANGER.lstrip("0")]


def assert_hidden(text, where):
    for secret in HIDDEN:
        assert secret not in text, f"{secret} in {where}:\n{text}"


def run(program, *arguments):
    result = subprocess.run([os.path.join(BIN, program), *arguments], text=True,
                            env=clean_environment(), capture_output=True, timeout=TIMEOUT_S,
                            check=False)
    return result.stdout + result.stderr


def test_no_secret_is_shown_while_all_goes_wrong(scratch, broker, redis, client, start_watcher):
    """Redis wants another password, and Slack is away."""
    redis.command("CONFIG", "SET", "requirepass", "another")
    client.subscribe("tagout/controller/#")
    client.subscribe("tagout/machine/saw/event")
    controller = Controller(scratch, broker, redis, MACHINES, USERS, settings=SECRETS)
    controller.arguments.append("-v")
    watcher = start_watcher(SECRETS, start=False)
    watcher.arguments.append("-v")
    try:
        watcher.start()
        controller.start()
        saw = Machine(client, "saw")
        saw.report()
        saw.report(card=STRANGER)
        saw.report(card=ADA)
        client.wait_for("tagout/machine/saw/event", lambda m: m.json["event_type"] == "login")
        watcher.wait_log(re.compile("Slack"))
        for program in ("tagoutd", "tagout-watcher"):
            said = run(program, "--check", "-c", controller.ini_file)
            assert "configuration ok" in said
            assert_hidden(said, f"{program} --check")
        assert_hidden(run("tagoutctl", "-c", controller.ini_file, "status"), "status")
        for process in (controller, watcher):
            with open(f"/proc/{process.popen.pid}/cmdline", encoding="utf-8") as file:
                assert_hidden(file.read(), "the arguments")
        for message in client.messages():
            assert_hidden(message.text, message.topic)
        assert_hidden(controller.get("/metrics"), "/metrics")
        controller.stop()
        watcher.stop()
        assert "password" in controller.log()
        assert_hidden(controller.log(), "the log")
        assert_hidden(watcher.log(), "the log")
    finally:
        controller.kill()


def allow_core_dumps():
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def dumps_core(arguments, folder, is_up):
    """Whether a crash leaves one."""
    with subprocess.Popen(arguments, cwd=folder, env=clean_environment(), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=allow_core_dumps) as process:
        try:
            while not re.search(is_up, process.stdout.readline()):
                assert process.poll() is None
            process.send_signal(signal.SIGQUIT)
        finally:
            _, status = os.waitpid(process.pid, 0)
            process.returncode = -os.WTERMSIG(status)
    assert os.WTERMSIG(status) == signal.SIGQUIT
    return os.WCOREDUMP(status)


@pytest.mark.parametrize("program", ["tagoutd", "tagout-watcher"])
def test_a_crash_leaves_no_core_dump(scratch, broker, redis, program):
    ini = Controller(scratch, broker, redis, MACHINES, USERS,
                     settings={"audit": {"directory": scratch}}).ini_file
    assert not dumps_core([os.path.join(RELEASE_BIN, program), "-c", ini], scratch, "ready")
