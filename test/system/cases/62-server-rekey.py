# SPDX-License-Identifier: ISC
"""A client that never renews its IPsec SAs, under ping: the concentrator does, three times; R is unchanged."""

import time

from concentrator import LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import Pinger, esp_states

LIFE = 60  # seconds; the concentrator renews some 10 s before
RENEWALS = 3
SECONDS = 200


def spis(server, row):
    """The SPIs of one client's SAs."""
    return {state["spi"] for state in esp_states(server.host) if state["reqid"] & 0x3FFF == row["slot"]}


class Idle:
    """A client that renews nothing, under ping."""

    def __init__(self, server, where, host):
        self.where, self.client = where, Client(host)
        self.client.child_options = f"rekey_time = 0\nlife_time = {LIFE}\nrand_time = 0"
        self.client.ike_options = "rekey_time = 0\nreauth_time = 0"
        self.address = server.connect(self.client)
        self.row = server.client(address=self.address)
        self.pinger = Pinger(host, LOCAL, 0.1)
        self.seen = spis(server, self.row)

    def renewed(self, server):
        """Whether a new pair has come since it was last asked."""
        new = spis(server, self.row) - self.seen
        if len(new) < 2:
            return False
        self.seen |= new
        return True


def check_life(case, idle):
    """Nearly nothing lost, R as it was, and no more SAs than two pairs."""
    server = case.server
    with case.step(f"at most one ping a renewal was lost {idle.where}") as notes:
        sent, lost = idle.pinger.stop()
        notes.append(f"{lost} of {sent} lost")
        if lost > RENEWALS or sent < 10 * LIFE:
            raise Failure(notes[-1])
    with case.step(f"R is unchanged and old SAs are gone {idle.where}") as notes:
        if server.client(address=idle.address)["r"] != idle.row["r"]:
            raise Failure(server.clients())
        notes.append(f"{len(idle.seen)} SPIs")
        wait_for("the old SAs to go", lambda: len(spis(server, idle.row)) <= 4, LIFE)


def run(case):
    case.server = Concentrator(case.lab.srv)
    with case.step("the concentrator starts"):
        case.server.start()
    clients = []
    for where, host in (("without NAT", case.lab.c0), ("behind NAT", case.lab.c1)):
        with case.step(f"a client connects {where}"):
            clients.append(Idle(case.server, where, host))
    for turn in range(1, RENEWALS + 1):
        for idle in clients:
            with case.step(f"renewal {turn} by the concentrator {idle.where}"):
                wait_for("new SAs", lambda i=idle: i.renewed(case.server), 2 * LIFE)
        time.sleep(3)
    for idle in clients:
        check_life(case, idle)
        idle.client.stop()
    case.server.wait_clean(stopped=False, seconds=90)
    case.server.stop()
