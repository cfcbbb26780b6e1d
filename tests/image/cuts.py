"""What is on a disk after the power was cut, from QEMU's record of every write and flush (blklogwrites). A disk with a
volatile cache keeps all that was written before its last finished flush, and any part of what came later. A lying disk
(the control run) ignores flushes."""

import os
import random
import re
import shutil
import struct
import subprocess

FLUSH, FUA, DISCARD = 1, 2, 4
MAGIC = 0x6A736677736872


class Record:
    """The writes of one disk, in order."""

    def __init__(self, log):
        self.log, self.entries = log, []
        with open(log, "rb") as f:
            magic, _, _, self.sector = struct.unpack("<QQQI", f.read(28))
            if magic != MAGIC:
                raise ValueError(f"{log} is no record of writes")
            at, size = self.sector, os.path.getsize(log)
            while at + self.sector <= size:
                f.seek(at)
                first, length, flags, _ = struct.unpack("<QQQQ", f.read(32))
                self.entries.append((at, first * self.sector, length * self.sector, flags))
                at += self.sector + (0 if flags & DISCARD else length * self.sector)

    def index_at(self, position):
        """Number of the first entry written at or after this size of the log."""
        return next((i for i, entry in enumerate(self.entries) if entry[0] >= position), len(self.entries))

    def flushes(self):
        return sum(1 for entry in self.entries if entry[3] & FLUSH)

    def bytes_written(self, low, high, partition):
        """Bytes that the box wrote to a partition between two entries."""
        start, size = partition
        return sum(e[2] for e in self.entries[low:high] if start <= e[1] < start + size and not e[3] & DISCARD)


class Replay:
    """A disk (or one partition of it) that moves forward through a record, cut after cut; cuts must come in order."""

    def __init__(self, record, target, offset=0, size=None, start=0):
        self.record, self.target, self.offset, self.size, self.done = record, target, offset, size, start

    def to(self, cut, chance, lying=False):
        """The disk after a cut before entry `cut`: a copy of `target` with each unflushed write lost by `chance`."""
        flushed = max((i for i in range(self.done, cut) if self.record.entries[i][3] & FLUSH), default=self.done - 1)
        if lying:
            # Nothing counts as flushed: of the last stretch anything may be missing.
            flushed = max(self.done, cut - LYING_STRETCH) - 1
        with open(self.record.log, "rb") as log, open(self.target, "r+b") as disk:
            for i in range(self.done, flushed + 1):
                self._apply(log, disk, i)
            self.done = max(self.done, flushed + 1)
        out = self.target + ".cut"
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", self.target, out], check=True)
        with open(self.record.log, "rb") as log, open(out, "r+b") as disk:
            for i in range(self.done, cut):
                if self.record.entries[i][3] & FUA and not lying or random.random() >= chance:
                    self._apply(log, disk, i)
        return out

    def _apply(self, log, disk, index):
        at, first, length, flags = self.record.entries[index]
        if flags & DISCARD or length == 0:
            return
        place = first - self.offset
        if place < 0 or (self.size is not None and place >= self.size):
            return
        log.seek(at + self.record.sector)
        disk.seek(place)
        disk.write(log.read(length))


# How far back a lying disk forgets, entries.
LYING_STRETCH = 400


def partitions(disk):
    """Name → (first byte, bytes) from the partition table."""
    text = subprocess.run(["sfdisk", "-d", disk], capture_output=True, text=True, check=True).stdout
    found = re.findall(r'start=\s*(\d+), size=\s*(\d+),.*name="([^"]+)"', text)
    return {name: (int(start) * 512, int(size) * 512) for start, size, name in found}


def carve(disk, partition, out):
    """Copies one partition into a file of its own, with holes."""
    start, size = partition
    with open(disk, "rb") as source, open(out, "wb") as target:
        target.truncate(size)
        source.seek(start)
        at = 0
        while at < size:
            block = source.read(min(1 << 20, size - at))
            if block.strip(b"\0"):
                target.seek(at)
                target.write(block)
            at += len(block)
    return out


def belfry_folder(image, out):
    """Checks the file system as the box does at boot and takes /data/belfry out of it. Returns what e2fsck said: below 4 it
    was enough to ask nothing."""
    code = subprocess.run(["e2fsck", "-p", image], capture_output=True).returncode
    if code >= 4:
        subprocess.run(["e2fsck", "-y", image], capture_output=True)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    subprocess.run(["debugfs", "-R", f"rdump /belfry {out}", image], capture_output=True)
    return code
