"""Power cuts under calls: loads a box whose disk keeps a record of its writes, and judges the data partition of many cuts
of that record. What was confirmed before a cut must be there after it: settings that the admin was told are in force, ended
calls and messages that the admin has listed. Used by the tests and by tools/soak."""

import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time

import cuts
from caller import CARRIER, Carrier
from vm import SLOW

SITE = f"""
[system]
name = "%s"
country = "DE"
language = "en"
time_zone = "Europe/Berlin"

[[extension]]
number = "101"
name = "Anna"
password = "kept-secret-101"
[extension.voicemail]
pin = "194720"
max_messages = 500

[[trunk]]
name = "carrier"
kind = "address"
host = "{CARRIER}"
capacity = 100

[[inbound]]
number = "+4930555101"
to = "voicemail:101"

[[queue]]
name = "sales"
overflow = "voicemail:101"
record = "always"
max_wait_s = 600
overflow_when_empty = false

[[inbound]]
to = "queue:sales"
"""


class Marks:
    """What the box confirmed, and how long the record of writes was at that moment."""

    def __init__(self, writes):
        self.writes, self.settings, self.calls, self.messages, self.answered = writes, [], [], [], 0

    def here(self):
        return os.path.getsize(self.writes)

    def add(self, marks, listed):
        """Marks what the box listed for the first time."""
        known = {what for what, _ in marks}
        marks += [(what, self.here()) for what in listed if what not in known]

    def enough(self, carriers):
        """Whether a cut now has something of each kind to lose."""
        self.answered = sum(c.answered for c in carriers)
        return self.answered >= 20 and bool(self.settings and self.calls and self.messages)


def site(name):
    return (SITE % name).encode()


def load(vm, seconds, callers=20):
    """Calls and settings for a while, longer where a busy machine has not got far by then; returns what was confirmed when."""
    marks, stop = Marks(vm.writes), threading.Event()

    def set_things():
        number = 0
        while not stop.is_set():
            number += 1
            try:
                set_one(vm, number, marks)
            except (OSError, RuntimeError):
                # The box is busy: nothing was confirmed.
                time.sleep(1)
            time.sleep(0.1)

    threading.Thread(target=set_things, daemon=True).start()
    carriers = [Carrier(vm, "+4930555101", callers // 2, seconds=(14.0, 20.0)), Carrier(vm, "+4930555200", callers - callers // 2)]
    end = time.monotonic() + 4 * seconds * SLOW
    time.sleep(seconds)
    while not marks.enough(carriers) and time.monotonic() < end:
        time.sleep(1)
    stop.set()
    return marks, carriers


def set_one(vm, number, marks):
    """Changes the site and lists the messages and the calls; keeps what the box confirmed."""
    status, answer, _ = vm.ask("POST", "/config/apply", site(f"Site {number}"), [("Content-Type", "application/toml")])
    if status == 200:
        marks.settings.append((answer["generation"], marks.here()))
    marks.add(marks.messages, [m["message"] for m in vm.get("/messages?limit=200")])
    marks.add(marks.calls, [c["caller"]["number"] for c in vm.get("/history?limit=200")["items"] if c["outcome"] != "open"])


def judge(record, disk, table, marks, first, count, work, belfry=None, lying=False, seed=1):
    """Cuts the record `count` times after entry `first` and looks at the data partition. `disk` is what the record began with,
    `table` a disk with the partitions as they became at the first boot. Returns what was found, as numbers."""
    random.seed(seed)
    partition = cuts.partitions(table)["data"]
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    replay = cuts.Replay(record, cuts.carve(disk, partition, f"{work}/data.img"), *partition)
    found = {"cuts": 0, "damaged": 0, "repaired by force": 0, "settings lost": 0, "calls lost": 0, "messages lost": 0, "did not open": 0}
    for at in sorted(random.sample(range(first, len(record.entries)), min(count, len(record.entries) - first))):
        image = replay.to(at, random.choice((0.0, 0.5, 1.0)), lying)
        position = record.entries[at][0]
        found["cuts"] += 1
        found["repaired by force"] += cuts.belfry_folder(image, f"{work}/out") >= 4
        judge_folder(f"{work}/out/belfry", marks, position, found, belfry)
    return found


def judge_folder(folder, marks, position, found, belfry):
    settings = max((g for g, size in marks.settings if size <= position), default=0)
    calls = {c for c, size in marks.calls if size <= position}
    messages = {m for m, size in marks.messages if size <= position}
    try:
        db = sqlite3.connect(f"{folder}/belfry.db")
        whole = db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        kept = db.execute("SELECT max(generation) FROM generation").fetchone()[0] or 0
        callers = {number for (number,) in db.execute("SELECT caller_number FROM call WHERE outcome <> 'open'")}
        files = dict(db.execute("SELECT message, path FROM message"))
        db.close()
    except sqlite3.DatabaseError:
        whole, kept, callers, files = False, 0, set(), {}
    found["damaged"] += not whole
    found["settings lost"] += kept < settings
    found["calls lost"] += bool(calls - callers)
    found["messages lost"] += any(m not in files or not os.path.exists(f"{folder}/{files[m]}") for m in messages)
    if belfry:
        opened = subprocess.run([belfry, "config", "export", "--data", folder], capture_output=True)
        found["did not open"] += opened.returncode != 0 and settings > 0


def lost(found):
    return sum(found[what] for what in ("damaged", "settings lost", "calls lost", "messages lost", "did not open"))


def told(found):
    return ", ".join(f"{number} {what}" for what, number in found.items())
