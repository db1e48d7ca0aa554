"""Certificates: tagoutctl ca makes them, a real broker uses them, the watcher tells when they
end."""
import os
import re
import socket
import ssl
import stat
import subprocess
import time
import urllib.request

import pytest

from ctl_shop import bare
from harness import TIMEOUT_S, Broker, free_port, wait_until
from watcher import alerts, wait_alert


def certificates(folder, *arguments):
    return bare("ca", "--directory", folder, *arguments)


def path(folder, name):
    return os.path.join(folder, "ca", name)


def read(folder, name):
    with open(path(folder, name), encoding="ascii") as file:
        return file.read()


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True,
                          encoding="utf-8").stdout


def socket_to(port):
    return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)


@pytest.fixture
def folder(scratch):
    made = certificates(scratch, "--host", "shop.example", "--host", "10.1.2.3")
    assert made.code == 0, made
    return scratch


def test_an_authority_signs_a_certificate_for_the_names_and_addresses_of_the_broker(folder):
    text = openssl("x509", "-in", path(folder, "server.crt"), "-noout", "-text")
    assert "prime256v1" in text
    assert "CA:FALSE" in text
    assert "TLS Web Server Authentication" in text
    assert ("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, "
            "DNS:shop.example, IP Address:10.1.2.3") in text
    assert "CA:TRUE, pathlen:0" in openssl("x509", "-in", path(folder, "ca.crt"), "-noout",
                                           "-text")
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", path(folder, "ca.crt"),
                           path(folder, "server.crt"))


def test_a_name_that_is_given_twice_or_that_always_counts_stands_there_once(scratch):
    hosts = ("localhost", "shop.example", "127.0.0.1", "0:0::1", "Shop.Example", "10.1.2.3")
    made = certificates(scratch, *(word for host in hosts for word in ("--host", host)))
    assert made.code == 0, made
    assert "for    localhost, 127.0.0.1, ::1, shop.example, 10.1.2.3\n" in certificates(
        scratch, "show").out


def test_both_hold_for_twenty_years_and_no_day_less(folder):
    nineteen_and_more = str((20 * 365 - 1) * 24 * 60 * 60)
    for name in ("ca.crt", "server.crt"):
        openssl("x509", "-in", path(folder, name), "-noout", "-checkend", nineteen_and_more)


def test_keys_are_for_nobody_else(folder):
    modes = {name: stat.S_IMODE(os.stat(path(folder, name)).st_mode)
             for name in os.listdir(path(folder, ""))}
    assert set(modes) == {"ca.crt", "ca.key", "server.crt", "server.key"}
    assert modes["ca.key"] == 0o600
    assert modes["server.key"] in (0o600, 0o640)  # 0640: root's, and the broker's group
    assert os.listdir(folder) == ["ca"]


def test_what_is_there_is_kept(folder):
    before = {name: read(folder, name) for name in os.listdir(path(folder, ""))}
    again = certificates(folder, "--host", "other.example")
    assert again.code == 1
    assert "server.crt is there already\n" in again.err
    assert before == {name: read(folder, name) for name in before}


def test_force_renews_the_brokers_certificate_and_never_the_authority(folder):
    before = {name: read(folder, name) for name in os.listdir(path(folder, ""))}
    assert certificates(folder, "--host", "other.example", "--force").code == 0
    after = {name: read(folder, name) for name in before}
    assert {name for name in before if before[name] != after[name]} == {"server.crt", "server.key"}
    assert "for    localhost, 127.0.0.1, ::1, other.example\n" in certificates(folder, "show").out


def test_without_the_authoritys_key_nothing_is_signed(folder):
    os.remove(path(folder, "ca.key"))
    result = certificates(folder, "--force")
    assert result.code == 1
    assert "ca.key is not: nothing can be signed without it" in result.err


def test_an_openssl_that_fails_leaves_nothing(scratch):
    folder = os.path.join(scratch, "etc")
    programs = os.path.join(scratch, "bin")
    for name in (folder, programs):
        os.mkdir(name)
    with open(os.path.join(programs, "openssl"), "w", encoding="ascii") as file:
        file.write("#!/bin/sh\necho 'the engine is cold' >&2\nexit 1\n")
    os.chmod(os.path.join(programs, "openssl"), 0o755)
    result = bare("ca", "--directory", folder, environment={"PATH": programs + ":/usr/bin:/bin"})
    assert (result.code, result.err) == (1, "tagoutctl: openssl failed: the engine is cold\n")
    assert os.listdir(folder) == []


