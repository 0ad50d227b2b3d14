import { Button, Tab, TabList } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'
import type { RunDetail, TimelineRecord } from '@/api/types'
import { Facts } from '@/components/cells'
import { DiagnosticSummary } from '@/components/diagnostics'
import { Empty } from '@/components/empty'
import { ErrorPanel } from '@/components/error-panel'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { Commit, reasonText } from '@/components/run-bits'
import { Skeleton } from '@/components/skeleton'
import { Duration, Time } from '@/components/time'
import { ApprovalCard } from '@/features/approvals/components/approval-card'
import { HistoryList } from '@/features/environments/components/history-list'
import { LogView, type LineRange } from '@/features/logs/components/log-view'
import { priorityWords } from '@/features/pipelines/model/priority'
import { runQuery, testCountsQuery, testsQuery, useRunAction } from '@/features/runs/api/runs'
import { Attempts } from '@/features/runs/components/attempts'
import { FailureDigest } from '@/features/runs/components/failure-digest'
import { JobTree } from '@/features/runs/components/job-tree'
import { Artifacts } from '@/features/runs/components/artifacts'
import { Changes, FinalYaml } from '@/features/runs/components/run-tabs'
import { sentenceOf as testSentence, Tests } from '@/features/runs/components/tests'
import { StageBar } from '@/features/runs/components/stage-bar'
import { StageGraph } from '@/features/runs/components/stage-graph'
import { WaitingPanel } from '@/features/runs/components/waiting-panel'
import { Waterfall } from '@/features/runs/components/waterfall'
import { buildTree, select, stageKey, type Selection } from '@/features/runs/model/records'
import { runSentence } from '@/features/runs/model/sentence'
import { testCountText, type TestTotals } from '@/features/runs/model/test-counts'
import { readRange, writeRange } from '@/features/logs/model/line-range'
import { useNow } from '@/lib/clock'
import { useProject } from '@/lib/project'
import { useScrolledTab } from '@/lib/scrolled-tab'
import { stateOfRecord, stateOfRun } from '@/lib/state'
import styles from './run-route.module.css'

export function RunRoute() {
  const project = useProject()
  const { runId } = useParams({ from: '/$project/runs/$runId' })
  const id = Number(runId)
  const isNumber = Number.isInteger(id)
  const run = useQuery({ ...runQuery(project, id), enabled: isNumber })
  if (!isNumber) return <Page title={`There is no run ${runId}`} sentence="Runs have numbers; the address has a typing error."><></></Page>
  return (
    <QueryView query={run} title={`Run ${runId}`} doing={`show run ${runId}`} loading={<div style={{ padding: '20px 24px' }}><Skeleton rows={10} /></div>}>
      {(data) => <RunPage key={data.id} run={data} />}
    </QueryView>
  )
}

const tabs = ['log', 'changes', 'artifacts', 'tests', 'deployments', 'timeline', 'yaml'] as const
type TabName = (typeof tabs)[number]
const tabNames: Record<TabName, string> = { log: 'Log', changes: 'Changes', artifacts: 'Artifacts', tests: 'Tests', deployments: 'Deployments', timeline: 'Timeline', yaml: 'YAML' }

function RunPage({ run }: { run: RunDetail }) {
  const navigate = useNavigate({ from: '/$project/runs/$runId' })
  const search = useSearch({ from: '/$project/runs/$runId' })
  const tree = useMemo(() => buildTree(run.records), [run.records])
  const selection = select(tree, search.record, search.stage)
  const tab = tabs.find((name) => name === search.tab) ?? 'log'
  const tabList = useScrolledTab(tab)
  const now = useNow(run.status !== 'completed')
  const tests = useQuery(testCountsQuery(useProject(), run.id))
  const pending = run.approvals.filter((item) => item.status === 'pending')
  return (
    <Page
      fill wide title={runSentence(run, tree, now)} tabTitle={`${run.pipeline.name} ${run.number}`} state={stateOfRun(run)} actions={<Actions run={run} />}
      sentence={
        <Facts>
          <Commit branch={run.branch} version={run.version} message={run.commitMessage} />
          {reasonText(run)}
          <span>queued <Time at={run.queuedAt} form="sentence" /></span>
          {run.startedAt === undefined || stateOfRun(run) === 'queued' ? null : <span>{run.status === 'completed' ? 'took' : 'for'} <Duration start={run.startedAt} finish={run.finishedAt} /></span>}
          <span className="num">run {run.number}</span>
          {run.priority === undefined || run.priority === 'normal' ? null : <span>{priorityWords[run.priority].toLowerCase()} priority</span>}
          {...Object.entries(run.parameters).map(([name, value]) => <span key={name} className={styles.parameter}>{name}={typeof value === 'string' ? value : JSON.stringify(value)}</span>)}
        </Facts>
      }
    >
      <WaitingPanel run={run} />
      {run.diagnostics.length > 0 && <div className={styles.diagnostics}><DiagnosticSummary list={run.diagnostics} /></div>}
      <StageGraph run={run} tree={tree} selected={selection === undefined ? undefined : stageKey(selection.stage.record)} />
      {pending.length > 0 && <div className={styles.banner}>{pending.map((item) => <ApprovalCard key={item.id} item={item} withRun={false} only={pending.length === 1} />)}</div>}
      {run.status === 'completed' && <FailureDigest run={run} tree={tree} />}
      {run.status === 'completed' && run.result !== 'succeeded' && (tests.data?.failed ?? 0) > 0 && <FailedTests run={run} />}
      <TabList ref={tabList} className={styles.tabs} selectedValue={tab} onTabSelect={(_, { value }) => void navigate({ search: (before) => ({ ...before, tab: value === 'log' ? undefined : String(value) }), replace: true, resetScroll: false })}>
        {tabs.map((name) => <Tab key={name} value={name}>{tabNames[name]}{count(run, name, tests.data)}</Tab>)}
      </TabList>
      <div className={styles.tab} role="tabpanel" aria-label={tabNames[tab]} data-tab={tab}>
        {tab === 'log' && <LogTab run={run} tree={tree} selection={selection} line={search.line} />}
        {tab === 'changes' && <Changes runId={run.id} />}
        {tab === 'artifacts' && <Artifacts run={run} />}
        {tab === 'tests' && <Tests runId={run.id} />}
        {tab === 'deployments' && (run.deployments.length === 0
          ? <Empty title="This run has put no version in place so far." example={'- deployment: Deploy\n  environment: dev.default\n  strategy:\n    runOnce:\n      deploy:\n        steps: []'}>What shows here is which container images a deployment job has put in place, and where. It names its environment:</Empty>
          : <HistoryList entries={run.deployments} place />)}
        {tab === 'timeline' && <Waterfall run={run} tree={tree} />}
        {tab === 'yaml' && <FinalYaml text={run.finalYaml} />}
      </div>
    </Page>
  )
}

