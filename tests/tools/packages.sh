# shellcheck shell=sh
# Installs Debian packages that are missing. One call of dpkg-query finds out, so a second start
# costs nothing to speak of.

packages_of() {
    case $1 in
    build)
        echo ca-certificates curl git g++ gcc libc6-dev make cmake ninja-build ccache mold pkg-config python3 \
            qt6-base-dev libpoco-dev libyaml-cpp-dev libgit2-dev libsqlite3-dev nlohmann-json3-dev libfmt-dev \
            libsodium-dev libarchive-dev libzstd-dev zlib1g-dev libssl-dev prometheus-cpp-dev libcli11-dev
        # Any Node from 18 on will do; Debian's own is taken only where there is none.
        node_is_there || echo nodejs npm
        ;;
    up)
        echo docker.io iptables iproute2 docker-compose docker-registry openssl perl-base
        # Another package may own the file /usr/bin/kubectl already, and then Debian's cannot be installed.
        on_path kubectl || echo kubernetes-client
        ;;
    lint)
        echo python3 clang-format-19 clang-tidy-19 shellcheck
        ;;
    test)
        packages_of lint
        echo git-lfs podman runc netavark aardvark-dns
        echo clang-19 libclang-rt-19-dev libbenchmark-dev python3-pytest python3-yaml \
            debootstrap chromium fonts-dejavu-core \
            etcd-server catatonit conntrack socat strace dpkg-dev golang-1.19-go jq rsync bash-completion
        ;;
    esac
}

on_path() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1; }

node_is_there() {
    on_path npm && on_path node && [ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 18' 2>/dev/null)" = true ]
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif on_path sudo; then
        sudo "$@"
    else
        echo "run: this needs root: $*" >&2
        echo "run: start it as root, or install sudo" >&2
        return 1
    fi
}

# missing_packages NAME...: those of the named packages that are not installed.
missing_packages() {
    # A package that apt never heard of makes dpkg-query fail and is not in its output: missing as well.
    installed=$(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p')
    for package; do
        printf '%s\n' "$installed" | grep -Fqx "$package" || echo "$package"
    done
}

# install_packages GROUP...
install_packages() {
    # shellcheck disable=SC2046 # lists of words
    set -- $(for group; do packages_of "$group"; done)
    if ! on_path dpkg-query; then
        echo "run: this is no Debian system, so nothing is installed; needed are the counterparts of: $*" >&2
        return 0
    fi
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086 # a list of words
    set -- $missing
    echo "run: installing $# Debian packages: $*"
    apt_install "$@" && return 0
    echo "run: reading the lists of packages again"
    as_root apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 update || true
    apt_install "$@" && return 0
    echo "run: these packages cannot be installed: $*; see the messages above" >&2
    return 1
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install "$@" </dev/null
}
