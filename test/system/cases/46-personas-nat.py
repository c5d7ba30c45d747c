# SPDX-License-Identifier: ISC
"""Personas behind NAT, each through its whole life, and two of Windows at once behind one NAT."""

from lab import Failure, wait_for
from concentrator import LOCAL
from persona import Persona
from persona_life import C3_NAT, PINGS, begin, check_fragments, connect, end, ping_both, play, renew, states
from traffic import ping

LIMIT = 900
SECONDS = 150


def two_of_windows(case):
    """1701 to 1701 from both, at the same time, behind one address."""
    server = case.server
    pair = [Persona(case.lab.c1, "windows10", "10.0.0.2"), Persona(case.lab.c2, "windows10", "10.0.0.3")]
    with case.step("two of windows10 connect behind one NAT, 1701 to 1701") as notes:
        rows = [connect(server, persona, True) for persona in pair]
        notes.append([row["r"] for row in rows])
        if len({row["r"] for row in rows}) != 2 or len(server.units()) != 2:
            raise Failure(server.clients())
    with case.step("each of the two has its own packets, and renews on its own") as notes:
        for persona, row in zip(pair, rows):
            ping_both(server, persona, row)
        for persona, row in zip(pair, rows):
            notes.append(renew(server, persona, row))
    with case.step("one of the two leaves, the other stays"):
        pair[0].stop()
        wait_for("its SAs to go", lambda: not states(server, rows[0]))
        ping(pair[1].host, LOCAL, PINGS)
        ping(server.host, pair[1].given, PINGS)
        pair[1].stop()


def run(case):
    lab = case.lab
    capture = begin(case)
    play(case, "windows10", lab.c1, "10.0.0.2", True)
    play(case, "ios", lab.c1, "10.0.0.2", True)
    play(case, "android11", lab.c3, "10.0.0.2", True)
    two_of_windows(case)
    check_fragments(case, end(case, capture, ("UDP 4500", "UDP 500")), C3_NAT)