/** A failed run whose tests failed says so: that is the reason more often than an exit code. */
function FailedTests({ run }: { run: RunDetail }) {
  const project = useProject()
  const tests = useQuery(testsQuery(project, run.id))
  if (tests.data === undefined || tests.data.value.every((one) => one.failed === 0)) return null
  return (
    <p className={styles.failedTests}>
      <Link to="/$project/runs/$runId" params={{ project, runId: String(run.id) }} search={{ tab: 'tests' }} replace resetScroll={false}>{testSentence(tests.data.value)}</Link>
    </p>
  )
}

function count(run: RunDetail, tab: TabName, tests: TestTotals | undefined): string {
  if (tab === 'tests') return testCountText(tests)
  const number = tab === 'artifacts' ? run.artifacts.length : tab === 'deployments' ? run.deployments.length : 0
  return number === 0 ? '' : ` ${number}`
}

function Actions({ run }: { run: RunDetail }) {
  const project = useProject()
  const navigate = useNavigate()
  const action = useRunAction(project, run.id)
  const finished = run.status === 'completed'
  const failed = finished && run.result !== 'succeeded'
  return (
    <>
      {finished && <Button onClick={() => void navigate({ to: '/$project/pipelines', params: { project }, search: { run: run.pipeline.id } })}>Run again</Button>}
      {failed && run.graph.stages.length > 0 && (
        <Button appearance="primary" disabled={action.isPending} onClick={() => action.mutate({ kind: 'retryFailed' })}>Retry failed jobs</Button>
      )}
      {!finished && (
        <Button disabled={action.isPending || run.status === 'cancelling'} onClick={() => action.mutate({ kind: 'cancel' })}>
          {run.status === 'cancelling' ? 'Canceling' : 'Cancel run'}
        </Button>
      )}
      {action.error !== null && <ErrorPanel error={action.error} doing={action.variables.kind === 'cancel' ? 'cancel the run' : 'retry'} />}
    </>
  )
}

interface LogTabProps {
  run: RunDetail
  tree: ReturnType<typeof buildTree>
  selection: Selection | undefined
  line: string | undefined
}

function LogTab({ run, tree, selection, line }: LogTabProps) {
  const project = useProject()
  const navigate = useNavigate({ from: '/$project/runs/$runId' })
  const newest = selection?.step
  const stepId = newest?.id
  const [earlier, setEarlier] = useState<TimelineRecord>()
  const step = earlier !== undefined && earlier.id === stepId && (earlier.attempt ?? 1) < (newest?.attempt ?? 1) ? earlier : newest
  const setLines = useCallback((lines: LineRange | undefined) => {
    void navigate({ search: (before) => ({ ...before, record: stepId, line: writeRange(lines) }), replace: true, resetScroll: false })
  }, [navigate, stepId])
  const log = step?.log
  return (
    <div className={styles.log}>
      <div className={styles.tree}>
        {selection !== undefined && <StageBar key={selection.stage.record.id} run={run} selection={selection} />}
        <JobTree run={run} tree={tree} selection={selection} />
      </div>
      <div className={styles.lines}>
        {newest !== undefined && (newest.attempt ?? 1) > 1 && <Attempts runId={run.id} record={newest} chosen={step?.attempt} onChoose={setEarlier} />}
        {step !== undefined && log !== undefined && log !== null ? (
          <LogView
            key={`${run.id}/${log.id}`} project={project} runId={run.id} logId={log.id} title={step.name} live={step.state === 'inProgress'} failed={step.result === 'failed'}
            lines={readRange(line)} onLines={setLines}
          />
        ) : <div className={styles.nothing}>{nothing(selection, step)}</div>}
      </div>
    </div>
  )
}

function nothing(selection: Selection | undefined, step: Selection['step']): string {
  if (selection === undefined) return 'This run has no stage: what is wrong with its file stands above.'
  if (step === undefined && selection.job !== undefined && stateOfRecord(selection.job.record) === 'queued') return `${selection.job.record.name} waits for a worker. Its log shows here as soon as one has begun.`
  if (step === undefined) return selection.stage.record.state === 'pending' ? `${selection.stage.record.name} has not started.` : `${selection.job?.record.name ?? selection.stage.record.name} has no step with a log yet.`
  if (step.result === 'skipped') return `${step.name} was skipped: its condition was not met.`
  return step.state === 'pending' ? `${step.name} has not started.` : `${step.name} has written no log.`
}
