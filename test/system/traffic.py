# SPDX-License-Identifier: ISC
"""Traffic through the test network: pings, transfers, and ESP counters."""

import hashlib
import os
import re
import signal
import socket
import threading

from lab import Failure

SILENCE = 3  # seconds after which a reply no longer counts as on its way


def ping(host, address, count=10, interval=0.1, size=56):
    """Ping and return ping's summary line; fail when a reply is missing."""
    done = host.run(
        "ping",
        "-n",
        "-q",
        "-c",
        str(count),
        "-i",
        str(interval),
        "-s",
        str(size),
        "-W",
        "10",
        address,
        check=False,
    )
    summary = next(
        (line for line in done.stdout.splitlines() if "packets transmitted" in line),
        done.stderr.strip(),
    )
    if " 0% packet loss" not in summary:
        raise Failure(f"{host.name} pings {address}: {summary}")
    return summary


class Pinger:
    """A ping that runs while something else is tested."""

    def __init__(self, host, address, interval=0.1):
        self.host, self.address, self.interval = host, address, interval
        self.process = host.start(
            f"ping-{address}", "ping", "-n", "-O", "-i", str(interval), address
        )
        self.process.wait_output("bytes from")

    def replies(self):
        """How many replies came so far."""
        return self.process.output().count(" bytes from ")

    def stop(self):
        """End it; return the numbers sent and lost. What was on its way at the end
        counts as neither, unless the last reply is seconds old."""
        self.process.stop(sig=signal.SIGINT)
        output = self.process.output()
        replied = {
            int(number) for number in re.findall(r"from .* icmp_seq=(\d+) ttl", output)
        }
        summary = re.search(r"(\d+) packets transmitted", output)
        if not summary or not replied:
            raise Failure(f"{self.host.name}: ping {self.address} gave no summary")
        sent, last = int(summary[1]), max(replied)
        if (sent - last) * self.interval < SILENCE:
            sent = last
        return sent, sent - len(replied)


def transfer(sender, receiver, address, size, port=5001, seconds=120):
    """Send that many random bytes over TCP to the receiver's address; fail unless they
    arrive intact."""
    with receiver.network():
        listener = socket.create_server((address, port))
    with sender.network():
        source = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    data = os.urandom(size)

    def send():
        with source:
            source.connect((address, port))
            source.sendall(data)

    for end in (listener, source):
        end.settimeout(seconds)
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    digest, count = hashlib.sha256(), 0
    try:
        with listener, listener.accept()[0] as sink:
            sink.settimeout(seconds)
            while chunk := sink.recv(65536):
                digest.update(chunk)
                count += len(chunk)
    except OSError as error:
        raise Failure(
            f"TCP from {sender.name} to {receiver.name}: {error} after {count} bytes"
        ) from None
    thread.join(seconds)
    if digest.digest() != hashlib.sha256(data).digest():
        raise Failure(
            f"TCP from {sender.name} to {receiver.name}: {count} of {size} bytes, "
            "or not intact"
        )
    return f"{count} bytes over TCP"


def esp_states(host):
    """The host's ESP SAs, each as a dictionary."""
    states = []
    for block in re.split(
        r"^(?=src )", host.run("ip", "-s", "xfrm", "state"), flags=re.M
    ):
        head = re.search(
            r"src (\S+) dst (\S+)\s+proto esp spi (0x\w+)\S*\s+"
            r"reqid (\d+)\S* mode (\w+)",
            block,
        )
        counts = re.search(
            r"lifetime current:\s+(\d+)\(bytes\), (\d+)\(packets\)", block
        )
        if head and counts:
            states.append(
                {
                    "src": head[1],
                    "dst": head[2],
                    "spi": head[3],
                    "reqid": int(head[4]),
                    "mode": head[5],
                    "bytes": int(counts[1]),
                    "packets": int(counts[2]),
                    "text": block,
                }
            )
    return states


def check_esp_moved(host, before, least=1):
    """Fail unless each SA that was there before carried at least that many more
    packets; return the least."""
    now = {state["spi"]: state["packets"] for state in esp_states(host)}
    moved = [now.get(state["spi"], 0) - state["packets"] for state in before]
    if not moved or min(moved) < least:
        raise Failure(f"{host.name}: packets through each ESP SA: {moved}")
    return min(moved)
