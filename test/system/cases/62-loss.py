# SPDX-License-Identifier: ISC
"""A bad network: 30 % loss, 25 % reordering and 10 % duplication both ways; 99 of 100 handshakes connect within 60 s."""

from concentrator import CONFIGURATION, Concentrator
from lab import Failure
from swarm import Swarm

LIMIT = 400
CLIENTS = 100
WANTED = 99
NETEM = "loss 30% duplicate 10% reorder 75% 50% delay 10ms"


def netem(lab, on):
    """Both directions: what leaves the bridge towards the server, and towards the client."""
    for port in ("srv", "c0"):
        if on:
            lab.wan.run("tc", "qdisc", "add", "dev", port, "root", "netem", *NETEM.split())
        else:
            lab.wan.run("tc", "qdisc", "del", "dev", port, "root")


def damage(lab):
    """What the two queues did, as text."""
    text = lab.wan.run("tc", "-s", "qdisc", "show")
    return [line.strip() for line in text.splitlines() if "dropped" in line and "dropped 0" not in line]


def run(case):
    lab = case.lab
    server = Concentrator(lab.srv, CONFIGURATION.replace("max-clients = 32", "max-clients = 200"))
    with case.step("the concentrator starts"):
        server.start()
    swarm = Swarm(lab.c0, CLIENTS)
    with case.step(f"{WANTED} of {CLIENTS} connect within 60 s, 30 % lost, 25 % reordered, 10 % doubled") as notes:
        netem(lab, True)
        swarm.start()
        up = swarm.wait_up(WANTED, 60)
        notes.append(f"{up} of {CLIENTS} up")
        notes += damage(lab)
        if not damage(lab):
            raise Failure("the network lost nothing: this proves nothing")
        if up < WANTED:
            raise Failure(f"only {up} of {CLIENTS} are up")
    with case.step("each has an R of its own") as notes:
        netem(lab, False)
        rows = server.clients()
        notes.append(f"{len(rows)} clients")
        if len({row["r"] for row in rows}) != len(rows) or len(rows) < WANTED // 2:
            raise Failure(f"{rows}"[:500])
    with case.step("all leave, and nothing is left"):
        swarm.stop()
        server.wait_clean(stopped=False, seconds=90)
        if server.stop() != [0, 0]:
            raise Failure("exit codes")
        server.wait_clean()
