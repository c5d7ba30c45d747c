# SPDX-License-Identifier: ISC
"""Two clients behind one NAT, 1701 to 1701, and a third behind another NAT with the first's private address."""

import signal
import time

from capture import Capture, check_outside
from concentrator import LOCAL, Concentrator
from lab import Failure, wait_for
from reference import Client
from traffic import Pinger, check_esp_moved, esp_states, ping

PINGS = 10


def ping_all(server, clients):
    for client in clients:
        ping(client.host, LOCAL, PINGS)
        ping(server.host, client.given, PINGS)


def run(case):
    lab = case.lab
    capture = Capture(lab)
    users = "".join(f"user{n}:$plain$password{n}\n" for n in (1, 2, 3))
    server = Concentrator(lab.srv, users=users)
    clients = [
        Client(lab.hosts[f"c{n}"], user=f"user{n}", password=f"password{n}")
        for n in (1, 2, 3)
    ]
    with case.step("three clients connect") as notes:
        server.start()
        for client in clients:
            client.given = server.connect(client)
            notes.append(client.given)
        if len(set(notes)) != 3:
            raise Failure(f"addresses {notes}")
    with case.step("all three are up at once, each pinged both ways") as notes:
        before = esp_states(server.host)
        ping_all(server, clients)
        rows = server.clients()
        notes.append(sorted((row["r"], row["user"], row["peer"]) for row in rows))
        if len({row["r"] for row in rows}) != 3 or len(rows) != 3:
            raise Failure(rows)
    with case.step("each SA pair carried its own client's packets") as notes:
        if len(before) != 6:
            raise Failure(f"{len(before)} SAs")
        notes.append(check_esp_moved(server.host, before, PINGS))
        reqids = [state["reqid"] for state in before]
        if any(reqids.count(reqid) != 2 for reqid in reqids):
            raise Failure(f"reqids {reqids}")
    with case.step("after nft flush ruleset it recovers without a redial") as notes:
        pinger = Pinger(clients[0].host, LOCAL)
        # nobody loads the table again for a while
        server.l2tpd.popen.send_signal(signal.SIGSTOP)
        server.host.run("nft", "flush", "ruleset")
        time.sleep(2)
        server.l2tpd.popen.send_signal(signal.SIGCONT)
        wait_for(
            "the table to be loaded again",
            lambda: "sallyport" in server.host.run("nft", "list", "tables"),
        )
        replies = pinger.replies()
        wait_for("pings to be answered again", lambda: pinger.replies() > replies + 20)
        notes.append(pinger.stop())
        ping_all(server, clients)
    with case.step("disconnect ends one client and no other") as notes:
        row = server.client(user="user3")
        server.sallyport("disconnect", f"r={row['r']}")
        wait_for("client 3 to be gone", lambda: not lab.c3.find("pppd"))
        wait_for("its row to go", lambda: len(server.clients()) == 2)
        ping_all(server, clients[:2])
    with case.step("with the SAs deleted by hand nothing leaves in clear"):
        pinger = server.host.start("ping", "ping", "-n", "-i", "0.1", clients[1].given)
        row = server.client(user="user2")
        mine = [s for s in esp_states(server.host) if s["reqid"] & 0x3FFF == row["slot"]]
        for state in mine:
            server.host.run(
                "ip", "xfrm", "state", "delete", "src", state["src"],
                "dst", state["dst"], "proto", "esp", "spi", state["spi"],
            )  # fmt: skip
        if len(mine) != 2:
            raise Failure(f"{len(mine)} SAs of slot {row['slot']}")
        time.sleep(3)
        pinger.stop(sig=2)
        ping(clients[0].host, LOCAL, PINGS)
    with case.step("only ARP, IKE and ESP were seen outside") as notes:
        for client in clients:
            client.stop()
        server.stop()
        server.wait_clean()
        notes.append(check_outside(capture.stop(), ("UDP 500", "UDP 4500")))
