"""What tests/image/run and tools/soak both do with a box, and how a result is told."""

import re
import threading
import time

import powercut
from vm import SLOW

PASSWORD = "a-long-winded-test-password"

results = []
began = time.monotonic()


def check(name, good, note=""):
    """One result. It is told with the second it came at and the box (its thread), so that the log is a time line."""
    results.append((name, bool(good)))
    box = threading.current_thread().name
    print(f"{'ok  ' if good else 'FAIL'} {time.monotonic() - began:4.0f} s {box}: {name}{': ' if note else ''}{note}", flush=True)


def facts(vm):
    return dict(line.split("=", 1) for line in vm.sh("cat /run/belfry-boot/facts").splitlines())


def console_answers(vm, word, limit=60):
    """What the technician's line shows after an item of its menu."""
    at = len(vm.console.text)
    vm.console.send("\r")
    vm.console.wait("> $", limit * SLOW, at)
    at = len(vm.console.text)
    vm.console.send(word + "\r")
    vm.console.wait("(?s)\n.*> $", limit * SLOW, at)
    return vm.console.text[at:]


def types(vm, line, then, limit=60):
    """Types a line at the serial console; what it shows until `then` is there."""
    at = len(vm.console.text)
    vm.console.send(line + "\r")
    vm.console.wait(then, limit * SLOW, at)
    return vm.console.text[at:]


def sign_in(vm):
    """From the menu that was open before there was an administrator, or from the question that a line asks since."""
    if vm.console.text.rfind("> ") > vm.console.text.rfind("Name:"):
        types(vm, "", "> $")
        types(vm, "0", "(?i)name")
    types(vm, "installer", "(?i)password")
    check("the serial line lets an administrator in", "Command line" in types(vm, PASSWORD, "> $"))


def set_up(vm):
    """The first boot as an installer does it: the code from the serial line, an administrator by the web, a site."""
    shown = console_answers(vm, "7")
    code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", shown)
    check("the set-up code is on the serial console", code, "" if code else shown[-400:])
    status, _, _ = vm.ask("POST", "/setup", {"code": code[0] if code else "", "user": "installer", "password": PASSWORD, "site_name": "Test",
                                             "language": "en", "country": "DE", "time_zone": "Europe/Berlin"})
    check("the set-up code makes the administrator", status == 200, str(status))
    vm.token = vm.sh("belfry token create tests --role admin --data /data/belfry")
    status, answer, _ = vm.ask("POST", "/config/apply", powercut.site("Test"), [("Content-Type", "application/toml")])
    check("a site is put in force", status == 200, "" if status == 200 else str(answer)[:300])


def offer(vm, bundle, limit=300):
    """Uploads a bundle as the web does, and waits for the verdict: the version that may be installed, or None; and the answer."""
    with open(bundle, "rb") as f:
        status, answer, _ = vm.ask("POST", "/update", f.read(), [("Content-Type", "application/octet-stream")], limit)
    if status != 202:
        return None, f"{status} {answer}"
    view = vm.until(lambda: ended(vm), limit, "verdict about the bundle")
    return view["bundle"] and view["bundle"]["version"], (view["refused"] or {"en": ""})["en"]


def ended(vm):
    """The view of the updates once nothing is done any more; None before that, and while the box is too busy to say."""
    try:
        view = vm.get("/update")
        return None if view["work"] else view
    except (OSError, RuntimeError):
        return None


def install(vm, limit=600):
    """Installs what was uploaded; the box restarts by itself. Returns when it no longer answers."""
    status, answer, _ = vm.ask("POST", "/update/install", {"restart": "now"})
    if status != 202:
        raise RuntimeError(f"not installed: {status} {answer}")
    vm.wait_no_sip(limit)


def outcome(vm, version, limit=240):
    """What became of the update to this version; "nothing" when the box does not say in time."""
    end = time.monotonic() + limit * SLOW
    while time.monotonic() < end:
        try:
            last = vm.get("/update")["last"]
            if last and last["version"] == version:
                return last["result"]
        except (OSError, RuntimeError):
            pass
        time.sleep(2)
    return "nothing"
