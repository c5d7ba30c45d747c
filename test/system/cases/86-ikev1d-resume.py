# SPDX-License-Identifier: ISC
"""kill -9 of ikev1d's engine, idle, in a dial-in and in a rekey: IKE SAs, R and the clients' sessions go on."""

import json
import os
import re
import signal
import time

from capture import Capture, check_outside
from concentrator import LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import Pinger, esp_states, ping

SECONDS = 150
CONTROL = 2  # seconds until the next engine has everything in hand
BUSY = 6  # the same while the emulated machine dials in
STEADY = 11  # an engine that lived so long is started again at once
TURNS = 3
SAME = "r slot peer local identity tunnel session user address interface since state ppp_state".split()


def what_is_known(server, address):
    row = server.client(address=address)
    return {name: row.get(name) for name in SAME}


def cookies(server):
    """The IKE SAs as the concentrator shows them."""
    shown = json.loads(server.sallyport("show", "sas", "-j"))
    return {row["cookie_i"] + row["cookie_r"] for row in shown["ike_sas"] if row["state"] == "established"}


def answers(server):
    return server.sallyport("show", "sas", "-j", check=False).returncode == 0


def kill(server, notes, limit=CONTROL):
    """Kill the engine, and wait until another one answers."""
    pid = server.engine(server.ikev1d)
    os.kill(pid, signal.SIGKILL)
    since = time.monotonic()
    wait_for("another engine", lambda: server.engine(server.ikev1d) not in (None, pid), 20)
    wait_for("it to answer", lambda: answers(server), 20)
    notes.append(f"{time.monotonic() - since:.2f} s")
    if time.monotonic() - since > limit:
        raise Failure(f"control came back after {notes[-1]}")


def spis(server):
    return {state["spi"] for state in esp_states(server.host)}


def rekey(server, client, what, now):
    before = now(server)
    client.charon.swanctl("--rekey", *what)
    wait_for(f"what is new after a rekey {what}", lambda: now(server) - before)


def run(case):
    lab = case.lab
    users = "".join(f"user{n}:$plain$password{n}\n" for n in range(3))
    server = Concentrator(lab.srv, users=users)
    clients = [Client(lab.hosts[f"c{n}"], user=f"user{n}", password=f"password{n}") for n in range(3)]
    capture = Capture(lab)
    with case.step("two clients are connected, one of them behind NAT"):
        server.start()
        for client in clients[:2]:
            client.given = server.connect(client)
    pingers = [Pinger(client.host, LOCAL, 0.1) for client in clients[:2]]
    for turn in range(1, TURNS + 1):
        with case.step(f"kill {turn}, nothing going on: IKE SAs and sessions are the same in {CONTROL} s") as notes:
            before = [what_is_known(server, client.given) for client in clients[:2]], cookies(server)
            kill(server, notes)
            after = [what_is_known(server, client.given) for client in clients[:2]], cookies(server)
            if before != after or len(after[1]) != 2:
                raise Failure(f"{before} became {after}")
        time.sleep(1)
    with case.step("both clients rekey both phases under the IKE SAs of the dead engine; R stays"):
        rows = [what_is_known(server, client.given) for client in clients[:2]]
        for client in clients[:2]:
            rekey(server, client, ("--child", "l2tp"), spis)
            rekey(server, client, ("--ike", "sp"), cookies)
        if rows != [what_is_known(server, client.given) for client in clients[:2]]:
            raise Failure(server.clients())
    time.sleep(STEADY)
    with case.step("kill 4, in a rekey: it is finished or made again") as notes:
        before = spis(server)
        clients[0].charon.swanctl("--rekey", "--child", "l2tp")
        kill(server, notes, BUSY)
        wait_for("the rekey", lambda: spis(server) - before, 60)
    time.sleep(STEADY)
    with case.step("kill 5, in a dial-in: the client gets through") as notes:
        clients[2].ipsec()
        clients[2].dial()
        time.sleep(0.1)
        kill(server, notes, BUSY)
        clients[2].given = clients[2].wait_address()
        ping(clients[2].host, LOCAL)
    with case.step("no ping was lost") as notes:
        for pinger in pingers:
            sent, lost = pinger.stop()
            notes.append(f"{lost} of {sent} lost")
            if lost:
                raise Failure(notes)
    with case.step("a client that hangs up is gone here, the operator's disconnect reaches the other"):
        clients[0].stop()
        wait_for("its row to go", lambda: len(server.clients()) == 2, 60)
        server.sallyport("disconnect", "user1")
        wait_for("its row to go", lambda: len(server.clients()) == 1)
    with case.step("no state was set aside; nothing is left"):
        if re.search("set aside|state is lost.*R 1 ", server.logs()):
            raise Failure("set aside")
        for client in clients[1:]:
            client.stop()
        if server.stop() != [0, 0]:
            raise Failure("exit codes")
        server.wait_clean()
    with case.step("only ARP, IKE and ESP outside"):
        check_outside(capture.stop(), ("ESP", "UDP 500", "UDP 4500"))