@pytest.mark.parametrize("host", ["a b", "a,IP:1.2.3.4", "a\nb", "", "-a", "a..b", "x" * 254])
def test_a_host_that_could_not_be_one_is_refused(scratch, host):
    result = certificates(scratch, "--host", host)
    assert result.code == 2
    assert "is neither a name nor an address" in result.err
    assert os.listdir(scratch) == []


def test_show_says_whose_for_which_names_and_until_when(folder):
    result = certificates(folder, "show")
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(
        r"\S+/ca/ca.crt\n  of     O = Tagout, CN = Tagout authority\n"
        r"  until  \d{4}-\d\d-\d\d \(730\d days\)\n"
        r"\S+/ca/server.crt\n  of     O = Tagout, CN = Tagout broker\n"
        r"  for    localhost, 127.0.0.1, ::1, shop.example, 10.1.2.3\n"
        r"  until  \d{4}-\d\d-\d\d \(730\d days\)\n", result.out)


def test_show_of_nothing_says_what_is_missing(scratch):
    result = certificates(scratch, "show")
    assert result.code == 1
    assert "ca/ca.crt: No such file or directory" in result.err


def test_a_certificate_that_has_ended_is_said_to_have(folder):
    old = openssl("x509", "-in", path(folder, "ca.crt"), "-signkey", path(folder, "ca.key"),
                  "-days", "-1")
    with open(path(folder, "ca.crt"), "w", encoding="ascii") as file:
        file.write(old)
    result = certificates(folder, "show")
    assert result.code == 1
    assert "IT HAS ENDED" in result.out


def test_a_broker_with_them_is_known_by_its_names_and_no_other(folder):
    port = free_port()
    broker = Broker(folder, f"listener {port} 127.0.0.1\n"
                            f"certfile {path(folder, 'server.crt')}\n"
                            f"keyfile {path(folder, 'server.key')}\n")
    trust = ssl.create_default_context(cafile=path(folder, "ca.crt"))
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        broker.start()
        for name in ("shop.example", "10.1.2.3", "localhost"):
            with socket_to(port) as plain, trust.wrap_socket(plain, server_hostname=name) as tls:
                assert tls.version() in ("TLSv1.2", "TLSv1.3")
        with socket_to(port) as plain, pytest.raises(ssl.SSLCertVerificationError):
            trust.wrap_socket(plain, server_hostname="evil.example")
    finally:
        broker.kill()


# ---- the watcher ----


def make_certificate(scratch, days):
    file = os.path.join(scratch, "server.crt")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
            "-subj", "/CN=broker", "-days", str(days), "-keyout", file + ".key", "-out", file)
    return file


def metric(watcher):
    with urllib.request.urlopen(f"http://{watcher.listen}/metrics", timeout=TIMEOUT_S) as answer:
        found = re.search(r'^tagout_cert_expiry_timestamp_seconds\{file="([^"]*)"\} (\S+)$',
                          answer.read().decode(), re.MULTILINE)
    return found and (found.group(1), float(found.group(2)))


def watch(start_watcher, file, **options):
    listen = f"127.0.0.1:{free_port()}"
    watcher = start_watcher({"mosquitto": {"certificate_file": file},
                             "http": {"watcher_listen": listen}}, **options)
    watcher.listen = listen
    return watcher


def test_a_certificate_that_ends_soon_is_told_to_people_once(scratch, shop, start_watcher, slack):
    file = make_certificate(scratch, 50)
    watcher = watch(start_watcher, file)
    alert = wait_alert(shop.client, "cert_expiry")
    assert alert["reason"] == file
    assert alert["ends"] == pytest.approx(time.time() + 50 * 86400, abs=3600)
    assert alert["text"].startswith(f"Certificate {file} ends in 49 days, on 20")
    slack.wait_for(f"Certificate {file} ends in 49 days", channel="control")
    assert wait_until(lambda: metric(watcher), "the metric") == (file, alert["ends"])
    watcher.stop()
    since = shop.client.position()
    watcher.start()
    wait_until(lambda: metric(watcher), "it has been read again")
    shop.save_timeout()
    shop.save_timeout()  # an alert that comes after all that the start has to tell
    wait_alert(shop.client, "machine_save_timeouts", since=since)
    assert len(alerts(shop.client, "cert_expiry")) == 1


def test_a_certificate_that_cannot_be_read_is_in_the_log_and_stops_nothing(scratch, start_watcher):
    watcher = watch(start_watcher, os.path.join(scratch, "none.crt"))
    watcher.wait_log(re.compile("certificate: .*none.crt: No such file or directory"))
    assert metric(watcher) is None
