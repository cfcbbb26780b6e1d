"""Callers of the box: a carrier at the emulator's own address (10.0.2.2 as the box sees it). Signalling and a little sound;
each call is known by its caller's number."""

import audioop
import random
import re
import socket
import struct
import threading
import time

CARRIER = "10.0.2.2"


class Carrier:
    """Makes calls to a number of the box, a few at a time, until told to stop."""

    def __init__(self, vm, number, at_once=20, seconds=(2.0, 6.0)):
        self.vm, self.number, self.seconds = vm, number, seconds
        self.stop = threading.Event()
        self.answered = self.refused = self.heard = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(at_once)]
        for thread in self.threads:
            thread.start()

    def finish(self, limit=30):
        self.stop.set()
        for thread in self.threads:
            thread.join(limit)

    def _work(self):
        while not self.stop.is_set():
            try:
                # The caller's number names the call: it is what the box keeps.
                self._call(f"+49309{random.randrange(10**8):08}")
            except (OSError, TimeoutError):
                self.refused += 1
                time.sleep(1)

    def _call(self, caller):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
            sip.bind(("127.0.0.1", 0))
            rtp.bind(("127.0.0.1", 0))
            sip.connect(("127.0.0.1", self.vm.sip))
            call = Call(sip, caller, self.number, rtp.getsockname()[1])
            answer = call.invite()
            if answer is None:
                self.refused += 1
                time.sleep(0.5)
                return
            self.answered += 1
            self._speak(rtp, random.uniform(*self.seconds))
            call.bye()

    def _speak(self, rtp, seconds):
        """Sends sound to where the box's own comes from: that is how the emulator's network finds the way in."""
        end, sequence, box = time.monotonic() + seconds, random.getrandbits(15), None
        rtp.setblocking(False)
        while time.monotonic() < end and not self.stop.is_set():
            try:
                while True:
                    _, box = rtp.recvfrom(2048)
                    self.heard += 1
            except BlockingIOError:
                pass
            if box:
                rtp.sendto(struct.pack(">BBHII", 0x80, 0, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, 7) + TONE, box)
            sequence += 1
            time.sleep(0.02)


# 20 ms of a 400 Hz square wave in G.711 µ-law.
TONE = audioop.lin2ulaw(b"".join(struct.pack("<h", 12000 if i % 20 < 10 else -12000) for i in range(160)), 2)


class Call:
    """One INVITE dialog, caller's side."""

    def __init__(self, sip, caller, number, port):
        self.sip, self.caller, self.number, self.port, self.call_id = sip, caller, number, port, f"{random.getrandbits(60):x}"
        self.tag, self.to, self.cseq = f"{random.getrandbits(40):x}", f"<sip:{number}@box>", 0
        self.here = f"{CARRIER}:{sip.getsockname()[1]}"

    def _send(self, method, cseq, branch, body="", target=None):
        self.sip.send((f"{method} {target or f'sip:{self.number}@box'} SIP/2.0\r\nVia: SIP/2.0/UDP {self.here};rport;branch=z9hG4bK{branch}\r\n"
                       f"From: <sip:{self.caller}@{CARRIER}>;tag={self.tag}\r\nTo: {self.to}\r\nCall-ID: {self.call_id}\r\nCSeq: {cseq} {method}\r\n"
                       f"Contact: <sip:carrier@{self.here}>\r\nMax-Forwards: 70\r\n"
                       + ("Content-Type: application/sdp\r\n" if body else "") + f"Content-Length: {len(body)}\r\n\r\n{body}").encode())

    def _receive(self, limit):
        self.sip.settimeout(limit)
        return self.sip.recv(8192).decode("utf-8", "replace")

    def _final(self, method, cseq, branch, body, limit):
        """The final answer, with the request sent again as over UDP it must be."""
        end, wait, answered = time.monotonic() + limit, 0.5, False
        self._send(method, cseq, branch, body, getattr(self, "contact", None) if method == "BYE" else None)
        while time.monotonic() < end:
            try:
                answer = self._receive(wait)
            except TimeoutError:
                if not answered:
                    self._send(method, cseq, branch, body, getattr(self, "contact", None) if method == "BYE" else None)
                    wait = min(wait * 2, 4)
                continue
            if f"CSeq: {cseq} {method}" not in answer:
                continue
            code = int(answer.split(" ", 2)[1])
            if code >= 200:
                return code, answer
            answered = True
        raise TimeoutError(f"no answer to {method}")

    def invite(self, limit=60):
        """The answer with its SDP once the box has answered and our ACK is out; None when it refuses."""
        body = (f"v=0\r\no=- 1 1 IN IP4 {CARRIER}\r\ns=-\r\nc=IN IP4 {CARRIER}\r\nt=0 0\r\nm=audio {self.port} RTP/AVP 0 101\r\n"
                "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n")
        self.cseq, branch = 1, f"{random.getrandbits(60):x}"
        code, answer = self._final("INVITE", 1, branch, body, limit)
        self.to = re.search(r"(?im)^To: (.*?)\r$", answer)[1]
        if code >= 300:
            self._send("ACK", 1, branch)
            return None
        self.contact = re.search(r"(?im)^Contact: *<([^>]+)>", answer)[1]
        self._send("ACK", 1, f"{random.getrandbits(60):x}", target=self.contact)
        return answer

    def bye(self, limit=30):
        self._final("BYE", 2, f"{random.getrandbits(60):x}", "", limit)
