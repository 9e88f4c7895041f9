#!/bin/sh
# Becomes a host: first joins the host's cgroup and opens new namespaces, then, inside, lays an overlay over this
# machine's root, plugs into the bridge, and turns into systemd. Run as root by host.py, which sets:
#   NAME ADDRESS MAC DIR (the host's own directory)  CGROUP LINK (its plug on the machine's side)  BRIDGE  ID (a public key)
set -eu

if [ "${1:-}" != inside ]; then
    echo $$ >"$CGROUP/cgroup.procs"
    exec 9</proc/self/ns/net # the machine's network, kept open for the plug
    exec unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child --propagation private sh "$0" inside
fi

ROOT=$DIR/root

file_systems() {
    mkdir -p "$DIR/upper" "$DIR/work" "$DIR/homes" "$DIR/root-home" "$ROOT"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$DIR/upper,workdir=$DIR/work" "$ROOT"
    # The homes of whoever owns this machine are none of a host's business.
    mount --bind "$DIR/homes" "$ROOT/home"
    mount --bind "$DIR/root-home" "$ROOT/root"
    mount -t proc proc "$ROOT/proc"
    mount -t sysfs -o ro sysfs "$ROOT/sys"
    mount -t cgroup2 cgroup2 "$ROOT/sys/fs/cgroup"
    mount -t tmpfs -o mode=755,size=64m tmpfs "$ROOT/run"
    mount -t tmpfs -o mode=1777,size=256m tmpfs "$ROOT/tmp"
    mkdir "$ROOT/run/host"
    : >"$ROOT/run/host/notify"
    mount --bind "$DIR/notify" "$ROOT/run/host/notify"
}

# The kernel is this machine's: a host may not set it, and sees a boot of its own.
kernel() {
    cat /proc/sys/kernel/random/uuid >"$ROOT/run/host/boot_id"
    mount --bind "$ROOT/proc/sys" "$ROOT/proc/sys"
    mount --bind "$ROOT/run/host/boot_id" "$ROOT/proc/sys/kernel/random/boot_id"
    mount -o remount,bind,ro "$ROOT/proc/sys"
    [ ! -e /proc/sysrq-trigger ] || mount --bind /dev/null "$ROOT/proc/sysrq-trigger"
}

devices() {
    mount -t tmpfs -o mode=755,size=64k tmpfs "$ROOT/dev"
    for device in null zero full random urandom tty; do
        : >"$ROOT/dev/$device"
        mount --bind "/dev/$device" "$ROOT/dev/$device"
    done
    mkdir "$ROOT/dev/pts" "$ROOT/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$ROOT/dev/pts"
    mount -t tmpfs -o mode=1777,size=64m tmpfs "$ROOT/dev/shm"
    ln -s pts/ptmx "$ROOT/dev/ptmx"
    ln -s /proc/self/fd "$ROOT/dev/fd"
    ln -s fd/0 "$ROOT/dev/stdin"
    ln -s fd/1 "$ROOT/dev/stdout"
    ln -s fd/2 "$ROOT/dev/stderr"
}

network() {
    hostname "$NAME"
    ip link set lo up
    ip link add eth0 address "$MAC" type veth peer name "$LINK" netns /proc/self/fd/9
    nsenter --net=/proc/self/fd/9 ip link set "$LINK" master "$BRIDGE" up
    ip addr add "$ADDRESS/16" dev eth0
    ip link set eth0 up
}

# A host starts as a fresh Debian would, whatever this machine has installed, enabled or configured.
fresh_system() {
    rm -rf "$ROOT"/etc/systemd/system "$ROOT"/etc/systemd/user "$ROOT"/etc/rc?.d "$ROOT"/var/lib/systemd/linger
    rm -f "$ROOT"/etc/ssh/ssh_host_* "$ROOT"/etc/ssh/sshd_config.d/* "$ROOT"/etc/machine-id "$ROOT"/var/lib/dbus/machine-id
    mkdir -p "$ROOT/etc/systemd/system/multi-user.target.wants" "$ROOT/var/log/journal"
    ln -s /lib/systemd/system/ssh.service "$ROOT/etc/systemd/system/multi-user.target.wants/"
    ln -s /lib/systemd/system/ssh.service "$ROOT/etc/systemd/system/sshd.service"
    ln -s /dev/null "$ROOT/etc/systemd/system/timers.target"
    tr -d - </proc/sys/kernel/random/uuid >"$ROOT/etc/machine-id"
    : >"$ROOT/etc/fstab"
    : >"$ROOT/etc/environment"
    echo "$NAME" >"$ROOT/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$NAME" >"$ROOT/etc/hosts"
}

# Debian's sshd_config; membership in a group says how an account may log in, so sshd never needs a reload.
ssh_server() {
    chroot "$ROOT" groupadd --system lab-password
    chroot "$ROOT" groupadd --system lab-otp
    cat >"$ROOT/etc/ssh/sshd_config" <<'END'
Include /etc/ssh/sshd_config.d/*.conf
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
Match Group lab-password
    AuthenticationMethods password
Match Group lab-otp
    KbdInteractiveAuthentication yes
    AuthenticationMethods keyboard-interactive
END
    cat >>"$ROOT/etc/pam.d/sshd" <<'END'
auth [success=1 default=ignore] pam_succeed_if.so quiet user notingroup lab-otp
auth required pam_google_authenticator.so
END
    ssh-keygen -q -t ed25519 -N '' -C "$NAME" -f "$ROOT/etc/ssh/ssh_host_ed25519_key"
    ssh-keygen -q -t ecdsa -N '' -C "$NAME" -f "$ROOT/etc/ssh/ssh_host_ecdsa_key"
}

alice() {
    chroot "$ROOT" id alice >/dev/null 2>&1 || chroot "$ROOT" useradd --shell /bin/bash alice
    cp -r "$ROOT/etc/skel" "$ROOT/home/alice"
    mkdir -m 700 "$ROOT/home/alice/.ssh"
    cp "$ID" "$ROOT/home/alice/.ssh/authorized_keys"
    chroot "$ROOT" chown -R alice: /home/alice
    echo alice:lab | chroot "$ROOT" chpasswd
    echo 'alice ALL=(ALL) ALL' >"$ROOT/etc/sudoers.d/alice"
}

file_systems
kernel
devices
network
if [ ! -e "$DIR/installed" ]; then
    fresh_system
    ssh_server
    alice
    : >"$DIR/installed"
fi

cd "$ROOT"
mkdir -p old
pivot_root . old
umount -l /old
# systemd says on NOTIFY_SOCKET when it has booted (man systemd, "Readiness Protocol").
exec env -i container=jupytui-lab NOTIFY_SOCKET=/run/host/notify PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system systemd.unified_cgroup_hierarchy=1 9<&-
