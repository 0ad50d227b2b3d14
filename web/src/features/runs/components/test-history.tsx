import { Button } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { PipelineTest, TestHistoryEntry } from '@/api/types'
import { Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { duration, plural } from '@/lib/format'
import { useProject } from '@/lib/project'
import { testHistoryQuery } from '../api/runs'
import { hasFailed, testStory } from '../model/test-story'
import { testName } from '../model/test-trend'
import styles from './test-history.module.css'

/** How one test went in the newest runs: outcome and duration of each, and a way to the run. */
export function TestHistory({ test, onClose }: { test: PipelineTest; onClose: () => void }) {
  const history = useQuery(testHistoryQuery(useProject(), test.lastRunId, test.name, test.className))
  return (
    <div className={styles.one}><Section title={testName(test)} aside={<Button size="small" onClick={onClose}>Close</Button>}>
      {test.flakyCommits > 0 && <p className={styles.story}><strong>Flaky:</strong> at {plural(test.flakyCommits, 'commit')} the same job saw it pass and fail.</p>}
      <QueryView query={history} doing="read the history of the test" loading={<Skeleton rows={2} height={48} />}>
        {({ value }) => <Chart entries={value} />}
      </QueryView>
    </Section></div>
  )
}

function Chart({ entries }: { entries: TestHistoryEntry[] }) {
  const project = useProject()
  const longest = Math.max(1, ...entries.map((one) => one.durationMs))
  const oldest = [...entries].reverse()
  return (
    <>
      <p className={styles.story}>{testStory(entries)}</p>
      <div className={styles.chart} role="group" aria-label="Duration and outcome of each run, oldest first">
        {oldest.map((one, at) => (
          <Link
            key={at} to="/$project/runs/$runId" params={{ project, runId: String(one.runId) }} search={{ tab: 'tests' }}
            title={`Run ${one.runNumber}: ${one.outcome} in ${duration(one.durationMs)}`} aria-label={`Run ${one.runNumber}: ${one.outcome} in ${duration(one.durationMs)}`}
          >
            <span className={styles.bar} data-outcome={hasFailed(one.outcome) ? 'failed' : one.outcome.toLowerCase() === 'passed' ? 'passed' : 'skipped'} style={{ height: `${Math.round((one.durationMs / longest) * 100)}%` }} />
          </Link>
        ))}
      </div>
      <p className={styles.scale}>Run {oldest[0]?.runNumber ?? ''} to {oldest.at(-1)?.runNumber ?? ''}; the longest took {duration(longest)}.</p>
    </>
  )
}
