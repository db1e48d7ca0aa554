#!/usr/bin/python3
"""Every alert and every fault stands in the README's list, with what to do. usage: alerts.py [ROOT]"""
import os
import re

import tree

LISTS = [("controller/watcher/alert.h", "ALERT_LIST"), ("controller/core/machine.h", "CORE_FAULT_LIST")]
CHAPTER = "### What each alert means"


def words(top, path, name):
    """The words of an X-macro."""
    with open(os.path.join(top, path), encoding="utf-8") as file:
        body = re.search(rf"#define {name}\(X\)((?:.*\\\n)*.*)", file.read())
    found = re.findall(r'X\(\w+, "(\w+)"\)', body.group(1)) if body else []
    return found or [f"(nothing in {name})"]


def told(top):
    with open(os.path.join(top, "README.md"), encoding="utf-8") as file:
        chapter = re.split(r"\n#", file.read().partition(CHAPTER)[2])[0]
    rows = [line.split("|") for line in chapter.splitlines() if line.startswith("| `")]
    return {word for row in rows if all(cell.strip() for cell in row[2:4])
            for word in re.findall(r"`(\w+)`", row[1])}


def main():
    top = tree.root()
    known = told(top)
    tree.finish("alerts", [
        f"{path}: README.md doesn't say what to do about {word}"
        for path, name in LISTS for word in words(top, path, name) if word not in known])


if __name__ == "__main__":
    main()
