# The slot choice below, instead of the script that starts the only kernel there is.
FILESEXTRAPATHS:prepend:belfryos := "${THISDIR}/files:"
