"""A broker and a Redis on the files that we ship: deploy/mosquitto/tagout.conf with accounts by
tagoutctl, and deploy/redis/tagout.conf."""
import hashlib
import json
import os
import re
import signal
import socket
import subprocess

from mqtt_client import Client
from processes import TIMEOUT_S, free_port
from services import BIN, ROOT, Broker, Redis, clean_environment

CONFIG = os.path.join(ROOT, "deploy/mosquitto/tagout.conf")
SERVICES, PEOPLE, DEVICES_TLS, PEOPLE_TLS = 1883, 1884, 8883, 8884  # in the file

OWN_BEGIN = "# Rules of your own, for accounts of your own, from here\n"


def settings_of(path):
    """A configuration of mosquitto as [key, value]."""
    with open(path, encoding="utf-8") as file:
        lines = [line.split("#")[0].split(maxsplit=1) for line in file]
    return [[line[0], line[1].strip()] for line in lines if line]


def make_certificate(folder):
    certificate, key = (os.path.join(folder, name) for name in ("tagout.crt", "tagout.key"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return certificate, key


def configuration(ports, files, keep_log=False):
    """The shipped one with other ports, all on loopback, and other files."""
    text = "user root\n" * (os.getuid() == 0)
    for key, value in settings_of(CONFIG):
        if key == "listener":
            value = f"{ports[int(value.split()[0])]} 127.0.0.1"
        if keep_log or not key.startswith("log_"):
            text += f"{key} {files.get(key, value)}\n"
    return text


class Door:
    """One of the broker's listeners, as a client wants it."""

    def __init__(self, port, ca_file):
        self.address = ("127.0.0.1", port)
        self.ca_file = ca_file
        self.url = f"{'mqtts' if ca_file else 'mqtt'}://127.0.0.1:{port}"


class Secured(Broker):
    """The shipped configuration with ports, paths and a log of the test's own."""

    def __init__(self, scratch, machines=None):
        super().__init__(scratch)
        self.folder = scratch
        self.passwords = {}
        self.ini = os.path.join(scratch, "accounts.ini")
        self.ca_file, key = make_certificate(scratch)
        ports = {SERVICES: self.port}
        ports.update({port: free_port() for port in (PEOPLE, DEVICES_TLS, PEOPLE_TLS)})
        self.services = Door(ports[SERVICES], None)
        self.people = Door(ports[PEOPLE], None)
        self.devices = Door(ports[DEVICES_TLS], self.ca_file)
        self.people_tls = Door(ports[PEOPLE_TLS], self.ca_file)
        with open(os.path.join(scratch, "machines.json"), "w", encoding="utf-8") as file:
            json.dump(machines or {}, file)
        with open(self.ini, "w", encoding="utf-8") as file:
            file.write("[mosquitto]\npassword_file = passwords\nacl_file = acl\n")
        self.ports = ports
        self.files = {"password_file": os.path.join(scratch, "passwords"),
                      "acl_file": os.path.join(scratch, "acl"),
                      "certfile": self.ca_file, "keyfile": key}
        with open(self.arguments[-1], "w", encoding="utf-8") as file:
            file.write(configuration(ports, self.files) + "log_dest stderr\nlog_type all\n")

    def _connect(self):
        """It answers when all of its listeners do: it opens one after the other."""
        for door in (self.people, self.devices, self.people_tls):
            socket.create_connection(door.address, timeout=TIMEOUT_S).close()
        return super()._connect()

    def ctl(self, *arguments, status=0):
        done = subprocess.run(
            [os.path.join(BIN, "tagoutctl"), "-c", self.ini, *arguments], check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env=clean_environment())
        assert done.returncode == status, (arguments, done)
        return done.stdout if status == 0 else done.stderr

    def add(self, *names, verb="add"):
        """Accounts by name, each with the password that tagoutctl made."""
        for name in names:
            kind = "account" if "." in name else "device"
            self.passwords[name] = json.loads(self.ctl(kind, verb, name, "--json"))["password"]
        return self

    def allow(self, rules):
        """Rules of one's own in the access list, which tagoutctl keeps."""
        path = os.path.join(self.folder, "acl")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert OWN_BEGIN in text
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(OWN_BEGIN, OWN_BEGIN + rules))

    def reread(self):
        """SIGHUP; returns when the broker has read its files again."""
        since = self.log_position()
        self.signal(signal.SIGHUP)
        self.wait_log(re.compile("Reloading config"), since=since)

    def door_of(self, name):
        if "." not in name:
            return self.devices
        return self.people if name.startswith(("op.", "ad.")) else self.services

    def login(self, name, door=None, **options):
        options.setdefault("client_id", f"tagout-{name}-{os.urandom(4).hex()}")
        options.setdefault("username", name)
        options.setdefault("password", self.passwords.get(name))
        return Client(door or self.door_of(name), **options)

    def account(self, name, door=None):
        """[mqtt] of a tagout.ini."""
        door = door or self.door_of(name)
        section = {"url": door.url, "username": name, "password": self.passwords[name]}
        return dict(section, ca_file=door.ca_file) if door.ca_file else section



class SecuredRedis(Redis):
    """Its user, and an administrator as the file proposes one, who asks the questions."""

    CONFIG = os.path.join(ROOT, "deploy/redis/tagout.conf")
    PASSWORD = "the password"

    def __init__(self, scratch):
        super().__init__(scratch)
        config = os.path.join(scratch, "redis.conf")
        with open(self.CONFIG, encoding="utf-8") as file:
            text = file.read()
        zeros = "#" + 64 * "0"
        assert text.count(zeros) == 1
        text = text.replace(zeros, "#" + hashlib.sha256(self.PASSWORD.encode()).hexdigest())
        with open(config, "w", encoding="utf-8") as file:
            file.write(text + f"user admin on >admin ~* &* +@all\nport 0\ndir {scratch}\n"
                              f"unixsocket {self.path}\n")
        self.arguments = ["redis-server", config]
        self.settings = {"url": self.url, "username": "tagout", "password": self.PASSWORD}

    def command(self, *words, user="admin", password="admin"):
        return self.commands([("AUTH", user, password), words])[-1]
