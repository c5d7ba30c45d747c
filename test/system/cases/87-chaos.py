# SPDX-License-Identifier: ISC
"""Chaos, a short round: both engines are killed at random moments while four clients ping; nobody is lost."""

import os
import random
import signal
import time

from concentrator import LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import Pinger, ping

SECONDS = 200
KILLS = 20
PAUSE = 2.0  # at most so long until the next one, in seconds
SAME = "r slot peer local identity tunnel session user address interface since".split()


def known(server, client):
    row = server.client(address=client.given)
    return {name: row.get(name) for name in SAME}


def commands_answer(server):
    """Both engines have everything in hand."""
    return all(
        server.sallyport("show", *what, "-j", check=False).returncode == 0 for what in ((), ("sas",))
    )


def kill_one(server, chance):
    """Kill one of the engines; seconds until both answer."""
    daemon = chance.choice((server.l2tpd, server.ikev1d))
    pid = server.engine(daemon)
    since = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_for("another engine", lambda: server.engine(daemon) not in (None, pid), 20)
    wait_for("both to answer", lambda: commands_answer(server), 20)
    return time.monotonic() - since


def run(case):
    lab = case.lab
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1 << 32))
    chance = random.Random(seed)
    users = "".join(f"user{n}:$plain$password{n}\n" for n in range(4))
    server = Concentrator(lab.srv, users=users)
    clients = [Client(lab.hosts[f"c{n}"], user=f"user{n}", password=f"password{n}") for n in range(4)]
    with case.step("four clients are connected"):
        server.start()
        for client in clients:
            client.given = server.connect(client)
    before = [known(server, client) for client in clients]
    pingers = [Pinger(client.host, LOCAL, 0.2) for client in clients]
    with case.step(f"{KILLS} kills (seed {seed}): sessions, R and times are the same, no ping is lost") as notes:
        control = []
        for _ in range(KILLS):
            time.sleep(chance.uniform(0, PAUSE))
            control.append(kill_one(server, chance))
        lost = [pinger.stop() for pinger in pingers]
        rows = server.clients()
        notes.append(
            f"sessions before {len(before)}, after {len(rows)}, lost {len(before) - len(rows)}, "
            f"seconds to control at most {max(control):.1f}, pings (sent, lost) {lost}"
        )
        if [known(server, client) for client in clients] != before or any(one[1] for one in lost):
            raise Failure(notes[-1])
        if "set aside" in server.logs() or "died young" in server.logs():
            raise Failure("an engine gave something up")
    with case.step("every client can still be ended, and nothing is left"):
        for client in clients:
            ping(client.host, LOCAL)
        clients[0].hang_up()
        wait_for("its row to go", lambda: len(server.clients()) == 3)
        server.sallyport("disconnect", "user1")
        wait_for("its row to go", lambda: len(server.clients()) == 2)
        for client in clients:
            client.stop()
        if server.stop() != [0, 0]:
            raise Failure("exit codes")
        server.wait_clean()
