# SPDX-License-Identifier: ISC
"""A persona's whole life in the test network: connect, ping, renew both phases, leave."""

import time

from capture import Capture, check_outside, ike_fragments
from concentrator import LOCAL, Concentrator
from lab import Failure, wait_for
from persona import Persona
from traffic import Pinger, check_esp_moved, esp_states, ping

PINGS = 10
EPHEMERAL = 56322
C0, ANDROID_C0, C3_NAT = "192.0.2.10", "192.0.2.11", "192.0.2.22"

# What is not said is as the product has it: the profile "compatible".  Android
# knows nothing but group 2, so its addresses have a rule of their own.
CONFIGURATION = f"""
user = "nobody"
ike {{
    listen = {{"192.0.2.1"}}
    dpd = 10
    peer "{ANDROID_C0}" {{
        profile = "legacy"
    }}
    peer "{C3_NAT}" {{
        profile = "legacy"
    }}
}}
l2tp {{
    pool = "10.20.0.10-10.20.0.20"
    local = "{LOCAL}"
    max-clients = 32
}}
"""

# Persona, phase 1, phase 2, port of its L2TP (0: any, and its selector names none).
CLIENTS = {
    "windows10": ("aes128-sha1-ecp256", "aes256-sha1", 1701),
    "ios": ("aes256-sha256-modp2048", "aes256-sha256", EPHEMERAL),
    "android11": ("aes256-sha384-modp1024", "aes256-sha512", 0),
    "chromeos": ("aes128-sha256-modp3072", "aes128gcm16", 1701),
    "networkmanager": ("aes256-sha256-modp2048", "aes256-sha1", 1701),
    "xl2tpd": ("aes128-sha1-modp2048", "aes128-sha1", 1701),
    "routeros": ("aes128-sha1-modp2048", "aes256-sha1-modp1024", 1701),
    "natt00": ("aes128-sha1-modp2048", "aes128-sha1", 1701),
}


ORDERS = (("rekey-child", "child-up"), ("rekey-ike", "ike-up"), ("rekey-child", "child-up"))

# Says nothing when it leaves: the concentrator finds out.
SILENT = ("ios",)


def states(server, row):
    """The SAs of one client."""
    return [state for state in esp_states(server.host) if state["reqid"] & 0x3FFF == row["slot"]]


def connect(server, persona, nat):
    """Connect and check what was chosen; returns its row."""
    ike, esp, _ = CLIENTS[persona.name]
    persona.given = server.connect(persona)
    row = server.client(address=persona.given)
    if row["suite"] != f"{ike}/{esp}" or row["nat"] != nat:
        raise Failure(row)
    return row


def renew(server, persona, row):
    """Both phases, and again IPsec under the new IKE SA, under ping; returns what ping says."""
    pinger = Pinger(persona.host, LOCAL, 0.1)
    for order, news in ORDERS:
        persona.rekey(order, news)
        time.sleep(2)
    sent, lost = pinger.stop()
    if lost > len(ORDERS) or sent < 20 * len(ORDERS) - 10:
        raise Failure(f"{lost} of {sent} lost")
    if server.client(address=persona.given)["r"] != row["r"]:
        raise Failure(server.clients())
    return f"{lost} of {sent} lost"


def ping_both(server, persona, row):
    """Pings both ways, through the client's own SAs."""
    before = states(server, row)
    ping(persona.host, LOCAL, PINGS)
    ping(server.host, persona.given, PINGS)
    check_esp_moved(server.host, before, PINGS)


def play(case, name, host, local, nat):
    """One persona's whole life."""
    server, where = case.server, "behind NAT" if nat else "without NAT"
    persona = Persona(host, name, local, CLIENTS[name][2])
    with case.step(f"{name} connects {where} with its best suite") as notes:
        row = connect(server, persona, nat)
        notes.append(row["suite"])
    with case.step(f"{name} and the concentrator ping each other {where}"):
        ping_both(server, persona, row)
    with case.step(f"{name} renews IPsec, IKE and IPsec SAs {where}: at most a ping lost each time, R stays") as notes:
        notes.append(renew(server, persona, row))
    with case.step(f"{name} leaves {where}, and nothing of it stays"):
        persona.stop()
        if name not in SILENT:
            wait_for("its SAs to go", lambda: not states(server, row))
        wait_for("its PPP unit to go", lambda: not server.units())


def begin(case):
    """The concentrator for them; returns what watches the outside."""
    capture = Capture(case.lab)
    case.server = Concentrator(case.lab.srv, CONFIGURATION)
    with case.step("the concentrator starts"):
        case.server.start()
    return capture


def end(case, capture, kinds):
    """Nobody is left, not even those that said nothing; outside were packets of these kinds, and no others but ARP.
    Returns what was seen there."""
    with case.step("all are forgotten, those that said nothing too"):
        wait_for("no client to be listed", lambda: not case.server.clients(), 120)
        case.server.wait_clean(stopped=False)
    with case.step("the concentrator ends, and nothing is left") as notes:
        notes.append(case.server.stop())
        if notes[0] != [0, 0]:
            raise Failure(f"exit codes {notes[0]}")
        case.server.wait_clean()
    frames = capture.stop()
    with case.step("only ARP, IKE and ESP were seen outside") as notes:
        notes.append(check_outside(frames, kinds))
    return frames


def check_fragments(case, frames, android):
    """Its 20 transforms of Quick Mode are more than android11 sends in one packet."""
    found = ike_fragments(frames, android)
    case.check(f"android11 has sent IKE fragments from {android}", found >= 2, found)
