# SPDX-License-Identifier: ISC
"""IKE fragments from strongSwan, forced UDP encapsulation and our identity; IPv6 ends with a reason, not in clear."""

import os

from capture import Capture, check_outside, ike_fragments
from concentrator import CONFIGURATION, LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import ping

LIMIT = 600
FORCED = CONFIGURATION.replace(
    'listen = {"192.0.2.1"}',
    'listen = {"192.0.2.1"}\n    force-encap = true\n'
    '    local-id = "fqdn:vpn.example.org"',
)
WITH_IPV6 = CONFIGURATION.replace('{"192.0.2.1"}', '{"0.0.0.0", "::"}')
SERVER6, CLIENT6 = "2001:db8::1", "2001:db8::10"


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


def ipv6(case, server):
    """A client over IPv6 has its Main Mode; what comes then is refused with a reason."""
    for host, address in ((case.lab.srv, SERVER6), (case.lab.c0, CLIENT6)):
        host.sysctl(ipv6__conf__eth0__disable_ipv6=0)
        host.run("ip", "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
    server.configure(sallyport__conf=WITH_IPV6)
    with case.step("the concentrator starts on every address of both families"):
        server.start()
    client = Client(case.lab.c0, server=SERVER6)
    with case.step("IPv6: an IKE SA, then refused with the reason") as notes:
        client.start_ike()
        if client.initiate(20).returncode == 0:
            raise Failure("IPsec came up")

        def said():
            text = server.ikev1d.output().splitlines()
            return [line for line in text if "over IPv6 is not served yet" in line]

        notes.append(wait_for("the log to say why", said)[-1])
        if f"[{CLIENT6}]:500 ({CLIENT6}): IKE SA established" not in server.ikev1d.output():
            raise Failure("no IKE SA over IPv6")
    client.stop()
    server.wait_clean(stopped=False, seconds=90)
    with case.step("IPv4 beside it: connects"):
        client = Client(case.lab.c0)
        server.connect(client)
        ping(client.host, LOCAL)
    client.hang_up()
    client.stop()
    server.stop()


def run(case):
    server = Concentrator(case.lab.srv)
    with case.step("the concentrator starts"):
        server.start()
    client = Client(case.lab.c0)
    client.charon.options = "fragment_size = 200"
    client.ike_options = "fragmentation = yes"
    frames = connects(case, server, "fragments", client, ("UDP 500", "ESP"))
    case.check("strongSwan has sent fragments", ike_fragments(frames) > 2, ike_fragments(frames))
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
    ipv6(case, server)
