# SPDX-License-Identifier: GPL-2.0
"""Packet injection among network namespaces, for scripts/fwps-net.sh: runs in a guest, prints KTAP.

usage: scenarios.py TOOLS     (TOOLS: where the packages with ip, tc and nft are unpacked)

    here   v0 --veth-- p0   peer        v0 is 192.0.2.1, 2001:db8::1; p0 is .2 and ::2
           br0 with b0..b3 --veth-- e0..e3   wing      br0 is 198.51.100.1, 2001:db8:1::1; e1 .2, ::2

Every scenario has a port of its own (guest.Port), whose books have to balance in the end: each list
that was accepted came back once, in softirq, with a status, and none after the handle's end.
"""
import errno
import os
import random
import socket
import struct
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from guest import (BROADCAST, ETH, LOCAL, NETWORK_RECEIVE, NETWORK_SEND, MAC_SEND, STREAM_SEND, FLOW_OPEN,
                   FLOW_CLOSE, DESTROY, Namespace, Port, RingSniffer, Sniffer, V4, V6, Wrong, check, down, equal, frame,
                   index, insmod, ip, ip_packet, mac, netem, nft, now, pattern, received_by, rmmod, settle_ipv6,
                   sysctl, tools_of, udp_packet, within)

HERE, THERE = mac("02:00:00:00:00:01"), mac("02:00:00:00:00:02")
FAR = [mac(f"02:00:00:00:02:0{i}") for i in range(4)]
PORT = 4000

scenarios = []


def scenario(*families):
    def add(function):
        for family in families:
            scenarios.append((function, family))
        return function
    return add


class Net:
    """The devices, which all scenarios share, and what one of them opens."""

    def __init__(self):
        settle_ipv6()
        self.peer, self.wing = Namespace(), Namespace()
        self.open = []
        self.port = None
        ip(f"""link set lo up
               link add v0 address 02:00:00:00:00:01 type veth peer name p0 address 02:00:00:00:00:02
               link set p0 netns {self.peer.path}
               addr add 192.0.2.1/24 dev v0
               addr add 2001:db8::1/64 dev v0 nodad
               link set v0 up
               link add br0 address 02:00:00:00:01:00 type bridge
               addr add 198.51.100.1/24 dev br0
               addr add 2001:db8:1::1/64 dev br0 nodad
               link set br0 up""" + "".join(f"""
               link add b{i} type veth peer name e{i} address 02:00:00:00:02:0{i}
               link set e{i} netns {self.wing.path}
               link set b{i} master br0
               link set b{i} up""" for i in range(4)))
        ip("""link set lo up
              addr add 192.0.2.2/24 dev p0
              addr add 2001:db8::2/64 dev p0 nodad
              link set p0 up""", self.peer)
        ip("""addr add 198.51.100.2/24 dev e1
              addr add 2001:db8:1::2/64 dev e1 nodad""" + "".join(f"""
              link set e{i} up""" for i in range(4)), self.wing)
        time.sleep(1)

    def begin(self, family):
        self.port = self.keep(Port(family))

    def end(self):
        for thing in reversed(self.open):
            thing.close()
        self.open = []

    def keep(self, thing):
        self.open.append(thing)
        return thing

    def listen(self, family, address, ns=None, port=PORT, kind=socket.SOCK_DGRAM):
        with within(ns):
            listener = self.keep(socket.socket(family.af, kind))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            listener.bind((address, port))
        listener.settimeout(10)
        return listener

    def sniff(self, dev, ns=None, kind=LOCAL):
        return self.keep(Sniffer(dev, ns, kind))


def data(number):
    return pattern(number, 20 + number * 61 % 1200)


def heard(sock, count, what=data):
    """The socket has these packets, in this order, and no more."""
    for i in range(count):
        equal(sock.recv(65536), what(i), f"packet {i}")
    nothing(sock)


def nothing(sock):
    sock.setblocking(False)
    try:
        sock.recv(65536)
    except BlockingIOError:
        sock.settimeout(10)
        return
    raise Wrong("a packet that must not be there")


def to_here(f, number):
    """A frame from the peer for a socket of ours."""
    return frame(HERE, THERE, ETH[f.version], udp_packet(f, f.there, f.here, PORT, data(number)))


