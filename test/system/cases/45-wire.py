# SPDX-License-Identifier: ISC
"""IKE fragments from strongSwan, forced UDP encapsulation and our identity."""

import os

from capture import Capture, check_outside
from concentrator import CONFIGURATION, LOCAL, Concentrator
from lab import Failure
from reference import Client
from traffic import ping

LIMIT = 600
FORCED = CONFIGURATION.replace(
    'listen = {"192.0.2.1"}',
    'listen = {"192.0.2.1"}\n    force-encap = true\n'
    '    local-id = "fqdn:vpn.example.org"',
)
FRAGMENT = 132  # ISAKMP's payload type


def fragments(frames):
    """IKE packets over IPv4 whose first payload is a fragment."""
    found = 0
    for frame in frames:
        packet = frame[14:]
        if frame[12:14] != b"\x08\x00" or packet[9] != 17:
            continue
        data = packet[(packet[0] & 15) * 4 :]
        start = 12 if 4500 in (data[0] << 8 | data[1], data[2] << 8 | data[3]) else 8
        found += len(data) > start + 28 and data[start + 16] == FRAGMENT
    return found


def connects(case, server, name, client, wanted):
    capture = Capture(case.lab, name)
    with case.step(f"{name}: connects") as notes:
        server.connect(client)
        ping(client.host, LOCAL)
        frames = capture.stop()
        notes.append(check_outside(frames, wanted))
    client.hang_up()
    client.stop()
    server.wait_clean(stopped=False, seconds=90)
    return frames


def run(case):
    server = Concentrator(case.lab.srv)
    with case.step("the concentrator starts"):
        server.start()
    client = Client(case.lab.c0)
    client.charon.options = "fragment_size = 200"
    client.ike_options = "fragmentation = yes"
    frames = connects(case, server, "fragments", client, ("UDP 500", "ESP"))
    case.check("strongSwan has sent fragments", fragments(frames) > 2, fragments(frames))
    server.stop()
    server.configure(sallyport__conf=FORCED)
    with case.step("the concentrator starts with force-encap and local-id"):
        server.start()
    client = Client(case.lab.c0)
    frames = connects(case, server, "forced", client, ("UDP 500", "UDP 4500"))
    with case.step("no ESP outside UDP"):
        counts = check_outside(frames)
        if "ESP" in counts:
            raise Failure(counts)
    with open(os.path.join(case.out, "c0-charon.log"), encoding="utf-8") as log:
        case.check("strongSwan was told who we are", "[vpn.example.org]" in log.read(), "not in its log")
    server.stop()
