# SPDX-License-Identifier: ISC
"""A client that knows NAT traversal as draft 00 only, behind NAT: ESP in UDP on port 500, on the kernels that have it;
on the others the log says why not."""

import errno
import socket

from capture import esp_on_500
from concentrator import LOCAL
from lab import SERVER, Failure, wait_for
from persona import Persona
from persona_life import C3_NAT, PINGS, begin, connect, end, ping_both, renew, states

LIMIT = 500
SECONDS = 90
UDP_ENCAP, NON_IKE = 100, 1
QUIET = "add table ip quiet; add chain ip quiet out { type filter hook output priority 0; }; " \
    "add rule ip quiet out icmp type destination-unreachable drop\n"


def has_esp_500(host):
    """Whether this kernel takes ESP on UDP 500."""
    with host.network(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, NON_IKE)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                raise
            return False
    return True


def refused(case):
    """It is told in the log, with the kernel's name."""
    with case.step("natt00 behind NAT: the log says that this kernel can't, and names it") as notes:
        persona = Persona(case.lab.c3, "natt00", "10.0.0.2")
        persona.start_player()
        wait_for("the log to say so", lambda: "which this kernel (Linux " in case.server.logs())
        notes.extend(line for line in case.server.logs().splitlines() if "which this kernel (Linux " in line)
        persona.player.kill()
        case.lab.c3.run("ip", "xfrm", "state", "flush")
        case.lab.c3.run("ip", "xfrm", "policy", "flush")


def new_port(case, persona, row):
    """Its NAT forgets, and gives it another port; the SAs follow."""
    with case.step("the NAT gives natt00 another port: its SAs follow, R stays") as notes:
        # the NAT must not answer what still goes to the old port
        case.lab.nat2.run("nft", "-f", "-", text=QUIET)
        case.lab.masquerade("nat2", "to :3001-4000")
        case.lab.nat2.run("conntrack", "-F")

        def moved():
            persona.host.run("ping", "-c", "1", "-W", "1", LOCAL, check=False)
            return case.server.client(r=row["r"])["peer"] != row["peer"]

        wait_for("the SAs to follow", moved)
        ping_both(case.server, persona, row)
        notes.append(f"{row['peer']}, then {case.server.client(r=row['r'])['peer']}")


def served(case):
    """Its whole life."""
    persona = Persona(case.lab.c3, "natt00", "10.0.0.2")
    with case.step("natt00 connects behind NAT") as notes:
        row = connect(case.server, persona, True)
        notes.append(row["peer"])
    with case.step("natt00 and the concentrator ping each other"):
        ping_both(case.server, persona, row)
    new_port(case, persona, row)
    with case.step("natt00 renews both phases: at most a ping lost each time, R stays") as notes:
        notes.append(renew(case.server, persona, row))
    with case.step("natt00 leaves, and nothing of it stays"):
        persona.stop()
        wait_for("its SAs to go", lambda: not states(case.server, row))
        wait_for("its PPP unit to go", lambda: not case.server.units())


def run(case):
    lab = case.lab
    can = has_esp_500(lab.srv)
    lab.masquerade("nat2", "to :2000-3000")
    capture = begin(case)
    if can:
        served(case)
    else:
        refused(case)
    frames = end(case, capture, ("UDP 500",))
    with case.step("ESP was seen on UDP 500, with its marker, and nothing on 4500") as notes:
        notes.append(f"{esp_on_500(frames, SERVER)} from the server, {esp_on_500(frames, C3_NAT)} to it")
        if can != all(esp_on_500(frames, source) > 2 * PINGS for source in (SERVER, C3_NAT)):
            raise Failure(notes)
