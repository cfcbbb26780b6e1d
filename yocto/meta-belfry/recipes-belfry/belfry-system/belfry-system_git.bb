SUMMARY = "Overlay and units of the Belfry system"
DESCRIPTION = "The same files that tools/image lays over its image: rootfs/, systemd/ and the file of the board."
SECTION = "base"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE-MIT;md5=61bec6569cf834556f3a0b4cb68d2787"

PV = "${@belfry_version(d)}"

FILESEXTRAPATHS:prepend := "${BELFRY_TREE}:"
SRC_URI = "\
    file://LICENSE-MIT \
    file://board/${BELFRY_BOARD}/board.toml \
    file://rootfs \
    file://systemd \
"
S = "${UNPACKDIR}"

inherit allarch systemd

PACKAGE_ARCH = "${MACHINE_ARCH}"

# Every unit of systemd/, by name: tests/yocto.rs compares.
BELFRY_UNITS = "belfry-console@.service belfry-steward.service belfry.service boot-esp.mount"
# Of the overlay, what other recipes install: base-files, glibc and rauc-conf.
BELFRY_ELSEWHERE = "etc/hostname etc/hosts etc/nsswitch.conf etc/rauc/system.conf"

SYSTEMD_SERVICE:${PN} = "belfry.service belfry-steward.service boot-esp.mount"
FILES:${PN} += "${nonarch_libdir}"
RDEPENDS:${PN} = "belfry rauc"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    cp -R --no-dereference --preserve=mode,links ${S}/rootfs/. ${D}/
    for file in ${BELFRY_ELSEWHERE}; do
        rm ${D}/$file
    done
    # The texts of prompts and the first site are inside the program.
    rm -r ${D}${datadir}/belfry/prompts
    for unit in ${BELFRY_UNITS}; do
        install -D -m 0644 ${S}/systemd/$unit ${D}${systemd_system_unitdir}/$unit
    done
    install -D -m 0644 ${S}/board/${BELFRY_BOARD}/board.toml ${D}${datadir}/belfry/board.toml
    find ${D} -type d -empty -delete
}
