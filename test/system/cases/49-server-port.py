# SPDX-License-Identifier: ISC
"""A persona whose server comes from another port all at once: the kernel says so (MAPPING), the persona player's SAs
and IKE follow, and the connection stays."""

from capture import Capture, check_outside
from concentrator import Concentrator
from lab import SERVER, Failure, wait_for
from persona import Persona
from persona_life import CONFIGURATION, connect, ping_both, renew, states

OTHER_PORT = 4600
# The client's router turns the server's port; what begins with a packet of the server comes back the same way.
NAT = f"""
table ip moved {{
    chain in {{
        type nat hook prerouting priority dstnat;
        iifname "eth0" ip saddr {SERVER} udp sport 4500 udp dport 4500 dnat to 10.0.0.2:4500
    }}
    chain out {{
        type nat hook postrouting priority srcnat;
        oifname "lan" ip saddr {SERVER} udp sport 4500 snat to {SERVER}:{OTHER_PORT}
    }}
}}
"""


def run(case):
    lab = case.lab
    capture = Capture(lab)
    server = Concentrator(lab.srv, CONFIGURATION)
    persona = Persona(lab.c1, "windows10", "10.0.0.2")
    with case.step("windows10 connects behind NAT"):
        server.start()
        row = connect(server, persona, True)
        ping_both(server, persona, row)
        if persona.said("mapping"):
            raise Failure(persona.said("mapping"))
    with case.step(f"the server comes from port {OTHER_PORT}: the kernel says so, the client's SAs follow") as notes:
        lab.nat1.run("nft", "-f", "-", text=NAT)
        lab.nat1.run("conntrack", "-F")
        lab.srv.run("ping", "-n", "-c", "3", "-i", "0.2", persona.given, check=False)
        notes.append(persona.wait_said("mapping"))

        def moved():
            text = lab.c1.run("ip", "xfrm", "state")
            return f"sport {OTHER_PORT} dport 4500" in text and f"sport 4500 dport {OTHER_PORT}" in text

        wait_for("both directions to have the new port", moved)
    with case.step("both ping each other, and the client renews both phases, as the same R") as notes:
        ping_both(server, persona, row)
        notes.append(renew(server, persona, row))
    with case.step("windows10 leaves, and nothing of it stays"):
        persona.stop()
        wait_for("its SAs to go", lambda: not states(server, row))
        wait_for("its PPP unit to go", lambda: not server.units())
        server.stop()
        server.wait_clean()
    with case.step("only ARP, IKE and ESP were seen outside") as notes:
        notes.append(check_outside(capture.stop(), ("UDP 4500", "UDP 500")))
