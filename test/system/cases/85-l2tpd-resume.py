# SPDX-License-Identifier: ISC
"""kill -9 of l2tpd's engine, five times, idle and during dial-ins: nobody notices, the next one goes on."""

import json
import os
import re
import signal
import time

from concentrator import CONFIGURATION, LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import Pinger, ping

SECONDS = 150
CONTROL = 2  # seconds until the next engine has everything in hand
BUSY = 6  # the same while the emulated machine dials in
STEADY = 11  # an engine that lived so long is started again at once
HELLO = 5
SAME = "r slot peer local tunnel session user address interface since state ppp_state".split()


def what_is_known(server, address):
    row = server.client(address=address)
    return {name: row.get(name) for name in SAME}


def kill(server):
    """Kill the engine; return when it was."""
    pid = server.engine(server.l2tpd)
    os.kill(pid, signal.SIGKILL)
    return pid, time.monotonic()


def answers(server):
    done = server.sallyport("show", "-j", check=False)
    return done.returncode == 0 and "error" not in json.loads(done.stdout or "{}")


def wait_control(server, killed, notes, limit=CONTROL):
    """Wait for the next engine; what looking itself takes does not count."""
    pid, when = killed
    wait_for("another engine", lambda: server.engine(server.l2tpd) not in (None, pid), 20)
    wait_for("it to answer", lambda: answers(server), 20)
    then = time.monotonic()
    answers(server)
    took = then - when - (time.monotonic() - then)
    notes.append(f"{took:.2f} s")
    if took > limit:
        raise Failure(f"control came back after {notes[-1]}")


def idle(case, server, first, turn):
    before = what_is_known(server, first)
    with case.step(f"kill {turn}, nothing going on: all is known again in {CONTROL} s") as notes:
        wait_control(server, kill(server), notes)
        after = what_is_known(server, first)
        if after != before:
            raise Failure(f"{before} became {after}")


def dialling(case, server, client, delay, turn):
    """Kill the engine that long after a client began to dial."""
    with case.step(f"kill {turn}, {delay} s into a dial-in: the client gets through") as notes:
        client.ipsec()
        client.dial()
        time.sleep(delay)
        wait_control(server, kill(server), notes, BUSY)
        client.given = client.wait_address()
        wait_for(
            "it to be up here too",
            lambda: what_is_known(server, client.given)["ppp_state"] == "up",
        )
        ping(client.host, LOCAL)


def stops(server):
    """The accounting records of ends, by user."""
    lines = re.findall(r"accounting: (\{.*\})", server.l2tpd.output())
    records = [json.loads(line) for line in lines]
    return {record["user"]: record for record in records if record["event"] == "stop"}


def run(case):
    lab = case.lab
    users = "".join(f"user{n}:$plain$password{n}\n" for n in range(3))
    server = Concentrator(
        lab.srv, CONFIGURATION.replace("hello = 60", f"hello = {HELLO}"), users=users
    )
    clients = [
        Client(lab.hosts[f"c{n}"], user=f"user{n}", password=f"password{n}") for n in range(3)
    ]
    with case.step("a client is connected"):
        server.start()
        first = server.connect(clients[0])
    pinger = Pinger(clients[0].host, LOCAL, 0.1)
    for turn in (1, 2, 3):
        idle(case, server, first, turn)
        time.sleep(1)
    before = what_is_known(server, first)
    time.sleep(STEADY)
    dialling(case, server, clients[1], 0.05, 4)
    time.sleep(STEADY)
    dialling(case, server, clients[2], 0.5, 5)
    with case.step("HELLOs are answered, what is known is unchanged"):
        time.sleep(30)
        if what_is_known(server, first) != before:
            raise Failure(f"{before} became {what_is_known(server, first)}")
        for client in clients[1:]:
            ping(client.host, LOCAL)
    with case.step("the operator ends one, its client hears it"):
        server.sallyport("disconnect", "user1")
        wait_for("its ppp0 to go", lambda: not clients[1].address())
        wait_for("its row to go", lambda: len(server.clients()) == 2)
    with case.step("another one hangs up"):
        clients[2].hang_up()
        wait_for("its unit to go", lambda: len(server.units()) == 1)
    with case.step("no ping was lost, counters and time are those of the whole session") as notes:
        sent, lost = pinger.stop()
        notes.append(f"{lost} of {sent} lost")
        if lost:
            raise Failure(notes[-1])
        clients[0].hang_up()
        wait_for("its record", lambda: "user0" in stops(server))
        record = stops(server)["user0"]
        notes.append(record)
        if record["packets_in"] < sent or record["bytes_in"] < sent * 84:
            raise Failure(notes)
        lasted = record["time"] - before["since"]
        if abs(record["seconds"] - lasted) > 5:
            raise Failure(f"{record['seconds']} s of {lasted}")
        for user in ("user1", "user2"):
            if stops(server)[user]["packets_in"] < 10:
                raise Failure(stops(server)[user])
    with case.step("no state was set aside; nothing is left"):
        if "set aside" in server.logs():
            raise Failure("set aside")
        for client in clients:
            client.stop()
        if server.stop() != [0, 0]:
            raise Failure("exit codes")
        server.wait_clean()
