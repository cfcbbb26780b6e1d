"""The images of the tests, made by tools/image: one to boot, and bundles good, bad, unsigned, of another board, too old."""

import os
import shutil
import subprocess

TREE = os.path.abspath(f"{os.path.dirname(os.path.abspath(__file__))}/../..")
HERE = f"{TREE}/{os.environ.get('CARGO_TARGET_DIR', 'target')}/images/test"
BOARD = "qemu-x86_64"
# The version that is booted; the others are beside it.
VERSION, NEXT, LATER, OLD = "0.1.0.90001", "0.1.0.90002", "0.1.0.90003", "0.0.1"
# Takes the images of the run before, for work on the tests themselves.
REUSE = os.environ.get("BELFRY_REUSE_IMAGES") == "yes"


def folder(name):
    return f"{HERE}/{name}"


def binary():
    return os.environ["BELFRY_BIN"]


def workshop(name):
    """An empty folder for disks in use: in memory where there is room, because an emulated disk waits for the real one."""
    memory = "/dev/shm"
    roomy = os.path.isdir(memory) and shutil.disk_usage(memory).free > 4 << 30
    made = f"{memory}/belfry-{name}" if roomy else folder(name)
    shutil.rmtree(made, ignore_errors=True)
    os.makedirs(made)
    return made


def overlay():
    """The test shell with its busybox."""
    made = folder("overlay")
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(f"{TREE}/tests/image/overlay", made)
    os.makedirs(f"{made}/usr/bin")
    shutil.copy("/bin/busybox", f"{made}/usr/bin/busybox")
    return made


def pair(name):
    """A key and its certificate for this run."""
    made = folder(name)
    if not os.path.exists(f"{made}/cert.pem"):
        os.makedirs(made, exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN=Belfry tests, {name}",
                        "-addext", "keyUsage=digitalSignature,keyCertSign", "-keyout", f"{made}/key.pem", "-out", f"{made}/cert.pem"], check=True, capture_output=True)
    return made


def image(name, version, *more):
    if REUSE and os.path.exists(f"{folder(name)}/update.raucb"):
        return folder(name)
    keys = pair("keys")
    subprocess.run([f"{TREE}/tools/image", "--board", BOARD, "--out", folder(name), "--binary", binary(), "--version", version,
                    "--compression", "3", "--cert", f"{keys}/cert.pem", "--key", f"{keys}/key.pem", "--overlay", overlay(), *more], check=True, stderr=subprocess.DEVNULL if name != "first" else None)
    return folder(name)


def disk(program):
    """The disk to boot. Its program has no names of functions: they are a quarter of a binary for debugging, and every byte of
    an image is written, sent, hashed and read many times by an emulated processor."""
    os.makedirs(HERE, exist_ok=True)
    os.environ["BELFRY_BIN"] = folder("belfry")
    subprocess.run(["strip", "--strip-all", "-o", binary(), program], check=True)
    return f"{image('first', VERSION)}/disk.img"


def bundles():
    """Updates for it, after `disk`: a good one, one that will not work, and some that are to be refused."""
    made = {"good": f"{image('next', NEXT, '--bundle-only')}/update.raucb"}
    broken = folder("broken-overlay")
    drop_in = f"{broken}/etc/systemd/system/belfry.service.d"
    os.makedirs(drop_in, exist_ok=True)
    with open(f"{drop_in}/95-broken.conf", "w") as f:
        f.write("# A version whose call to itself fails: it hears nobody.\n[Service]\nIPAddressDeny=any\n")
    made["bad"] = f"{image('later', LATER, '--bundle-only', '--overlay', broken)}/update.raucb"
    return made | wrong_bundles(made["good"])


def wrong_bundles(good):
    """Small ones: they must be refused before anybody looks inside."""
    keys, stranger = pair("keys"), pair("stranger")
    info = subprocess.run(["rauc", "info", "--keyring", f"{keys}/cert.pem", "--output-format=shell", good], capture_output=True, text=True, check=True).stdout
    made = {}
    for name, board, version, key in (("unsigned", BOARD, NEXT, stranger), ("foreign", "rpi-cm4", NEXT, keys), ("old", BOARD, OLD, keys)):
        inside = folder(f"wrong-{name}")
        shutil.rmtree(inside, ignore_errors=True)
        os.makedirs(inside)
        for file in ("root.img", "boot.img"):
            with open(f"{inside}/{file}", "wb") as f:
                f.write(os.urandom(1 << 16))
        schema = next((line.split("=", 1)[1].strip("'\"") for line in info.splitlines() if line.startswith("RAUC_MF_BUILD=")), "schema-1")
        with open(f"{inside}/manifest.raucm", "w") as f:
            f.write(f"[update]\ncompatible=belfry-{board}\nversion={version}\nbuild={schema}\n[bundle]\nformat=verity\n"
                    "[image.rootfs]\nfilename=root.img\n[image.kernel]\nfilename=boot.img\n")
        made[name] = folder(f"{name}.raucb")
        if os.path.exists(made[name]):
            os.unlink(made[name])
        subprocess.run(["rauc", "bundle", f"--cert={key}/cert.pem", f"--key={key}/key.pem", inside, made[name]], check=True, capture_output=True)
    return made
