# SPDX-License-Identifier: ISC
"""One client without NAT (native ESP), then one behind a NAT: pings both ways, TCP intact, nothing else outside."""

import re

from capture import Capture, check_outside
from concentrator import LOCAL, Concentrator
from lab import Failure, wait_for
from reference import USER, Client
from traffic import check_esp_moved, esp_states, ping, transfer

PINGS, BYTES = 10, 5 << 20


def dial(case, server, client, where, nat):
    with case.step(f"a client {where} gets an address from the pool") as notes:
        address = server.connect(client)
        notes.append(address)
        if not re.fullmatch(r"10\.20\.0\.1\d|10\.20\.0\.20", address):
            raise Failure(f"{address} is not in the pool")
    before = esp_states(server.host)
    with case.step(f"it and the concentrator ping each other {where}") as notes:
        notes.append(ping(client.host, LOCAL, PINGS))
        notes.append(ping(server.host, address, PINGS))
    with case.step(f"5 MB over TCP arrive intact {where}") as notes:
        notes.append(transfer(client.host, server.host, LOCAL, BYTES))
    with case.step(f"the traffic went through ESP {where}") as notes:
        notes.append(check_esp_moved(server.host, before, PINGS))
    with case.step(f"show tells who is connected {where}") as notes:
        row = server.client(user=USER)
        notes.append(row)
        if row["nat"] != nat or row["address"] != address:
            raise Failure(row)
        if not row["bytes_in"] > BYTES or not row["bytes_out"] > 0:
            raise Failure(f"counters: {row}")
        if USER not in server.sallyport("show"):
            raise Failure(server.sallyport("show"))
    with case.step(f"the encapsulation is right {where}"):
        encap = ["espinudp" in state["text"] for state in esp_states(server.host)]
        if encap != [nat, nat]:
            raise Failure(f"espinudp of each SA: {encap}")
    with case.step(f"the client hangs up and leaves nothing {where}"):
        client.hang_up()
        wait_for("the ppp unit to go", lambda: not server.units())
        client.stop()
        server.wait_clean(stopped=False, seconds=90)


def run(case):
    capture = Capture(case.lab)
    server = Concentrator(case.lab.srv)
    with case.step("the concentrator starts"):
        server.start()
    dial(case, server, Client(case.lab.c0), "without NAT", False)
    dial(case, server, Client(case.lab.c1), "behind NAT", True)
    with case.step("SIGTERM leaves nothing behind") as notes:
        notes.append(server.stop())
        if notes[0] != [0, 0]:
            raise Failure(f"exit codes {notes[0]}")
        server.wait_clean()
    with case.step("only ARP, IKE and ESP were seen outside") as notes:
        notes.append(check_outside(capture.stop(), ("ESP", "UDP 500", "UDP 4500")))
