SUMMARY = "The boot slot of Belfry"
DESCRIPTION = "Kernel, first boot stage and the arguments that pin the root hash, as tools/imaging/boot.sh packs them."
SECTION = "kernel"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE-MIT;md5=61bec6569cf834556f3a0b4cb68d2787"

DEPENDS = "squashfs-tools-native"
PV = "${@belfry_version(d)}"

FILESEXTRAPATHS:prepend := "${BELFRY_TREE}:"
SRC_URI = "file://LICENSE-MIT"
S = "${UNPACKDIR}"

inherit deploy nopackages

INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"

BELFRY_ARGUMENTS = "console=${@belfry_board(d, 'console')} ${@belfry_board(d, 'kernel_arguments')}"

do_configure[noexec] = "1"
do_compile[noexec] = "1"
do_install[noexec] = "1"

do_deploy() {
    slot=${B}/slot
    rm -rf $slot
    install -d $slot
    pinned="${BELFRY_ARGUMENTS} $(cat ${DEPLOY_DIR_IMAGE}/belfry-image-${MACHINE}.arguments)"
    cp -L ${DEPLOY_DIR_IMAGE}/${KERNEL_IMAGETYPE} $slot/vmlinuz
    cp -L ${DEPLOY_DIR_IMAGE}/belfry-first-stage-${MACHINE}.cpio.lz4 $slot/initrd
    # For GRUB and for U-Boot.
    echo "set slot_arguments=\"$pinned\"" > $slot/boot.cfg
    echo "slot_arguments=$pinned" > $slot/boot.env
    mksquashfs $slot ${DEPLOYDIR}/belfry-boot-slot-${MACHINE}.squashfs -noappend -no-progress -comp gzip \
        -all-root -no-exports -no-xattrs
}
do_deploy[depends] += "\
    belfry-first-stage:do_image_complete \
    belfry-image:do_image_complete \
    virtual/kernel:do_deploy \
"
addtask deploy before do_build
