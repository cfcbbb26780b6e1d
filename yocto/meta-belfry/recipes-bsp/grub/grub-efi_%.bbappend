# The modules that board/common/boot/grub.cfg uses, and no more; as tools/imaging/disk.sh.
GRUB_BUILDIN:belfryos = "part_gpt fat squash4 gzio loadenv linux normal echo test regexp probe configfile reboot sleep minicmd search"
