# shellcheck shell=sh
# Building, for `run` and the suites.

cache_folder() { echo "${SLIPWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}}/slipway"; }

# configure PRESET: once; ninja itself configures again when a CMake file or the set of sources changes.
configure() {
    [ -f "build/$1/build.ninja" ] || cmake --preset "$1"
}

# build_preset PRESET TARGET...
build_preset() {
    preset=$1
    shift
    configure "$preset"
    cmake --build "build/$preset" ${1:+--target "$@"}
}

build_release() { build_preset release "$@"; }

# The exact modules of package-lock.json; again only when that file changed.
build_web_modules() {
    [ -f web/package-lock.json ] || return 0
    if [ ! -f web/node_modules/.package-lock.json ] ||
        [ -n "$(find web/package-lock.json -newer web/node_modules/.package-lock.json)" ]; then
        echo "run: fetching the portal's modules"
        (cd web && npm ci --no-audit --no-fund --loglevel=error)
        touch web/node_modules/.package-lock.json
    fi
}

# The portal, when a file of it is newer than what was built.
build_web() {
    [ -f web/package-lock.json ] || return 0
    build_web_modules
    if [ ! -f web/dist/index.html ] ||
        [ -n "$(find web -name node_modules -prune -o -name dist -prune -o -type f -newer web/dist/index.html -print | head -n 1)" ]; then
        echo "run: building the portal"
        (cd web && npm run --silent build)
        touch web/dist/index.html
    fi
}

# All sources that clang-format looks after.
source_files() {
    find schema pipelines server worker cli tests examples -name build -prune -o -type f \
        \( -name '*.cpp' -o -name '*.h' -o -name '*.c' \) -print
}
