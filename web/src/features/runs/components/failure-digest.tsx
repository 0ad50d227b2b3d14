import { Link } from '@tanstack/react-router'
import type { RunDetail } from '@/api/types'
import { StateIcon } from '@/components/state-icon'
import { isolated } from '@/lib/format'
import { useProject } from '@/lib/project'
import { failures, isImplicit, type StageNode } from '../model/records'
import styles from './failure-digest.module.css'

/** The errors of a run, before anybody has to look for them. */
export function FailureDigest({ run, tree }: { run: RunDetail; tree: StageNode[] }) {
  const project = useProject()
  const list = failures(tree)
  if (list.length === 0) return null
  return (
    <ul className={styles.list} data-canceled={run.result === 'canceled' || undefined} aria-label={run.result === 'canceled' ? 'Why it was canceled' : 'Errors'}>
      {list.slice(0, 5).map(({ stage, job, step, messages }) => (
        <li key={step?.id ?? job?.record.id ?? stage.record.id}>
          <StateIcon state={(step ?? job?.record ?? stage.record).result === 'canceled' ? 'canceled' : 'failed'} labelled={false} />
          <div>
            <Link to="/$project/runs/$runId" params={{ project, runId: String(run.id) }} search={{ record: (step ?? job?.record ?? stage.record).id }} replace resetScroll={false}>
              {[isImplicit(stage.record) ? undefined : stage.record.name, job?.record.name, step?.name].filter((name) => name !== undefined).map(isolated).join(' › ')}
            </Link>
            {messages.slice(0, 3).map((message) => <p key={message}>{message}</p>)}
          </div>
        </li>
      ))}
      {list.length > 5 && <li className={styles.more}>and {list.length - 5} more</li>}
    </ul>
  )
}
