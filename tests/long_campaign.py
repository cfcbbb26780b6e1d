"""A campaign of hours in minutes, through the real binary, its disk and a SIP trunk; called by `tools/soak campaign`. SIPp
answers as the people called and as the agents. Talk, ringing of who answers and wrap-up are K times shorter than in life;
what the law fixes (ring at least 15 s, an agent within 2 s) is not. What came of it is counted by tests/evidence.py from the
raw events, and from the call records: nobody is dialled twice, no call is without its record, the board tells the truth.

    tools/soak campaign [--minutes 20] [--speed 12] [--agents 10] [--live 3]

--minutes 20 --speed 12 holds the calls of four hours. --live: so many dials in ten are answered by persons; one is busy, one
a number that does not exist, the others ring in vain. Ends with 1 when something is not as it must be.
"""

import argparse
import datetime
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BOX, PEOPLE, FLOOR = "127.88.0.1", "127.88.0.21", "127.88.0.31"
WRAP_S, RING_S, SHORT_S, LONG_S = 22, 9, 25, 165
# Numbers end in four digits: whether somebody answers, after which ringing, and how long they talk.
NUMBERS = 10_000

HEADERS = """[last_Via:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
"""
SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=party 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 9 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv
"""


def say(text, cseq="[last_CSeq:]", more="Content-Length: 0\n", retrans=False):
    contact = "Contact: <sip:party@[local_ip]:[local_port]>\n" if "Session Progress" in text or " 18" in text or " 200 OK" in text else ""
    return f'<send{" retrans=" + chr(34) + "500" + chr(34) if retrans else ""}><![CDATA[\nSIP/2.0 {text}\n{HEADERS}{cseq}\n{contact}{more}\n]]></send>\n'


def gamma(mean, spread, count=10):
    """Ten times as people have them: the middle of each tenth of a gamma distribution, found by drawing."""
    dice = random.Random(1)
    shape = 1 / spread**2
    drawn = sorted(dice.gammavariate(shape, mean / shape) for _ in range(20_000))
    return [drawn[int((n + 0.5) / count * len(drawn))] for n in range(count)]


def people(speed, live):
    """The scenario of everybody called. The last digit says what happens, the one before how long it rings, the one before
    that how long the talk is."""
    rings = [max(200, round(1000 * s / speed)) for s in gamma(RING_S, 0.6)]
    talks = gamma(SHORT_S, 0.7, 3) + gamma(LONG_S, 0.7, 7)
    talks = [max(500, round(1000 * s / speed)) for s in talks]
    digits = lambda name, place: "".join(
        f'<ereg regexp="{digit}{"[0-9]" * place}@" search_in="hdr" header="To:" assign_to="{name}{digit}"/>' for digit in range(10))
    out = ['<?xml version="1.0" encoding="ISO-8859-1" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="people">\n']
    used = ",".join(f"{name}{n}" for name in ("end", "ring", "talk") for n in range(10))
    # Is the trunk well?
    out.append('<recv request="OPTIONS" optional="true" next="well"/>\n')
    out.append('<recv request="INVITE" rrs="true"><action><ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>'
               '<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="cseq"/>'
               f'{digits("end", 0)}{digits("ring", 1)}{digits("talk", 2)}</action></recv>\n<Reference variables="{used},caller,cseq"/>\n')
    out.append(f'<nop next="busy" test="end{live}"/>\n<nop next="nobody" test="end{live + 1}"/>\n')
    out.append(say("180 Ringing"))
    out.extend(f'<nop next="vain" test="end{n}"/>\n' for n in range(live + 2, 10))
    out.extend(f'<nop next="rings{n}" test="ring{n}"/>\n' for n in range(10))
    for n, ms in enumerate(rings):
        out.append(f'<label id="rings{n}"/>\n<pause milliseconds="{ms}"/>\n<nop next="answers"/>\n')
    out.append('<label id="answers"/>\n' + say("200 OK", more=SDP, retrans=True) + '<recv request="ACK"/>\n')
    out.extend(f'<nop next="talks{n}" test="talk{n}"/>\n' for n in range(10))
    for n, ms in enumerate(talks):
        out.append(f'<label id="talks{n}"/>\n<recv request="BYE" timeout="{ms}" ontimeout="leaves" next="sent_away"/>\n')
    out.append('<label id="leaves"/>\n<send retrans="500"><![CDATA[\nBYE [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n[routes]\n'
               'From: <sip:party@[local_ip]>;tag=[pid]s[call_number]\nTo:[$caller]\nCall-ID: [call_id]\nCSeq: 2 BYE\nMax-Forwards: 70\nContent-Length: 0\n\n]]></send>\n'
               '<recv request="BYE" optional="true" next="sent_away"/>\n<recv response="200" next="end"/>\n')
    out.append('<label id="sent_away"/>\n' + say("200 OK") + '<nop next="end"/>\n')
    out.append('<label id="well"/>\n' + say("200 OK") + '<nop next="end"/>\n')
    out.append('<label id="busy"/>\n' + say("486 Busy Here") + '<recv request="ACK" next="end"/>\n')
    out.append('<label id="nobody"/>\n' + say("404 Not Found") + '<recv request="ACK" next="end"/>\n')
    out.append('<label id="vain"/>\n<recv request="CANCEL"/>\n' + say("200 OK") + say("487 Request Terminated", cseq="CSeq: [$cseq] INVITE") + '<recv request="ACK"/>\n')
    out.append('<label id="end"/>\n</scenario>\n')
    return "".join(out)


def site(agents, speed):
    ids = [str(201 + n) for n in range(agents)]
    parts = ['[system]\nname = "Long"\ncountry = "DE"\nlanguage = "en"\ntime_zone = "Europe/Berlin"\noutside_prefix = "0"\n']
    for n in ids:
        parts.append(f'[[extension]]\nnumber = "{n}"\nname = "Agent {n}"\npassword = "static-{n}-unused"\ncontact = "sip:{n}@{FLOOR}:5090"\n'
                     f'[[agent]]\nid = "{n}"\nname = "Agent {n}"\nextension = "{n}"\nalways_on = true\n')
    parts.append(f'[[queue]]\nname = "floor"\nstrategy = "longest_idle"\nagents = {json.dumps(ids)}\nmax_wait_s = 0\nmax_waiting = 600\n'
                 f'wrap_up_s = {max(1, round(WRAP_S / speed))}\npause_after_misses = 0\noverflow_when_empty = false\noverflow = "hang_up"\n')
    parts.append(f'[[trunk]]\nname = "lines"\nkind = "address"\nhost = "{PEOPLE}"\naddresses = ["{PEOPLE}"]\ncapacity = 400\n'
                 '[[inbound]]\nname = "all"\nnumber = "!"\nto = "queue:floor"\n[[outbound]]\nname = "all"\nnumber = "!"\ntrunks = ["lines"]\n')
    parts.append('[[campaign]]\nname = "long"\nqueue = "floor"\nlists = ["people"]\nform = "predictive"\nprofile = "us"\ncaller_id = "+4930123456"\n'
                 'outside_calls = "international"\nring_s = 20\nattempts_max = 1\ncalls_per_second = 20\nlines_max = 200\n')
    return "\n".join(parts)


def place():
    """Begin of numbers of a place where it stays day for the next hours, by every law."""
    hour = datetime.datetime.now(datetime.timezone.utc).hour
    return "+8132345" if hour < 7 else "+4930901" if hour < 17 else "+1212555"


class Box:
    def __init__(self, folder, text):
        self.data, self.log = f"{folder}/data", f"{folder}/box.log"
        with open(f"{folder}/site.toml", "w", encoding="utf-8") as file:
            file.write(text)
        words = ["run", "--data", self.data, "--site", f"{folder}/site.toml", "--sip", f"{BOX}:5060", "--http", f"{BOX}:8080", "--https", f"{BOX}:8443",
                 "--rtp", "30000-31999", "--media-address", BOX]
        self.process = subprocess.Popen([os.environ["BELFRY_BIN"], *words], stdout=open(self.log, "w", encoding="utf-8"), stderr=subprocess.STDOUT)
        end = time.time() + 60
        while "ready sip=" not in open(self.log, encoding="utf-8").read():
            if time.time() > end or self.process.poll() is not None:
                sys.exit(f"the box does not start: {open(self.log, encoding='utf-8').read()}")
            time.sleep(0.1)

    def ask(self, path, *words):
        done = subprocess.run(["curl", "--unix-socket", f"{self.data}/run/control.sock", "--fail-with-body", "-sS", *words, f"http://box/api/v1{path}"], capture_output=True)
        if done.returncode:
            sys.exit(f"{path}: {done.stdout.decode()} {done.stderr.decode()}")
        return done.stdout.decode()

    def order(self, **order):
        self.ask("/campaigns/long/order", "-X", "POST", "-H", "content-type: application/json", "-d", json.dumps(order))

    def board(self):
        return json.loads(self.ask("/campaigns"))[0]

    def attempts(self):
        """Every attempt, page by page."""
        found, after = [], 0
        while page := [json.loads(line) for line in self.ask(f"/campaigns/long/attempts?after={after}").splitlines() if line]:
            found += page
            after = page[-1]["call"]
        return found

    def records(self):
        """Ids of all call records, page by page."""
        found, before = [], ""
        while page := json.loads(self.ask(f"/history?limit=200{before}"))["items"]:
            found += [record["call"] for record in page]
            before = f"&before={page[-1]['call']}"
        return found


def sipp(folder, name, scenario, address, port):
    words = ["sipp", "-sf", scenario, "-i", address, "-p", str(port), "-mp", str(40_000 + port), "-deadcall_wait", "0", "-nostdin", "-nd", "-trace_err",
             "-error_file", f"{folder}/{name}.err", "-key", "rtp_ip", address, "-key", "rtp_port", "9"]
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def judged(folder, attempts):
    evidence = f"{folder}/evidence.ndjson"
    with open(evidence, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(attempt) + "\n" for attempt in attempts)
    out = subprocess.run([sys.executable, os.path.join(HERE, "evidence.py"), evidence, "--law", "us"], capture_output=True, text=True)
    return json.loads(out.stdout)


def play(words, folder):
    with open(f"{folder}/people.xml", "w", encoding="utf-8") as file:
        file.write(people(words.speed, words.live))
    box = Box(folder, site(words.agents, words.speed))
    parties = [sipp(folder, "people", f"{folder}/people.xml", PEOPLE, 5060), sipp(folder, "agents", os.path.join(HERE, "data/sipp/callee.xml"), FLOOR, 5090)]
    try:
        order = list(range(NUMBERS))
        random.Random(words.seed).shuffle(order)
        with open(f"{folder}/people.csv", "w", encoding="utf-8") as file:
            file.write("Name,Phone\n" + "".join(f"Person {n},{place()}{n:04}\n" for n in order))
        box.ask("/lists/import?list=people&file=people.csv", "-X", "POST", "-H", "content-type: application/octet-stream", "--data-binary", f"@{folder}/people.csv")
        box.order(order="start")
        end, told = time.time() + 60 * words.minutes, 0.0
        while time.time() < end:
            time.sleep(1)
            if time.time() - told >= 60:
                told, board = time.time(), box.board()
                print(f"{(end - told) / 60:5.1f} min left: {board['attempts']} calls, {board['live']} live, {board['abandoned']} abandoned, {board['held'] or 'runs'}", flush=True)
        box.order(order="pause")
        # What rings and talks comes to its own end; a board is told once a second.
        for _ in range(120):
            time.sleep(1)
            if json.loads(box.ask("/calls")) == []:
                break
        time.sleep(3)
        board, attempts, records = box.board(), box.attempts(), box.records()
    finally:
        for process in (box.process, *parties):
            process.send_signal(signal.SIGTERM)
        for process in (box.process, *parties):
            process.wait(60)
    return verdict(words, board, attempts, records, judged(folder, attempts))


def verdict(words, board, attempts, records, evidence):
    dialled = [a for a in attempts if any(m["step"] == "dialled" for m in a["moments"])]
    kept = set(records)
    used = (board["talk_ms"] + board["wrap_ms"]) / max(1, board["work_ms"])
    slack = 1.96 * math.sqrt(max(evidence["abandoned"], 1)) / max(evidence["live"], 1)
    wrong = evidence["broken"] + [
        text for text, so in (
            ("nobody was reached", evidence["live"] == 0),
            ("somebody was dialled twice", len({a["number"] for a in dialled}) != len(dialled)),
            ("the board does not say what the raw events say", (board["live_30"], board["abandoned_30"]) != (evidence["live"], evidence["abandoned"])),
            ("an attempt has no ending", any(a["ending"] is None for a in attempts)),
            ("a call has no record, or two", len(records) != len(kept) or any(a["call"] not in kept for a in dialled)),
            ("too many were abandoned", evidence["rate"] > 3.0),
        ) if so]
    print(f"{words.minutes} min, {words.speed} times as fast as life ({words.minutes * words.speed / 60:.1f} h), {words.agents} agents: {len(dialled)} calls, {evidence['live']} live, "
          f"{evidence['abandoned']} abandoned = {evidence['rate']} % (+- {100 * slack:.1f}), agents used {100 * used:.1f} %, {len(kept)} records")
    print("results:", ", ".join(f"{name} {count}" for name, count in sorted(board["results"].items())))
    print("\n".join(["FAILED", *wrong[:20]]) if wrong else "passed: nobody dialled twice, every call has its record, board = evidence")
    return 1 if wrong else 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=20)
    options.add_argument("--speed", type=float, default=12)
    options.add_argument("--agents", type=int, default=10)
    options.add_argument("--live", type=int, choices=range(1, 7), default=3)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", help="folder for what the box and SIPp wrote")
    words = options.parse_args()
    if words.keep:
        os.makedirs(words.keep)
        return play(words, os.path.abspath(words.keep))
    with tempfile.TemporaryDirectory(prefix="belfry-campaign.") as folder:
        return play(words, folder)


if __name__ == "__main__":
    sys.exit(main())