def to_there(f, number):
    return frame(THERE, HERE, ETH[f.version], udp_packet(f, f.here, f.there, PORT, data(number)))


def local(number, to=THERE):
    return frame(to, HERE, LOCAL, data(number))


# ---- where packets arrive ----

@scenario(V4, V6)
def frames_received_reach_a_socket(net, f):
    sock = net.listen(f, f.here)
    equal(net.port.mac_receive("v0", [to_here(f, i) for i in range(20)]), "SUCCESS", "received")
    net.port.expect(SUCCESS=20)
    # only now: what the lists described is overwritten
    heard(sock, 20)


@scenario(V4, V6)
def packets_received_reach_a_socket(net, f):
    sock = net.listen(f, f.here)
    for i in range(10):
        packet = udp_packet(f, f.there, f.here, PORT, data(i))
        equal(net.port.network_receive("v0", packet), "SUCCESS", "received")
    net.port.expect(SUCCESS=10)
    heard(sock, 10)


@scenario(V4, V6)
def packets_of_one_list_arrive_and_complete_it_once(net, f):
    sock = net.listen(f, f.here)
    equal(net.port.mac_receive("v0", [to_here(f, i) for i in range(20)], of_list=5), "SUCCESS", "received")
    net.port.expect(SUCCESS=4)
    heard(sock, 20)
    sock = net.listen(f, f.there, net.peer)
    equal(net.port.mac_send("v0", [to_there(f, i) for i in range(20)], of_list=20), "SUCCESS", "sent")
    net.port.expect(SUCCESS=5)
    heard(sock, 20)


@scenario(V4, V6)
def frames_sent_reach_a_socket_in_another_namespace(net, f):
    sock = net.listen(f, f.there, net.peer)
    equal(net.port.mac_send("v0", [to_there(f, i) for i in range(20)]), "SUCCESS", "sent")
    net.port.expect(SUCCESS=20)
    heard(sock, 20)


@scenario(V4, V6)
def packets_sent_find_their_neighbour(net, f):
    sock = net.listen(f, f.there, net.peer)
    ip("neigh flush all")
    for i in range(3):
        packet = udp_packet(f, f.here, f.there, PORT, data(i))
        equal(net.port.network_send(packet), "SUCCESS", "sent")
    net.port.expect(SUCCESS=3)
    heard(sock, 3)


@scenario(V4, V6)
def packets_sent_to_nobody_are_success(net, f):
    for i in range(5):
        packet = udp_packet(f, f.here, f.nobody, PORT, data(i))
        equal(net.port.network_send(packet), "SUCCESS", "sent")
    time.sleep(5)
    net.port.expect(SUCCESS=5)


@scenario(V4, V6)
def packets_sent_to_this_machine_arrive(net, f):
    sock = net.listen(f, f.here)
    equal(net.port.network_send(udp_packet(f, f.here, f.here, PORT, data(0))), "SUCCESS", "sent")
    net.port.expect(SUCCESS=1)
    heard(sock, 1)


@scenario(V4, V6)
def packets_received_are_forwarded(net, f):
    sock = net.listen(f, f.far, net.wing)
    forwarding = "ipv4/ip_forward" if f is V4 else "ipv6/conf/all/forwarding"
    sysctl(forwarding, 1)
    try:
        packets = [udp_packet(f, f.there, f.far, PORT, data(i)) for i in range(6)]
        frames = [frame(HERE, THERE, ETH[f.version], packet) for packet in packets[:3]]
        equal(net.port.mac_receive("v0", frames), "SUCCESS", "frames")
        for packet in packets[3:]:
            equal(net.port.network_receive("v0", packet), "SUCCESS", "a packet")
        net.port.expect(SUCCESS=6)
        heard(sock, 6)
    finally:
        sysctl(forwarding, 0)


@scenario(V6)
def addresses_of_a_link_are_those_of_the_sources(net, f):
    with within(net.peer):
        sock = net.keep(socket.socket(f.af, socket.SOCK_DGRAM))
        sock.bind((f.link_there, PORT, 0, index("p0")))
    sock.settimeout(10)
    packet = udp_packet(f, "fe80::ff:fe00:1", f.link_there, PORT, data(0))
    equal(net.port.network_send(packet), "SUCCESS", "sent")
    net.port.expect(SUCCESS=1)
    heard(sock, 1)


