# SPDX-License-Identifier: ISC
"""The client rekeys both phases three times each under ping: nothing lost, new SPIs and cookies, R unchanged."""

import re
import time

from concentrator import LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import Pinger, esp_states

PINGS = 200


def cookies(client):
    """The cookie pairs of the client's live IKE SAs."""
    text = client.charon.swanctl("--list-sas")
    return set(re.findall(r"([0-9a-f]{16}_i\*? [0-9a-f]{16}_r\*?)", text))


def spis(server):
    return {state["spi"] for state in esp_states(server.host)}


def rekey(client, what, before, now):
    """Order a rekey and wait until something new is there."""
    client.charon.swanctl("--rekey", *what)
    wait_for(f"a rekey {what}", lambda: now() - before)
    time.sleep(2)
    return now()


def rekeys(case, where, host):
    server = case.server
    client = Client(host)
    with case.step(f"a client connects {where}"):
        address = server.connect(client)
        row = server.client(address=address)
    pinger = Pinger(host, LOCAL, 0.1)
    seen_spis, seen_cookies = spis(server), cookies(client)
    for turn in (1, 2, 3):
        with case.step(f"rekey {turn} of phase 2 {where}"):
            seen_spis |= rekey(client, ("--child", "l2tp"), seen_spis, lambda: spis(server))
        with case.step(f"rekey {turn} of phase 1 {where}"):
            seen_cookies |= rekey(client, ("--ike", "sp"), seen_cookies, lambda: cookies(client))
    with case.step(f"no ping was lost {where}") as notes:
        wait_for("enough pings", lambda: pinger.replies() >= PINGS)
        sent, lost = pinger.stop()
        notes.append(f"{lost} of {sent} lost")
        if lost:
            raise Failure(notes[-1])
    with case.step(f"R is unchanged, SPIs and cookies are new {where}") as notes:
        if server.client(address=address)["r"] != row["r"]:
            raise Failure(server.clients())
        notes.append(f"{len(seen_spis)} SPIs, {len(seen_cookies)} cookie pairs")
        if len(seen_spis) < 8 or len(seen_cookies) < 4:
            raise Failure(notes[-1])
        if len(spis(server)) > 6:
            raise Failure(f"{len(spis(server))} SAs are still there")
    client.stop()


def run(case):
    case.server = Concentrator(case.lab.srv)
    with case.step("the concentrator starts"):
        case.server.start()
    rekeys(case, "without NAT", case.lab.c0)
    case.server.wait_clean(stopped=False, seconds=90)
    rekeys(case, "behind NAT", case.lab.c1)
    case.server.stop()
