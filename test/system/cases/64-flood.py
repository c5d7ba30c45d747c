# SPDX-License-Identifier: ISC
"""100,000 first messages from forged addresses: memory stays flat, and 95 of 100 honest clients get in meanwhile."""

import os
import random
import re
import socket
import struct
import threading
import time

from concentrator import CONFIGURATION, Concentrator
from lab import SERVER, Failure, wait_for
from swarm import Swarm

LIMIT = 500
SECONDS = 100
FORGED = 100_000
RATE = 2000  # a second; the emulated machine can't make many more
CLIENTS, WANTED = 100, 95
GROWTH_KB = 4096  # what the engine may grow by, clients included

# one transform: AES-128, SHA-1, PSK, modp2048, 28800 s
TRANSFORM = bytes.fromhex(
    "00000028 0101 0000 8001 0007 800e 0080 8002 0002 8003 0001 8004 000e 800b 0001 000c 0004 00007080"
)
PROPOSAL = struct.pack(">BBHBBBB", 0, 0, 8 + len(TRANSFORM), 1, 1, 0, 1) + TRANSFORM
SA = struct.pack(">BBHII", 0, 0, 12 + len(PROPOSAL), 1, 1) + PROPOSAL


def message_1(rng):
    """An IKEv1 Main Mode message 1 with a cookie by chance, in IP and UDP from an address by chance."""
    isakmp = rng.randbytes(8) + bytes(8) + struct.pack(">BBBBII", 1, 0x10, 2, 0, 0, 28 + len(SA)) + SA
    udp = struct.pack(">HHHH", rng.randrange(1024, 65536), 500, 8 + len(isakmp), 0) + isakmp
    source = bytes((rng.choice((5, 31, 62, 80, 93, 151, 178, 203)), *rng.randbytes(3)))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    return ip + source + socket.inet_aton(SERVER) + udp


class Flood(threading.Thread):
    """Sends the forged messages from a host, at most RATE a second."""

    def __init__(self, host):
        super().__init__(daemon=True)
        with host.network():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.sent, self.seconds = 0, 0.0

    def run(self):
        rng = random.Random(3)
        start = time.monotonic()
        while self.sent < FORGED:
            ahead = self.sent / RATE - (time.monotonic() - start)
            if ahead > 0.02:
                time.sleep(ahead)
            try:
                self.socket.sendto(message_1(rng), (SERVER, 0))
            except OSError:  # a full queue
                continue
            self.sent += 1
        self.seconds = time.monotonic() - start
        self.socket.close()


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1])


def run(case):
    lab = case.lab
    server = Concentrator(lab.srv, CONFIGURATION.replace("max-clients = 32", "max-clients = 200"))
    with case.step("the concentrator starts"):
        # answers to forged addresses go somewhere, as on the internet
        lab.srv.run("ip", "route", "add", "default", "via", "192.0.2.21")
        lab.nat1.run("ip", "route", "add", "blackhole", "default")
        server.start()
    engine = server.engine(server.ikev1d)
    before = resident_kb(engine)
    flood = Flood(lab.nat2)
    swarm = Swarm(lab.c0, CLIENTS)
    with case.step(f"{WANTED} of {CLIENTS} honest clients get in under the flood") as notes:
        flood.start()
        wait_for("the flood to begin", lambda: flood.sent > 2000)
        swarm.start()
        up = swarm.wait_up(WANTED, 150)
        notes.append(f"{up} of {CLIENTS} up, {flood.sent} forged messages so far")
        if up < WANTED:
            raise Failure(f"only {up} of {CLIENTS} are up")
    with case.step(f"{FORGED} forged first messages leave memory flat") as notes:
        flood.join(200)
        if flood.sent < FORGED:
            raise Failure(f"only {flood.sent} were sent")
        if server.engine(server.ikev1d) != engine:
            raise Failure("the engine was started again")
        after = resident_kb(engine)
        notes.append(f"engine {before} kB before, {after} kB after, {FORGED / flood.seconds:.0f} a second")
        if after - before > GROWTH_KB:
            raise Failure(f"{before} kB grew to {after} kB")
    with case.step("the clients leave, and nothing is left"):
        swarm.stop()
        server.wait_clean(stopped=False, seconds=90)
        if server.stop() != [0, 0]:
            raise Failure("exit codes")
        server.wait_clean()
