#!/usr/bin/python3
"""Calls that have no place in the tree, each with what is used instead. usage: banned.py [ROOT]"""
import fnmatch
import re
import sys

import tree

# Functions, where they are banned, and why.
BANNED = [
    ("strcpy strcat strncpy strncat stpcpy", "*", "text.h knows the size of its buffer"),
    ("sprintf vsprintf", "*", "text_addf, or snprintf"),
    ("gets scanf fscanf", "*", "no limits"),
    ("strtok", "*", "keeps state between calls"),
    ("atoi atol atoll atof", "*", "cannot report an error; strtol and its kin can"),
    ("rand srand random srandom drand48", "*", "sodium, or a seeded generator of the test's own"),
    ("gmtime localtime ctime asctime", "*", "shared buffer; the _r kind"),
    ("alloca", "*", "the stack has no error return"),
    ("tmpnam tempnam mktemp", "*", "mkstemp, mkdtemp"),
    ("setjmp longjmp", "*", "hidden control flow"),
    ("system popen", "*", "no shell"),
    ("sleep usleep nanosleep", "controller/*", "the loop has timers"),
    ("MQTTAsync_isConnected", "*", "it can wait for seconds; the callbacks know"),
    ("redisSetTimeout redisCommand redisConnect", "*", "blocks; the asynchronous half of hiredis"),
]

# The places that may, when the loop has ended: for what is on its way, and for Paho's threads.
EXCEPT = {("nanosleep", "controller/support/mqtt.c"),
          ("nanosleep", "controller/support/mqtt_finish.c")}

NOISE = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|//.*')


def code_only(lines):
    """The lines without comments, strings and characters."""
    inside = False
    for line in lines:
        line = NOISE.sub("''", line)
        kept = ""
        while line:
            if inside:
                _, end, line = line.partition("*/")
                inside = not end
            else:
                head, start, line = line.partition("/*")
                kept += head + " "
                inside = bool(start)
        yield kept


def main():
    complaints = []
    rules = [(re.compile(r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\("), where, why)
             for names, where, why in BANNED]
    for path, lines in tree.sources(tree.root()):
        if path.startswith("tests/"):
            continue  # what overflows there the sanitizers see
        for number, line in enumerate(code_only(lines), 1):
            for pattern, where, why in rules:
                match = pattern.search(line)
                if match and fnmatch.fnmatchcase(path, where) and (
                        match.group(1), path) not in EXCEPT:
                    complaints.append(f"{path}:{number}: {match.group(1)}: {why}")
    tree.finish("banned", complaints)


if __name__ == "__main__":
    sys.exit(main())
