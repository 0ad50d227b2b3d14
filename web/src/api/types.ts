/**
 * The HTTP contract of docs/api.md as types: the one place where the portal says what it expects of the server.
 * Times are ISO 8601 text in UTC.
 */
export interface ListOf<T> {
  count: number
  value: T[]
  continuationToken?: string
}

export interface IdentityRef {
  id: string
  displayName: string
  uniqueName?: string
}

export interface Me extends IdentityRef {
  uniqueName: string
  isAdmin: boolean
}

export interface Project {
  id: string
  name: string
  description?: string
}

export interface PipelineRef {
  id: number
  name: string
}

/** Azure's pipeline, from `_apis/pipelines`. */
export interface Pipeline extends PipelineRef {
  folder: string
  revision: number
}

export type RunStatus = 'none' | 'notStarted' | 'inProgress' | 'cancelling' | 'completed'
export type RunResult = 'none' | 'succeeded' | 'partiallySucceeded' | 'failed' | 'canceled'
export type TaskResult = 'succeeded' | 'succeededWithIssues' | 'failed' | 'canceled' | 'skipped' | 'abandoned'
export type StageState = 'pending' | 'waiting' | 'inProgress' | 'completed'
export type RunReason =
  | 'manual' | 'individualCI' | 'batchedCI' | 'schedule' | 'pullRequest' | 'buildCompletion' | 'resourceTrigger'

export interface StageSummary {
  name: string
  displayName: string
  state: StageState
  result?: TaskResult
  /** What a waiting stage waits for, in words. */
  waiting?: string
}

export interface RunSummary {
  id: number
  number: string
  pipeline: PipelineRef
  status: RunStatus
  result?: RunResult
  reason: RunReason
  branch: string
  version: string
  commitMessage: string
  commitAuthor: string
  requestedBy?: IdentityRef
  queuedAt: string
  startedAt?: string
  finishedAt?: string
  parameters: Record<string, unknown>
  stages: StageSummary[]
  /** Says in plain words what the run is doing or how it ended. */
  sentence: string
}

export interface Issue {
  type: 'error' | 'warning'
  category?: string
  message: string
}

export type RecordType =
  | 'Stage' | 'Checkpoint' | 'Checkpoint.Approval' | 'Checkpoint.ExclusiveLock' | 'Phase' | 'Job' | 'Task'

/** Azure's timeline record. */
export interface TimelineRecord {
  id: string
  parentId?: string | null
  type: RecordType
  name: string
  identifier?: string
  state: 'pending' | 'inProgress' | 'completed'
  result?: TaskResult | null
  startTime?: string | null
  finishTime?: string | null
  currentOperation?: string | null
  percentComplete?: number | null
  workerName?: string | null
  order?: number
  attempt?: number
  errorCount?: number
  warningCount?: number
  log?: { id: number; url?: string } | null
  issues?: Issue[]
}

export interface GraphJob {
  name: string
  displayName: string
  dependsOn: string[]
  isDeployment: boolean
  environment?: { name: string; resourceName: string }
}

export interface GraphStage {
  name: string
  displayName: string
  dependsOn: string[]
  jobs: GraphJob[]
}

export interface Artifact {
  name: string
  size: number
  files: number
  url: string
}

export interface Diagnostic {
  severity: 'error' | 'warning'
  code: string
  message: string
  file?: string
  line?: number
  column?: number
  hint?: string
}

export interface RunDetail extends RunSummary {
  records: TimelineRecord[]
  graph: { stages: GraphStage[] }
  approvals: ApprovalItem[]
  artifacts: Artifact[]
  deployments: HistoryEntry[]
  diagnostics: Diagnostic[]
  finalYaml: string
}

export interface WaitingReason {
  kind: 'worker' | 'approval' | 'lock' | 'dependency'
  stage: string
  job?: string
  sentence: string
}

export interface Explanation {
  sentence: string
  waiting: WaitingReason[]
}

export interface ParameterAsk {
  name: string
  displayName: string
  type: string
  default?: unknown
  values?: unknown[]
  required: boolean
}

export interface QueueInputs {
  branch: string
  version: string
  parameters: ParameterAsk[]
  stages: { name: string; displayName: string; dependsOn: string[]; isSkippable: boolean }[]
  diagnostics: Diagnostic[]
}

export interface LogLines {
  from: number
  total: number
  sealed: boolean
  lines: string[]
}

