#pragma once
/// The functions of the built-in tasks, one group per file. registry.cpp lists them with their
/// names, versions and inputs.

#include "worker/tasks/task.h"

namespace worker {

// script_tasks.cpp
schema::TaskResult runCmdLine(TaskContext &task);
schema::TaskResult runBash(TaskContext &task);
schema::TaskResult runPowerShell(TaskContext &task);

// checkout.cpp
schema::TaskResult runCheckout(TaskContext &task);
schema::TaskResult finishCheckout(TaskContext &task);

// file_tasks.cpp
schema::TaskResult runCopyFiles(TaskContext &task);
schema::TaskResult runDeleteFiles(TaskContext &task);
// archive_tasks.cpp
schema::TaskResult runArchiveFiles(TaskContext &task);
schema::TaskResult runExtractFiles(TaskContext &task);

// artifact_tasks.cpp
schema::TaskResult runPublishArtifact(TaskContext &task); ///< publish, PublishPipelineArtifact
schema::TaskResult runPublishBuildArtifacts(TaskContext &task);
schema::TaskResult runDownload(TaskContext &task); ///< download:
schema::TaskResult runDownloadPipelineArtifact(TaskContext &task);
schema::TaskResult runDownloadBuildArtifacts(TaskContext &task);

// cache_task.cpp
schema::TaskResult runCache(TaskContext &task);
schema::TaskResult saveCache(TaskContext &task);

// test_results_task.cpp
schema::TaskResult runPublishTestResults(TaskContext &task);

// coverage_task.cpp
schema::TaskResult runPublishCoverage(TaskContext &task);
// transform_task.cpp
schema::TaskResult runFileTransform(TaskContext &task);
// tool_tasks.cpp
schema::TaskResult runUseNode(TaskContext &task); ///< UseNode, NodeTool
schema::TaskResult runUsePython(TaskContext &task);
schema::TaskResult runUseDotNet(TaskContext &task);
schema::TaskResult runReviewApp(TaskContext &task);
// secure_file_task.cpp
schema::TaskResult runDownloadSecureFile(TaskContext &task);
schema::TaskResult removeSecureFile(TaskContext &task);

// docker_task.cpp
schema::TaskResult runDocker(TaskContext &task);
// compose_task.cpp
schema::TaskResult runDockerCompose(TaskContext &task);
// kubernetes_manifest_task.cpp
schema::TaskResult runKubernetesManifest(TaskContext &task);
// kubernetes_task.cpp
schema::TaskResult runKubernetes(TaskContext &task);
// helm_task.cpp
schema::TaskResult runHelm(TaskContext &task);

} // namespace worker
