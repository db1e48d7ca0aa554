"""The controller as it is installed: under the sanitizers neither memory nor time says much."""
import os
import re

from services import ROOT, Controller


class Release(Controller):
    @staticmethod
    def command_line(*arguments):
        return [os.path.join(ROOT, "build/bin/tagoutd"), *arguments]

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024

    def heard(self):
        """Reports that it has read, whatever came of them."""
        metrics = self.metrics()
        return sum(metrics[f"tagout_{kind}_total"]
                   for kind in ("reports", "reports_merged", "inbox_dropped"))
