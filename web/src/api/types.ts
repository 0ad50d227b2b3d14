/**
 * The server's contract under the names that the portal uses. The types themselves are generated from schema/openapi.yaml
 * (`npm run types`); generated.test.ts holds the generated file against it.
 */
import type { components } from './generated'

type Schemas = components['schemas']

export interface ListOf<T> {
  count: number
  value: T[]
  continuationToken?: string
}

export type Agent = Schemas['Agent']
export type ApiErrorBody = Partial<Schemas['Error']>
export type ApprovalItem = Schemas['ApprovalItem']
export type ApprovalStep = Schemas['Decision']
export type Artifact = Schemas['Artifact']
export type ArtifactFile = Schemas['ArtifactFile']
export type CellState = Schemas['CellState']
export type Change = Schemas['Change']
export type CheckConfiguration = Schemas['CheckConfiguration']
export type Diagnostic = Schemas['Diagnostic']
export type Direction = Schemas['Direction']
export type Environment = Schemas['Environment']
export type EventData = Schemas['Events']
export type Explanation = Schemas['Explanation']
export type GraphStage = Schemas['GraphStage']
export type HistoryEntry = Schemas['HistoryEntry']
export type IdentityRef = Schemas['Person']
export type LogLines = Schemas['LogLines']
export type Matrix = Schemas['Matrix']
export type MatrixCell = Schemas['Cell']
export type MatrixEnvironment = Schemas['MatrixEnvironment']
export type MatrixResource = Schemas['Resource']
export type Me = Schemas['Me']
export type ParameterAsk = Schemas['ParameterAsk']
export type Pipeline = Schemas['Pipeline']
export type PipelineOverview = Schemas['PipelineOverview']
export type PipelinePreview = Schemas['PipelinePreview']
export type PipelineRef = Schemas['PipelineRef']
export type Pool = Schemas['Pool']
export type Project = Schemas['Project']
export type QueueInputs = Schemas['QueueInputs']
export type RunDetail = Schemas['RunDetail']
export type RunReason = Schemas['RunReason']
export type RunResult = Schemas['RunResult']
export type RunStatus = Schemas['RunStatus']
export type RunSummary = Schemas['RunSummary']
export type Service = Schemas['Service']
export type ServiceEndpoint = Schemas['ServiceEndpoint']
export type StageState = Schemas['StageState']
export type StageSummary = Schemas['StageSummary']
export type TaskResult = Schemas['TaskResult']
export type TestHistoryEntry = Schemas['TestHistoryEntry']
export type TestResult = Schemas['TestResult']
export type TestRun = Schemas['TestRun']
export type TimelineRecord = Schemas['TimelineRecord']
export type VariableGroup = Schemas['VariableGroup']
export type Version = Schemas['Version']
export type Repository = Schemas['Repository']
export type GitItem = Schemas['GitItem']
export type IssuedToken = Schemas['IssuedToken']
export type PersonalToken = Schemas['PersonalToken']
export type ImageMapping = Schemas['ImageMapping']
export type RetentionSettings = Schemas['RetentionSettings']
