"""The long forms of the power-cut tests; called by tools/soak. One box lives through a load or an update on a disk whose
every write is kept; then the disk is cut at many points of that record."""

import argparse
import os
import random
import re
import subprocess
import sys
import time

import build
import cuts
import powercut
from steps import ended, install, offer, outcome, set_up
from vm import Vm


def fresh(work, with_updates):
    """A set-up box on a recorded disk: the box, the disk as it was at first, what was built."""
    made = build.disk(build.binary())
    bundles = build.bundles() if with_updates else None
    for name in ("disk", "before"):
        subprocess.run(["cp", "--sparse=always", made, f"{work}/{name}.img"], check=True)
    vm = Vm(f"{work}/disk.img", work, writes=f"{work}/writes.log").start()
    print(f"SIP after {vm.wait_sip():.0f} s", flush=True)
    vm.console.wait("> $", 500, 0)
    set_up(vm)
    return vm, f"{work}/before.img", bundles


def power_cut(words, work):
    vm, before, _ = fresh(work, False)
    try:
        first = os.path.getsize(vm.writes)
        marks, carriers = powercut.load(vm, words.seconds)
    finally:
        vm.cut_power()
    for carrier in carriers:
        carrier.stop.set()
    record = cuts.Record(vm.writes)
    first = record.index_at(first)
    print(f"{marks.answered} calls answered, {len(marks.calls)} ended, {len(marks.settings)} settings, {len(marks.messages)} messages; "
          f"{len(record.entries) - first} writes, {record.flushes()} flushes", flush=True)
    found = powercut.judge(record, before, vm.disk, marks, first, words.count, f"{work}/cut", build.binary())
    print("honest disk:", powercut.told(found), flush=True)
    control = powercut.judge(record, before, vm.disk, marks, first, min(words.count, 60), f"{work}/cut", build.binary(), lying=True)
    print("control, a disk that lies about its flushes (must lose):", powercut.told(control), flush=True)
    dead = boots(record, before, sorted(random.sample(range(first, len(record.entries)), words.boots)), work)
    bad = powercut.lost(found) or not powercut.lost(control) or dead
    print("FAILED" if bad else "passed")
    return 1 if bad else 0


def boots(record, before, points, work):
    """Really starts the disk of some cuts. Returns how many never answered."""
    dead, disk = 0, f"{work}/boots.img"
    subprocess.run(["cp", "--sparse=always", before, disk], check=True)
    replay = cuts.Replay(record, disk)
    for number, point in enumerate(points):
        box = Vm(replay.to(point, random.choice((0.0, 0.5, 1.0))), f"{work}/boot{number}").start()
        try:
            print(f"cut {point}: answers after {box.wait_sip(250):.0f} s, {slot_of(box)}", flush=True)
        except (TimeoutError, RuntimeError) as why:
            dead += 1
            print(f"cut {point}: never answered: {why}", flush=True)
        finally:
            box.quit()
    return dead


def slot_of(box):
    return box.sh("cat /run/belfry-boot/facts").replace("\n", " ")


def update_cut(words, work):
    vm, before, bundles = fresh(work, True)
    try:
        vm.until(lambda: ended(vm) and ended(vm)["slots"], 120, "word of the updater about its slots")
        first = os.path.getsize(vm.writes)
        version, answer = offer(vm, bundles["good"])
        print(f"bundle taken: {version} {answer}", flush=True)
        install(vm)
        vm.wait_sip()
        kept = outcome(vm, build.NEXT) == "kept"
        print(f"the update runs; kept: {kept}", flush=True)
    finally:
        vm.cut_power()
    record = cuts.Record(vm.writes)
    first = record.index_at(first)
    print(f"{len(record.entries) - first} writes while it was updated", flush=True)
    for name in ("replay", "lied"):
        subprocess.run(["cp", "--sparse=always", before, f"{work}/{name}.img"], check=True)
    replay, seen, dead = cuts.Replay(record, f"{work}/replay.img"), {}, 0
    for point in sorted(random.sample(range(first, len(record.entries)), min(words.count, len(record.entries) - first))):
        asked, starts = who_starts(replay.to(point, random.choice((0.0, 0.5, 1.0))), work)
        seen[starts] = seen.get(starts, 0) + 1
        # The other slot would save the box; but it was told to start a system that was not on the disk.
        if starts != asked:
            dead += 1
            print(f"cut {point}: slot {asked} is asked for and not whole, {starts} would start", flush=True)
    print(f"{sum(seen.values())} cuts; which slot starts: {seen}; asked for and not whole: {dead}", flush=True)
    lied, found = cuts.Replay(record, f"{work}/lied.img"), 0
    points = after_choices(record, cuts.partitions(vm.disk)["esp"], first)
    for point in points:
        asked, starts = who_starts(lied.to(point, 0.5, lying=True), work)
        found += starts != asked
    print(f"control, a disk that lies about its flushes (must be found out): a slot that is not whole is asked for after {found} of {len(points)} cuts", flush=True)
    dead += boots(record, before, sorted(random.sample(range(first, len(record.entries)), words.boots)), work)
    print("FAILED" if dead or not kept or not found else "passed")
    return 1 if dead or not kept or not found else 0


