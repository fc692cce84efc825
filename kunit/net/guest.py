# SPDX-License-Identifier: GPL-2.0
"""What the scenarios of packet injection stand on: namespaces and devices, packets of both
families, and a port of /dev/fwps_net (kunit/net/net.h)."""
import collections
import contextlib
import ctypes
import mmap
import os
import select
import socket
import struct
import subprocess
import time

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
DELETE_MODULE = 176
FINIT_MODULE = 313

# An EtherType for local experiments.
LOCAL = 0x88B5
ETH = {4: 0x0800, 6: 0x86DD}
BROADCAST = b"\xff" * 6

L2, NETWORK, STREAM = 0x10, 0x04, 0x01
STATUS = {
    "SUCCESS": 0,
    "RESOURCES": 0xC000009A,
    "DATA_NOT_ACCEPTED": 0xC000021B,
    "INVALID_LENGTH": 0xC0010014,
    "FAILURE": 0xC0000001,
    "TCPIP_NOT_READY": 0xC0220100,
    "HANDLE_CLOSING": 0xC0220101,
    "INVALID_HANDLE": 0xC0000008,
    "INTERFACE_NOT_FOUND": 0xC023002B,
    "NETWORK_UNREACHABLE": 0xC000023C,
    "HOST_UNREACHABLE": 0xC000023D,
    "CONNECTION_ABORTED": 0xC0000241,
    "SEND_ABORTED": 0xC023000C,
}
NAME = {value: name for name, value in STATUS.items()}


class Wrong(Exception):
    """What a scenario sees and must not."""


def check(true, text):
    if not true:
        raise Wrong(text)


def equal(is_, must_be, what):
    check(is_ == must_be, f"{what}: {is_}, not {must_be}")


def module(call, *args):
    """0, or a negative error number."""
    return -ctypes.get_errno() if libc.syscall(call, *args) < 0 else 0


def rmmod(name, flags=os.O_NONBLOCK):
    return module(DELETE_MODULE, name.encode(), flags)


def insmod(path, parameters):
    fd = os.open(path, os.O_RDONLY)
    try:
        return module(FINIT_MODULE, fd, parameters.encode(), 0)
    finally:
        os.close(fd)


# ---- namespaces ----

HOME = os.open("/proc/self/ns/net", os.O_RDONLY)


@contextlib.contextmanager
def within(ns):
    """Of the calling thread, and of what it starts."""
    if ns:
        libc.setns(ns.fd, CLONE_NEWNET)
    try:
        yield
    finally:
        if ns:
            libc.setns(HOME, CLONE_NEWNET)


def sysctl(name, value):
    with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
        file.write(str(value))


def settle_ipv6():
    """Addresses are there at once, and stay when a link goes down."""
    for conf in ("default", "all"):
        sysctl(f"ipv6/conf/{conf}/accept_dad", 0)
        sysctl(f"ipv6/conf/{conf}/keep_addr_on_down", 1)
        sysctl(f"ipv6/conf/{conf}/router_solicitations", 0)


class Namespace:
    def __init__(self):
        libc.unshare(CLONE_NEWNET)
        self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
        settle_ipv6()
        libc.setns(HOME, CLONE_NEWNET)

    @property
    def path(self):
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    def close(self):
        os.close(self.fd)


# ---- the machine's tools ----

def tools_of(unpacked):
    """Packages that are unpacked there come before the machine's own."""
    os.environ["PATH"] = f"{unpacked}/usr/sbin:{unpacked}/sbin:{unpacked}/bin:/usr/sbin:/sbin:/usr/bin:/bin"
    os.environ["LD_LIBRARY_PATH"] = f"{unpacked}/usr/lib/x86_64-linux-gnu:{unpacked}/lib/x86_64-linux-gnu"


def tool(args, ns=None, text=None):
    with within(ns):
        done = subprocess.run(args, input=text, text=True, capture_output=True, check=False)
    if done.returncode:
        raise Wrong(f"{' '.join(args)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def ip(commands, ns=None):
    """Each line of it."""
    tool(["ip", "-batch", "-"], ns, "\n".join(line.strip() for line in commands.strip().splitlines()))


def nft(commands):
    return tool(["nft", "-f", "-"], text=commands)


@contextlib.contextmanager
def netem(dev, what, ns=None):
    tool(["tc", "qdisc", "add", "dev", dev, "root", "netem", *what.split()], ns)
    try:
        yield
    finally:
        tool(["tc", "qdisc", "del", "dev", dev, "root"], ns)


def index(dev):
    return socket.if_nametoindex(dev)


@contextlib.contextmanager
def down(dev):
    ip(f"link set {dev} down")
    try:
        yield
    finally:
        ip(f"link set {dev} up")


def received_by(dev, ns=None):
    """Packets, as the device has counted them."""
    with within(ns), open("/proc/net/dev", encoding="ascii") as text:
        for line in text:
            name, _, counts = line.partition(":")
            if name.strip() == dev:
                return int(counts.split()[1])
    raise Wrong(f"there is no {dev}")


# ---- packets ----

def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


Family = collections.namedtuple("Family", "version af here there nobody nowhere far link_there")
V4 = Family(4, socket.AF_INET, "192.0.2.1", "192.0.2.2", "192.0.2.99", "203.0.113.1", "198.51.100.2", None)
V6 = Family(6, socket.AF_INET6, "2001:db8::1", "2001:db8::2", "2001:db8::99", "2001:db8:f::1",
            "2001:db8:1::2", "fe80::ff:fe00:2")


def ip_packet(family, source, to, payload, protocol=socket.IPPROTO_UDP, flags=0, ttl=64):
    source, to = (socket.inet_pton(family.af, a) for a in (source, to))
    if family.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, ttl) + source + to + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, flags, ttl, protocol, 0) + source + to
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp_packet(family, source, to, port, data, **more):
    """A UDP packet whose checksums are right."""
    length = 8 + len(data)
    udp = struct.pack("!HHHH", port + 1, port, length, 0) + data
    pseudo = b"".join(socket.inet_pton(family.af, a) for a in (source, to)) + struct.pack("!II", length, 17)
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp) or 0xFFFF) + data
    return ip_packet(family, source, to, udp, **more)


