SUMMARY = "The disk of Belfry"
DESCRIPTION = "Boot loader, first slot and an empty data partition, to be written to the disk of a new box."
SECTION = "base"
LICENSE = "MIT"

inherit image

IMAGE_FSTYPES = "wic"
IMAGE_FEATURES = ""
IMAGE_LINGUAS = ""
PACKAGE_INSTALL = ""

do_image_wic[depends] += "\
    belfry-boot-slot:do_deploy \
    belfry-image:do_image_complete \
"
do_image_wic[depends] += "${@'belfry-loader:do_deploy grub-efi:do_deploy' if d.getVar('BELFRY_LOADER') == 'grub-efi' else ''}"