@scenario(V4, V6)
def what_is_too_long_is_cut_and_put_together(net, f):
    sock = net.listen(f, f.there, net.peer)
    payload = pattern(7, 5000)
    equal(net.port.network_send(udp_packet(f, f.here, f.there, PORT, payload)), "SUCCESS", "sent")
    net.port.expect(SUCCESS=1)
    heard(sock, 1, lambda i: payload)


@scenario(V4)
def what_may_not_be_cut_is_not_sent(net, f):
    packet = udp_packet(f, f.here, f.there, PORT, pattern(7, 5000), flags=0x4000)
    equal(net.port.network_send(packet), "SUCCESS", "sent")
    net.port.expect(INVALID_LENGTH=1)


# ---- routes and filters ----

@scenario(V4, V6)
def without_a_route_nothing_is_sent(net, f):
    packet = udp_packet(f, f.here, f.nowhere, PORT, data(0))
    equal(net.port.network_send(packet), "NETWORK_UNREACHABLE", "no route")
    for kind, status in (("unreachable", "HOST_UNREACHABLE"), ("prohibit", "NETWORK_UNREACHABLE"),
                         ("blackhole", "NETWORK_UNREACHABLE")):
        ip(f"route add {kind} {f.nowhere}")
        try:
            equal(net.port.network_send(packet), status, f"a route that is {kind}")
        finally:
            ip(f"route del {kind} {f.nowhere}")
    equal(net.port.books().accepted, 0, "accepted")


TABLE = """table inet fwps {{
        chain filter {{
                type filter hook {hook} priority filter; policy accept;
                udp dport 4000 counter drop
        }}
}}
"""


def filtered(hook):
    nft(TABLE.format(hook=hook))


def counted():
    """Packets that the rule has dropped."""
    text = nft("list table inet fwps")
    return int(text.split("packets ")[1].split()[0])


def no_filter():
    nft("delete table inet fwps")


@scenario(V4, V6)
def what_a_filter_drops_of_the_sent_is_not_accepted(net, f):
    sock = net.listen(f, f.there, net.peer)
    filtered("output")
    try:
        for i in range(3):
            equal(net.port.network_send(udp_packet(f, f.here, f.there, PORT, data(i))), "SUCCESS", "sent")
        net.port.expect(DATA_NOT_ACCEPTED=3)
        equal(counted(), 3, "filtered")
    finally:
        no_filter()
    equal(net.port.network_send(udp_packet(f, f.here, f.there, PORT, data(0))), "SUCCESS", "sent")
    net.port.expect(DATA_NOT_ACCEPTED=3, SUCCESS=1)
    heard(sock, 1)


@scenario(V4, V6)
def what_a_filter_drops_of_the_received_is_success(net, f):
    sock = net.listen(f, f.here)
    filtered("input")
    try:
        equal(net.port.mac_receive("v0", [to_here(f, i) for i in range(3)]), "SUCCESS", "received")
        net.port.expect(SUCCESS=3)
        equal(counted(), 3, "filtered")
    finally:
        no_filter()
    nothing(sock)


# ---- queues ----

@scenario(V4, V6)
def a_delay_is_waited_for(net, f):
    sock = net.listen(f, f.there, net.peer)
    net.port.network_send(udp_packet(f, f.here, f.there, PORT, data(0)))
    net.port.idle()
    sock.recv(65536)
    with netem("v0", "delay 300ms"):
        began = now()
        equal(net.port.mac_send("v0", [to_there(f, i) for i in range(2)]), "SUCCESS", "sent")
        equal(net.port.network_send(udp_packet(f, f.here, f.there, PORT, data(2))), "SUCCESS", "sent")
        time.sleep(.25)
        equal(net.port.books().inflight, 3, "in flight")
        nothing(sock)
        net.port.expect(SUCCESS=4)
        check(now() - began >= .299, "that was early")
    heard(sock, 3)