def frame(to, source, kind, payload):
    return to + source + struct.pack("!H", kind) + payload


def pattern(number, length):
    """Bytes that tell one packet from another."""
    return struct.pack("!I", number) + bytes((number * 31 + i) & 0xFF for i in range(length - 4))


class Sniffer:
    """An AF_PACKET socket that keeps what it hears of LOCAL, or of another type."""

    def __init__(self, dev, ns=None, kind=LOCAL):
        with within(ns):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind))
            self.socket.bind((dev, kind))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.settimeout(5)

    def heard(self):
        """Everything that is there now."""
        frames = []
        while select.select([self.socket], [], [], 0)[0]:
            frames.append(self.socket.recv(65536))
        return frames

    def close(self):
        self.socket.close()


class RingSniffer:
    """One whose frames the kernel writes into memory that it shares with us (PACKET_RX_RING)."""
    FRAMES = 64
    SIZE = 2048

    def __init__(self, dev, kind):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind))
        block = 4096
        self.socket.setsockopt(socket.SOL_PACKET if hasattr(socket, "SOL_PACKET") else 263, 5,
                               struct.pack("IIII", block, self.FRAMES * self.SIZE // block, self.SIZE, self.FRAMES))
        self.socket.bind((dev, kind))
        self.ring = mmap.mmap(self.socket.fileno(), self.FRAMES * self.SIZE)

    def heard(self):
        frames = []
        for at in range(0, self.FRAMES * self.SIZE, self.SIZE):
            status, _, length, start = struct.unpack_from("LIIH", self.ring, at)
            if status & 1:
                frames.append(self.ring[at + start:at + start + length])
        return frames

    def close(self):
        self.ring.close()
        self.socket.close()


# ---- a port ----

Vsc = collections.namedtuple("Vsc", "left outstanding most messages answers lost frames dropped lost_frames "
                             "received answered injected completed bad")
Books = collections.namedtuple("Books", "status wrong accepted completed inflight most by_status vsc")

(HANDLE, MAC_RECEIVE, MAC_SEND, NETWORK_RECEIVE, NETWORK_SEND, STREAM_SEND, FLOW_OPEN, FLOW_CLOSE, DESTROY,
 VSC_OPEN, VSC_SEND, VSC_PAUSE, VSC_START, VSC_RESCIND, VSC_OFFER, VSC_CLOSE, VSC_WAIT,
 VSC_PLAIN) = range(18)


class Port:
    ORDER = struct.Struct("=5I")
    BOOKS = struct.Struct("=2I4Q16I14Q")

    def __init__(self, family):
        self.fd = os.open("/dev/fwps_net", os.O_RDWR)
        equal(self.order(HANDLE, L2 | NETWORK | STREAM, family.af), "SUCCESS", "a handle")

    def order(self, what, arg=0, index=0, packets=(), of_list=1, repeat=1, data=b""):
        """What became of it, by name."""
        text = b"".join([self.ORDER.pack(what, arg, index, of_list, repeat), data] +
                        [struct.pack("=I", len(p)) + p for p in packets])
        os.write(self.fd, text)
        status = self.books().status
        return NAME.get(status, hex(status))

    def books(self):
        b = self.BOOKS.unpack(os.read(self.fd, self.BOOKS.size))
        by_status = {NAME.get(b[i], hex(b[i])): b[i + 1] for i in range(6, 22, 2) if b[i + 1]}
        return Books(*b[:6], by_status, Vsc(*b[22:]))

    def mac_receive(self, dev, packets, **more):
        return self.order(MAC_RECEIVE, index=index(dev), packets=packets, **more)

    def mac_send(self, dev, packets, **more):
        return self.order(MAC_SEND, index=index(dev), packets=packets, **more)

    def network_receive(self, dev, packet, **more):
        return self.order(NETWORK_RECEIVE, index=index(dev), packets=[packet], **more)

    def network_send(self, packet, **more):
        return self.order(NETWORK_SEND, packets=[packet], **more)

    def idle(self, seconds=30):
        """Nothing is in flight any more."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        end = now() + seconds
        # lists that come back wake it, but nothing else does that ends with them
        while not poll.poll(100):
            if now() > end:
                raise Wrong(f"still in flight after {seconds} s: {self.books()}")
        return self.books()

    def expect(self, **by_status):
        """So many completions came, by status, and nothing is in flight."""
        books = self.idle()
        equal(books.by_status, by_status, "completions")
        return books

    def balance(self):
        """The end of the handle, behind which nothing comes."""
        books = self.books()
        status = self.order(DESTROY)
        check(status in ("SUCCESS", "INVALID_HANDLE"), f"the handle's end: {status}")
        after = self.books()
        equal(after.inflight, 0, "in flight")
        equal(after.accepted, after.completed, "accepted and completed")
        equal(sum(after.by_status.values()), after.completed, "statuses")
        equal(after.wrong, 0, "wrong completions")
        equal(books.accepted, after.accepted, "accepted")

    def close(self):
        os.close(self.fd)


def now():
    return time.monotonic()
