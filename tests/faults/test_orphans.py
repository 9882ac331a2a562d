#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A member dies between the two rounds of a cooperative rebalance and comes back: its partitions must not stay with nobody.

Cooperative rebalancing moves a partition in two rounds, and a static member that dies between them is taken back without a rebalance, so
that the second round never happens unless a worker sees to it. Here the member that dies is a bare consumer, which can be made to die at
exactly that moment; the one that comes back under its name is a worker.
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from harness import services  # noqa: E402
from harness.cases import Cases, Failed, equal, eventually  # noqa: E402
from harness.talk import Talk  # noqa: E402
from harness.world import World  # noqa: E402

MEMBER = """
import os, sys
from confluent_kafka import Consumer
bootstrap, group, instance, topic = sys.argv[1:]
def say(what):
    return lambda consumer, partitions: print(what, len(partitions), flush=True)
def die(consumer, partitions):
    print("revoked", len(partitions), flush=True)
    os._exit(9)
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "group.instance.id": instance, "log_level": 0,
                     "partition.assignment.strategy": "cooperative-sticky", "session.timeout.ms": 6000,
                     "heartbeat.interval.ms": 1000, "enable.auto.commit": False})
consumer.subscribe([topic], on_assign=say("assigned"), on_revoke=die)
while True:
    consumer.poll(0.05)
"""


def partitions(worker):
    return int(worker.metrics().sum("partitions", lane="signup", state="running"))


class Trial:
    def __init__(self, world, cases):
        self.world, self.cases = world, cases
        self.talk = Talk(world)

    def case_a_member_dies_between_the_two_rounds(self):
        world = self.world
        member = subprocess.Popen(["/usr/bin/python3", "-c", MEMBER, world.services.bootstrap, f"{world.group}-signup", "worker-2-signup",
                                   world.topics["signup"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            equal(member.stdout.readline().split(), ["assigned", str(world.partitions)], "the member alone")
            self.first = world.worker("worker-1").start(ready=None)
            equal(member.stdout.readline().split(), ["revoked", str(world.partitions // 2)], "the first round")
            equal(member.wait(20), 9, "its end")
        finally:
            member.kill()
            member.wait()
        self.second = world.worker("worker-2").start(ready=None)
        eventually(lambda: partitions(self.second) == world.partitions // 2, "what the group has kept for it", 20)
        equal(partitions(self.first), 0, "partitions of the other worker, before it looks")

    def case_the_others_see_to_it_that_every_partition_has_an_owner(self):
        eventually(lambda: partitions(self.first) + partitions(self.second) == self.world.partitions, "every partition has an owner", 30, 0.1)
        told = [row for worker in (self.first, self.second) for row in worker.events("partitions_orphaned")]
        if not told:
            raise Failed("no worker said that partitions were with nobody")
        self.cases.say(f"{told[0]['partitions']} partitions were with nobody until {told[0]['time']}")
        for partition in range(self.world.partitions):
            self.talk.post(self.talk.person(), partition=partition).reply(201)

    def case_nobody_joins_anew_without_a_reason(self):
        before = [len(worker.events("partitions_orphaned")) for worker in (self.first, self.second)]
        revoked = len(self.first.events("partition_revoked")) + len(self.second.events("partition_revoked"))
        try:
            eventually(lambda: [len(worker.events("partitions_orphaned")) for worker in (self.first, self.second)] != before, "", 20, 0.5)
        except Failed:
            pass
        else:
            raise Failed("a worker joined anew though every partition has an owner")
        equal(len(self.first.events("partition_revoked")) + len(self.second.events("partition_revoked")), revoked, "partitions revoked meanwhile")
        for worker in (self.first, self.second):
            equal(worker.stop(), 0, f"exit status of {worker.name}")


def main():
    cases = Cases()
    try:
        with World("orphans") as world:
            trial = Trial(world, cases)
            good = cases.run(trial.case_a_member_dies_between_the_two_rounds)
            if good:
                cases.run(trial.case_the_others_see_to_it_that_every_partition_has_an_owner)
                cases.run(trial.case_nobody_joins_anew_without_a_reason)
            trial.talk.close()
            world.keep = cases.failed > 0
            if world.keep:
                cases.say(f"logs are in {world.folder}")
    except services.Missing as error:
        print(error)
        cases.failed += 1
    return cases.end()


if __name__ == "__main__":
    sys.exit(main())
