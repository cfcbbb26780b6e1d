# nooelint: oelint.var.mandatoryvar.SRC_URI - it packs what other recipes made
SUMMARY = "Signed update of Belfry"
DESCRIPTION = "Both parts of a slot, with the same words in its manifest as tools/imaging/bundle.sh writes."
SECTION = "base"
LICENSE = "MIT"

inherit bundle

PV = "${@belfry_version(d)}"
RAUC_BUNDLE_FORMAT = "verity"
RAUC_BUNDLE_COMPATIBLE = "belfry-${BELFRY_BOARD}"
RAUC_BUNDLE_VERSION = "${DISTRO_VERSION}"
RAUC_BUNDLE_BUILD = "schema-${@belfry_schema(d)}"
RAUC_BUNDLE_SLOTS = "rootfs kernel"
RAUC_SLOT_rootfs = "belfry-image"
RAUC_SLOT_rootfs[file] = "belfry-image-${MACHINE}.squashfs-zst.verity"
RAUC_SLOT_rootfs[rename] = "root.img"
RAUC_SLOT_kernel = "belfry-boot-slot"
RAUC_SLOT_kernel[type] = "file"
RAUC_SLOT_kernel[file] = "belfry-boot-slot-${MACHINE}.squashfs"
RAUC_SLOT_kernel[rename] = "boot.img"

# Keys never lie in the tree: kas/common.yml names the folder.
RAUC_KEY_FILE ?= "${BELFRY_KEYS}/key.pem"
RAUC_CERT_FILE ?= "${BELFRY_KEYS}/cert.pem"
