# SPDX-License-Identifier: ISC
"""kill -9 of each engine and of each monitor: who is connected stays or goes cleanly, and no slot is given twice."""

import os
import signal
import time

from capture import Capture, check_outside
from concentrator import LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import Pinger, ping

SECONDS = 100
SURVIVE = 20


def kill_engine(case, server, daemon, old, new):
    """Kill an engine; the old client's pings go on, a new client connects beside it."""
    name = daemon.name
    with case.step(f"kill -9 of {name}'s engine: the monitor starts another"):
        pid = server.engine(daemon)
        os.kill(pid, signal.SIGKILL)
        wait_for("a new engine", lambda: server.engine(daemon) not in (None, pid))
        wait_for("it to answer", server.answers)
    with case.step(f"{name}: the connected client's pings go on") as notes:
        pinger = Pinger(old.host, LOCAL, 0.5)
        time.sleep(SURVIVE)
        notes.append(pinger.stop())
        if notes[0][1]:
            raise Failure(f"sent, lost: {notes[0]}")
    # the next engine goes on where the last one died
    with case.step(f"{name}: show says that the old client is established") as notes:
        notes.append(server.client(address=old.given)["state"])
        if notes[0] != "established":
            raise Failure(f"state {notes[0]}")
    with case.step(f"{name}: a new client connects, slot and address are its own") as notes:
        new.given = server.connect(new)
        rows = server.clients()
        notes.append(rows)
        for field in ("slot", "address", "r"):
            if len({row[field] for row in rows}) != len(rows):
                raise Failure(f"{field} given twice: {rows}")
        ping(new.host, LOCAL)
        ping(old.host, LOCAL)


def kill_monitor(case, server, name, clients):
    """Kill a monitor; its engine and its pppd must go; the next start leaves no orphan."""
    daemon = getattr(server, name)
    with case.step(f"kill -9 of {name}'s monitor: engine and pppd are gone"):
        engine = server.engine(daemon)
        daemon.kill()
        wait_for("the engine to end", lambda: not os.path.exists(f"/proc/{engine}"), 10)
        if name == "l2tpd":
            wait_for("pppd to end", lambda: not server.host.find("pppd"), 10)
    for client in clients:
        client.stop()
    with case.step(f"{name}: the next start leaves no orphan"):
        getattr(server, f"start_{name}")()
        wait_for("both to answer", server.answers)
        server.wait_clean(stopped=False, seconds=90)
        if server.clients():
            raise Failure(server.clients())


def check_capture(case, capture, what):
    with case.step(f"kill -9 of {what}: only ARP, IKE and ESP outside") as notes:
        notes.append(check_outside(capture.stop(), ("ESP", "UDP 4500")))


def run(case):
    lab = case.lab
    users = "".join(f"user{n}:$plain$password{n}\n" for n in range(4))
    server = Concentrator(lab.srv, users=users)
    clients = [
        Client(lab.hosts[f"c{n}"], user=f"user{n}", password=f"password{n}")
        for n in range(4)
    ]
    capture = Capture(lab)
    with case.step("a client is connected"):
        server.start()
        clients[0].given = server.connect(clients[0])
    kill_engine(case, server, server.l2tpd, clients[0], clients[1])
    kill_engine(case, server, server.ikev1d, clients[1], clients[2])
    check_capture(case, capture, "engines")
    # nobody has ports 500 and 4500 meanwhile: ICMP quotes what is encrypted
    kill_monitor(case, server, "ikev1d", clients[:3])
    capture = Capture(lab)
    with case.step("a client connects after that"):
        server.connect(clients[3])
    kill_monitor(case, server, "l2tpd", clients[3:])
    with case.step("and another one after that"):
        again = Client(lab.c0, user="user0", password="password0")
        server.connect(again)
        ping(lab.c0, LOCAL)
        again.stop()
        if server.stop() != [0, 0]:
            raise Failure("exit codes")
        server.wait_clean()
    check_capture(case, capture, "l2tpd's monitor")
