"""The tables that `make bench` prints, in Markdown."""


def table(title, heads, rows):
    cells = [heads] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = []
    for row in cells:
        padded = [row[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(padded) + " |")
    rule = [":" + "-" * (widths[0] + 1)] + ["-" * (width + 1) + ":" for width in widths[1:]]
    lines.insert(1, "|" + "|".join(rule) + "|")
    return f"\n{title}\n\n" + "\n".join(lines)


def us(value):
    return f"{value:.0f}"


def ratio(value):
    return f"{value:.2f}"


def ms_of_cpu(value):
    return f"{value / 1000:.1f}"


def show(found):
    print(table(
        "200 machines. Latency report to command in us; CPU in ms per 1,000 reports; ratios are to "
        "the libmosquitto echo of the same window.",
        ["", "window", "p50", "ratio", "p99", "ratio", "p99.9", "reports/s", "ratio", "CPU",
         "ratio", "broker", "Redis"],
        [[row["name"], row["window"], us(row["p50_us"]), ratio(row["latency_ratio"]),
          us(row["p99_us"]), ratio(row["p99_ratio"]), us(row["p999_us"]), us(row["rate"]),
          ratio(row["rate_ratio"]), ms_of_cpu(row["subject_cpu_us"]), ratio(row["cpu_ratio"]),
          ms_of_cpu(row["broker_cpu_us"]), ms_of_cpu(row["redis_cpu_us"])] for row in found["floor"]]))
    print(table(
        "tagoutd by size of the fleet, heartbeats.",
        ["machines", "window", "p50", "p99", "reports/s", "CPU", "idle, ms a second",
         "resident MiB", "start s"],
        [[row["machines"], row["window"], us(row["p50_us"]), us(row["p99_us"]), us(row["rate"]),
          ms_of_cpu(row["subject_cpu_us"]), f"{row['idle_ms_a_second']:.1f}",
          f"{row['resident'] / 2**20:.1f}", f"{row['start_s']:.2f}"] for row in found["fleets"]["rows"]]))
    print(f"\nMemory: {found['fleets']['base_bytes'] / 2**20:.1f} MiB with one machine, "
          f"{found['fleets']['bytes_a_machine']:.0f} bytes for each further one.")
    print(table(
        "tagoutd by what Redis does, window 1, heartbeats.",
        ["Redis", "p50", "ratio", "p99", "p99.9"],
        [[row["name"], us(row["p50_us"]), ratio(row["latency_ratio"]), us(row["p99_us"]),
          us(row["p999_us"])] for row in found["redis"]]))
    print(table(
        "Inside tagoutd: allocations a report, and Paho's share of its processor time, the kernel's "
        "work for it included.",
        ["", "window", "allocations", "Paho's", "Paho's share of CPU"],
        [[row["mix"], row["window"], f"{row['allocations']:.2f}",
          f"{row['paho_allocations']:.2f}", f"{row['paho_share']:.0%}"]
         for row in found["inside"]]))
    print(table(
        "10,000 users read again under load, window 1.",
        ["", "p50", "p99", "p99.9", "worst"],
        [[name, us(row["p50_us"]), us(row["p99_us"]), us(row["p999_us"]), us(row["max_us"])]
         for name, row in found["reload"].items()]))
    print(table(
        "Reconnect storm: seconds until each device had its command.",
        ["", "devices", "first time", "all cut, again", "sent again"],
        [[row["name"], row["devices"], f"{row['first_s']:.2f}", f"{row['again_s']:.2f}",
          row["resent"]] for row in found["storms"]]))
    took = found["take_over"]
    print(f"\nTake-over: the leader of {took['machines']} machines killed; the first command of the "
          f"new one after {took['first_s']:.1f} s, the last after {took['last_s']:.1f} s.")
