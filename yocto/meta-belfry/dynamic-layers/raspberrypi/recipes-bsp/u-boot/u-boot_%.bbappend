FILESEXTRAPATHS:prepend:belfryos := "${THISDIR}/files:"
SRC_URI:append:belfryos = " file://belfry.cfg"
