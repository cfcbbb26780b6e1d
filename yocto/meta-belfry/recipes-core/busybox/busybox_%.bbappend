FILESEXTRAPATHS:prepend:belfryos := "${THISDIR}/busybox:"
SRC_URI:append:belfryos = " file://belfry.cfg"
