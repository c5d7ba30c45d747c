# SPDX-License-Identifier: ISC
"""strongSwan connects with each suite; tshark, given the client's keys, decrypts the capture, Quick Mode included."""

import os
import re

from capture import Capture, check_outside
from concentrator import LOCAL, Concentrator
from lab import Failure
from reference import Client
from traffic import ping

LIMIT = 900
SUITES = (
    ("aes128-sha1-modp2048", "aes128-sha1"),
    ("aes256-sha1-ecp256", "aes256-sha1"),
    ("aes256-sha256-modp2048", "aes256-sha256"),
)
KEY_LOG = "/run/keys.log"
LOG_KEYS = f"filelog {{ keys {{ path = {KEY_LOG}\n default = 0\n ike = 4\n flush_line = yes }} }}"


def key_of(client):
    """The initiator's cookie and the phase 1 encryption key, from the client's own log."""
    with open(client.host.path(KEY_LOG), encoding="utf-8", errors="replace") as log:
        lines = log.read().splitlines()
    start = max(n for n, line in enumerate(lines) if "encryption key Ka" in line)
    length = int(re.search(r"=> (\d+) bytes", lines[start])[1])
    dump = ""
    for line in lines[start + 1 : start + 1 + (length + 15) // 16]:
        dump += re.search(r"\d+: ((?:[0-9A-F]{2} ?){1,16})", line)[1].replace(" ", "")
    sas = client.charon.swanctl("--list-sas")
    return re.search(r"([0-9a-f]{16})_i", sas)[1], dump[: 2 * length]


def decrypt(case, file, cookie, key):
    """What tshark says of the exchanges of a capture."""
    return case.lab.wan.run(
        "tshark", "-n", "-r", file, "-o", f"uat:ikev1_decryption_table:{cookie},{key}",
        "-Y", "isakmp", "-O", "isakmp", seconds=300,
    )  # fmt: skip


def check_decrypted(text, key):
    """Quick Mode's payloads and the identities of Main Mode can be read."""
    frames = re.split(r"^Frame ", text, flags=re.M)
    quick = [f for f in frames if "Exchange type: Quick Mode" in f]
    main = [f for f in frames if "Identity Protection" in f and "Payload: Identification" in f]
    read = [f for f in quick if "Payload: Hash" in f]
    if len(quick) < 3 or len(read) != len(quick) or len(main) < 2:
        raise Failure(f"{len(read)} of {len(quick)} Quick Mode and {len(main)} identity messages, key {len(key) * 4} bit")
    offers = [f for f in read if "Payload: Security Association" in f and "Payload: Nonce" in f]
    if len(offers) < 2:
        raise Failure(f"{len(offers)} Quick Mode messages show an SA")
    return f"{len(main)} messages of Main Mode, {len(quick)} of Quick Mode"


def run(case):
    server = Concentrator(case.lab.srv)
    with case.step("the concentrator starts"):
        server.start()
    for ike, esp in SUITES:
        client = Client(case.lab.c0, proposals=ike, esp=esp)
        client.charon.options = LOG_KEYS
        capture = Capture(case.lab, ike)
        with case.step(f"strongSwan connects with {ike} and {esp}") as notes:
            server.connect(client)
            ping(client.host, LOCAL)
            row = server.clients()[0]
            notes.append(row["suite"])
            if ike not in row["suite"] or esp not in row["suite"]:
                raise Failure(row)
        with case.step(f"tshark decrypts {ike}") as notes:
            cookie, key = key_of(client)
            check_outside(capture.stop())
            notes.append(check_decrypted(decrypt(case, capture.file, cookie, key), key))
        client.hang_up()
        client.stop()
        os.unlink(client.host.path(KEY_LOG))
        server.wait_clean(stopped=False, seconds=90)
    server.stop()
