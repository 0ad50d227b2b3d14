import { Button } from '@fluentui/react-components'
import { lazy, Suspense, useState } from 'react'
import type { ApprovalItem, Version } from '@/api/types'
import { Facts } from '@/components/cells'
import { Copyable } from '@/components/copyable'
import { ErrorPanel } from '@/components/error-panel'
import { Commit, RunLink, VersionName } from '@/components/run-bits'
import { StateIcon } from '@/components/state-icon'
import { Time } from '@/components/time'
import { branchName, subject } from '@/lib/format'
import { useProject } from '@/lib/project'
import { useDecide } from '../api/approvals'
import styles from './approval-card.module.css'

const RejectDialog = lazy(() => import('./reject-dialog').then((module) => ({ default: module.RejectDialog })))

interface ApprovalCardProps {
  item: ApprovalItem
  /** Names the run; not needed on the run's own page. */
  withRun?: boolean
  /** The one decision of the page: its button stands out. */
  only?: boolean
}

/** One row is one decision: what goes where, who asks, since when, what is new in it, and two buttons. */
export function ApprovalCard({ item, withRun = true, only = true }: ApprovalCardProps) {
  const project = useProject()
  const decide = useDecide(project)
  const [rejecting, setRejecting] = useState(false)
  const pending = item.status === 'pending'
  const newCommitIsNamed = item.versions.some((one) => typeof one.to !== 'string' && one.to.commit === item.version && !sameVersion(one.from, one.to))
  const send = (status: 'approved' | 'rejected', comment: string) => decide.mutate({ approvalId: item.id, runId: item.runId, status, comment })
  return (
    <article className={styles.card} data-pending={pending || undefined} aria-label={`Approval of ${item.environment.name}, run ${item.runNumber}`}>
      <StateIcon state={pending ? 'waiting' : item.status === 'approved' ? 'succeeded' : item.status === 'rejected' ? 'failed' : 'canceled'} />
      <div className={styles.body}>
        <p className={styles.what}>
          {pending ? 'Deploy' : `${decidedWord(item.status)}: deployment`} to <strong>{item.environment.name}</strong>
          {withRun && <> in run <RunLink id={item.runId}>{item.pipeline.name} {item.runNumber}</RunLink></>}
        </p>
        {item.versions.length > 0 && (
          <ul className={styles.versions}>
            {item.versions.map((one) => (
              <li key={one.service}>
                <span className={styles.service}>{one.service}</span>
                <VersionStep {...one} />
              </li>
            ))}
          </ul>
        )}
        <p className={styles.facts}>
          <Facts>
            {newCommitIsNamed ? <span title={item.branch}>{branchName(item.branch)}</span> : <Commit branch={item.branch} version={item.version} message={item.commitMessage} />}
            {item.requestedBy === undefined ? null : <span>asked by {item.requestedBy.displayName}</span>}
            {pending ? <span>waiting since <Time at={item.createdAt} form="clock" /></span> : null}
            {pending && item.expiresAt !== undefined ? <span>until <Time at={item.expiresAt} form="clock" /></span> : null}
            {pending ? <span>{who(item)}</span> : null}
          </Facts>
        </p>
        {item.instructions !== '' && pending && <p className={styles.instructions}>{item.instructions}</p>}
        {item.steps.filter((step) => step.status !== undefined && step.status !== 'pending').map((step, at) => (
          <p key={at} className={styles.facts}>
            {decidedWord(step.status ?? '')} by {step.displayName}{step.at !== undefined && <> <Time at={step.at} form="clock" /></>}
            {step.comment !== undefined && step.comment !== '' && <>: {step.comment}</>}
          </p>
        ))}
        {decide.error !== null && <ErrorPanel error={decide.error} doing="record the decision" />}
      </div>
      {pending && item.canDecide && (
        <div className={styles.actions}>
          <Button appearance={only ? 'primary' : 'secondary'} disabled={decide.isPending} onClick={() => send('approved', '')}>Approve</Button>
          <Button disabled={decide.isPending} onClick={() => setRejecting(true)}>Reject</Button>
        </div>
      )}
      {rejecting && (
        <Suspense fallback={null}>
          <RejectDialog
            name={item.environment.name} onClose={() => setRejecting(false)}
            onReject={(reason) => {
              setRejecting(false)
              send('rejected', reason)
            }}
          />
        </Suspense>
      )}
    </article>
  )
}

function decidedWord(status: string): string {
  switch (status) {
    case 'approved': return 'Approved'
    case 'rejected': return 'Rejected'
    case 'timedOut': return 'Timed out'
    case 'canceled': return 'Canceled'
    case 'skipped': return 'Skipped'
    default: return status.charAt(0).toUpperCase() + status.slice(1)
  }
}

const Subject = ({ of: version }: { of: Version | string }) => typeof version === 'string' || version.commitMessage === '' ? null : <span className={styles.quiet}> {subject(version.commitMessage)}</span>

/** From what to what; the same commit built again is another image, and says so. */
function VersionStep({ from, to }: ApprovalItem['versions'][number]) {
  if (from === undefined || from === null) return <span>first deployment, <VersionName version={to} /><Subject of={to} /></span>
  if (sameVersion(from, to)) return <span>stays at <VersionName version={to} /></span>
  if (typeof from !== 'string' && typeof to !== 'string' && from.commit !== '' && from.commit === to.commit)
    return <span><VersionName version={to} /> built again: image <Copyable value={from.digest} noun="digest" /> → <Copyable value={to.digest} noun="digest" /></span>
  return <span><VersionName version={from} /> → <VersionName version={to} /><Subject of={to} /></span>
}

function sameVersion(from: Version | string | null | undefined, to: Version | string): boolean {
  if (from === undefined || from === null) return false
  if (typeof from === 'string' || typeof to === 'string') return from === to
  return from.id === to.id
}

/** "Ada or Jun decides", "2 of Ada, Jun, Kim decide". */
function who(item: ApprovalItem): string {
  const names = item.approvers.map((one) => one.displayName)
  if (names.length === 0) return 'anyone may decide'
  if (item.minRequiredApprovers <= 1) return `${names.join(' or ')} decides`
  return `${item.minRequiredApprovers} of ${names.join(', ')} decide`
}
