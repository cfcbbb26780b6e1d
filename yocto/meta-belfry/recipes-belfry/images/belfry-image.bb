SUMMARY = "The root slot of Belfry"
DESCRIPTION = "Everything a box runs, as a file system that is never written and checked block by block."
SECTION = "base"
LICENSE = "MIT"

inherit core-image

IMAGE_FEATURES = "read-only-rootfs"
IMAGE_LINGUAS = ""
# As board/common/packages: no shell on a console, no way to log in; ssh is the client that backups use.
IMAGE_INSTALL = "\
    alsa-lib \
    belfry \
    belfry-system \
    e2fsprogs-e2fsck \
    e2fsprogs-mke2fs \
    grub-editenv \
    iproute2-ip \
    kernel-modules \
    openssh-keygen \
    openssh-sftp \
    openssh-ssh \
    packagegroup-core-boot \
    rauc \
    rauc-service \
    tzdata-core \
    util-linux-blkid \
"
IMAGE_INSTALL:remove:belfry-rpi-cm4 = "grub-editenv"
IMAGE_INSTALL:append:belfry-rpi-cm4 = " libubootenv-bin"

# Where the first boot stage hangs in the data partition and the system its own folders.
belfry_folders[doc] = "Makes the folders that the first boot stage mounts on."
belfry_folders() {
    install -d ${IMAGE_ROOTFS}/data ${IMAGE_ROOTFS}/boot/esp
    : > ${IMAGE_ROOTFS}${sysconfdir}/machine-id
    : > ${IMAGE_ROOTFS}${sysconfdir}/fstab
}
ROOTFS_POSTPROCESS_COMMAND += "belfry_folders"

# What tools/image writes there too: the steward and the pages read it.
belfry_release[doc] = "Says which version of Belfry this is."
belfry_release() {
    sed -e 's,@VERSION@,${DISTRO_VERSION},' -e 's,@BOARD@,${BELFRY_BOARD},' \
        ${BELFRY_TREE}/yocto/meta-belfry/files/os-release.in > ${IMAGE_ROOTFS}${nonarch_libdir}/os-release
}
ROOTFS_POSTPROCESS_COMMAND += "belfry_release"
do_rootfs[file-checksums] += "${BELFRY_TREE}/yocto/meta-belfry/files/os-release.in:True"
