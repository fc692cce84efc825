# SPDX-License-Identifier: GPL-2.0
"""samples/netvsc-rx with many frames, for scripts/fwps-net.sh: runs in a guest, prints KTAP.

usage: frames.py TOOLS FRAMES

    VSP --VMBus--> VSC --FwpsInjectMacReceiveAsync()--> r0, a port of br1, s0 --veth-- s1 in a namespace

The books: each message was answered once or lost with its channel, each list that was injected came back
once, each frame was taken, dropped or lost, no more than four messages were ever unanswered, and what has
arrived is no more than what was taken or lost.
"""
import os
import random
import struct
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from guest import (V4, VSC_CLOSE, VSC_OFFER, VSC_OPEN, VSC_PAUSE, VSC_PLAIN, VSC_RESCIND, VSC_SEND, VSC_START,
                   VSC_WAIT, Namespace, Port, check, down, equal, index, ip, mac, netem, received_by, settle_ipv6,
                   sysctl, tool, tools_of)

WINDOW = 4
PATIENCE = 3600
TO = "02:00:00:00:03:01"


class Way:
    def __init__(self):
        settle_ipv6()
        self.ns = Namespace()
        # nothing but our frames is on its way
        sysctl("ipv6/conf/default/disable_ipv6", 1)
        ip(f"""link add br1 type bridge
               link set br1 up
               link add r0 type dummy
               link set r0 master br1
               link set r0 up
               link add s0 type veth peer name s1 address {TO}
               link set s1 netns {self.ns.path}
               link set s0 master br1
               link set s0 up""")
        ip("link set s1 up", self.ns)
        tool(["bridge", "fdb", "replace", TO, "dev", "s0", "master", "static"])

    def open(self, length=128, of_message=16):
        port = Port(V4)
        equal(port.order(VSC_OPEN, index=index("r0"), data=struct.pack("=II6sH", length, of_message, mac(TO), 0)),
              "SUCCESS", "a VSC")
        return port

    def arrived(self):
        return received_by("s1", self.ns)


def balance(port, frames, arrived):
    port.idle(PATIENCE)
    equal(port.order(VSC_CLOSE), "SUCCESS", "the end")
    v = port.books().vsc
    port.balance()
    port.close()
    check(v.most <= WINDOW, f"{v.most} messages unanswered")
    equal(v.left + v.outstanding, 0, "left and outstanding")
    equal(v.messages, v.answers + v.lost, "messages, and answered or lost")
    equal(v.frames + v.dropped + v.lost_frames, frames, "frames taken, dropped or lost")
    equal(v.received, v.answered, "messages received and answered")
    equal(v.injected, v.completed, "lists injected and completed")
    equal(v.bad, 0, "messages that say nonsense")
    check(arrived <= v.frames + v.lost_frames, f"{arrived} have arrived, and only {v.frames} were taken")
    print(f"        # {v.messages} messages, {v.lost} lost; {v.frames} frames taken, {v.dropped} dropped, "
          f"{v.lost_frames} lost; {arrived} arrived")
    return v


def every_frame_arrives(way, frames):
    before, port = way.arrived(), way.open()
    port.order(VSC_SEND, frames)
    port.idle(PATIENCE)
    arrived = way.arrived() - before
    v = balance(port, frames, arrived)
    equal(v.frames, frames, "taken")
    equal(arrived, frames, "arrived")


def overload(port, n):
    sysctl("core/netdev_max_backlog", 20)
    port.order(VSC_SEND, n)
    time.sleep(.02)
    sysctl("core/netdev_max_backlog", 1000)


