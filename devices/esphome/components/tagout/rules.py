"""What a box's configuration must keep to. Plain Python: tests run it without ESPHome."""
import re

# Pins of the ESP32 that are quiet from the first moment of a boot on and belong to nobody else: no
# strapping pin (0, 2, 5, 12, 15: they select how it boots), no JTAG (12 to 15: they toggle while it
# boots), no flash (6 to 11), no console (1, 3), no pin that is input only (34 to 39).
QUIET_PINS = frozenset({4, 16, 17, 18, 19, 21, 22, 23, 25, 26, 27, 32, 33})
# 16 and 17 are those of the second memory chip of WROVER modules.
RELAY_PINS = QUIET_PINS - {16, 17}

READERS = ("wiegand", "rdm6300", "pn532")


def machine(name):
    """None, or why this is no machine: Tagout's rule, without the underscore, for the name is the
    host's name too."""
    if not re.fullmatch(r"[a-z0-9-]{1,31}", name):
        return "a machine's name is 1 to 31 of a to z, 0 to 9 and -"
    return None


def prefix(name):
    if not re.fullmatch(r"[a-z0-9_-]{1,32}", name):
        return "the prefix is 1 to 32 of a to z, 0 to 9, _ and -"
    return None


def relay_pin(number, inverted):
    """None, or why this pin is not for a relay."""
    if inverted:
        return ("a relay must be active high: a board that switches on at a low level switches on "
                "while the ESP32 boots")
    if number not in RELAY_PINS:
        return (f"GPIO{number} is a strapping, JTAG, flash, console or input-only pin, or a WROVER's "
                f"memory: a relay there may click while the ESP32 boots. "
                f"These are quiet: {', '.join(str(pin) for pin in sorted(RELAY_PINS))}")
    return None


def input_pin(number):
    """None, or why this pin is not for a button, a switch or a contact."""
    if number not in QUIET_PINS:
        return (f"GPIO{number} has no pull-up or decides how the ESP32 boots. "
                f"These will do: {', '.join(str(pin) for pin in sorted(QUIET_PINS))}")
    return None


def reader(config):
    """None, or why nobody would see the card leave."""
    if config["reader"] == "wiegand" and "card_present_pin" not in config:
        return ("a Wiegand reader tells a card once and never that it left: it needs "
                "card_present_pin, a switch in the slot that is closed while the card is in")
    return None


def card_hash(text):
    """None, or why this is no emergency card. A number itself must not be in the firmware."""
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        return "an emergency card is the SHA-256 of salt and number, 64 digits in lower case"
    return None


def emergency(config):
    """None, or why the hashes would give the numbers away: there are few enough to try them all."""
    if config.get("emergency_cards") and len(config.get("emergency_salt", "")) < 16:
        return "emergency_salt needs at least 16 random characters"
    return None


def is_zero(period):
    milliseconds = getattr(period, "total_milliseconds", None)
    return milliseconds == 0 if milliseconds is not None else str(period) in ("0s", "0ms")


def whole(config):
    """What is wrong with the rest of the configuration, one sentence each."""
    wrong = []
    mqtt = config.get("mqtt") or {}
    wifi = config.get("wifi") or {}
    if not mqtt:
        wrong.append("mqtt: is missing")
    for key, value, why in (
            ("clean_session", True, "the broker would replay commands of hours ago"),
            ("idf_send_async", True, "a stuck network would stop the loop"),
            ("discovery", False, "the controller announces machines"),
            ("discover_ip", False, "a topic that nobody here reads"),
            ("enable_on_boot", False, "the first connect waits a random time")):
        if mqtt.get(key) is not value:
            wrong.append(f"mqtt: {key}: must be {str(value).lower()}: {why}")
    if mqtt.get("log_topic"):
        wrong.append("mqtt: log_topic: must be null: logs are nobody else's business")
    if mqtt.get("topic_prefix"):
        wrong.append("mqtt: topic_prefix: must be null: no entity is to have a topic of its own")
    if not mqtt.get("certificate_authority") or mqtt.get("skip_cert_cn_check"):
        wrong.append("mqtt: certificate_authority: is needed: without TLS anybody on the network "
                     "can send commands")
    for name, part in (("mqtt", mqtt), ("wifi", wifi)):
        if not is_zero(part.get("reboot_timeout", "15min")):
            wrong.append(f"{name}: reboot_timeout: must be 0s: a restart drops the relay in mid-cut")
    if wifi.get("ap") is not None:
        wrong.append("wifi: ap: opens the box to whoever stands beside it")
    for name in ("api", "web_server", "captive_portal", "improv_serial", "switch", "output"):
        if name in config:
            wrong.append(f"{name}: has no place here: it is a way around the controller")
    level = (config.get("logger") or {}).get("level", "DEBUG")
    if level not in ("NONE", "ERROR", "WARN", "INFO"):
        wrong.append("logger: level: must be INFO or less: readers log card numbers at DEBUG")
    return wrong
