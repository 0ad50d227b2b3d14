import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { RunReason, RunSummary, StageSummary, Version } from '@/api/types'
import { branchName, subject } from '@/lib/format'
import { useProject } from '@/lib/project'
import { stateOfStage, states } from '@/lib/state'
import { Facts } from './cells'
import { Copyable } from './copyable'
import { StateIcon } from './state-icon'
import styles from './run-bits.module.css'

interface RunLinkProps {
  id: number
  children: ReactNode
  /** The link covers its whole row of a table. */
  row?: boolean
}

export function RunLink({ id, children, row }: RunLinkProps) {
  const project = useProject()
  return <Link to="/$project/runs/$runId" params={{ project, runId: String(id) }} className={row === true ? 'row-link' : undefined}>{children}</Link>
}

/** One shape per stage, in order: how far a run is and where it broke. */
export function StagePips({ stages }: { stages: StageSummary[] }) {
  const words = stages.map((stage) => `${stage.displayName === '__default' ? 'Jobs' : stage.displayName}: ${states[stateOfStage(stage)].word}`).join(', ')
  if (stages.length > 8) return <span title={words} className="num">{stages.filter((stage) => stage.state === 'completed').length} of {stages.length}</span>
  return (
    <span className={styles.pips} role="img" aria-label={words} title={words}>
      {stages.map((stage) => <StateIcon key={stage.name} state={stateOfStage(stage)} size={14} labelled={false} />)}
    </span>
  )
}

const reasons: Record<RunReason, string> = {
  manual: 'started by', individualCI: 'pushed by', batchedCI: 'pushed by', schedule: 'scheduled', pullRequest: 'pull request of',
  buildCompletion: 'after another run', resourceTrigger: 'by a resource',
}

/** "pushed by Ada", "scheduled". */
export function reasonText(run: Pick<RunSummary, 'reason' | 'requestedBy' | 'commitAuthor'>): string {
  const who = run.requestedBy?.displayName ?? run.commitAuthor
  const text = reasons[run.reason]
  return /( by| of)$/.test(text) ? (who === '' ? text.replace(/ (by|of)$/, '') : `${text} ${who}`) : text
}

interface CommitProps {
  branch?: string
  version: string
  message: string
}

/** "main 41c9e2f Show top ten". */
export function Commit({ branch, version, message }: CommitProps) {
  return (
    <Facts>
      {branch === undefined ? null : <span className={styles.branch} title={branch}>{branchName(branch)}</span>}
      <Copyable value={version} />
      <span title={message}>{subject(message)}</span>
    </Facts>
  )
}

/** A version as people know it: the commit, or the tag when the image came without one. */
export function VersionName({ version }: { version: Version | string }) {
  if (typeof version === 'string') return <Copyable value={version} label={version.length > 20 ? version.slice(0, 7) : version} noun="version" />
  return version.commit === '' ? <Copyable value={version.tag} label={version.tag} noun="tag" /> : <Copyable value={version.commit} />
}
