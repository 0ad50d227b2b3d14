// Generated from schema/openapi.yaml by `npm run types`. Do not edit.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Error: {
            message: string;
            typeKey: string;
            errorCode?: number;
            code: string;
            diagnostics?: components["schemas"]["Diagnostic"][];
        };
        Diagnostic: {
            /** @enum {unknown} */
            severity: "error" | "warning";
            code: string;
            message: string;
            file?: string;
            line?: number;
            column?: number;
            hint?: string;
        };
        Person: {
            id: string;
            displayName: string;
            uniqueName?: string;
        };
        Me: {
            id: string;
            uniqueName: string;
            displayName: string;
            isAdmin: boolean;
        };
        Project: {
            id: string;
            name: string;
            description?: string;
        };
        PipelineRef: {
            id: number;
            name: string;
        };
        /** @description A pipeline with its newest runs */
        PipelineOverview: {
            id: number;
            name: string;
            folder: string;
            /** @description The entry file in its repository */
            path: string;
            runs: components["schemas"]["RunSummary"][];
        };
        /** @description Azure DevOps Pipeline */
        Pipeline: {
            id: number;
            name: string;
            folder: string;
            revision: number;
            configuration?: {
                type: string;
                path: string;
                repository: {
                    id: string;
                    name: string;
                    type: string;
                    defaultBranch: string;
                };
            };
        };
        PipelinePreview: {
            finalYaml: string;
        };
        /** @enum {unknown} */
        RunStatus: "none" | "notStarted" | "inProgress" | "cancelling" | "completed";
        /** @enum {unknown} */
        RunResult: "none" | "succeeded" | "partiallySucceeded" | "failed" | "canceled";
        /** @enum {unknown} */
        RunReason: "manual" | "individualCI" | "batchedCI" | "schedule" | "pullRequest" | "buildCompletion" | "resourceTrigger";
        /** @enum {unknown} */
        TaskResult: "succeeded" | "succeededWithIssues" | "failed" | "canceled" | "skipped" | "abandoned";
        /**
         * @description More urgent jobs get workers first
         * @enum {unknown}
         */
        RunPriority: "high" | "aboveNormal" | "normal" | "belowNormal" | "low";
        /**
         * @description waiting: for a check; queued: it has begun, but none of its jobs is with a worker
         * @enum {unknown}
         */
        StageState: "pending" | "waiting" | "queued" | "inProgress" | "completed";
        StageSummary: {
            name: string;
            displayName: string;
            state: components["schemas"]["StageState"];
            result?: components["schemas"]["TaskResult"];
            /** @description What a waiting stage waits for; why it was skipped or failed afterwards */
            waiting?: string;
            attempt?: number;
        };
        RunSummary: {
            id: number;
            number: string;
            pipeline: components["schemas"]["PipelineRef"];
            status: components["schemas"]["RunStatus"];
            result?: components["schemas"]["RunResult"];
            reason: components["schemas"]["RunReason"];
            branch: string;
            version: string;
            commitMessage: string;
            commitAuthor: string;
            requestedBy?: components["schemas"]["Person"];
            priority?: components["schemas"]["RunPriority"];
            /** Format: date-time */
            queuedAt: string;
            /** Format: date-time */
            startedAt?: string;
            /** Format: date-time */
            finishedAt?: string;
            parameters: {
                [key: string]: unknown;
            };
            stages: components["schemas"]["StageSummary"][];
            /** @description What the run is doing or how it ended */
            sentence: string;
        };
        Issue: {
            /** @enum {unknown} */
            type: "error" | "warning";
            category?: string;
            message: string;
        };
        /** @description An attempt before this one; its timeline shows the whole run as it was then */
        PreviousAttempt: {
            attempt: number;
            timelineId: string;
            recordId: string;
        };
        /** @description Azure DevOps TimelineRecord */
        TimelineRecord: {
            id: string;
            parentId?: string | null;
            /** @enum {unknown} */
            type: "Stage" | "Checkpoint" | "Checkpoint.Approval" | "Checkpoint.ExclusiveLock" | "Phase" | "Job" | "Task";
            name: string;
            identifier?: string;
            refName?: string;
            /** @enum {unknown} */
            state: "pending" | "inProgress" | "completed";
            result?: components["schemas"]["TaskResult"] | null;
            startTime?: string | null;
            finishTime?: string | null;
            currentOperation?: string | null;
            percentComplete?: number | null;
            workerName?: string | null;
            order?: number;
            attempt?: number;
            previousAttempts?: components["schemas"]["PreviousAttempt"][];
            errorCount?: number;
            warningCount?: number;
            log?: {
                id: number;
                url?: string;
            } | null;
            issues?: components["schemas"]["Issue"][];
        };
        GraphJob: {
            name: string;
            displayName: string;
            dependsOn: string[];
            isDeployment: boolean;
            environment?: {
                name: string;
                resourceName: string;
            };
        };
        GraphStage: {
            name: string;
            displayName: string;
            dependsOn: string[];
            jobs: components["schemas"]["GraphJob"][];
        };
        Artifact: {
            name: string;
            size: number;
            files: number;
            /** @description The whole artifact as a zip file */
            url: string;
        };
        ArtifactFile: {
            path: string;
            size: number;
        };
        ArtifactFileList: {
            count: number;
            value: components["schemas"]["ArtifactFile"][];
        };
        RunDetail: components["schemas"]["RunSummary"] & {
            records: components["schemas"]["TimelineRecord"][];
            graph: {
                stages: components["schemas"]["GraphStage"][];
            };
            approvals: components["schemas"]["ApprovalItem"][];
            artifacts: components["schemas"]["Artifact"][];
            deployments: components["schemas"]["HistoryEntry"][];
            diagnostics: components["schemas"]["Diagnostic"][];
            finalYaml: string;
            changeId?: number;
        };
        Version: {
            id: number;
            tag: string;
            tags: string[];
            digest: string;
            commit: string;
            commitMessage: string;
            runId: number;
            runNumber: string;
            pipeline?: components["schemas"]["PipelineRef"];
            /** Format: date-time */
            createdAt: string;
        };
        /** @description What one approver decided */
        Decision: {
            displayName: string;
            status?: string;
            comment?: string;
            /** Format: date-time */
            at?: string;
        };
        /** @enum {unknown} */
        CellState: "ok" | "inProgress" | "failed" | "waiting";
        Cell: {
            serviceId: number;
            environmentId: number;
            /** @description 0: the environment itself */
            resourceId: number;
            state: components["schemas"]["CellState"];
            version?: components["schemas"]["Version"] | null;
            deploymentId?: number;
            runId?: number;
            runNumber?: string;
            pipeline?: components["schemas"]["PipelineRef"];
            /** Format: date-time */
            since?: string;
            image?: string;
            workload?: string;
            /** @description Versions of the service that were built after this one, by commit */
            behind?: number;
            namespace?: string;
            approvedBy?: components["schemas"]["Decision"][];
            pending?: {
                runId: number;
                runNumber: string;
                pipeline?: components["schemas"]["PipelineRef"];
                version?: components["schemas"]["Version"] | null;
                state: string;
                approvalId?: string;
            };
        };
        Resource: {
            id: number;
            name: string;
            type: string;
            namespace: string;
        };
        MatrixEnvironment: {
            id: number;
            name: string;
            ordinal: number;
            locked?: {
                runId: number;
                runNumber: string;
                stage?: string;
                pipeline?: components["schemas"]["PipelineRef"];
            };
            resources: components["schemas"]["Resource"][];
        };
        Service: {
            id: number;
            key: string;
            imageRepository: string;
        };
        Matrix: {
            /** Format: date-time */
            at: string;
            environments: components["schemas"]["MatrixEnvironment"][];
            services: components["schemas"]["Service"][];
            cells: components["schemas"]["Cell"][];
        };
        /** @enum {unknown} */
        Direction: "first" | "forward" | "rollback" | "redeploy" | "sideways";
        /** @description What a deployment put in place of one service; one entry without a service when its job recorded no image */
        HistoryEntry: {
            deploymentId: number;
            service?: {
                id: number;
                key: string;
            };
            environment: {
                id: number;
                name: string;
            };
            resource?: components["schemas"]["Resource"];
            version?: components["schemas"]["Version"] | null;
            image: string;
            digest?: string;
            workload: string;
            namespace: string;
            runId: number;
            runNumber: string;
            pipeline: components["schemas"]["PipelineRef"];
            stage: string;
            stageAttempt: number;
            job: string;
            /** Format: date-time */
            queuedAt: string;
            /** Format: date-time */
            startedAt?: string;
            /** Format: date-time */
            finishedAt?: string;
            result?: components["schemas"]["TaskResult"];
            requestedBy?: components["schemas"]["Person"];
            approvals: components["schemas"]["Decision"][];
            commits: {
                id: string;
                message: string;
                author: string;
                /** Format: date-time */
                at: string;
            }[];
            direction?: components["schemas"]["Direction"];
        };
        ApprovalItem: {
            id: string;
            runId: number;
            runNumber: string;
            pipeline: components["schemas"]["PipelineRef"];
            stage: string;
            environment: {
                id: number;
                name: string;
            };
            /** @enum {unknown} */
            status: "pending" | "approved" | "rejected" | "timedOut" | "canceled";
            instructions: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt?: string;
            approvers: components["schemas"]["Person"][];
            steps: components["schemas"]["Decision"][];
            minRequiredApprovers: number;
            versions: {
                service: string;
                from?: components["schemas"]["Version"] | null;
                to: components["schemas"]["Version"];
            }[];
            requestedBy?: components["schemas"]["Person"];
            branch: string;
            version: string;
            commitMessage: string;
            canDecide: boolean;
        };
        RunList: {
            count: number;
            value: components["schemas"]["RunSummary"][];
            continuationToken?: string;
        };
        PipelineOverviewList: {
            count: number;
            value: components["schemas"]["PipelineOverview"][];
        };
        HistoryList: {
            count: number;
            value: components["schemas"]["HistoryEntry"][];
            continuationToken?: string;
        };
        ApprovalList: {
            count: number;
            value: components["schemas"]["ApprovalItem"][];
        };
        WaitingReason: {
            /** @enum {unknown} */
            kind: "worker" | "limit" | "approval" | "lock" | "dependency" | "person" | "parallel";
            stage: string;
            job?: string;
            sentence: string;
            /** Format: date-time */
            since?: string;
            /** @description Who may still decide */
            approvers?: string[];
            heldBy?: {
                runId: number;
                runNumber: string;
                pipeline: string;
            };
            /** @description The job instance that waits for a worker or for room under a limit */
            jobId?: string;
            /** @description In the queue of the lock, or of the pool in the order in which its jobs get workers; from 1 */
            position?: number;
            queueLength?: number;
            /**
             * Format: date-time
             * @description When the turn for the lock comes if everybody before takes as long as usual
             */
            estimatedAt?: string;
            pool?: string;
            /** @description The limit on jobs at once that is used up (kind limit) */
            limit?: {
                /** @enum {unknown} */
                of: "pool" | "pipeline";
                name: string;
                maxParallelism: number;
                inUse: number;
                /** @description Whose jobs use it up; the first of many */
                runs: {
                    runId: number;
                    runNumber: string;
                    pipeline: string;
                }[];
            };
            /** @description The worker that lacks the fewest demands */
            nearestWorker?: string;
            missing?: string[];
        };
        JobExplanation: {
            id: string;
            stage: string;
            name: string;
            identifier: string;
            /** @enum {unknown} */
            state: "queued" | "assigned" | "running" | "completed";
            result?: components["schemas"]["TaskResult"];
            sentence: string;
        };
        Explanation: {
            sentence: string;
            waiting: components["schemas"]["WaitingReason"][];
            jobs?: components["schemas"]["JobExplanation"][];
        };
        ParameterAsk: {
            name: string;
            displayName: string;
            type: string;
            default?: unknown;
            values?: unknown[];
            required: boolean;
        };
        QueueInputs: {
            branch: string;
            version: string;
            parameters: components["schemas"]["ParameterAsk"][];
            stages: {
                name: string;
                displayName: string;
                dependsOn: string[];
                isSkippable: boolean;
            }[];
            diagnostics: components["schemas"]["Diagnostic"][];
        };
        LogLines: {
            from: number;
            total: number;
            sealed: boolean;
            lines: string[];
        };
        TestResult: {
            id?: number;
            suite?: string;
            className?: string;
            name: string;
            outcome: string;
            durationMs: number;
            message?: string;
            stackTrace?: string;
        };
        TestRun: {
            id: number;
            title: string;
            passed: number;
            failed: number;
            skipped: number;
            durationMs: number;
            jobId: string;
            results?: components["schemas"]["TestResult"][];
        };
        TestRunList: {
            count: number;
            value: components["schemas"]["TestRun"][];
        };
        TestHistoryEntry: {
            runId: number;
            runNumber: string;
            outcome: string;
            durationMs: number;
        };
        /** @description A file whose content only jobs read */
        SecureFile: {
            id: string;
            name: string;
            size: number;
            /** Format: date-time */
            createdOn: string;
            createdBy?: components["schemas"]["Person"];
        };
        SecureFileList: {
            count: number;
            value: components["schemas"]["SecureFile"][];
        };
        /** @description How one test went over the newest runs of a pipeline */
        PipelineTest: {
            className: string;
            name: string;
            /** @description In how many of the runs it was */
            runs: number;
            failures: number;
            /** @description Commits at which the same job saw it pass and fail */
            flakyCommits: number;
            lastFlakyRunId?: number;
            lastOutcome: string;
            lastRunId: number;
            /** @description Average duration in the newer half of the runs */
            newerMs: number;
            olderMs: number;
        };
        PipelineTestList: {
            count: number;
            value: components["schemas"]["PipelineTest"][];
        };
        TestHistory: {
            count: number;
            value: components["schemas"]["TestHistoryEntry"][];
        };
        /** @description Azure DevOps Change of a build */
        Change: {
            id: string;
            message: string;
            author?: {
                displayName?: string;
            };
            /** Format: date-time */
            timestamp?: string;
        };
        Pool: {
            id: number;
            name: string;
            size?: number;
            online?: number;
            vmImages?: string[];
            /** @description Jobs that workers of the pool may hold at once */
            maxParallelism?: number | null;
            queuedJobs?: number;
            heldJobs?: number;
        };
        /** @description Azure DevOps TaskAgent, a worker */
        Agent: {
            id: number;
            name: string;
            version?: string;
            /** @enum {unknown} */
            status: "online" | "offline";
            enabled?: boolean;
            /** @description Why it takes no jobs for now: its disk is full, say; absent when it does */
            unavailable?: string;
            osDescription?: string;
            maxParallelism?: number;
            assignedRequest?: {
                requestId?: number;
                jobName?: string;
                owner?: {
                    id: number;
                    name: string;
                };
            } | null;
            /** @description What it does now */
            jobs?: {
                id: string;
                name: string;
                runId: number;
                runNumber: string;
                pipeline: string;
                project: string;
            }[];
            systemCapabilities?: {
                [key: string]: string;
            };
            userCapabilities?: {
                [key: string]: string;
            };
        };
        VariableGroup: {
            id: number;
            name: string;
            description?: string;
            /** @description A secret's value never leaves the server */
            variables: {
                [key: string]: {
                    value?: string | null;
                    isSecret?: boolean;
                };
            };
        };
        ServiceEndpoint: {
            id: string;
            name: string;
            type: string;
            url: string;
            description?: string;
            isReady?: boolean;
            authorization?: {
                scheme?: string;
                /** @description The names that have a value; the values never leave the server */
                parameters?: {
                    [key: string]: null;
                };
            };
            data?: {
                [key: string]: string;
            };
        };
        CheckConfiguration: {
            id: number;
            type: {
                id?: string;
                name: string;
            };
            settings?: {
                [key: string]: unknown;
            };
            /** @description Minutes */
            timeout?: number;
            resource?: {
                type: string;
                id: string;
                name?: string;
            };
        };
        Environment: {
            id: number;
            name: string;
            description?: string;
            /** Format: date-time */
            createdOn?: string;
            createdBy?: components["schemas"]["Person"];
            resources?: {
                id: number;
                name: string;
                type: string;
                slipwayType?: string;
                namespace?: string;
            }[];
        };
        About: {
            version: string;
        };
        /** @description A pipeline's file and what is wrong in it */
        Validation: {
            path: string;
            branch: string;
            version: string;
            valid: boolean;
            /** @description The file as it stands there; empty when there is none */
            text: string;
            finalYaml: string;
            diagnostics: components["schemas"]["Diagnostic"][];
        };
        /** @description Azure DevOps BuildDefinition */
        Definition: {
            id: number;
            name: string;
            path: string;
            revision: number;
            /** @enum {unknown} */
            queueStatus: "enabled" | "paused" | "disabled";
            /** @description Jobs of the pipeline that workers may hold at once */
            maxParallelism?: number | null;
            process?: {
                yamlFilename?: string;
            };
            repository?: {
                id: string;
                name: string;
                defaultBranch?: string;
            };
        };
        AttemptList: {
            count: number;
            value: components["schemas"]["TimelineRecord"][];
        };
        /** @description Azure DevOps GitRepository */
        Repository: {
            id: string;
            name: string;
            defaultBranch?: string;
            remoteUrl?: string;
        };
        GitItem: {
            path: string;
            isFolder?: boolean;
        };
        /** @description Shown once */
        IssuedToken: {
            token: string;
            /** Format: date-time */
            expiresAt: string;
        };
        PersonalToken: {
            id: number;
            name: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
        };
        /** @description A vmImage name, or * for all others, and the pool that takes its jobs */
        ImageMapping: {
            vmImage: string;
            poolId: number;
        };
        Days: {
            min?: number;
            max?: number;
            value: number;
        };
        /** @description Azure DevOps PipelineGeneralSettings, as much of it as there is */
        BadgeSettings: {
            /** @description Badges are for people who are signed in */
            statusBadgesArePrivate: boolean;
        };
        /** @description Azure DevOps ProjectRetentionSetting; days, and how many of the newest runs always stay */
        RetentionSettings: {
            purgeRuns?: components["schemas"]["Days"];
            purgeArtifacts?: components["schemas"]["Days"];
            purgePullRequestRuns?: components["schemas"]["Days"];
            retainRunsPerProtectedBranch?: components["schemas"]["Days"];
        };
        RunEvent: {
            runId: number;
            changeId: number;
        };
        LogEvent: {
            runId: number;
            logId: number;
            length: number;
            sealed: boolean;
        };
        ApprovalEvent: {
            approvalId: string;
            runId: number;
            status: string;
        };
        MatrixEvent: {
            serviceId: number;
            environmentId: number;
            resourceId: number;
        };
        WorkerEvent: {
            workerId: number;
            online: boolean;
        };
        /** @description The data of each event of the stream, by the event's name */
        Events: {
            run: components["schemas"]["RunEvent"];
            log: components["schemas"]["LogEvent"];
            approval: components["schemas"]["ApprovalEvent"];
            matrix: components["schemas"]["MatrixEvent"];
            worker: components["schemas"]["WorkerEvent"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
