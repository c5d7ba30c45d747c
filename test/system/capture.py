# SPDX-License-Identifier: ISC
"""Captures on the outside, and what may be in them: ARP, neighbour discovery,
IKE and ESP."""

import collections
import os
import shutil
import socket
import struct
import time

from lab import Failure

ETHERNET, PCAP_MAGIC = 1, 0xA1B2C3D4
NEIGHBOUR_DISCOVERY = range(133, 138)
TCP, UDP, ESP, ICMPV6 = 6, 17, 50, 58
FRAGMENT = 132  # the payload type of ISAKMP's
ALLOWED = {"ARP", "neighbour discovery", "UDP 500", "UDP 4500", "ESP"}


class Capture:
    """A running tcpdump on the outside of the test network."""

    def __init__(self, lab, name="wan"):
        # written in memory: packets must not wait for the shared folder
        self.working, self.file = f"/dev/shm/{name}.pcap", os.path.join(
            lab.out, f"{name}.pcap"
        )
        self.process = lab.wan.start(
            f"tcpdump-{name}",
            "tcpdump",
            "-i",
            "br0",
            "-n",
            "-s",
            "0",
            "-U",
            "-Z",
            "root",
            "--immediate-mode",
            "-B",
            "32768",
            "-w",
            self.working,
        )
        lab.at_end.append(self.save)
        self.process.wait_output("listening on")

    def save(self):
        """Move what was written to the logs of the case."""
        if os.path.exists(self.working):
            shutil.move(self.working, self.file)

    def stop(self):
        """End the capture and return its packets."""
        time.sleep(0.3)
        self.process.stop(sig=2)
        self.save()
        if "0 packets dropped by kernel" not in self.process.output():
            raise Failure("the capture has lost packets")
        return packets(self.file)


def packets(file):
    """The frames of a pcap file."""
    with open(file, "rb") as pcap:
        data = pcap.read()
    magic, kind = struct.unpack_from("<I16xI", data)
    if magic != PCAP_MAGIC or kind != ETHERNET:
        raise Failure(f"{file}: not a little-endian capture of Ethernet")
    frames, position = [], 24
    while position + 16 <= len(data):
        (length,) = struct.unpack_from("<8xI", data, position)
        frames.append(data[position + 16 : position + 16 + length])
        position += 16 + length
    return frames


class Classifier:
    """Names the protocol of each frame; later fragments take their first one's name."""

    def __init__(self):
        self.first = {}

    def name(self, frame):
        (kind,) = struct.unpack_from(">H", frame, 12)
        if kind == 0x0806:
            return "ARP"
        if kind == 0x0800:
            return self._ipv4(frame[14:])
        if kind == 0x86DD:
            return self._ipv6(frame[14:])
        return f"Ethernet type {kind:#06x}"

    def _ipv4(self, packet):
        ident, fragment = struct.unpack_from(">HH", packet, 4)
        key = (packet[12:20], packet[9], ident)
        if fragment & 0x1FFF:
            return self.first.get(key, "lost fragment")
        name = upper_layer(packet[9], packet[(packet[0] & 15) * 4 :])
        if fragment & 0x2000:
            self.first[key] = name
        return name

    @staticmethod
    def _ipv6(packet):
        if packet[6] == ICMPV6 and packet[40] in NEIGHBOUR_DISCOVERY:
            return "neighbour discovery"
        return upper_layer(packet[6], packet[40:])


def upper_layer(protocol, data):
    if protocol == ESP:
        return "ESP"
    if protocol == UDP:
        for port in struct.unpack_from(">HH", data):
            if port in (500, 4500):
                return f"UDP {port}"
        return "UDP"
    return {1: "ICMP", 2: "IGMP", TCP: "TCP", ICMPV6: "ICMPv6"}.get(
        protocol, f"IP protocol {protocol}"
    )


def describe(frame):
    """A line about a frame: addresses, ports and its first bytes."""
    if frame[12:14] != b"\x08\x00":
        return frame[:60].hex()
    packet = frame[14:]
    data = packet[(packet[0] & 15) * 4 :]
    ends = [socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])]
    if packet[9] in (TCP, UDP):
        ends = [
            f"{end}:{port}" for end, port in zip(ends, struct.unpack_from(">HH", data))
        ]
    return f"{ends[0]} > {ends[1]} protocol {packet[9]} {data[:40].hex()}"


def ike_fragments(frames, source=None):
    """How many IKE packets over IPv4 have a fragment as first payload; source: an address, or any."""
    found = 0
    for frame in frames:
        packet = frame[14:]
        if frame[12:14] != b"\x08\x00" or packet[9] != 17:
            continue
        if source and socket.inet_ntoa(packet[12:16]) != source:
            continue
        data = packet[(packet[0] & 15) * 4 :]
        start = 12 if 4500 in (data[0] << 8 | data[1], data[2] << 8 | data[3]) else 8
        found += len(data) > start + 28 and data[start + 16] == FRAGMENT
    return found


def esp_on_500(frames, source):
    """How many UDP packets from an address, with port 500 at either end, are ESP as NAT traversal's drafts 00 and 01
    mark it: eight zero bytes in front."""
    found = 0
    for frame in frames:
        packet = frame[14:]
        if frame[12:14] != b"\x08\x00" or packet[9] != UDP or socket.inet_ntoa(packet[12:16]) != source:
            continue
        data = packet[(packet[0] & 15) * 4 :]
        found += 500 in struct.unpack_from(">HH", data) and data[8:16] == bytes(8) and len(data) > 32
    return found


def check_outside(frames, wanted=()):
    """Return the count by protocol as text; fail when there is any other packet or a
    wanted protocol is missing."""
    classifier, counts, others = Classifier(), collections.Counter(), []
    for frame in frames:
        name = classifier.name(frame)
        counts[name] += 1
        if name not in ALLOWED:
            others.append(f"{name}: {describe(frame)}")
    text = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    if others:
        raise Failure(f"{text}; not allowed:\n  " + "\n  ".join(others[:50]))
    for name in wanted:
        if not counts[name]:
            raise Failure(f"no {name} in the capture: {text}")
    return text
