# Image type "X.verity": an image with its hash tree behind it, and a file ".arguments" with what the kernel must be told
# to check it. As tools/imaging/root.sh does.
CONVERSIONTYPES += "verity"
# nooelint: oelint.vars.specific - "verity" is the name of the conversion
CONVERSION_CMD:verity = "belfry_verity ${IMAGE_NAME}.${type}"
CONVERSION_DEPENDS_verity = "cryptsetup-native"

belfry_verity[doc] = "Puts the hash tree of an image behind it."
belfry_verity() {
    image=$1
    size=$(stat -c %s "$image")
    blocks=$(expr \( $size + 4095 \) / 4096)
    cp "$image" "$image.verity"
    truncate -s $(expr $blocks \* 4096) "$image.verity"
    salt=$(echo "belfry ${DISTRO_VERSION} salt" | sha256sum | cut -c1-64)
    hash=$(veritysetup format "$image.verity" "$image.verity" --hash-offset=$(expr $blocks \* 4096) \
        --data-blocks=$blocks --salt=$salt | sed -n 's/^Root hash: *//p')
    test -n "$hash" || bbfatal "veritysetup told no root hash"
    echo "belfry.blocks=$blocks belfry.hash=$hash belfry.salt=$salt" > ${IMGDEPLOYDIR}/${IMAGE_LINK_NAME}.arguments
}
