# SPDX-License-Identifier: ISC
"""A client that never renews its IPsec SAs, under ping: the concentrator does, three times; R is unchanged."""

import time

from concentrator import LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import Pinger, esp_states

LIFE = 60  # seconds; the concentrator renews some 10 s before
RENEWALS = 3


def spis(server):
    return {state["spi"] for state in esp_states(server.host)}


def renewals(case, where, host):
    server = case.server
    client = Client(host)
    client.child_options = f"rekey_time = 0\nlife_time = {LIFE}\nrand_time = 0"
    client.ike_options = "rekey_time = 0\nreauth_time = 0"
    with case.step(f"a client connects {where}"):
        address = server.connect(client)
        row = server.client(address=address)
    pinger = Pinger(host, LOCAL, 0.1)
    seen = spis(server)
    for turn in range(1, RENEWALS + 1):
        with case.step(f"renewal {turn} by the concentrator {where}"):
            wait_for("new SAs", lambda: len(spis(server) - seen) >= 2, 2 * LIFE)
            seen |= spis(server)
            time.sleep(3)
    with case.step(f"at most one ping a renewal was lost {where}") as notes:
        sent, lost = pinger.stop()
        notes.append(f"{lost} of {sent} lost")
        if lost > RENEWALS or sent < 10 * LIFE:
            raise Failure(notes[-1])
    with case.step(f"R is unchanged and old SAs are gone {where}") as notes:
        if server.client(address=address)["r"] != row["r"]:
            raise Failure(server.clients())
        notes.append(f"{len(seen)} SPIs")
        wait_for("the old SAs to go", lambda: len(spis(server)) <= 4, LIFE)
    client.stop()


def run(case):
    case.server = Concentrator(case.lab.srv)
    with case.step("the concentrator starts"):
        case.server.start()
    renewals(case, "without NAT", case.lab.c0)
    case.server.wait_clean(stopped=False, seconds=90)
    renewals(case, "behind NAT", case.lab.c1)
    case.server.stop()
