# Part of tools/image: the root folder (packages less what a box does not need, our overlay, units, binary) and the root
# slot (squashfs with its hash tree behind it).

# keep_modules: kernel modules that board/common names, and those that they need.
keep_modules() {
    local modules=$root/usr/lib/modules/$kernel
    (cd "$modules/kernel" && find . -name '*.ko' | sed 's,^\./,,') |
        grep -E -f <(grep -v '^#' board/common/modules.keep) | grep -Ev -f <(grep -v '^#' board/common/modules.drop) > "$work/wanted"
    depmod -b "$root" "$kernel"
    awk -F: 'NR == FNR { want["kernel/" $1] = 1; next }
        $1 in want { print $1; n = split($2, needs, " "); for (i = 1; i <= n; i++) print needs[i] }' \
        "$work/wanted" "$modules/modules.dep" | sort -u > "$work/kept"
    (cd "$modules" && find kernel -name '*.ko' | sort | comm -23 - "$work/kept" | xargs rm -f && find kernel -type d -empty -delete)
    depmod -b "$root" "$kernel"
}

# strip_system: what the packages bring and a box does not need. Licences stay.
strip_system() (
    cd "$root"
    rm -rf boot/* var/* packages.txt lib32 libx32 usr/lib32 usr/libx32 usr/games usr/local/* \
        usr/share/{bash-completion,bug,debconf,grub,info,initramfs-tools,keyrings,lintian,locale,man,mime,perl5,polkit-1,zsh,alsa/ucm2} \
        usr/share/zoneinfo/{right,posix} usr/lib/{apt,dpkg,grub,kernel,init,os-release,x86_64-linux-gnu/gconv,x86_64-linux-gnu/security} \
        usr/lib/x86_64-linux-gnu/perl* usr/share/{dpkg,perl} usr/lib/systemd/catalog usr/lib/udev/hwdb.d usr/lib/udev/hwdb.bin \
        usr/lib/systemd/{system-generators,system-sleep,system-shutdown,user,user-preset,user-generators,user-environment-generators} \
        usr/lib/systemd/{systemd-boot-check-no-failures,systemd-fsckd,systemd-ac-power} usr/lib/systemd/system-preset \
        etc/{alternatives,apt,cron*,default,dpkg,grub.d,init.d,initramfs-tools,kernel,ld.so.conf.d/fakeroot*,logrotate.d,opt,pam.d,pam.conf,profile*,rc*.d,skel,systemd/user,update-motd.d,xdg,issue*,motd}
    local patterns=() program
    while read -r program; do patterns+=(-o -name "$program"); done < <(grep -v '^#' "$tree/board/common/programs")
    find usr/bin usr/sbin \( -type f -o -type l \) ! \( -false "${patterns[@]}" \) -delete
    find usr/bin usr/sbin -xtype l -delete
    # No home folders, no screens.
    rm -f usr/lib/tmpfiles.d/{home,provision,x11,systemd-nspawn}.conf
    # Rules for screens, keyboards, radios and cameras only cost time.
    find usr/lib/udev/rules.d -type f | grep -Ev '/(50-udev-default|55-dm|60-block|60-persistent-storage|60-persistent-storage-dm|60-serial|75-net-description|78-sound-card|80-drivers|80-net-setup-link|99-systemd)\.rules$' | xargs -r rm -f
)

# make_users: passwd and group of base-passwd plus those that sysusers.d names. Nobody has a password.
make_users() {
    cp "$base/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    cp "$base/usr/share/base-passwd/group.master" "$root/etc/group"
    systemd-sysusers --root="$root" 2> "$work/sysusers.log" || { cat "$work/sysusers.log" >&2; die "the users cannot be made"; }
    sed -i -E 's,:(/bin/(ba)?sh|/usr/sbin/nologin|/bin/sync)$,:/nonexistent,' "$root/etc/passwd"
    sed -E 's/^([^:]*):.*/\1:!*:::::::/' "$root/etc/passwd" > "$root/etc/shadow"
    sed -E 's/^([^:]*):.*/\1:*::/' "$root/etc/group" > "$root/etc/gshadow"
    chmod 600 "$root/etc/shadow" "$root/etc/gshadow"
    rm -f "$root"/etc/{passwd,group,shadow,gshadow}- "$root/etc/.pwd.lock"
}

