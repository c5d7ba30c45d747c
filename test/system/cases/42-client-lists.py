# SPDX-License-Identifier: ISC
"""strongSwan with each client's exact lists: the suite that the profile's ranking says, both phases rekeyed under
ping, a clean end."""

import re
import time

from concentrator import CONFIGURATION, LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import Pinger, esp_states

LIMIT = 900
SECONDS = 100

# The default profile for all but one address, which has Android's.
PROFILES = CONFIGURATION.replace(
    CONFIGURATION[CONFIGURATION.index("    proposals") : CONFIGURATION.index("    dpd")],
    '    peer "192.0.2.21" {\n        profile = "legacy"\n    }\n',
)

# Who, its phase 1 and phase 2 lists in order, where it dials from, the suites that must come of it.
CLIENTS = (
    (
        "Windows 10 and 11",
        "aes256-sha1-ecp384 aes128-sha1-ecp256 aes256-sha1-modp2048 3des-sha1-modp2048 3des-sha1-modp1024",
        "aes256-sha1 aes128-sha1 3des-sha1",
        "c0",
        ("aes128-sha1-ecp256", "aes256-sha1"),
    ),
    (
        "macOS and iOS",
        "aes256-sha256-modp2048 aes256-sha1-modp2048 aes256-md5-modp2048 aes256-sha512-modp2048 "
        "aes256-sha256-modp1536 aes256-sha1-modp1536 aes256-md5-modp1536 aes256-sha256-modp1024 "
        "aes256-sha1-modp1024 aes256-md5-modp1024 aes128-sha1-modp1024 aes128-md5-modp1024 "
        "3des-sha1-modp1024 3des-md5-modp1024",
        "aes256-sha256 aes256-sha1 aes256-md5 aes128-sha256 aes128-sha1 aes128-md5 3des-sha256 3des-sha1 3des-md5",
        "c0",
        ("aes256-sha256-modp2048", "aes256-sha256"),
    ),
    (
        "Android 7, behind NAT",
        "aes256-sha384-modp1024 aes256-sha256-modp1024 aes256-sha512-modp1024 aes256-sha1-modp1024 "
        "aes256-md5-modp1024 aes128-sha512-modp1024 aes128-sha384-modp1024 aes128-sha256-modp1024 "
        "aes128-sha1-modp1024 aes128-md5-modp1024 3des-sha256-modp1024 3des-sha1-modp1024 3des-md5-modp1024",
        "aes256-sha512 aes256-sha384 aes256-sha1 aes256-sha256 aes256-md5 aes128-sha512 aes128-sha384 aes128-sha1 "
        "aes128-sha256 aes128-md5 3des-sha512 3des-sha384 3des-sha1 3des-sha256 3des-md5",
        "c1",
        ("aes256-sha384-modp1024", "aes256-sha512"),
    ),
    (
        "ChromeOS",
        "aes128-sha256-modp3072 aes128-sha1-modp2048 3des-sha1-modp1536 3des-sha1-modp1024",
        "aes128gcm16 aes128-sha256 aes128-sha1 3des-sha1 3des-md5",
        "c0",
        ("aes128-sha256-modp3072", "aes128gcm16"),
    ),
    (
        "NetworkManager",
        "aes256-sha256-modp2048 aes256-sha256-modp1536 aes256-sha256-modp1024 aes256-sha1-modp2048 "
        "aes256-sha1-modp1536 aes256-sha1-modp1024 aes256-sha1-ecp384 aes128-sha1-modp1024 aes128-sha1-ecp256 "
        "3des-sha1-modp2048 3des-sha1-modp1024",
        "aes256-sha1 aes128-sha1 3des-sha1",
        "c0",
        ("aes256-sha256-modp2048", "aes256-sha1"),
    ),
    (
        "RouterOS with PFS modp1024",
        "aes128-sha1-modp2048 aes128-sha1-modp1024 3des-sha1-modp2048 3des-sha1-modp1024",
        "aes256-sha1-modp1024 aes192-sha1-modp1024 aes128-sha1-modp1024",
        "c0",
        ("aes128-sha1-modp2048", "aes256-sha1-modp1024"),
    ),
    (
        "a router with 3DES alone",
        "3des-sha1-modp2048",
        "3des-sha1",
        "c0",
        ("3des-sha1-modp2048", "3des-sha1"),
    ),
    ("Linux with xl2tpd", "aes128-sha1-modp2048", "aes128-sha1", "c0", ("aes128-sha1-modp2048", "aes128-sha1")),
)


def spis(server, _client):
    return {state["spi"] for state in esp_states(server.host)}


def cookies(_server, client):
    return set(re.findall(r"([0-9a-f]{16}_i\*? [0-9a-f]{16}_r\*?)", client.charon.swanctl("--list-sas")))


def rekey(client, server, what, now):
    """Order a rekey, wait for what is new, and let the old go."""
    before = now(server, client)
    client.charon.swanctl("--rekey", *what)
    wait_for(f"what is new after a rekey {what}", lambda: now(server, client) - before)
    time.sleep(2)


def one(case, server, who, lists, host, expected):
    client = Client(host, proposals=lists[0].replace(" ", ","), esp=lists[1].replace(" ", ","))
    with case.step(f"{who} connects with {expected[0]} and {expected[1]}"):
        address = server.connect(client)
        row = server.client(address=address)
        if row["suite"] != "/".join(expected):
            raise Failure(f"the suite is {row['suite']}")
    with case.step(f"{who}: both phases rekeyed, at most one ping lost each time") as notes:
        pinger = Pinger(host, LOCAL, 0.1)
        rekey(client, server, ("--child", "l2tp"), spis)
        rekey(client, server, ("--ike", "sp"), cookies)
        sent, lost = pinger.stop()
        notes.append(f"{lost} of {sent} lost")
        if lost > 2 or sent < 20:
            raise Failure(notes[-1])
        if server.client(address=address)["r"] != row["r"]:
            raise Failure("R changed")
    with case.step(f"{who} leaves, and nothing is left"):
        client.hang_up()
        client.stop()
        server.wait_clean(stopped=False, seconds=90)


def run(case):
    server = Concentrator(case.lab.srv, PROFILES)
    with case.step("the concentrator starts"):
        server.start()
    for who, ike, esp, host, expected in CLIENTS:
        one(case, server, who, (ike, esp), getattr(case.lab, host), expected)
    server.stop()