# Cuts of the control run, and how soon after the boot loader's choice was written: well within what a lying disk forgets.
CONTROL, SOON = 20, 100


def after_choices(record, esp, first):
    """Entries soon after a write to the boot loader's partition. Only there can a lie do harm: before the choice the box
    starts what it ran, and long after it the slot has reached even a lying disk."""
    start, size = esp
    near = {after for at, entry in enumerate(record.entries) if at >= first and entry[2] and start <= entry[1] < start + size
            for after in range(at + 1, min(at + SOON, len(record.entries)))}
    return sorted(random.sample(sorted(near), min(CONTROL, len(near))))


def idle(words, work):
    """What a box at rest writes: bytes that reach the disk, after it has settled."""
    vm, before, _ = fresh(work, False)
    try:
        time.sleep(words.settle)
        low = os.path.getsize(vm.writes)
        print(vm.sh("free -m | head -2; uptime"), flush=True)
        time.sleep(words.seconds)
        high = os.path.getsize(vm.writes)
    finally:
        vm.cut_power()
    record, places = cuts.Record(vm.writes), cuts.partitions(vm.disk)
    low, high = record.index_at(low), record.index_at(high)
    for name, place in places.items():
        written = record.bytes_written(low, high, place)
        print(f"{name}: {written / 1e6:.2f} MB in {words.seconds} s, {written / 1e6 * 86400 / words.seconds:.1f} MB a day", flush=True)
    day = record.bytes_written(low, high, places["data"]) / 1e6 * 86400 / words.seconds
    print("passed" if day <= 20 else "FAILED", "(at most 20 MB a day)")
    return 0 if day <= 20 else 1


def who_starts(disk, work):
    """Which slot the boot loader is asked to start on this disk, and which one it ends up with: that, or after three failed
    starts the other one. The same rules as board/common/boot/grub.cfg."""
    places = cuts.partitions(disk)
    esp = places["esp"][0]
    read = subprocess.run(["mtype", "-i", f"{disk}@@{esp}", "::/grub/grubenv"], capture_output=True, text=True, errors="replace").stdout
    values = dict(re.findall(r"^(\w+)=(.*)$", read, re.M)) if read.startswith("# GRUB Environment Block") else {}
    loader = subprocess.run(["mdir", "-i", f"{disk}@@{esp}", "::/EFI/BOOT/BOOTX64.EFI"], capture_output=True).returncode == 0
    allowed = [slot for slot in values.get("ORDER", "A B").split() if values.get(f"{slot}_OK", "1") == "1"]
    starts = (slot for slot in allowed if loader and whole(disk, places, slot.lower(), work))
    return (allowed or ["A"])[0], next(starts, "nobody")


def whole(disk, places, slot, work):
    """Whether a slot has its kernel and matches the hash it pins."""
    boot, root = cuts.carve(disk, places[f"boot-{slot}"], f"{work}/boot.part"), cuts.carve(disk, places[f"root-{slot}"], f"{work}/root.part")
    text = subprocess.run(["unsquashfs", "-cat", boot, "boot.cfg"], capture_output=True, text=True, errors="replace").stdout
    found = re.search(r"belfry\.blocks=(\d+) belfry\.hash=(\w+)", text)
    if not found or any(subprocess.run(["unsquashfs", "-cat", boot, name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode for name in ("vmlinuz", "initrd")):
        return False
    return subprocess.run(["veritysetup", "verify", root, root, found[2], f"--hash-offset={int(found[1]) * 4096}"], capture_output=True).returncode == 0


# What runs, with how many cuts and how long unless told.
KINDS = {"power-cut": (power_cut, 500, 120), "update-cut": (update_cut, 200, 0), "idle": (idle, 0, 3600)}


def main():
    words = argparse.ArgumentParser(prog="tools/soak")
    words.add_argument("what", choices=list(KINDS))
    words.add_argument("--count", type=int)
    words.add_argument("--seconds", type=int)
    # The log of the start is on the disk after a quarter of an hour (journald.conf.d).
    words.add_argument("--settle", type=int, default=1080)
    words.add_argument("--boots", type=int, default=5)
    words.add_argument("--seed", type=int, default=1)
    words = words.parse_args()
    random.seed(words.seed)
    began, work = time.monotonic(), build.workshop(f"soak-{words.what}")
    run, count, seconds = KINDS[words.what]
    words.count, words.seconds = words.count or count, words.seconds or seconds
    done = run(words, work)
    print(f"{time.monotonic() - began:.0f} s")
    return done


if __name__ == "__main__":
    sys.exit(main())
