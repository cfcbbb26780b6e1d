SUMMARY = "The first boot stage of Belfry"
DESCRIPTION = "A memory file system with board/common/boot/init as its first process and the programs that it calls."
SECTION = "base"
LICENSE = "MIT"

inherit image

IMAGE_FSTYPES = "cpio.lz4"
IMAGE_FEATURES = ""
IMAGE_LINGUAS = ""
IMAGE_NAME_SUFFIX = ""
PACKAGE_INSTALL = "\
    busybox \
    e2fsprogs-e2fsck \
    e2fsprogs-mke2fs \
    libdevmapper \
    util-linux-blkdiscard \
    util-linux-sfdisk \
"
PACKAGE_INSTALL:append:belfry-generic-x86-64 = " grub-editenv"
PACKAGE_INSTALL:append:belfry-rpi-cm4 = " libubootenv-bin"
BELFRY_ENVIRONMENT = "grub-editenv"
BELFRY_ENVIRONMENT:belfry-rpi-cm4 = "fw_setenv"

# Where board/common/boot/init looks: every program in /bin. What the kernel needs is built in, so no module is listed.
belfry_first_process[doc] = "Makes our own program the first process."
belfry_first_process() {
    install -m 0755 ${BELFRY_TREE}/board/common/boot/init ${IMAGE_ROOTFS}/init
    install -m 0644 ${BELFRY_TREE}/board/common/boot/button ${BELFRY_TREE}/board/${BELFRY_BOARD}/board.toml ${IMAGE_ROOTFS}/
    for program in dmsetup e2fsck mke2fs sfdisk blkdiscard ${BELFRY_ENVIRONMENT}; do
        found=$(find ${IMAGE_ROOTFS}/usr -name "$program" -o -name "$program.*" | head -n 1)
        test -n "$found" || bbfatal "the first boot stage has no $program"
        test -e ${IMAGE_ROOTFS}/bin/$program || ln -s "/${found#${IMAGE_ROOTFS}/}" ${IMAGE_ROOTFS}/bin/$program
    done
    : > ${IMAGE_ROOTFS}/modules.order
    echo "${DISTRO_VERSION}" > ${IMAGE_ROOTFS}/version
    echo "${BELFRY_FRESH}" > ${IMAGE_ROOTFS}/identity
}
ROOTFS_POSTPROCESS_COMMAND += "belfry_first_process"
do_rootfs[file-checksums] += "\
    ${BELFRY_TREE}/board/common/boot/init:True \
    ${BELFRY_TREE}/board/common/boot/button:True \
    ${BELFRY_TREE}/board/${BELFRY_BOARD}/board.toml:True \
"
