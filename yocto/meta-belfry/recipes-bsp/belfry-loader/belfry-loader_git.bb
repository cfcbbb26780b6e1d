SUMMARY = "What the boot loader of a Belfry disk reads"
DESCRIPTION = "Slot choice of GRUB and its first environment, as tools/imaging/disk.sh writes them to the first partition."
SECTION = "bootloaders"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE-MIT;md5=61bec6569cf834556f3a0b4cb68d2787"

PV = "${@belfry_version(d)}"

FILESEXTRAPATHS:prepend := "${BELFRY_TREE}:"
SRC_URI = "\
    file://LICENSE-MIT \
    file://board/common/boot/grub.cfg \
    file://grub-start.cfg \
"
S = "${UNPACKDIR}"

inherit deploy nopackages

INHIBIT_DEFAULT_DEPS = "1"
COMPATIBLE_MACHINE = "belfry-generic-x86-64"

do_configure[noexec] = "1"

# A GRUB environment is a text of exactly 1,024 bytes.
do_compile() {
    grep -v '^#' ${S}/board/common/boot/grub.cfg > ${B}/grub.cfg
    {
        printf '# GRUB Environment Block\n'
        printf 'ORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=0\nB_TRY=0\nbelfry_reset=0\n'
        head -c 1024 /dev/zero | tr '\0' '#'
    } | head -c 1024 > ${B}/grubenv
}

do_deploy() {
    install -m 0644 ${B}/grub.cfg ${B}/grubenv ${S}/grub-start.cfg ${DEPLOYDIR}/
}
addtask deploy after do_compile before do_build
