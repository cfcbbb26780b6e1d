FILESEXTRAPATHS:prepend:belfryos := "${THISDIR}/linux-raspberrypi:"
SRC_URI:append:belfryos = " file://belfry.cfg"
