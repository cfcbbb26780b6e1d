"""Part of tools/image: the bill of materials (CycloneDX 1.5 JSON) of an image, with a licence for every entry: Debian
packages, crates, packages of the web pages, sounds. Usage: bill.py FOLDER-OF-PACKAGES VERSION BOARD > bill-of-materials.json"""

import datetime
import json
import os
import re
import subprocess
import sys
import uuid


def debian_licences(base, package):
    """Short names of the licences in a package's copyright file, as the file spells them."""
    place = f"{base}/usr/share/doc/{package}"
    try:
        text = open(f"{place}/copyright", encoding="utf-8", errors="replace").read()
    except FileNotFoundError:
        return []
    named = re.findall(r"^License:[ \t]*(\S[^\n]*)$", text, re.M)
    if not named:
        # An old free-form file: it points at the common texts.
        named = re.findall(r"/usr/share/common-licenses/([A-Za-z]+-?[0-9.]*[0-9]|[A-Za-z]+)", text)
    if not named:
        known = {"public domain": "public-domain", "Permission is hereby granted": "MIT-style", "Redistribution and use": "BSD-style"}
        named = [name for words, name in known.items() if words.lower() in " ".join(text.split()).lower()]
    return sorted({name.strip() for name in named})


def debian(base):
    found, by_source = [], {}
    for line in open(f"{base}/packages.txt"):
        name, version, architecture, *source = line.split()
        licences, source = debian_licences(base, name), source[0] if source else name
        by_source.setdefault(source, set()).update(licences)
        found.append((name, version, architecture, licences, source))
    for name, version, architecture, licences, source in found:
        # A package without a file of its own shares its neighbour's of the same source.
        licences = licences or sorted(by_source[source])
        yield "library", name, version, licences, f"pkg:deb/debian/{name}@{version}?arch={architecture}&distro=debian-12"


def licence_files():
    """Crates that name a file instead of a licence: crate → first line of the file."""
    meta = json.loads(subprocess.run(["cargo", "metadata", "--locked", "--format-version", "1"], capture_output=True, check=True).stdout)
    for package in meta["packages"]:
        if not package["license"] and package["license_file"]:
            text = open(os.path.join(os.path.dirname(package["manifest_path"]), package["license_file"])).read()
            yield package["name"], "MIT" if text.lstrip().startswith("MIT License") else text.strip().splitlines()[0]


def crates():
    tree = ["cargo", "tree", "--locked", "-p", "belfry", "-e", "normal", "--target", "x86_64-unknown-linux-gnu", "--prefix", "none", "-f", "{p}|{l}"]
    lines = subprocess.run(tree, capture_output=True, text=True, check=True).stdout.splitlines()
    from_file = dict(licence_files())
    for line in sorted(set(line.replace(" (*)", "") for line in lines)):
        crate, _, licence = line.partition("|")
        name, version, *_ = crate.split()
        licence = (licence or from_file.get(name, "")).replace("/", " OR ")
        yield "library", name, version.lstrip("v"), [licence] if licence else [], f"pkg:cargo/{name}@{version.lstrip('v')}"


def pages():
    for path, entry in sorted(json.load(open("src/web/ui/package-lock.json"))["packages"].items()):
        if path and not entry.get("optional"):
            name = path.rpartition("node_modules/")[2]
            yield "library", name, entry["version"], [entry["license"]] if "license" in entry else [], f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}"


def sounds():
    yield "data", "belfry-prompts", "1", ["see rootfs/usr/share/belfry/prompts/LICENSES.md"], None


def entry(kind, name, version, licences, purl):
    made = {"type": kind, "name": name, "version": version}
    # Crates and pages name theirs as SPDX expressions; Debian spells them in its own way.
    spdx = purl and not purl.startswith("pkg:deb") and "/" not in licences[0] if licences else False
    made["licenses"] = [{"expression": licences[0]}] if spdx else [{"license": {"name": word}} for word in licences]
    if purl:
        made["purl"] = made["bom-ref"] = purl
    return made


def main(base, version, board):
    everything = {tuple(map(str, found)): found for found in [*debian(base), *crates(), *pages(), *sounds()]}.values()
    components = [entry(*found) for found in everything]
    without = [c["name"] for c in components if not c["licenses"]]
    if without:
        sys.exit(f"no licence is known for: {', '.join(without)}")
    at = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    bill = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'belfry/{board}/{version}')}",
        "metadata": {"timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": {"type": "firmware", "name": f"belfry-{board}", "version": version}},
        "components": components,
    }
    json.dump(bill, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
