#!/usr/bin/env python3
"""Judges a campaign by its evidence alone: the raw events of every attempt, as `GET /campaigns/{campaign}/attempts` gives
them, one JSON object a line. Shares no code with the box, and does not believe the endings that the box wrote down: who
answered, who was served in time and how long it rang is worked out from the moments.

    evidence.py FILE [--law us|uk|eu|china] [--attempts-day N]

Prints {"attempts", "live", "abandoned", "rate", "broken": [...]}; ends with 1 when a rule was broken.
"""
import argparse
import collections
import datetime
import json
import sys
import zoneinfo

# Hours in which the called party may be rung, by the party's own clock: Monday to Friday, Saturday and Sunday.
HOURS = {
    "us": ([(8, 21)], [(8, 21)]),
    "uk": ([(8, 21)], [(9, 20)]),
    "eu": ([(10, 13), (14, 20)], []),
    "china": ([(9, 12), (14, 20)], [(9, 12), (14, 20)]),
}
RING_LEAST_MS = 15_000
# Two seconds until an agent; a tenth is granted for the clock.
GRACE_MS = 2_100
# What may be heard at the far end that is no person.
NOBODY = {"busy", "congestion", "information", "fax", "machine", "beep"}
DAY_MS = 86_400_000
REDIAL_MS = 72 * 3_600_000


def moments(attempt):
    """The first moment of each step, in milliseconds after dialling."""
    first = {}
    for moment in attempt["moments"]:
        first.setdefault(moment["step"], moment["ms"])
    return first


def open_there(law, zone, at_ms):
    here = datetime.datetime.fromtimestamp(at_ms / 1000, zoneinfo.ZoneInfo(zone))
    week, weekend = HOURS[law]
    hour = here.hour + here.minute / 60
    return any(begin <= hour < end for begin, end in (weekend if here.weekday() >= 5 else week))


def judge(attempts, law, attempts_day):
    live = abandoned = 0
    broken = []
    last_of = collections.defaultdict(list)
    free_from = {}
    for a in sorted(attempts, key=lambda a: a["at"]):
        if "dialled" not in moments(a):
            continue
        today = [at for at in last_of[a["number"]] if a["at"] - at < DAY_MS]
        if len(today) >= attempts_day:
            broken.append(f"call {a['call']} to {a['number']}: more than {attempts_day} attempts within a day")
        last_of[a["number"]].append(a["at"])
    # In the order in which they were made: the clock may have been set meanwhile.
    for a in sorted(attempts, key=lambda a: a["call"]):
        step, number, who = moments(a), a["number"], f"call {a['call']} to {a['number']}"
        if "dialled" not in step:
            continue
        dialled = a["at"]
        for zone in a["zones"]:
            if not open_there(law, zone, dialled):
                broken.append(f"{who}: rung outside the hours of {zone}")
        if not a["zones"]:
            broken.append(f"{who}: nobody knows what time it was there")
        if free_from.get(number, 0) > dialled and a["form"] == "predictive":
            broken.append(f"{who}: called again within 72 h of an abandoned call without an agent reserved")
        over = step.get("ended")
        if "answered" not in step:
            rang = over is not None and "ringing" in step
            ours = a["ending"] in ("no_answer", "given_up") and a["code"] == 0
            if rang and ours and over - step["ringing"] < RING_LEAST_MS:
                broken.append(f"{who}: given up after {over - step['ringing']} ms of ringing")
            continue
        if a["form"] == "automatic":
            continue
        # No person: by what was heard, with the numbers that say why beside it.
        if (a.get("heard") or {}).get("what") in NOBODY:
            continue
        live += 1
        waited = step.get("connected", over if over is not None else 0) - step["answered"]
        if "connected" in step and waited <= GRACE_MS:
            continue
        if "connected" not in step and "message" not in step and waited <= GRACE_MS:
            continue  # hung up before the two seconds were over
        abandoned += 1
        free_from[number] = dialled + REDIAL_MS
        if "message" not in step:
            broken.append(f"{who}: waited {waited} ms for nobody and was not told who called")
    return live, abandoned, broken


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file")
    options.add_argument("--law", choices=sorted(HOURS), default="eu")
    options.add_argument("--attempts-day", type=int, default=3)
    given = options.parse_args()
    with open(given.file, encoding="utf-8") as lines:
        attempts = [json.loads(line) for line in lines if line.strip()]
    live, abandoned, broken = judge(attempts, given.law, given.attempts_day)
    rate = round(100 * abandoned / live, 2) if live else 0.0
    print(json.dumps({"attempts": len(attempts), "live": live, "abandoned": abandoned, "rate": rate, "broken": broken}))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
