import { useQueries, useQuery } from '@tanstack/react-query'
import { Section } from '@/components/page'
import { RunLink } from '@/components/run-bits'
import { StateIcon } from '@/components/state-icon'
import { explainQuery, queueInterval, recentRunsQuery } from '@/features/runs/api/runs'
import { byPlace, isInQueue } from '@/features/runs/model/queue-place'
import { asSentence, plural } from '@/lib/format'
import { useProject } from '@/lib/project'
import styles from './pools.module.css'

/** Runs that are asked at most: one request each. */
const mostRuns = 10

/** Jobs that are shown; the others are counted, so that the workers stay in sight. */
const mostJobs = 6

/** Jobs of this project that wait for a worker, each with the reason as the scheduler has it. */
export function WaitingJobs() {
  const project = useProject()
  const queued = useQuery(recentRunsQuery(project, { status: 'notStarted' }, mostRuns)).data?.value ?? []
  const running = useQuery(recentRunsQuery(project, { status: 'inProgress' }, mostRuns)).data?.value ?? []
  const runs = [...running, ...queued].slice(0, mostRuns)
  const explanations = useQueries({ queries: runs.map((run) => ({ ...explainQuery(project, run.id), refetchInterval: queueInterval })) })
  const waiting = runs.flatMap((run, at) => (explanations[at]?.data?.waiting ?? []).filter(isInQueue).map((reason) => ({ run, reason }))).sort((a, b) => byPlace(a.reason, b.reason))
  if (waiting.length === 0) return null
  return (
    <Section title="Waiting for a worker">
      <ul className={styles.waiting}>
        {waiting.slice(0, mostJobs).map(({ run, reason }) => (
          <li key={`${run.id}${reason.stage}${reason.jobId ?? reason.job ?? ''}`}>
            <StateIcon state="queued" />
            <div>
              <RunLink id={run.id}>{run.pipeline.name} {run.number}</RunLink>
              <p>{asSentence(reason.sentence)}</p>
            </div>
          </li>
        ))}
        {waiting.length > mostJobs && <li><p>{plural(waiting.length - mostJobs, 'more job waits', 'more jobs wait')}.</p></li>}
      </ul>
    </Section>
  )
}
