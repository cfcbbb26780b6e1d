FILESEXTRAPATHS:prepend:belfryos := "${THISDIR}/linux-yocto:"
SRC_URI:append:belfryos = " file://belfry.cfg"
