"""The C files of the tree, for the lints: what was built and what git keeps is left out."""
import os
import sys


def root():
    """The tree's root, or the folder that was named on the command line."""
    if len(sys.argv) > 1:
        return sys.argv[1]
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def sources(top):
    """(path below `top`, lines) of every C file."""
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(f for f in folders if f != "build" and not f.startswith("."))
        for name in sorted(files):
            if name.endswith((".c", ".h")):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, top), file.read().splitlines()


def finish(name, complaints):
    for complaint in complaints:
        print(complaint)
    if complaints:
        print(f"{name}: {len(complaints)} against the rules")
    sys.exit(1 if complaints else 0)
