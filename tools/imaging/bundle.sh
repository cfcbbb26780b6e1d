# Part of tools/image: who signs, the update bundle, and the list of what came out.

# signer: sets cert and key; a pair for tests and own builds is made when none is given.
signer() {
    [ -z "$cert" ] || return 0
    # Outside the tree and outside target/: who loses it cannot update the boxes that were built with it.
    local keys=${XDG_CONFIG_HOME:-$HOME/.config}/belfry/signing
    cert=$keys/cert.pem key=$keys/key.pem
    [ -e "$cert" ] && return
    mkdir -p "$keys"
    openssl req -x509 -newkey rsa:3072 -nodes -days 7300 -subj "/O=Belfry/CN=Own build" -addext keyUsage=digitalSignature,keyCertSign \
        -keyout "$key" -out "$cert" 2> /dev/null
    chmod 600 "$key"
    say "a key that signs updates was made: $key (keep it: boxes built with it take updates signed with it only)"
}

make_bundle() {
    # A box asks before it installs: which schema of the records does this version write?
    local schema
    schema=$(sed -n 's/^pub const KNOWN: u32 = \([0-9]*\);/\1/p' src/store/migrate.rs)
    [ -n "$schema" ] || die "src/store/migrate.rs does not say which schema it knows"
    mkdir -p "$work/bundle"
    cp "$work/root.img" "$work/boot.img" "$work/bundle/"
    printf '[update]\ncompatible=belfry-%s\nversion=%s\nbuild=schema-%s\n[bundle]\nformat=verity\n[image.rootfs]\nfilename=root.img\n[image.kernel]\nfilename=boot.img\n' \
        "$board" "$version" "$schema" > "$work/bundle/manifest.raucm"
    rm -f "$out/update.raucb"
    rauc bundle --cert="$cert" --key="$key" "$work/bundle" "$out/update.raucb" > "$work/rauc.log" 2>&1 || { cat "$work/rauc.log" >&2; die "the bundle cannot be signed"; }
}

make_manifest() {
    {
        echo "version $version"
        echo "board $board"
        echo "root-hash $hash"
        (cd "$out" && sha256sum disk.img update.raucb bill-of-materials.json | sed 's/^/sha256 /')
        (cd "$work" && stat -c 'bytes %s %n' root.img boot.img)
        sed 's/^/package /' "$base/packages.txt"
    } > "$out/manifest.txt"
}
