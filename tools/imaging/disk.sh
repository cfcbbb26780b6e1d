# Part of tools/image: the EFI system partition with GRUB, and the GPT disk with the first slot filled.

# mebibytes NAME: size of a partition.
mebibytes() { awk -v name="$1" '$1 == name { print $3 }' board/common/disk; }

make_esp() {
    mkdir -p "$work/esp/EFI/BOOT" "$work/esp/grub"
    printf 'set prefix=($root)/grub\nconfigfile ($root)/grub/grub.cfg\n' > "$work/early.cfg"
    grub-mkimage -O x86_64-efi -p /grub -c "$work/early.cfg" -o "$work/esp/EFI/BOOT/BOOTX64.EFI" \
        part_gpt fat squash4 gzio loadenv linux normal echo test regexp probe configfile reboot sleep minicmd
    grep -v '^#' board/common/boot/grub.cfg > "$work/esp/grub/grub.cfg"
    grub-editenv "$work/esp/grub/grubenv" create
    grub-editenv "$work/esp/grub/grubenv" set ORDER="A B" A_OK=1 A_TRY=0 B_OK=0 B_TRY=0 belfry_reset=0
    find "$work/esp" -exec touch -hcd "@$SOURCE_DATE_EPOCH" {} +
    truncate -s "$(mebibytes esp)M" "$work/esp.img"
    mkfs.vfat --invariant -F 16 -i "$(identity fat | cut -c1-8)" -n BELFRY-ESP "$work/esp.img" > /dev/null
    mcopy -s -m -i "$work/esp.img" "$work/esp/EFI" "$work/esp/grub" ::
}

# make_disk: $out/disk.img, sparse.
make_disk() {
    local disk=$out/disk.img name type size at=1
    make_esp
    rm -f "$disk"
    truncate -s "$(($(awk '!/^#/ { sum += $3 } END { print sum }' board/common/disk) + 2))M" "$disk"
    {
        printf 'label: gpt\nlabel-id: %s\nfirst-lba: 2048\n' "$(identity disk)"
        while read -r name type size; do
            printf 'size=%sMiB, type=%s, name=%s, uuid=%s\n' "$size" "$type" "$name" "$(identity "$name")"
        done < <(grep -v '^#' board/common/disk)
    } | sfdisk -q "$disk"
    while read -r name type size; do
        case "$name" in
            esp) put "$work/esp.img" "$disk" "$at" ;;
            boot-a) put "$work/boot.img" "$disk" "$at" ;;
            root-a) put "$work/root.img" "$disk" "$at" ;;
        esac
        at=$((at + size))
    done < <(grep -v '^#' board/common/disk)
}

put() { dd if="$1" of="$2" bs=1M seek="$3" conv=notrunc,sparse status=none; }
