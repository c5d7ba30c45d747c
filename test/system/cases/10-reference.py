# SPDX-License-Identifier: ISC
"""The test machine itself: a reference client dials a reference server, without NAT
and behind one."""

import socket

from capture import Capture, check_outside
from lab import SERVER, Failure
from reference import Client, Server
from traffic import Pinger, check_esp_moved, esp_states, ping, transfer

PINGS, BYTES = 10, 1 << 20


def dial(case, client, server, where):
    """Dial, ping both ways through PPP and look at the ESP counters."""
    with case.step(f"a client {where} gets an address") as notes:
        address = client.connect()
        notes.append(address)
    before = esp_states(server.host)
    with case.step(f"the client {where} and the server ping each other") as notes:
        pinger = Pinger(client.host, server.local)
        notes.append(ping(server.host, address, PINGS))
        sent, lost = pinger.stop()
        notes.append(f"{sent} sent back, {lost} lost")
        if sent < PINGS // 2 or lost:
            raise Failure(notes[-1])
    with case.step(f"TCP from and to the client {where}") as notes:
        notes.append(transfer(client.host, server.host, server.local, BYTES))
        notes.append(transfer(server.host, client.host, address, BYTES))
    with case.step(f"the traffic of the client {where} went through ESP") as notes:
        notes.append(
            f"{check_esp_moved(server.host, before, PINGS)} packets or more each way"
        )
    with case.step(f"the client {where} hangs up"):
        client.hang_up()
        client.stop()


def find_clear_text(case):
    """One datagram in clear must be found."""
    capture = Capture(case.lab, "clear")
    with case.lab.c0.network(), socket.socket(
        socket.AF_INET, socket.SOCK_DGRAM
    ) as sender:
        sender.sendto(b"in clear", (SERVER, 1701))
    try:
        check_outside(capture.stop())
    except Failure as failure:
        case.check(
            "clear text is found outside", f"{SERVER}:1701" in str(failure), failure
        )
    else:
        case.fail("clear text is found outside", "the capture passed as clean")


def run(case):
    lab = case.lab
    find_clear_text(case)
    capture = Capture(lab)
    server = Server(lab.srv)
    with case.step("the reference server starts"):
        server.start()
    dial(case, Client(lab.c0), server, "without NAT")
    dial(case, Client(lab.c1), server, "behind NAT")
    with case.step("only ARP, IKE and ESP were seen outside") as notes:
        server.stop()
        notes.append(check_outside(capture.stop(), ("ESP", "UDP 500", "UDP 4500")))
