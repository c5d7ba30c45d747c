# SPDX-License-Identifier: ISC
"""Each client of the matrix, played with its own lists and habits: it gets the expected suite, both phases renew
under ping, and it leaves cleanly."""

from persona_life import ANDROID_C0, C0, CLIENTS, begin, check_fragments, end, play

LIMIT = 1200
SECONDS = 200


def run(case):
    host = case.lab.c0
    host.run("ip", "addr", "add", f"{ANDROID_C0}/24", "dev", "eth0")
    capture = begin(case)
    for name in CLIENTS:
        play(case, name, host, ANDROID_C0 if name == "android11" else C0, False)
    check_fragments(case, end(case, capture, ("ESP", "UDP 500")), ANDROID_C0)
