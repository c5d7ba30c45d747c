# SPDX-License-Identifier: ISC
"""A persona whose kernel ends its IPsec SAs soon renews them by itself, as the real client does."""

import time

from lab import Failure
from persona import Persona
from persona_life import C0, LOCAL, Pinger, begin, connect

LIMIT = 300
SECONDS = 110
LIFE = 80  # it renews after 64 s; the concentrator would after 70


def run(case):
    capture = begin(case)
    server = case.server
    persona = Persona(case.lab.c0, "routeros", C0, esp_life=LIFE)
    with case.step("routeros connects"):
        row = connect(server, persona, False)
    with case.step(f"it renews its IPsec SAs before {LIFE} s are over, without an order: at most a ping lost") as notes:
        pinger = Pinger(persona.host, LOCAL, 0.1)
        persona.wait_said("child-up", 2, LIFE)
        time.sleep(2)
        sent, lost = pinger.stop()
        notes.append(f"{lost} of {sent} lost")
        if lost > 1 or sent < 100:
            raise Failure(notes[0])
    case.check("its kernel has told it", len(persona.said("soft-expire")) >= 1, persona.player.output()[-600:])
    clients = server.clients()
    case.check("R stays", [client["r"] for client in clients] == [row["r"]], clients)
    with case.step("it leaves, and the concentrator ends"):
        persona.stop()
        server.stop()
        server.wait_clean()
    capture.stop()
