# SPDX-License-Identifier: ISC
"""l2tpd by itself: SAs with static keys, and this file in ikev1d's place."""

import os
import select
import signal
import socket
import struct
import time

from lab import OUTSIDE, SERVER, Failure, wait_for
from product import Product
from reference import PASSWORD, USER, Client

MARK = 0x53000000
R, SLOT, OUR_END = 1001, 7, "10.20.0.1"
UP, READY, REFUSED, UPDATE, DOWN, GONE, CLOSE, LIST_END = range(1, 9)
CONFIGURATION = f"""
user = "nobody"
ike {{ listen = {{"{SERVER}"}} }}
l2tp {{
    pool = "10.20.0.10-10.20.0.50"
    local = "{OUR_END}"
    hello = 30
    max-clients = 50
}}
"""


def address(text, port):
    return struct.pack(">B4sH", 4, socket.inet_aton(text), port)


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


class Ike:
    """Speaks common/peer_link.h as ikev1d does."""

    def __init__(self, host):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = host.path("/run/sallyport/peer.sock")
        wait_for("peer.sock to be there", lambda: os.path.exists(path))
        self.socket.connect(path)
        self.heard = []

    def receive(self, seconds):
        """The next message, or nothing; a datagram may hold several (common/chan.h)."""
        if not self.heard and select.select([self.socket], [], [], seconds)[0]:
            data = self.socket.recv(65536)
            if data[:2] != b"\xff\xff":
                self.heard = [data]
            else:
                data = data[2:]
                while data:
                    length = struct.unpack_from(">H", data)[0]
                    self.heard.append(data[2 : 2 + length])
                    data = data[2 + length :]
        return self.heard.pop(0) if self.heard else b""

    def send(self, kind, body):
        self.socket.send(struct.pack(">HHI", 1, kind, 0) + body)

    def up(self, r, slot, peer):
        outer = address(SERVER, 500) + address(peer, 500)
        words = text(peer) + text("static keys")
        self.send(UP, struct.pack(">QI", r, slot) + outer + b"\0\0" + words)

    def down(self, r, slot):
        self.send(DOWN, struct.pack(">QI", r, slot) + text("the test ends it"))

    def list_end(self, count):
        self.send(LIST_END, struct.pack(">I", count))

    def expect(self, kind, r=0, seconds=20):
        """The next message must be of this type, about this R."""
        data = self.receive(seconds)
        if len(data) < 12:
            raise Failure(f"l2tpd said nothing instead of message {kind}")
        got = struct.unpack_from(">H", data, 2)[0]
        about = 0 if got == LIST_END else struct.unpack_from(">Q", data, 8)[0]
        if (got, about) != (kind, r):
            raise Failure(f"l2tpd said {got} of R {about}, not {kind} of R {r}")


def add_sa(host, ends, spi, key, *more):
    host.run(
        *"ip xfrm state add src".split(),
        ends[0],
        "dst",
        ends[1],
        *f"proto esp spi {spi} mode transport replay-window 32".split(),
        "enc",
        "cbc(aes)",
        "0x" + key * 16,
        "auth-trunc",
        "hmac(sha1)",
        "0x" + key * 20,
        "96",
        *more,
    )


def key_up(lab, client, there, slot):
    """SAs at both ends as two IKE daemons make them."""
    to_us, to_them, mark = (there, SERVER), (SERVER, there), str(MARK | slot)
    add_sa(lab.srv, to_us, 0x1000, "1a", "reqid", mark, "output-mark", mark)
    add_sa(lab.srv, to_them, 0x2000, "2b", "reqid", mark)
    add_sa(client, to_us, 0x1000, "1a", "reqid", "7")
    add_sa(client, to_them, 0x2000, "2b", "reqid", "7")
    for direction, ends in (("out", to_us), ("in", to_them)):
        client.run(
            *f"ip xfrm policy add src {ends[0]} dst {ends[1]} proto udp".split(),
            *f"dir {direction} tmpl proto esp mode transport reqid 7".split(),
        )


def ping(host, target, count=5):
    host.run("ping", "-c", str(count), "-i", "0.2", "-W", "5", target)


def is_there(host, target):
    done = host.run("ping", "-c", "1", "-W", "1", target, check=False)
    return done.returncode == 0


def left(server):
    """What l2tpd might have left in the server."""
    found = server.find("l2tpd") + server.find("l2tpd-engine") + server.find("pppd")
    found += [n for n in server.run("nft", "list", "tables").split() if "sally" in n]
    links = server.run("ip", "-o", "link").splitlines()
    found += [link for link in links if link.split()[1].startswith("sp")]
    found += server.run("ip", "l2tp", "show", "tunnel").splitlines()
    return found


def kill_engine(case, product, ike):
    """The session outlives the engine; the next one goes on with it."""
    lab = case.lab
    old = lab.srv.find("l2tpd-engine")
    os.kill(old[0], signal.SIGKILL)
    ping(lab.c0, OUR_END, 10)
    ike.socket.close()
    wait_for("a new engine", lambda: lab.srv.find("l2tpd-engine") not in ([], old))
    ike = Ike(lab.srv)
    ike.expect(READY, R)
    ike.expect(LIST_END)
    ike.up(R, SLOT, OUTSIDE["c0"])
    ike.list_end(1)
    ike.expect(READY, R)
    shown = product.sallyport("show")
    if "held" in shown or USER not in shown:
        raise Failure(shown)
    ping(lab.c0, OUR_END)
    return ike


def run(case):
    lab = case.lab
    product = Product(lab.srv)
    secret = PASSWORD.replace(" ", "%20")
    product.configure(
        sallyport__conf=CONFIGURATION, users=f"{USER}:$plain${secret}\n"
    )
    with case.step("l2tpd starts and tells its list"):
        product.start_l2tpd()
        ike = Ike(lab.srv)
        ike.list_end(0)
        ike.expect(LIST_END)
    with case.step("a second one is refused"):
        second = lab.srv.start(
            "second", product.program("l2tpd"), "-c", "/etc/sallyport/sallyport.conf"
        )
        if second.wait() != 5:
            raise Failure(second.output())
    client = Client(lab.c0)
    with case.step("a client gets an address") as notes:
        ike.up(R, SLOT, OUTSIDE["c0"])
        ike.expect(READY, R)
        key_up(lab, lab.c0, OUTSIDE["c0"], SLOT)
        client.dial()
        given = client.wait_address()
        notes.append(given)
    with case.step("pings both ways"):
        wait_for("a first ping", lambda: is_there(lab.c0, OUR_END))
        ping(lab.c0, OUR_END)
        ping(lab.srv, given)
    with case.step("nft flush ruleset heals"):
        lab.srv.run("nft", "flush", "ruleset")
        wait_for("the table", lambda: "sally" in lab.srv.run("nft", "list", "tables"))
        ping(lab.c0, OUR_END)
    with case.step("kill -9 of the engine costs nobody a session"):
        ike = kill_engine(case, product, ike)
    with case.step("the end of R takes everything of it along"):
        for spi, dst in ((0x1000, SERVER), (0x2000, OUTSIDE["c0"])):
            lab.srv.run(*f"ip xfrm state del dst {dst} proto esp spi {spi}".split())
        ike.down(R, SLOT)
        ike.expect(GONE, R)
        wait_for("pppd to end", lambda: not lab.srv.find("pppd"))
    with case.step("SIGTERM leaves nothing behind") as notes:
        begin = time.monotonic()
        code = product.l2tpd.stop()
        notes.append(f"{time.monotonic() - begin:.1f} s")
        if code or left(lab.srv):
            raise Failure(f"exit code {code}, left: {left(lab.srv)}")
