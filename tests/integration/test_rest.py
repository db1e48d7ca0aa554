"""Who waits for a peer that is away sleeps: a loop that turns meanwhile takes the processor from those
who decide."""
import os
import re
import time

from harness import BIN, wait_until
from processes import Process, processor_s
from services import clean_environment
from simulator import Simulator

MACHINES = {"saw": {"authorizations_or": ["wood"]}}
AWAY_S = 4
# One that turns takes all of a processor, and on a busy host its share.
RESTING_S = 0.3


class Watch(Process):
    """`tagoutctl watch`."""

    def __init__(self, controller):
        super().__init__("watch", [os.path.join(BIN, "tagoutctl"), "-c", controller.ini_file, "watch"],
                         clean_environment())


def test_all_programs_rest_while_broker_and_redis_are_away(
        scratch, broker, redis, slack, start_controller, start_watcher):
    controller = start_controller(MACHINES, [])
    watcher = start_watcher()
    sim = Simulator(scratch, broker, MACHINES, [], names=MACHINES).controlled(scratch)
    watch = Watch(controller)
    try:
        sim.start()
        sim.ready()
        watch.start()
        wait_until(watch.lines, "it says what is")
        broker.stop()
        redis.stop()
        for program in (controller, watcher, sim):
            program.wait_log(re.compile("no broker at|not connected to the broker|broker is gone"))
        programs = (controller, watcher, sim, watch)
        before = {program.name: processor_s(program.pid) for program in programs}
        time.sleep(AWAY_S)
        used = {program.name: processor_s(program.pid) - before[program.name]
                for program in programs}
        assert max(used.values()) < RESTING_S, used
        broker.start()
        redis.start()
    finally:
        watch.kill()
        sim.kill()