# lay FOLDER: over the root folder. The modes are ours, not those of whoever took the tree out of git.
lay() {
    cp -a --no-preserve=ownership "$1/." "$root/"
    (cd "$1" && find . ! -type l -print0) | (cd "$root" && xargs -0 chmod u=rwX,go=rX)
}

# our_files: overlay, units, board, binary, who signs, which version.
our_files() {
    lay rootfs
    install -m 644 systemd/*.{service,mount} "$root/usr/lib/systemd/system/"
    install -D -m 644 "board/$board/board.toml" "$root/usr/share/belfry/board.toml"
    install -m 755 "$binary" "$root/usr/bin/belfry"
    strip --strip-debug "$root/usr/bin/belfry"
    sed -i "s/@BOARD@/$board/" "$root/etc/rauc/system.conf"
    cp "$cert" "$root/etc/rauc/keyring.pem"
    cat > "$root/etc/os-release" << RELEASE
ID=belfry
NAME=Belfry
PRETTY_NAME="Belfry $version"
VERSION_ID=$version
IMAGE_ID=belfry-$board
IMAGE_VERSION=$version
RELEASE
    local overlay
    for overlay in "${overlays[@]}"; do lay "$overlay"; done
}

# settle: what maintainer scripts and first boots would do, done once and for all.
settle() {
    mkdir -p "$root"/{data,var,boot/esp,srv,tmp,run,proc,sys,dev,root,mnt}
    : > "$root/etc/machine-id"
    : > "$root/etc/fstab"
    ln -sf ../proc/self/mounts "$root/etc/mtab"
    ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
    ln -sf /usr/share/zoneinfo/UTC "$root/etc/localtime"
    ldconfig -r "$root" -X
    rm -f "$root/var/cache/ldconfig/aux-cache"
    systemctl --root="$root" preset-all > "$work/preset.log" 2>&1 || { cat "$work/preset.log" >&2; die "the units cannot be enabled"; }
    systemctl --root="$root" set-default multi-user.target > /dev/null 2>&1
    systemctl --root="$root" mask getty@.service serial-getty@.service console-getty.service container-getty@.service getty.target \
        autovt@.service debug-shell.service emergency.service rescue.service systemd-ask-password-console.path systemd-ask-password-wall.path \
        systemd-firstboot.service systemd-machine-id-commit.service ldconfig.service systemd-update-done.service systemd-hwdb-update.service \
        systemd-journal-catalog-update.service proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount \
        systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-pcrmachine.service dev-hugepages.mount dev-mqueue.mount \
        sys-fs-fuse-connections.mount e2scrub_reap.service e2scrub_all.timer systemd-sysext.service modprobe@.service \
        systemd-network-generator.service systemd-user-sessions.service systemd-logind.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-remount-fs.service > /dev/null 2>&1
    find "$root" -xdev -exec touch -hcd "@$SOURCE_DATE_EPOCH" {} +
}

# make_root: fills $work/root. Sets root and kernel for the other parts.
make_root() {
    root=$work/root
    cp -a --reflink=auto "$base" "$root"
    kernel=$(ls "$root/usr/lib/modules")
    keep_modules
    strip_system
    signer
    our_files
    make_users
    settle
}

# make_root_slot: $work/root.img and the numbers that the boot slot pins: blocks, salt, hash.
make_root_slot() {
    local size
    env -u SOURCE_DATE_EPOCH mksquashfs "$root" "$work/root.img" -quiet -no-progress -noappend -comp zstd -Xcompression-level "$compression" \
        -b 128K -mkfs-time "$SOURCE_DATE_EPOCH" -no-exports -no-xattrs > /dev/null
    size=$(stat -c %s "$work/root.img")
    blocks=$(((size + 4095) / 4096))
    truncate -s $((blocks * 4096)) "$work/root.img"
    salt=$(echo "belfry $version salt" | sha256sum | cut -c1-64)
    veritysetup format "$work/root.img" "$work/root.img" --hash-offset=$((blocks * 4096)) --data-blocks="$blocks" --salt="$salt" \
        --uuid="$(identity verity)" > "$work/verity.txt"
    hash=$(awk '/Root hash/ { print $3 }' "$work/verity.txt")
}
