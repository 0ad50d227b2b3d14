#include "server/logs/log_pack.h"

namespace server::logs {

std::string_view typicalLog()
{
    // The likeliest lines stand last: zstd refers to near ones with fewer bits.
    return R"log(2026-01-15T10:20:30.1234567Z ##[section]Starting: Docker
2026-01-15T10:20:30.2345678Z ##[command]docker build --tag registry.example.com/web:20260115.1 --file Dockerfile --label com.azure.dev.image.build.sourceversion=
2026-01-15T10:20:30.3456789Z #1 [internal] load build definition from Dockerfile
2026-01-15T10:20:30.3456789Z #2 [internal] load metadata for docker.io/library/debian:bookworm-slim
2026-01-15T10:20:30.3456789Z #3 [internal] load .dockerignore
2026-01-15T10:20:30.3456789Z #4 exporting to image
2026-01-15T10:20:30.3456789Z #4 exporting layers done
2026-01-15T10:20:30.4567890Z Successfully built
2026-01-15T10:20:30.4567890Z Successfully tagged registry.example.com/web:
2026-01-15T10:20:30.5678901Z The push refers to repository [registry.example.com/web]
2026-01-15T10:20:30.5678901Z latest: digest: sha256: size: 528
2026-01-15T10:20:30.6789012Z ##[section]Finishing: Docker
2026-01-15T10:20:31.1234567Z ##[section]Starting: KubernetesManifest
2026-01-15T10:20:31.2345678Z ##[command]kubectl apply --filename deployment.yml --namespace default
2026-01-15T10:20:31.3456789Z deployment.apps/web configured
2026-01-15T10:20:31.3456789Z service/web unchanged
2026-01-15T10:20:31.4567890Z ##[command]kubectl rollout status deployment/web --timeout 600s
2026-01-15T10:20:31.5678901Z Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...
2026-01-15T10:20:31.6789012Z deployment "web" successfully rolled out
2026-01-15T10:20:31.7890123Z ##[section]Finishing: KubernetesManifest
2026-01-15T10:20:32.1234567Z ##[section]Starting: Checkout
2026-01-15T10:20:32.2345678Z Syncing repository: web (git)
2026-01-15T10:20:32.3456789Z ##[command]git init
2026-01-15T10:20:32.3456789Z ##[command]git fetch --force --tags --prune --progress --no-recurse-submodules origin --depth=1
2026-01-15T10:20:32.3456789Z remote: Enumerating objects: 12, done.
2026-01-15T10:20:32.3456789Z remote: Counting objects: 100% (12/12), done.
2026-01-15T10:20:32.3456789Z From http://localhost:8080/
2026-01-15T10:20:32.3456789Z ##[command]git checkout --progress --force refs/remotes/origin/main
2026-01-15T10:20:32.3456789Z HEAD is now at
2026-01-15T10:20:32.4567890Z ##[section]Finishing: Checkout
2026-01-15T10:20:33.1234567Z npm ci
2026-01-15T10:20:33.1234567Z npm run build
2026-01-15T10:20:33.1234567Z npm test
2026-01-15T10:20:33.1234567Z make -j2
2026-01-15T10:20:33.1234567Z cmake --build build
2026-01-15T10:20:33.1234567Z [ 50%] Building CXX object
2026-01-15T10:20:33.1234567Z [100%] Linking CXX executable
2026-01-15T10:20:33.1234567Z ##[warning]
2026-01-15T10:20:33.1234567Z ##[error]Bash exited with code '1'.
2026-01-15T10:20:33.1234567Z ##[error]The process was canceled.
2026-01-15T10:20:33.1234567Z ##[section]Starting: Publish test results
2026-01-15T10:20:33.1234567Z ##[section]Finishing: Publish test results
2026-01-15T10:20:33.1234567Z ##[section]Async Command Start: Upload Artifact
2026-01-15T10:20:33.1234567Z Uploaded artifact 'drop': 1 files,  bytes
2026-01-15T10:20:34.1234567Z ##[section]Starting: CmdLine
2026-01-15T10:20:34.2345678Z ##[section]Finishing: CmdLine
2026-01-15T10:20:35.1234567Z ##[section]Starting: Initialize job
2026-01-15T10:20:35.1234601Z Worker 'worker-1', Slipway 0.1.0
2026-01-15T10:20:35.1234689Z Job 'Job' (__default.Job.__default), attempt 1 of run 20260115.1
2026-01-15T10:20:35.1237012Z Workspace: /var/lib/slipway/work/1
2026-01-15T10:20:35.1238123Z ##[section]Finishing: Initialize job
2026-01-15T10:20:35.2203456Z ##[section]Starting: Bash
2026-01-15T10:20:35.2207890Z Generating script.
2026-01-15T10:20:35.2208765Z Script contents:
2026-01-15T10:20:35.2208790Z echo hello
2026-01-15T10:20:35.2208901Z ========================== Starting Command Output ===========================
2026-01-15T10:20:35.2209345Z [command]/usr/bin/bash /var/lib/slipway/work/_temp/
2026-01-15T10:20:35.2317654Z hello
2026-01-15T10:20:35.2321098Z 
2026-01-15T10:20:35.2321187Z ##[section]Finishing: Bash
2026-01-15T10:20:35.2323210Z ##[section]Starting: Finalize Job
2026-01-15T10:20:35.2329876Z ##[section]Finishing: Finalize Job
)log";
}

} // namespace server::logs