@scenario(V4, V6)
def what_a_queue_doubles_is_completed_once(net, f):
    sock = net.listen(f, f.there, net.peer)
    with netem("v0", "delay 10ms duplicate 100%"):
        equal(net.port.mac_send("v0", [to_there(f, i) for i in range(5)]), "SUCCESS", "sent")
        net.port.expect(SUCCESS=5)
        heard_twice = sorted(sock.recv(65536) for _ in range(10))
    equal(heard_twice, sorted(data(i // 2) for i in range(10)), "packets")
    nothing(sock)


@scenario(V4, V6)
def what_a_queue_loses_is_success(net, f):
    sock = net.listen(f, f.there, net.peer)
    with netem("v0", "loss 100%"):
        equal(net.port.mac_send("v0", [to_there(f, i) for i in range(5)]), "SUCCESS", "sent")
        net.port.expect(SUCCESS=5)
    nothing(sock)


@scenario(V4, V6)
def what_a_queue_has_no_room_for_is_no_success(net, f):
    sock = net.listen(f, f.there, net.peer)
    net.port.network_send(udp_packet(f, f.here, f.there, PORT, data(0)))
    net.port.idle()
    sock.recv(65536)
    with netem("v0", "limit 10 delay 50ms"):
        equal(net.port.mac_send("v0", [to_there(f, i) for i in range(30)]), "SUCCESS", "sent")
        net.port.expect(SUCCESS=11, RESOURCES=20)
        heard(sock, 10)
        equal(net.port.network_send(udp_packet(f, f.here, f.there, PORT, data(0)), repeat=30), "SUCCESS", "sent")
        net.port.expect(SUCCESS=21, RESOURCES=40)
        heard(sock, 10, lambda i: data(0))


@scenario(V4, V6)
def everything_a_queue_can_do_at_once(net, f):
    with netem("v0", "limit 100 delay 20ms 15ms loss 10% duplicate 10% corrupt 20% reorder 25% 50%"):
        for i in range(20):
            equal(net.port.mac_send("v0", [to_there(f, i) for i in range(20)]), "SUCCESS", "sent")
            time.sleep(.01)
        books = net.port.idle()
    equal(books.completed, 400, "completions")


@scenario(V4)
def the_backlog_drops_what_is_too_much_and_says_so(net, f):
    sock = net.listen(f, f.here)
    sysctl("core/netdev_max_backlog", 64)
    try:
        equal(net.port.mac_receive("v0", [to_here(f, 0)], repeat=500), "SUCCESS", "received")
        net.port.expect(SUCCESS=65, RESOURCES=435)
    finally:
        sysctl("core/netdev_max_backlog", 1000)
    heard(sock, 65, lambda i: data(0))


# ---- bridges ----

def expect_frames(sniffer, count):
    frames = [raw[14:] for raw in sniffer.heard()]
    equal(frames, [data(i) for i in range(count)], "frames")


def learn(net, i):
    """The bridge learns where an address is, and floods no more for that."""
    with within(net.wing), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((f"e{i}", LOCAL))
        sender.send(frame(BROADCAST, FAR[i], LOCAL, data(0)))
    time.sleep(.01)


@scenario(V4)
def a_bridge_floods_what_is_completed_once(net, f):
    sniffers = [net.sniff(f"e{i}", net.wing) for i in range(4)]
    for to in BROADCAST, mac("02:00:00:00:09:09"):
        equal(net.port.mac_receive("b0", [local(i, to) for i in range(10)]), "SUCCESS", "received")
        net.port.idle()
        for sniffer in sniffers[1:]:
            expect_frames(sniffer, 10)
        # where it came from
        expect_frames(sniffers[0], 0)
    net.port.expect(SUCCESS=20)
    equal(net.port.mac_send("br0", [local(i, BROADCAST) for i in range(10)]), "SUCCESS", "sent")
    net.port.expect(SUCCESS=30)
    for sniffer in sniffers:
        expect_frames(sniffer, 10)


@scenario(V4)
def a_bridge_port_that_holds_a_frame_holds_its_list(net, f):
    sniffers = [net.sniff(f"e{i}", net.wing) for i in range(4)]
    learn(net, 2)
    for sniffer in sniffers:
        sniffer.heard()
    with netem("b2", "delay 300ms"):
        equal(net.port.mac_receive("b0", [local(i, FAR[2]) for i in range(10)]), "SUCCESS", "received")
        time.sleep(.25)
        equal(net.port.books().inflight, 10, "in flight")
        net.port.expect(SUCCESS=10)
    expect_frames(sniffers[2], 10)
    expect_frames(sniffers[1], 0)


# ---- who looks on ----

@scenario(V4, V6)
def sniffers_and_sockets_that_do_not_read_delay_nothing(net, f):
    sock = net.listen(f, f.here)
    sniffers = [net.sniff("v0", kind=3), net.sniff("v0", kind=3), net.sniff("p0", net.peer, kind=3)]
    ring = net.keep(RingSniffer("v0", 3))
    frames = [to_here(f, i) for i in range(5)]
    others = [to_there(f, i) for i in range(5)]
    equal(net.port.mac_receive("v0", frames), "SUCCESS", "received")
    equal(net.port.mac_send("v0", others), "SUCCESS", "sent")
    net.port.expect(SUCCESS=10)
    # what the lists described is overwritten by now
    heard(sock, 5)
    for sniffer in sniffers[:2] + [ring]:
        seen = sniffer.heard()
        for i in range(5):
            check(frames[i] in seen, f"a sniffer has not heard what was received: {i} of {len(seen)}")
            check(others[i] in seen, f"a sniffer has not heard what was sent: {i} of {len(seen)}")
    seen = sniffers[2].heard()
    for other in others:
        check(other in seen, "the peer's sniffer has not heard all")


@scenario(V4)
def a_sniffer_on_a_queue_that_waits_sees_each_frame_once(net, f):
    sniffer = net.sniff("v0", kind=3)
    with netem("v0", "delay 50ms"):
        equal(net.port.mac_send("v0", [local(i) for i in range(20)]), "SUCCESS", "sent")
        equal(net.port.books().inflight, 20, "in flight")
        net.port.expect(SUCCESS=20)
    equal([raw[14:] for raw in sniffer.heard() if raw[12:14] == b"\x88\xb5"], [data(i) for i in range(20)], "frames")


# ---- what goes away ----

@scenario(V4, V6)
def a_link_that_goes_down_completes_what_it_holds(net, f):
    sock = net.listen(f, f.there, net.peer)
    frames = [to_there(f, i) for i in range(50)]
    with netem("v0", "delay 100s"):
        equal(net.port.mac_send("v0", frames), "SUCCESS", "sent")
        equal(net.port.books().inflight, 50, "in flight")
        began = now()
        with down("v0"):
            net.port.expect(SUCCESS=50)
            check(now() - began < 30, "that was late")
            equal(net.port.mac_send("v0", frames), "TCPIP_NOT_READY", "sent")
            equal(net.port.mac_receive("v0", frames), "TCPIP_NOT_READY", "received")
            packet = udp_packet(f, f.there, f.here, PORT, data(0))
            equal(net.port.network_receive("v0", packet), "TCPIP_NOT_READY", "received")
            packet = udp_packet(f, f.here, f.there, PORT, data(0))
            equal(net.port.network_send(packet), "NETWORK_UNREACHABLE", "sent")
    nothing(sock)
    equal(net.port.mac_send("v0", frames[:5]), "SUCCESS", "sent")
    net.port.expect(SUCCESS=55)
    heard(sock, 5)


@scenario(V4)
def a_device_that_is_deleted_completes_what_it_holds(net, f):
    ip("""link add x0 type veth peer name x1
          link set x0 up
          link set x1 up""")
    gone = index("x0")
    try:
        with netem("x0", "delay 100s"):
            equal(net.port.mac_send("x0", [local(i) for i in range(50)]), "SUCCESS", "sent")
            equal(net.port.mac_receive("x0", [local(0)], repeat=50), "SUCCESS", "received")
            check(net.port.books().inflight >= 50, "nothing is in flight")
            ip("link del x0")
            net.port.expect(SUCCESS=100)
    except Wrong as wrong:
        # the queue's end, which has gone with the device
        if "x0" not in str(wrong) or "qdisc del" not in str(wrong):
            raise
    equal(net.port.order(MAC_SEND, index=gone, packets=[local(0)]), "INTERFACE_NOT_FOUND", "sent")
    net.port.expect(SUCCESS=100)


@scenario(V4)
def a_namespace_that_ends_completes_what_is_on_its_way_there(net, f):
    ns = Namespace()
    ip(f"""link add x0 type veth peer name x1
           link set x1 netns {ns.path}
           link set x0 up""")
    ip("link set x1 up", ns)
    try:
        with netem("x0", "delay 100s"):
            equal(net.port.mac_send("x0", [local(i) for i in range(50)]), "SUCCESS", "sent")
            equal(net.port.books().inflight, 50, "in flight")
            ns.close()
            net.port.expect(SUCCESS=50)
    except Wrong as wrong:
        if "x0" not in str(wrong) or "qdisc del" not in str(wrong):
            raise
    check(not os.path.exists("/sys/class/net/x0"), "x0 is still there")


@scenario(V4, V6)
def the_end_of_a_handle_waits_and_lets_nothing_in(net, f):
    with netem("v0", "delay 300ms"):
        equal(net.port.mac_send("v0", [to_there(f, i) for i in range(5)]), "SUCCESS", "sent")
        began = now()
        end = threading.Thread(target=net.port.order, args=(DESTROY,))
        end.start()
        while (status := net.port.mac_send("v0", [to_there(f, 5)])) != "HANDLE_CLOSING":
            equal(status, "SUCCESS", "sent before the end")
            time.sleep(.001)
        check(end.is_alive(), "the handle has ended before its last list")
        end.join()
        check(now() - began >= .29, "that was early")
        equal(net.port.books().inflight, 0, "in flight")
        equal(net.port.mac_send("v0", [to_there(f, 5)]), "INVALID_HANDLE", "sent after the end")


@scenario(V4)
def modules_stay_while_lists_are_in_flight(net, f):
    with netem("v0", "delay 300ms"):
        equal(net.port.mac_send("v0", [local(0)], repeat=1000), "SUCCESS", "sent")
        check(net.port.books().inflight, "nothing is in flight")
        for name in "fwps", "fwps_net", "kmcl":
            equal(rmmod(name), -errno.EAGAIN, f"rmmod {name}")
        # the end of the file is that of the handle
        began = now()
        net.open.remove(net.port)
        net.port.close()
        check(now() - began >= .2, "that was early")
    net.begin(f)


@scenario(V4)
def a_network_vsc_is_unloaded_behind_its_last_frame(net, f):
    learn(net, 1)
    sniffer = net.sniff("e1", net.wing)
    before = received_by("e1", net.wing)
    with netem("b1", "limit 10000 delay 300ms"):
        equal(insmod("/run/guest/netvsc_rx.ko", "ifname=b0 address=02:00:00:00:02:01 frames=1000 per_message=16"), 0, "insmod")
        time.sleep(.1)
        began = now()
        equal(rmmod("netvsc_rx", 0), 0, "rmmod")
        check(now() - began >= .15, "frames were in flight")
        # what four messages carry
        equal(received_by("e1", net.wing) - before, 64, "frames")
    equal(len(sniffer.heard()), 64, "frames heard")


# ---- TCP ----

SEND = 0x00010000
LAYER_STREAM = {4: 5, 6: 6}


def connect(net, f):
    """Ours, and the peer's."""
    listener = net.listen(f, f.there, net.peer, kind=socket.SOCK_STREAM)
    listener.listen(1)
    ours = net.keep(socket.create_connection((f.there, PORT), 10))
    theirs = net.keep(listener.accept()[0])
    theirs.settimeout(300)
    equal(net.port.order(FLOW_OPEN, index=ours.fileno()), "SUCCESS", "a flow")
    return ours, theirs


def stream(net, f, pieces):
    return net.port.order(STREAM_SEND, SEND, LAYER_STREAM[f.version], packets=pieces)


def expect_bytes(sock, all_of_it):
    got = bytearray()
    while len(got) < len(all_of_it):
        more = sock.recv(65536)
        check(more, f"the connection ended after {len(got)} bytes")
        got += more
    check(got == all_of_it, "other bytes than were sent")


@scenario(V4, V6)
def a_stream_arrives_through_a_link_that_loses_and_reorders(net, f):
    ours, theirs = connect(net, f)
    pieces = [random.Random(i).randbytes(1 + i * 397 % 9000) for i in range(60)]
    with netem("v0", "delay 20ms 5ms loss 5% reorder 25%"):
        for i in range(0, 60, 6):
            equal(stream(net, f, pieces[i:i + 6]), "SUCCESS", "injected")
        expect_bytes(theirs, b"".join(pieces))
        net.port.expect(SUCCESS=60)
    ours.sendall(b"and the owner's")
    expect_bytes(theirs, b"and the owner's")


@scenario(V4, V6)
def a_stream_waits_for_a_link_that_is_down(net, f):
    _, theirs = connect(net, f)
    piece = random.Random(1).randbytes(20000)
    with down("v0"):
        equal(stream(net, f, [piece] * 5), "SUCCESS", "injected")
        time.sleep(2)
        # IPv6 forgets what a device could do as soon as it finds no route, and TCP copies from there on
        check(net.port.books().inflight >= (5 if f is V4 else 1), "TCP has let go of what nobody has acknowledged")
    expect_bytes(theirs, piece * 5)
    net.port.expect(SUCCESS=5)


@scenario(V4, V6)
def a_stream_that_is_reset_completes_with_that(net, f):
    _, theirs = connect(net, f)
    piece = random.Random(2).randbytes(1 << 20)
    equal(stream(net, f, [piece] * 6), "SUCCESS", "injected")
    theirs.recv(1000)
    time.sleep(1)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    books = net.port.idle()
    # more than the peer's buffer has room for
    check(books.by_status.get("CONNECTION_ABORTED", 0) >= 5, f"not what a reset says: {books.by_status}")
    equal(books.completed, 6, "completions")
    check(set(books.by_status) <= {"CONNECTION_ABORTED", "SUCCESS"}, f"and what else: {books.by_status}")
    equal(net.port.order(FLOW_CLOSE), "SUCCESS", "the flow's end")


# ---- what nobody should send ----

def garbage(dice, f):
    """A packet that may have a header of its family, and may be right in places."""
    payload = dice.randbytes(dice.randrange(0, 1400))
    kind = dice.randrange(4)
    if kind == 0:
        return bytes([f.version << 4 | 5]) + dice.randbytes(dice.randrange(19, 100)) + payload
    where = dice.choice((f.here, f.there, f.far))
    packet = ip_packet(f, f.there, where, payload, dice.choice((0, 1, 2, 6, 17, 44, 50, 58, dice.randrange(256))),
                       ttl=dice.choice((0, 1, 64)))
    if kind == 1:
        return packet
    packet = bytearray(packet)
    for _ in range(dice.randrange(1, 6)):
        packet[dice.randrange(1, min(len(packet), 60))] = dice.randrange(256)
    return bytes(packet)


@scenario(V4, V6)
def garbage_is_completed_once_like_everything(net, f):
    dice = random.Random(f.version)
    for i in range(150):
        packet = garbage(dice, f)
        kind = dice.choice((ETH[4], ETH[6], 0x0806, 5, dice.randrange(65536)))
        frames = [frame(dice.choice((HERE, BROADCAST, dice.randbytes(6))), THERE, kind, packet)]
        equal(net.port.mac_receive(dice.choice(("v0", "b0", "br0")), frames), "SUCCESS", f"frame {i}")
        net.port.mac_send(dice.choice(("v0", "b0", "br0", "lo")), frames)
        net.port.order(NETWORK_RECEIVE, index=index(dice.choice(("v0", "br0", "lo"))), packets=[packet])
        net.port.order(NETWORK_SEND, packets=[packet])
    books = net.port.idle(120)
    check(books.completed >= 300, f"that was little: {books.completed}")


def run(net, function, family):
    """None, or what is wrong."""
    wrong = None
    try:
        net.begin(family)
        function(net, family)
        net.port.balance()
    except Exception as error:  # pylint: disable=broad-except
        wrong = traceback.format_exception(error)
    try:
        net.end()
    except OSError as error:
        wrong = wrong or traceback.format_exception(error)
    return wrong


def main():
    tools_of(sys.argv[1])
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    todo = [(function, family) for function, family in scenarios if only in function.__name__]
    net = Net()
    print(f"KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: fwps_net\n    1..{len(todo)}")
    failed = 0
    for number, (function, family) in enumerate(todo, 1):
        wrong = run(net, function, family)
        name = f"{function.__name__}_ipv{family.version}"
        for line in "".join(wrong or []).splitlines():
            print(f"        # {line}")
        failed += bool(wrong)
        print(f"    {'not ' if wrong else ''}ok {number} {name}", flush=True)
    print(f"{'not ' if failed else ''}ok 1 fwps_net", flush=True)


main()
