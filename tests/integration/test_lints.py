"""The house rules that are programs: each must see what it is there for."""
import os
import subprocess

import pytest

from harness import ROOT


def lint(name, folder):
    return subprocess.run([os.path.join(ROOT, "tests/lint", name), folder], text=True,
                          capture_output=True, check=False)


def write(folder, path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")


@pytest.mark.parametrize("path, line", [
    ("controller/core/x.c", '#include "controller/support/log.h"'),
    ("controller/core/x.c", "#include <time.h>"),
    ("controller/core/x.c", '#include "log.h"'),
    ("controller/support/x.c", '#include "controller/core/machine.h"'),
    ("controller/support/x.c", "#include <MQTTAsync.h>"),
    ("controller/daemon/x.c", "#include <cjson/cJSON.h>"),
    ("controller/daemon/x.c", "  #  include <hiredis/hiredis.h>"),
    ("controller/watcher/x.c", '#include "controller/core/machine.h"'),
    ("controller/watcher/x.c", '#include "persistence/store.h"'),
    ("controller/elsewhere/x.c", '#include "controller/support/log.h"'),
    ("devices/device.c", '#include "controller/support/text.h"'),
    ("devices/device.h", "#include <unistd.h>"),
    ("devices/esphome/x.c", '#include "controller/support/text.h"'),
    ("devices/esphome/x.c", "#include <stdio.h>"),
    ("devices/sim/x.c", '#include "controller/core/machine.h"'),
    ("persistence/x.c", '#include "controller/core/decide.h"'),
    ("topics/x.c", '#include "controller/core/machine.h"'),
])
def test_an_include_against_the_law_is_found(scratch, path, line):
    for header in ("controller/support/log.h", "controller/support/text.h",
                   "controller/core/machine.h", "controller/core/decide.h",
                   "persistence/store.h"):
        write(scratch, header, "")
    assert lint("includes.py", scratch).returncode == 0
    write(scratch, path, line)
    result = lint("includes.py", scratch)
    assert result.returncode == 1
    assert f"{path}:1: " in result.stdout


def test_an_alert_that_the_readme_does_not_explain_is_found(scratch):
    write(scratch, "controller/watcher/alert.h",
          '#define ALERT_LIST(X) \\\n    X(A_ONE, "one") /* why */ \\\n    X(A_TWO, "two")')
    write(scratch, "controller/core/machine.h", '#define CORE_FAULT_LIST(X) X(F, "three")')
    rows = ["### What each alert means", "", "| `one` `three` | bad | mend it |"]
    write(scratch, "README.md", "\n".join(rows + ["| `two` | bad | look |", "", "## Next"]))
    assert lint("alerts.py", scratch).returncode == 0
    write(scratch, "README.md", "\n".join(rows + ["## Next", "| `two` | bad | look |"]))
    result = lint("alerts.py", scratch)
    assert result.returncode == 1
    assert "controller/watcher/alert.h: README.md doesn't say what to do about two" in result.stdout


@pytest.mark.parametrize("line", [
    "    strcpy(to, from);",
    "    n = atoi (text);",
    "    if (x) sprintf(buffer, \"%d\", x);",
    "    /* harmless */ sleep(1);",
])
def test_a_banned_call_is_found(scratch, line):
    write(scratch, "controller/daemon/x.c", line)
    result = lint("banned.py", scratch)
    assert result.returncode == 1
    assert "controller/daemon/x.c:1: " in result.stdout


@pytest.mark.parametrize("line", [
    "    /* strcpy(to, from) would not do */",
    '    log_info("sleep(1)");',
    "    my_sleep(1);",
    "    store->system(1);",
    "    snprintf(buffer, sizeof buffer, \"x\");",
])
def test_what_only_looks_like_a_banned_call_passes(scratch, line):
    write(scratch, "controller/daemon/x.c", line)
    assert lint("banned.py", scratch).returncode == 0
