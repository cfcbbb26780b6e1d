# Part of tools/image: Debian packages, unpacked and not configured (no maintainer script runs), kept under target/.

packages_named() { sed -n 's/^\([a-z0-9][^ ]*\) .*/\1/p' board/common/packages | paste -sd,; }

# forget FOLDER: removes it. A run that was cut off leaves the machine's own /dev, /proc and /sys mounted in there: what is
# behind a mount is never touched.
forget() {
    local mount
    while read -r mount; do umount "$mount"; done < <(findmnt --list --noheadings --output TARGET | grep -F "$1/" | sort -r)
    rm -rf --one-file-system "$1"
}

# base_folder: prints the folder with all packages unpacked; fetches them when the list is new.
base_folder() {
    local list folder
    list=$(packages_named)
    folder=$cache/base-$(echo "$list" | sha256sum | cut -c1-12)
    if [ ! -e "$folder.done" ]; then
        forget "$folder"
        mmdebstrap --quiet --mode=root --variant=extract --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
            --aptopt='Apt::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
            --dpkgopt='path-include=/usr/share/doc/*/copyright' --dpkgopt='path-exclude=/usr/share/man/*' \
            --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
            --extract-hook='for deb in "$1"/var/cache/apt/archives/*.deb; do dpkg-deb -W --showformat="\${Package} \${Version} \${Architecture} \${Source}\n" "$deb"; done | sort > "$1/packages.txt"' \
            --include="$list" bookworm "$folder" > "$folder.log" 2>&1 || { cat "$folder.log" >&2; die "the packages of the image cannot be unpacked"; }
        touch "$folder.done"
    fi
    echo "$folder"
}
