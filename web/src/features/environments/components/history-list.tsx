import { Link } from '@tanstack/react-router'
import type { HistoryEntry } from '@/api/types'
import { Facts } from '@/components/cells'
import { Copyable } from '@/components/copyable'
import { RunLink, VersionName } from '@/components/run-bits'
import { StateIcon } from '@/components/state-icon'
import { Duration, Time } from '@/components/time'
import { plural, short, subject } from '@/lib/format'
import { useProject } from '@/lib/project'
import { stateOfDeployment, states } from '@/lib/state'
import styles from './history-list.module.css'

interface HistoryListProps {
  entries: HistoryEntry[]
  /** Says where each deployment went; not needed where all went to one place. */
  place?: boolean
}

/** Deployments, newest first: what, how it ended, who let it through, and what was new in it. */
export function HistoryList({ entries, place }: HistoryListProps) {
  return <ol className={styles.list}>{entries.map((entry) => <Entry key={`${entry.deploymentId}-${entry.service?.id ?? 0}`} entry={entry} place={place === true} />)}</ol>
}

const directions: Record<NonNullable<HistoryEntry['direction']>, string> = {
  first: 'first deployment', forward: '', rollback: 'rollback', redeploy: 'the same version again', sideways: 'from another branch',
}

function Entry({ entry, place }: { entry: HistoryEntry; place: boolean }) {
  const project = useProject()
  const { version, resource } = entry
  const state = stateOfDeployment(entry)
  const where = resource === undefined || resource.name === '' ? entry.environment.name : `${entry.environment.name}.${resource.name}`
  return (
    <li className={styles.entry}>
      <StateIcon state={state} />
      <div className={styles.body}>
        <div className={styles.first}>
          <span className={styles.what}>
            {(place || entry.service === undefined) && <strong>{entry.service?.key ?? entry.job} </strong>}
            {version === undefined || version === null ? <span>unknown version</span> : <VersionName version={version} />}
            {version !== undefined && version !== null && version.commitMessage !== '' && <span className={styles.message} title={version.commitMessage}>{subject(version.commitMessage)}</span>}
          </span>
          <span className={styles.age}><Time at={entry.finishedAt ?? entry.startedAt ?? entry.queuedAt} form="sentence" /></span>
        </div>
        <div className={styles.second}>
          <Facts>
            {place ? <span>to <Link to="/$project/environments/$environmentId" params={{ project, environmentId: String(entry.environment.id) }}>{where}</Link></span> : null}
            <span>{states[state].word}{entry.startedAt !== undefined && <> in <Duration start={entry.startedAt} finish={entry.finishedAt} /></>}</span>
            <RunLink id={entry.runId}>{entry.pipeline.name} {entry.runNumber}</RunLink>
            {entry.stageAttempt > 1 ? `attempt ${entry.stageAttempt}` : null}
            {entry.approvals.length === 0 ? null : <span>{entry.approvals.map((one) => `${one.status ?? 'decided'} by ${one.displayName}${one.comment === undefined || one.comment === '' ? '' : ` ("${one.comment}")`}`).join(', ')}</span>}
            {entry.direction === undefined || directions[entry.direction] === '' ? null : directions[entry.direction]}
            {entry.service === undefined ? 'no image recorded' : null}
          </Facts>
        </div>
        <details className={styles.more}>
          <summary>{entry.service === undefined ? 'Job' : entry.commits.length === 0 ? 'Image' : `${plural(entry.commits.length, entry.direction === 'rollback' ? 'removed commit' : 'new commit')} and image`}</summary>
          {entry.commits.length > 0 && (
            <ul>{entry.commits.map((commit) => <li key={commit.id}><Copyable value={commit.id} /> {subject(commit.message)} <span className={styles.quiet}>{commit.author}</span></li>)}</ul>
          )}
          <dl>
            {entry.image !== '' && <div><dt>Image</dt><dd><Copyable value={entry.image} label={entry.image.replace(/@sha256:([0-9a-f]{7})[0-9a-f]*/, '@$1')} noun="image" /></dd></div>}
            {version !== undefined && version !== null && version.digest !== '' && <div><dt>Digest</dt><dd><Copyable value={version.digest} label={short(version.digest)} noun="digest" /></dd></div>}
            {entry.workload !== '' && <div><dt>Workload</dt><dd>{entry.workload}{entry.namespace !== '' && ` in ${entry.namespace}`}</dd></div>}
            <div><dt>Job</dt><dd>{entry.stage} › {entry.job}</dd></div>
          </dl>
        </details>
      </div>
    </li>
  )
}
