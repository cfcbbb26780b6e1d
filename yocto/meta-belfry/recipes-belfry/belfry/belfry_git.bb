SUMMARY = "Belfry, a telephone system and contact centre"
DESCRIPTION = "One program: signalling, sound, records, web pages and console."
SECTION = "network"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE-MIT;md5=61bec6569cf834556f3a0b4cb68d2787"

DEPENDS = "alsa-lib libopus openssl systemd"
PV = "${@belfry_version(d)}"

FILESEXTRAPATHS:prepend := "${BELFRY_TREE}:"
SRC_URI = "\
    file://Cargo.lock \
    file://Cargo.toml \
    file://LICENSE-MIT \
    file://clippy.toml \
    file://rootfs \
    file://src \
    file://tests \
    file://tools \
    ${@belfry_crates(d)} \
"
S = "${UNPACKDIR}"

inherit cargo pkgconfig useradd

CARGO_BUILD_FLAGS:append = " --package belfry"
# Pages and prompts are made beforehand by yocto/prepare: they need programs and packages that bitbake does not have.
BELFRY_UI ?= "${BELFRY_TREE}/target/yocto/pages"
BELFRY_PROMPTS ?= "${BELFRY_TREE}/target/yocto/prompts"
export BELFRY_UI
export BELFRY_PROMPTS

USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --home-dir /data/belfry --no-create-home --groups audio belfry"

do_configure:prepend() {
    for folder in "${BELFRY_UI}/index.html" "${BELFRY_PROMPTS}/en"; do
        test -e "$folder" || bbfatal "$folder is missing: run yocto/prepare first"
    done
}

do_install() {
    install -D -m 0755 ${B}/target/${CARGO_TARGET_SUBDIR}/belfry ${D}${bindir}/belfry
}
