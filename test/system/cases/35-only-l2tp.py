# SPDX-License-Identifier: ISC
"""A client's SA carries L2TP and nothing else: what else comes through it is dropped, not answered in clear."""

import re
import socket

from capture import Capture, check_outside
from concentrator import Concentrator
from lab import SERVER, Failure
from reference import Client
from traffic import esp_states


def widen(client):
    """Make the client's outbound SA take any protocol, as a hostile client would; it was not used yet."""
    host = client.host
    state = next(s for s in esp_states(host) if s["dst"] == SERVER)
    auth = re.search(r"auth-trunc (\S+) (0x\w+) .*?(\d+)$", state["text"], re.M)
    enc = re.search(r"enc (\S+) (0x\w+)", state["text"])
    name = ("src", state["src"], "dst", SERVER, "proto", "esp", "spi", state["spi"])
    host.run("ip", "xfrm", "state", "delete", *name)
    host.run(
        "ip", "xfrm", "state", "add", *name, "reqid", "77", "mode", "transport",
        "auth-trunc", auth[1], auth[2], auth[3], "enc", enc[1], enc[2],
    )  # fmt: skip
    for protocol in ("icmp", "tcp", "udp"):
        host.run(
            "ip", "xfrm", "policy", "add", "src", state["src"], "dst", SERVER,
            "proto", protocol, "dir", "out", "priority", "1",
            "tmpl", "proto", "esp", "reqid", "77", "mode", "transport",
        )  # fmt: skip


def knock(client):
    """ICMP echo, TCP, UDP to a closed port and to the client's own private port."""
    client.host.run("ping", "-n", "-c", "3", "-W", "1", SERVER, check=False)
    with client.host.network():
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with tcp, udp:
        tcp.settimeout(2)
        try:
            tcp.connect((SERVER, 22))
            raise Failure("TCP was answered")
        except ConnectionRefusedError:
            raise Failure("TCP was answered with a reset") from None
        except socket.timeout:
            pass
        for port in (9, 16385):
            udp.sendto(b"not L2TP", (SERVER, port))


def run(case):
    server = Concentrator(case.lab.srv)
    client = Client(case.lab.c0)
    with case.step("a client has its SAs"):
        server.start()
        client.ipsec()
    capture = Capture(case.lab)
    with case.step("what is not L2TP goes through the SA and is not answered") as notes:
        widen(client)
        knock(client)
        inbound = next(s for s in esp_states(server.host) if s["dst"] == SERVER)
        notes.append(f"{inbound['packets']} packets arrived")
        if inbound["packets"] < 6:
            raise Failure(notes[-1])
    with case.step("nothing but ESP and IKE was seen outside") as notes:
        notes.append(check_outside(capture.stop(), ("ESP",)))
        client.stop()
        server.stop()
