# The slots of rootfs/etc/rauc, for the board that is built.
FILESEXTRAPATHS:prepend:belfryos := "${BELFRY_TREE}/rootfs/etc/rauc:"

PACKAGE_ARCH:belfryos = "${MACHINE_ARCH}"

BELFRY_BOOT_CHOICE:belfryos = "sed -i -e 's/@BOARD@/${BELFRY_BOARD}/'"
# U-Boot keeps the slot choice in its own environment.
BELFRY_BOOT_CHOICE:append:belfry-rpi-cm4 = " -e 's/^bootloader=grub$/bootloader=uboot/' -e '/^grubenv=/d'"

# The box's files lie where tools/image puts them.
do_install:append:belfryos() {
    ${BELFRY_BOOT_CHOICE} ${D}${nonarch_libdir}/rauc/system.conf
    install -d ${D}${sysconfdir}/rauc
    mv ${D}${nonarch_libdir}/rauc/system.conf ${D}${sysconfdir}/rauc/
    mv ${D}${nonarch_libdir}/rauc/${RAUC_KEYRING_FILE} ${D}${sysconfdir}/rauc/keyring.pem
    rmdir ${D}${nonarch_libdir}/rauc
}
FILES:${PN}:append:belfryos = " ${sysconfdir}/rauc"
