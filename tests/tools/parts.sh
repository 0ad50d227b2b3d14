# shellcheck shell=sh
# Starts the real parts that the end-to-end tests share, and sets the environment that names them:
#   DOCKER_HOST, DOCKER    the engine and the client to use
#   SLIPWAY_TEST_REGISTRY  host:port of a registry without a password
#   KUBECONFIG             the user's own cluster when one answers, else the local one
#   SLIPWAY_TEST_MISSING   one line per part that cannot be had here, with the reason: tests that need
#                          it are skipped and counted as skipped

parts_folder=$PWD/build/parts
started_parts=

# part NAME: starts it and takes its variables over; a part that cannot be had is noted.
part() {
    mkdir -p "$parts_folder"
    echo "run: starting the part $1"
    status=0
    "tests/parts/$1" start "$parts_folder/$1" >"$parts_folder/$1.env" 2>"$parts_folder/$1.err" || status=$?
    cat "$parts_folder/$1.err" >&2
    if [ $status = 0 ]; then
        started_parts="$1 $started_parts"
        return 0
    fi
    SLIPWAY_TEST_MISSING="${SLIPWAY_TEST_MISSING:-}$1: $(tail -n 1 "$parts_folder/$1.err")
"
    export SLIPWAY_TEST_MISSING
    # 77: cannot be had on this machine. Everything else is a failure, which the tests must show.
    [ $status = 77 ] || export SLIPWAY_TEST_BROKEN="$1"
    return 1
}

value() { sed -n "s/^$2=//p" "$parts_folder/$1.env"; }

own_cluster_answers() { [ -n "${KUBECONFIG:-}" ] && kubectl --request-timeout=5s get --raw /readyz >/dev/null 2>&1; }

start_parts() {
    # The build of Kubernetes takes minutes the first time: progress is shown as it comes.
    if ! own_cluster_answers && [ "$(id -u)" = 0 ]; then tests/parts/kubernetes-build >/dev/null || true; fi
    if part docker; then
        DOCKER_HOST=$(value docker DOCKER_HOST)
        DOCKER=$(value docker DOCKER)
        export DOCKER_HOST DOCKER
        part base-image || true
        if own_cluster_answers; then
            echo "run: using the cluster of KUBECONFIG=$KUBECONFIG"
        elif part kubernetes; then
            KUBECONFIG=$(value kubernetes KUBECONFIG)
            export KUBECONFIG
        fi
    fi
    if part registry; then
        SLIPWAY_TEST_REGISTRY=$(value registry REGISTRY)
        export SLIPWAY_TEST_REGISTRY
    fi
}

stop_parts() {
    for name in $started_parts; do
        "tests/parts/$name" stop "$parts_folder/$name" || true
    done
    started_parts=
}
