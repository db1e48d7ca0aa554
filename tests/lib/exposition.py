"""A strict reader of Prometheus' text format 0.0.4: what any scraper may rely on, and no more."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.+)\}})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-][0-9]+)?)")
COMMENT = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)")
ESCAPE = re.compile(r'\\(["\\n])')


class Malformed(Exception):
    pass


class Family:
    def __init__(self, name, text):
        self.name = name
        self.help = text
        self.type = None
        self.samples = {}  # (name, ((label, value), …)) → float, in their order

    def value(self, **labels):
        """Of the one sample that has these labels, among others."""
        found = [value for (_, own), value in self.samples.items()
                 if labels.items() <= dict(own).items()]
        if len(found) != 1:
            raise Malformed(f"{self.name}: {len(found)} samples are {labels}")
        return found[0]

    def labels(self):
        return [dict(own) for _, own in self.samples]

    def owns(self, name):
        endings = ("_bucket", "_sum", "_count") if self.type == "histogram" else ("",)
        return any(name == self.name + ending for ending in endings)


def read_labels(text):
    labels, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            raise Malformed(f"labels: {text}")
        key, value, after = match.groups()
        if key in dict(labels):
            raise Malformed(f"{key} twice: {text}")
        labels.append((key, ESCAPE.sub(lambda m: {"n": "\n"}.get(m[1], m[1]), value)))
        at = match.end()
        if after == "," and at == len(text):
            raise Malformed(f"a comma too many: {text}")
    return tuple(labels)


def check_histogram(family):
    """Each set of labels besides `le`: buckets that grow, +Inf the last and equal to the count."""
    groups = {}
    for (name, labels), value in family.samples.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        groups.setdefault(rest, {})[(name[len(family.name):], dict(labels).get("le"))] = value
    for rest, group in groups.items():
        buckets = [(float(le.replace("Inf", "inf")), value)
                   for (ending, le), value in group.items() if ending == "_bucket"]
        if buckets != sorted(buckets) or len({le for le, _ in buckets}) != len(buckets):
            raise Malformed(f"{family.name}{rest}: the bounds do not grow")
        if [value for _, value in buckets] != sorted(value for _, value in buckets):
            raise Malformed(f"{family.name}{rest}: it is not cumulative")
        if buckets[-1][0] != math.inf or buckets[-1][1] != group[("_count", None)]:
            raise Malformed(f"{family.name}{rest}: +Inf is not the count")
        if ("_sum", None) not in group:
            raise Malformed(f"{family.name}{rest}: no sum")


def check_family(family):
    if family.type == "counter":
        if not family.name.endswith("_total"):
            raise Malformed(f"{family.name}: a counter's name ends in _total")
        if any(value < 0 for value in family.samples.values()):
            raise Malformed(f"{family.name}: a counter below 0")
    elif family.name.endswith("_total"):
        raise Malformed(f"{family.name}: _total, and no counter")
    elif family.type == "gauge" and family.name.endswith(("_count", "_sum", "_bucket")):
        raise Malformed(f"{family.name}: a histogram's ending")
    if family.type == "histogram":
        check_histogram(family)


def read_comment(line, families, current):
    match = COMMENT.fullmatch(line)
    if not match:
        raise Malformed(line)
    kind, name, rest = match.groups()
    if kind == "HELP":
        if name in families:
            raise Malformed(f"{name}: its samples do not stand together")
        families[name] = Family(name, rest)
        return families[name]
    if current is None or current.name != name or current.type or current.samples:
        raise Malformed(f"{name}: TYPE has to follow its HELP")
    if rest not in ("counter", "gauge", "histogram", "untyped"):
        raise Malformed(f"{name}: {rest}")
    current.type = rest
    return current


def read_sample(line, current):
    match = SAMPLE.fullmatch(line)
    if not match:
        raise Malformed(line)
    name, labels, value = match.groups()
    if current is None or not current.type or not current.owns(name):
        raise Malformed(f"{name}: not of the family above it")
    key = (name, tuple(sorted(read_labels(labels or ""))))
    if key in current.samples:
        raise Malformed(f"twice: {line}")
    current.samples[key] = float(value.replace("Inf", "inf"))


def read(text):
    """{name: Family}; Malformed at the first thing that is wrong."""
    if not text.endswith("\n"):
        raise Malformed("the last line has no end")
    families, current = {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("#"):
            current = read_comment(line, families, current)
        else:
            read_sample(line, current)
    for family in families.values():
        check_family(family)
    return families
