import { SearchBox } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { TestHistoryEntry, TestResult, TestRun } from '@/api/types'
import { Empty } from '@/components/empty'
import { QueryView } from '@/components/query-view'
import { StateIcon } from '@/components/state-icon'
import { duration, plural } from '@/lib/format'
import { useProject } from '@/lib/project'
import { testHistoryQuery, testsQuery } from '../api/runs'
import { hasFailed, testStory } from '../model/test-story'
import { testName as fullName } from '../model/test-trend'
import styles from './tests.module.css'

/** This many failures stand open; more would bury the first. */
const openFailures = 10

/** What the run's tests said, failures first, each with how the same test went in the runs before. */
export function Tests({ runId }: { runId: number }) {
  const tests = useQuery(testsQuery(useProject(), runId))
  const [text, setText] = useState('')
  return (
    <QueryView query={tests} doing="list the tests">
      {({ value }) => {
        if (value.length === 0)
          return <Empty title="This run published no test results." example={'- task: PublishTestResults@2\n  inputs:\n    testResultsFormat: JUnit\n    testResultsFiles: "**/*.xml"'}>A step reads the files that the tests wrote:</Empty>
        const count = value.reduce((total, one) => total + (one.results?.length ?? 0), 0)
        return (
          <>
            <div className={styles.head}>
              <p>{sentenceOf(value)}</p>
              {count > 20 && <SearchBox size="small" className={styles.filter} placeholder="Filter by name" aria-label="Filter tests" value={text} onChange={(_, data) => setText(data.value)} />}
            </div>
            {[...value].sort((a, b) => b.failed - a.failed).map((one) => <TestRunView key={one.id} runId={runId} run={one} text={text.toLowerCase()} />)}
          </>
        )
      }}
    </QueryView>
  )
}

/** "6 tests failed, 1 passed, in 0.2s." */
export function sentenceOf(runs: TestRun[]): string {
  const sum = (pick: (one: TestRun) => number) => runs.reduce((total, one) => total + pick(one), 0)
  const [failed, passed, skipped] = [sum((one) => one.failed), sum((one) => one.passed), sum((one) => one.skipped)]
  const rest = skipped === 0 ? '' : `, ${skipped} skipped`
  return failed === 0 ? `All tests passed: ${passed} passed${rest}, in ${duration(sum((one) => one.durationMs))}.`
    : `${plural(failed, 'test')} failed, ${passed} passed${rest}, in ${duration(sum((one) => one.durationMs))}.`
}


function TestRunView({ runId, run, text }: { runId: number; run: TestRun; text: string }) {
  const results = (run.results ?? []).filter((one) => fullName(one).toLowerCase().includes(text))
  const failed = results.filter((one) => hasFailed(one.outcome))
  const others = results.filter((one) => !hasFailed(one.outcome))
  const shown = run.results?.length ?? 0
  const all = run.passed + run.failed + run.skipped
  return (
    <section className={styles.tests} aria-label={run.title}>
      <h2 className={styles.title}>
        <StateIcon state={run.failed > 0 ? 'failed' : 'succeeded'} />
        <span>{run.title}</span>
        <span className={styles.counts}>{run.passed} passed, {run.failed} failed, {run.skipped} skipped · {duration(run.durationMs)}</span>
      </h2>
      {failed.map((one, at) => <Failure key={one.id ?? fullName(one)} runId={runId} result={one} open={at < openFailures} />)}
      {others.length > 0 && (
        <details className={styles.others} open={text !== '' || undefined}>
          <summary>{plural(others.length, failed.length === 0 && others.length === all ? 'test' : 'other test')}</summary>
          <ul>
            {others.map((one) => (
              <li key={one.id ?? fullName(one)}>
                <StateIcon state={one.outcome.toLowerCase() === 'passed' ? 'succeeded' : 'skipped'} size={14} />
                <span className={styles.name}>{fullName(one)}</span><span className={styles.counts}>{duration(one.durationMs)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {shown < all && <p className={styles.cut}>The first {shown} of {all} results are shown, failures first.</p>}
    </section>
  )
}

function Failure({ runId, result, open: first }: { runId: number; result: TestResult; open: boolean }) {
  const [open, setOpen] = useState(first)
  const history = useQuery({ ...testHistoryQuery(useProject(), runId, result.name, result.className ?? ''), enabled: open })
  return (
    <details className={styles.failure} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><StateIcon state="failed" size={14} /> <span className={styles.name}>{fullName(result)}</span><span className={styles.counts}>{duration(result.durationMs)}</span></summary>
      {result.message !== undefined && result.message !== '' && <p className={styles.message}>{result.message}</p>}
      {result.stackTrace !== undefined && result.stackTrace !== '' && <pre>{result.stackTrace}</pre>}
      <div className={styles.history}>{history.data !== undefined && history.data.value.length > 0 && <History entries={history.data.value} />}</div>
    </details>
  )
}

/** The outcomes of the runs before, oldest first; each leads to its run. */
function History({ entries }: { entries: TestHistoryEntry[] }) {
  const project = useProject()
  return (
    <>
      <span>{testStory(entries)}</span>
      <span className={styles.pips}>
        {[...entries].reverse().map((one, at) => (
          <Link key={at} to="/$project/runs/$runId" params={{ project, runId: String(one.runId) }} search={{ tab: 'tests' }} title={`Run ${one.runNumber}: ${one.outcome} in ${duration(one.durationMs)}`} aria-label={`Run ${one.runNumber}: ${one.outcome}`}>
            <StateIcon state={hasFailed(one.outcome) ? 'failed' : one.outcome.toLowerCase() === 'passed' ? 'succeeded' : 'skipped'} size={14} labelled={false} />
          </Link>
        ))}
      </span>
    </>
  )
}