export interface Version {
  id: number
  tag: string
  tags: string[]
  digest: string
  commit: string
  commitMessage: string
  runId: number
  runNumber: string
  createdAt: string
}

export interface MatrixResource {
  id: number
  name: string
  type: string
  namespace: string
}

export interface MatrixEnvironment {
  id: number
  name: string
  ordinal: number
  locked?: { runId: number; runNumber: string }
  resources: MatrixResource[]
}

export type CellState = 'ok' | 'inProgress' | 'failed' | 'waiting'

export interface ApprovalStep {
  displayName: string
  status?: string
  comment?: string
  at?: string
}

export interface MatrixCell {
  serviceId: number
  environmentId: number
  /** 0: the environment itself, without a resource. */
  resourceId: number
  state: CellState
  version?: Version | null
  deploymentId?: number
  runId?: number
  runNumber?: string
  since?: string
  approvedBy?: ApprovalStep[]
  behind?: number
  pending?: { runId: number; runNumber: string; version?: Version | null; state: string; approvalId?: string }
  namespace?: string
}

export interface Service {
  id: number
  key: string
  imageRepository: string
}

export interface Matrix {
  at: string
  environments: MatrixEnvironment[]
  services: Service[]
  cells: MatrixCell[]
}

export type Direction = 'first' | 'forward' | 'rollback' | 'redeploy' | 'sideways'

export interface HistoryEntry {
  deploymentId: number
  service: { id: number; key: string }
  environment: { id: number; name: string }
  resource?: MatrixResource
  version?: Version | null
  image: string
  workload: string
  namespace: string
  runId: number
  runNumber: string
  pipeline: PipelineRef
  stage: string
  stageAttempt: number
  job: string
  queuedAt: string
  startedAt?: string
  finishedAt?: string
  result?: TaskResult
  requestedBy?: IdentityRef
  approvals: ApprovalStep[]
  commits: { id: string; message: string; author: string; at: string }[]
  direction: Direction
}

export interface ApprovalItem {
  id: string
  runId: number
  runNumber: string
  pipeline: PipelineRef
  stage: string
  environment: { id: number; name: string }
  status: string
  instructions: string
  createdAt: string
  expiresAt?: string
  approvers: IdentityRef[]
  steps: ApprovalStep[]
  minRequiredApprovers: number
  versions: { service: string; from?: Version | string | null; to: Version | string }[]
  requestedBy?: IdentityRef
  branch: string
  version: string
  commitMessage: string
  canDecide: boolean
}

export interface TestResult {
  id?: number
  suite?: string
  className?: string
  name: string
  outcome: string
  durationMs: number
  message?: string
  stackTrace?: string
}

export interface TestRun {
  id: number
  title: string
  passed: number
  failed: number
  skipped: number
  durationMs: number
  jobId: string
  results?: TestResult[]
}

/** Azure's build change. */
export interface Change {
  id: string
  message: string
  author?: { displayName?: string }
  timestamp?: string
}

export interface Pool {
  id: number
  name: string
  size?: number
}

export interface Agent {
  id: number
  name: string
  version?: string
  status: 'online' | 'offline'
  enabled?: boolean
  osDescription?: string
  maxParallelism?: number
  assignedRequest?: { requestId?: number; jobName?: string; owner?: { id: number; name: string } } | null
  systemCapabilities?: Record<string, string>
  userCapabilities?: Record<string, string>
}

export interface VariableGroup {
  id: number
  name: string
  description?: string
  variables: Record<string, { value?: string | null; isSecret?: boolean }>
}

export interface ServiceEndpoint {
  id: string
  name: string
  type: string
  url: string
  description?: string
  isReady?: boolean
  authorization?: { scheme?: string }
}

export interface CheckConfiguration {
  id: number
  type: { id?: string; name: string }
  settings?: Record<string, unknown>
  resource?: { type: string; id: string; name?: string }
}

/** The body of every refused request. */
export interface ApiErrorBody {
  message?: string
  typeKey?: string
  errorCode?: number
  code?: string
  diagnostics?: Diagnostic[]
}

/** Events of `_apis/slipway/events`: they say what changed, the client asks for it. */
export interface EventData {
  run: { runId: number; changeId: number }
  log: { runId: number; logId: number; length: number; sealed: boolean }
  approval: { approvalId: string; runId: number; status: string }
  matrix: { serviceId: number; environmentId: number; resourceId: number }
  worker: { workerId: number; online: boolean }
}