def link_down(dev):
    def trouble(port, n):
        port.order(VSC_SEND, n // 2)
        with down(dev):
            port.order(VSC_SEND, n - n // 2)
            time.sleep(.02)
    return trouble


def pause(port, n):
    port.order(VSC_PAUSE)
    port.order(VSC_SEND, n)
    time.sleep(.02)
    port.order(VSC_START)


def pause_in_flight(port, n):
    """It waits for the lists of packets that are in a queue, and what was not sent waits for it."""
    with netem("s0", "limit 100000 delay 200ms"):
        port.order(VSC_SEND, n)
        time.sleep(.005)
        before = port.books().vsc
        port.order(VSC_PAUSE)
        paused = port.books().vsc
        time.sleep(.03)
        after = port.books().vsc
        port.order(VSC_START)
    check(before.injected > before.completed, "nothing is in flight")
    equal(paused.injected, paused.completed, "lists injected and completed, paused")
    equal(paused.received, paused.answered, "messages received and answered, paused")
    equal(after.injected, paused.injected, "lists injected while paused")


def rescind(port, n):
    port.order(VSC_PAUSE)
    port.order(VSC_SEND, n)
    port.order(VSC_RESCIND)
    equal(port.order(VSC_OFFER), "SUCCESS", "the offer")
    port.order(VSC_START)


def rescind_in_flight(port, n):
    """With lists of the channel's packets in a queue, too."""
    with netem("s0", "limit 100000 delay 20ms"):
        port.order(VSC_SEND, n)
        time.sleep(.005)
        port.order(VSC_RESCIND)
        equal(port.order(VSC_OFFER), "SUCCESS", "the offer")


def delay(port, n):
    with netem("s0", "limit 100000 delay 1ms 1ms loss 1%"):
        port.order(VSC_SEND, n)
        time.sleep(.05)


def plain(port, n):
    port.order(VSC_SEND, n)


def books_balance_whatever_happens(way, frames):
    troubles = [overload, link_down("r0"), link_down("s0"), pause, pause_in_flight, rescind, rescind_in_flight, delay,
                plain]
    before, port = way.arrived(), way.open()
    dice = random.Random(1)
    left, rounds = frames, 0
    while left:
        n = min(left, max(frames // 48, 1))
        # each of them, and then any
        trouble = troubles[rounds] if rounds < len(troubles) else dice.choice(troubles)
        trouble(port, n)
        left -= n
        rounds += 1
    port.idle(PATIENCE)
    arrived = way.arrived() - before
    v = balance(port, frames, arrived)
    check(rounds >= 48, "not every trouble was there")
    equal(v.most, WINDOW, "most messages unanswered")
    check(v.frames and v.dropped and v.lost, f"not all of it has happened: {v}")


def frames_are_about_as_fast_as_without(way, frames):
    """Beside netif_rx() of the same frames, in turns, the best of each: nobody else's work is measured."""
    slices = 20
    n = max(frames // slices, 64) // 64 * 64
    for length, of_message in (128, 16), (128, 64), (1514, 10):
        before, port = way.arrived(), way.open(length, of_message)
        best = {VSC_SEND: None, VSC_PLAIN: None}
        for _ in range(slices):
            for what, was in best.items():
                began = time.perf_counter()
                equal(port.order(what, n), "SUCCESS", "an order")
                equal(port.order(VSC_WAIT), "SUCCESS", "its end")
                took = time.perf_counter() - began
                best[what] = min(took, was or took)
        ours, alone = (best[what] / n * 1e9 for what in (VSC_SEND, VSC_PLAIN))
        print(f"        # {length} bytes, {of_message} in a message: {1e9 / ours:,.0f} frames per second, "
              f"{1e9 / alone:,.0f} by netif_rx() alone: {alone / ours:.2f}, {ours - alone:+.0f} ns a frame")
        equal(way.arrived() - before, 2 * slices * n, "arrived")
        balance(port, slices * n, slices * n)


def main():
    frames = int(sys.argv[2])
    tools_of(sys.argv[1])
    cases = (every_frame_arrives, books_balance_whatever_happens, frames_are_about_as_fast_as_without)
    print(f"KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: fwps_frames\n    1..{len(cases)}")
    failed = 0
    way = Way()
    for number, case in enumerate(cases, 1):
        wrong = []
        began = time.monotonic()
        try:
            case(way, frames)
        except Exception as error:  # pylint: disable=broad-except
            wrong = traceback.format_exception(error)
        for line in "".join(wrong).splitlines():
            print(f"        # {line}")
        print(f"        # {frames} frames in {time.monotonic() - began:.1f} s")
        failed += bool(wrong)
        print(f"    {'not ' if wrong else ''}ok {number} {case.__name__}", flush=True)
    print(f"{'not ' if failed else ''}ok 1 fwps_frames", flush=True)


main()
