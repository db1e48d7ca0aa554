#!/usr/bin/python3
"""The law of includes: who may know whom.

Includes in quotes are written from the root and point only downwards; each third-party header
has the few files that may use it. usage: includes.py [ROOT]
"""
import fnmatch
import os
import re
import sys

import tree

SUPPORT = ["controller/support/*"]
TOPICS = ["topics/*"]
PURE = ["controller/support/time.h", "controller/support/version.h"]  # values, no code to link
# The INI file, without users and machines.
SETTINGS = ["controller/config/settings.h", "controller/config/broker_options.h"]

# Files, and what of ours they may include beside their own folder. The first line that fits counts.
OURS = [
    ("controller/support/*", []),
    ("topics/*", SUPPORT),
    ("controller/core/*", PURE),
    ("controller/config/settings.h", SUPPORT),
    ("controller/config/broker_options.h", SUPPORT),
    ("controller/config/*", SUPPORT + ["controller/core/*"]),
    ("persistence/*", SUPPORT + ["controller/core/machine.h"]),
    ("controller/daemon/*",
     SUPPORT + TOPICS + ["controller/core/*", "controller/config/*", "persistence/*"]),
    ("controller/watcher/*", SUPPORT + TOPICS + SETTINGS + ["controller/config/hash.h"]),
    ("controller/setup/*", SUPPORT + SETTINGS),
    ("controller/backup/*",
     SUPPORT + SETTINGS + ["controller/setup/*", "persistence/redis_url.h"]),
    ("controller/ctl/*",
     SUPPORT + TOPICS + SETTINGS +
     ["controller/config/file.h", "controller/config/ini_lines.h", "controller/setup/*",
      "controller/backup/*"]),
    ("devices/device*.[ch]", []),
    ("devices/esphome/components/*", ["devices/device.h", "devices/esphome/*.h"]),
    ("devices/esphome/*.[ch]", ["devices/device.h"]),
    ("devices/*", SUPPORT + TOPICS + ["devices/*"]),
    ("tests/*", ["*"]),
]

# A folder that may not see all of itself: what it may see instead.
OWN = {
    "controller/config/settings.h": [],
    "controller/config/broker_options.h": ["controller/config/settings.h"],
    "devices/device*.[ch]": ["devices/device*.h"],
}

STANDARD = ["assert.h", "float.h", "limits.h", "math.h", "stdbool.h", "stddef.h", "stdint.h",
            "string.h"]
# Pure files: nothing but these headers, so that no clock, file or socket comes near.
PURE_FILES = {
    "controller/core/*": STANDARD,
    "devices/device*.[ch]": ["stdbool.h", "stddef.h", "stdint.h", "string.h"],
    "devices/esphome/*.c": ["stdbool.h", "stddef.h", "stdint.h", "string.h"],
}

# Third-party header, and the files that may use it; of those, where it is in ONE_FILE, only one.
THIRD_PARTY = [
    ("MQTTAsync.h", ["controller/support/mqtt_threads.c"]),
    ("MQTTClient.h", ["controller/support/mqtt_direct*.[ch]", "controller/support/mqtt_job.c"]),
    ("MQTT*.h", []),
    ("cjson/*", ["controller/support/json*.c"]),
    ("hiredis/*", ["persistence/redis*.[ch]", "controller/backup/redis*.c"]),
    ("event2/*", ["controller/support/event_loop.h", "controller/support/http*.c", "persistence/*.c",
                  "controller/daemon/*", "controller/watcher/*"]),
    ("archive*.h", ["controller/backup/archive*.c"]),
    ("openssl/*", ["controller/support/certificate.c"]),
    ("ini.h", ["controller/config/*.c"]),
    ("curl/*", ["controller/watcher/*.c"]),
    ("sodium*", ["controller/backup/*.c", "controller/config/hash.c", "controller/ctl/password.c",
                 "controller/daemon/*.c", "devices/sim/*.c"]),
    ("systemd/*", []),
]
ONE_FILE = ["cjson/*", "curl/*"]

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]*)"|<([^>]*)>)')


def fits(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def judge_ours(path, included, top):
    if not os.path.isfile(os.path.join(top, included)):
        return f'"{included}" is no file when seen from the root'
    for pattern, allowed in OURS:
        if fits(path, [pattern]):
            own = next((seen for key, seen in OWN.items() if fits(path, [key])),
                       [os.path.dirname(path) + "/*"])
            return None if fits(included, own + allowed) else f'may not include "{included}"'
    return "is in a folder that the law of includes does not know"


def judge_theirs(path, included, users):
    if fits(path, ["tests/*"]):
        return None
    for pattern, allowed in PURE_FILES.items():
        if fits(path, [pattern]) and included not in allowed:
            return f"is pure and may not include <{included}>"
    for pattern, allowed in THIRD_PARTY:
        if fits(included, [pattern]):
            users.setdefault(pattern, set()).add(path)
            return None if fits(path, allowed) else f"may not include <{included}>"
    return None


def main():
    top = tree.root()
    complaints = []
    users = {}
    for path, lines in tree.sources(top):
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            ours, theirs = match.groups()
            wrong = judge_ours(path, ours, top) if ours else judge_theirs(path, theirs, users)
            if wrong:
                complaints.append(f"{path}:{number}: {wrong}")
    for pattern in ONE_FILE:
        files = sorted(users.get(pattern, []))
        if len(files) > 1:
            complaints.append(f"<{pattern}> belongs to one file, not to {', '.join(files)}")
    tree.finish("includes", complaints)


if __name__ == "__main__":
    sys.exit(main())
