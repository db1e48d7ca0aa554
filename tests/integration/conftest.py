"""Fixtures: everything that a test starts is gone when it ends, whether it passed or not."""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir, "lib"))

from fake_slack import FakeSlack  # noqa: E402
from harness import Broker, Client, Controller, Proxy, Redis  # noqa: E402
from tls_broker import TlsBroker  # noqa: E402
from watcher import TOKEN, Voice, Watcher  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--part", default="1/1", metavar="I/N",
                     help="of N parts of the tests, which are run at the same time, the Ith")


def pytest_collection_modifyitems(config, items):
    part, parts = map(int, config.getoption("--part").split("/"))
    items[:] = items[part - 1::parts]


@pytest.fixture
def scratch():
    """A folder with a short name: the path of a Unix socket has at most 107 characters."""
    folder = tempfile.mkdtemp(prefix="t-")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def broker(scratch):
    service = Broker(scratch)
    try:
        yield service.start()
    finally:
        service.kill()


@pytest.fixture
def tls_broker(scratch):
    service = TlsBroker(scratch)
    try:
        yield service.start()
    finally:
        service.kill()


@pytest.fixture
def redis(scratch):
    service = Redis(scratch)
    try:
        yield service.start()
    finally:
        service.kill()


@pytest.fixture
def connect(broker):
    """Makes clients: connect(client_id=…, will=…)."""
    clients = []

    def make(**options):
        clients.append(Client(options.pop("broker", broker), **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def proxy():
    """Makes proxies: proxy(broker), proxy(redis)."""
    proxies = []

    def make(target, **options):
        proxies.append(Proxy(target, **options))
        return proxies[-1]

    yield make
    for one in proxies:
        one.close()


@pytest.fixture
def start_controller(scratch, broker, redis):
    """Starts controllers: start_controller(machines=…, users=…, settings=…). At the end each that
    still runs must stop cleanly, and none may have been reported by a sanitizer."""
    controllers = []

    def make(machines, users, ready=True, **options):
        controller = Controller(scratch, options.pop("broker", broker),
                                options.pop("redis", redis), machines, users, **options)
        controllers.append(controller)
        return controller.start(ready)

    yield make
    try:
        for controller in controllers:
            if controller.is_running():
                controller.stop()
            controller.assert_sane()
    finally:
        for controller in controllers:
            controller.kill()


@pytest.fixture
def slack():
    server = FakeSlack()
    yield server
    server.close()


@pytest.fixture
def start_watcher(scratch, broker, slack):
    """With Slack's three channels; settings override and add."""
    watchers = []

    def make(settings=None, ready=True, start=True, **options):
        merged = {"slack": {"bot_token": TOKEN, "control_channel": "control",
                            "oops_channel": "oops", "activity_channel": "activity",
                            "api_url": slack.api_url}}
        for section, keys in (settings or {}).items():
            merged[section] = dict(merged.get(section, {}), **keys)
        watcher = Watcher(scratch, options.pop("broker", broker), merged, **options)
        watchers.append(watcher)
        return watcher.start(ready) if start else watcher

    yield make
    try:
        for watcher in watchers:
            if watcher.is_running():
                watcher.stop()
            watcher.assert_sane()
    finally:
        for watcher in watchers:
            watcher.kill()


@pytest.fixture
def shop(client):
    client.subscribe("tagout/fleet/alert")
    client.subscribe("tagout/service/+")
    return Voice(client)
