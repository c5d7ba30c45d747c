# SPDX-License-Identifier: ISC
"""A hostile /etc/ppp/options: the client gets our settings all the same, or l2tpd does not start and says why."""

import os

from capture import Capture, check_outside
from concentrator import LOCAL, Concentrator
from lab import Failure
from reference import Client
from traffic import ping

HOSTILE = """
noauth
debug
proxyarp
defaultroute
ms-dns 6.6.6.6
ms-wins 6.6.6.7
mru 200
mtu 300
logfile /tmp/hostile.log
record /tmp/hostile.record
require-pap
login
idle 1
maxconnect 2
demand
persist
+ipv6
10.66.66.1:10.66.66.2
connect "touch /tmp/hostile.connect"
init "touch /tmp/hostile.init"
"""


def refused(case, server, line, word):
    """l2tpd does not start with that line, and `sallyport check` names it."""
    server.host.write("/etc/ppp/options", f"auth\n{line}\n")
    done = server.host.run(
        server.program("l2tpd"), "-c", "/etc/sallyport/sallyport.conf", check=False
    )
    case.check(
        f"with `{line}` l2tpd ends with 3",
        done.returncode == 3 and f"/etc/ppp/options:2: {word}" in done.stderr,
        f"{done.returncode}: {done.stderr}",
    )
    found = server.sallyport("check", check=False).stdout
    case.check(
        f"sallyport check finds `{line}`",
        f"/etc/ppp/options:2: {word}" in found,
        found,
    )


def run(case):
    lab = case.lab
    server = Concentrator(lab.srv)
    refused(case, server, "plugin /tmp/x.so", "plugin")
    refused(case, server, "unit 3", "unit")
    refused(case, server, "dryrun", "dryrun")
    server.host.write("/etc/ppp/options", HOSTILE)
    capture = Capture(lab)
    client, wrong = Client(lab.c0), Client(lab.c1, password="guess")
    with case.step("hostile options: a client connects and gets our settings") as notes:
        server.start()
        given = server.connect(client)
        notes.append(given)
        row = server.client(address=given)
        link = server.host.run("ip", "-o", "link", "show", row["interface"])
        said = client.pppd_log()
        if "mtu 1400" not in link or not given.startswith("10.20.0."):
            raise Failure(f"{given}: {link}")
        if "6.6.6." in said or "10.66.66" in said:
            raise Failure(said)
        asked = [text for text in said.splitlines() if "rcvd [LCP ConfReq" in text]
        notes.append(asked[0])
        if "<mru 1400>" not in asked[0] or "<auth chap MS-v2>" not in asked[0]:
            raise Failure(asked)
    with case.step("hostile options: pings go both ways, for longer than idle and maxconnect"):
        ping(client.host, LOCAL)
        ping(server.host, given)
        ping(client.host, LOCAL)
    with case.step("hostile options: nothing of them is done"):
        left = [
            name
            for name in ("record", "connect", "init")
            if os.path.exists(server.host.path(f"/tmp/hostile.{name}"))
        ]
        routes = server.host.run("ip", "route")
        proxies = server.host.run("ip", "neigh", "show", "proxy")
        units = server.host.run("ip", "-6", "addr", "show", "dev", row["interface"])
        if left or f"default dev {row['interface']}" in routes or proxies.strip():
            raise Failure(f"{left} {routes} {proxies}")
        if "inet6" in units:
            raise Failure(units)
    with case.step("hostile options: a wrong password is refused"):
        try:
            wrong.connect(20)
        except Failure:
            pass
        else:
            raise Failure("noauth let it in")
        if len([r for r in server.clients() if r.get("address")]) != 1:
            raise Failure(server.clients())
        wrong.stop()
    with case.step("hostile options: a clean end, and nothing in clear") as notes:
        client.stop()
        if server.stop() != [0, 0]:
            raise Failure("exit codes")
        server.wait_clean()
        notes.append(check_outside(capture.stop(), ("ESP",)))
