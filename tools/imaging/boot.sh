# Part of tools/image: the first boot stage (a memory file system with our own first process) and the boot slot (kernel,
# first stage, and the arguments that pin the root hash).

# take PROGRAM: into the first stage, with the libraries it needs.
take() {
    local library
    cp --remove-destination "$base/$1" "$stage/bin/"
    chroot "$base" /lib64/ld-linux-x86-64.so.2 --list "/$1" | grep -o '/[^ ]*' | sort -u | while read -r library; do
        mkdir -p "$stage/$(dirname "$library")"
        cp -L "$base/$library" "$stage/$library"
    done
}

# make_boot_slot: $work/boot.img.
make_boot_slot() {
    local stage=$work/stage module applet program
    mkdir -p "$stage"/{bin,modules,lib,lib64,etc}
    install -m 755 board/common/boot/init "$stage/init"
    install -m 644 board/common/boot/button "board/$board/board.toml" "$stage/"
    cp "$base/usr/bin/busybox" "$stage/bin/"
    for applet in $("$stage/bin/busybox" --list); do [ -e "$stage/bin/$applet" ] || ln -s busybox "$stage/bin/$applet"; done
    for program in usr/sbin/{dmsetup,e2fsck,mke2fs,sfdisk,blkdiscard} usr/bin/grub-editenv; do take "$program"; done
    cp "$base/etc/mke2fs.conf" "$stage/etc/"
    echo "$version" > "$stage/version"
    identity esp > "$stage/identity"
    for module in $(word modules); do
        modprobe -d "$root" -S "$kernel" --show-depends "$module" 2> /dev/null || true
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' > "$work/order"
    while read -r module; do cp "$module" "$stage/modules/"; basename "$module"; done < "$work/order" > "$stage/modules.order"
    find "$stage" -exec touch -hcd "@$SOURCE_DATE_EPOCH" {} +
    mkdir "$work/boot"
    (cd "$stage" && find . | sort | cpio --quiet -o -H newc -R 0:0 --reproducible) | lz4 -q -l -12 - - > "$work/boot/initrd"
    cp "$base/boot/vmlinuz-$kernel" "$work/boot/vmlinuz"
    echo "set slot_arguments=\"console=$(word console) $(word kernel_arguments) belfry.blocks=$blocks belfry.hash=$hash belfry.salt=$salt\"" \
        > "$work/boot/boot.cfg"
    find "$work/boot" -exec touch -hcd "@$SOURCE_DATE_EPOCH" {} +
    env -u SOURCE_DATE_EPOCH mksquashfs "$work/boot" "$work/boot.img" -quiet -no-progress -noappend -comp gzip -noD -noF \
        -mkfs-time "$SOURCE_DATE_EPOCH" -all-root -no-exports -no-xattrs > /dev/null
    truncate -s %4096 "$work/boot.img"
}
