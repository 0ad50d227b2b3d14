import { Link } from '@tanstack/react-router'
import { useLayoutEffect, useRef } from 'react'
import type { RunDetail, TimelineRecord } from '@/api/types'
import { StateIcon } from '@/components/state-icon'
import { Duration } from '@/components/time'
import { useProject } from '@/lib/project'
import { stateOfRecord, type State } from '@/lib/state'
import { stageKey, stageState, type Selection, type StageNode } from '../model/records'
import styles from './job-tree.module.css'

interface JobTreeProps {
  run: RunDetail
  tree: StageNode[]
  selection: Selection | undefined
}

/** Stages, and the jobs and steps of the one that is selected. */
export function JobTree({ run, tree, selection }: JobTreeProps) {
  const list = useRef<HTMLElement>(null)
  // A run of fifty stages opens with the step whose log stands beside it; only the list scrolls, never the page.
  const chosen = selection?.step?.id ?? selection?.job?.record.id ?? selection?.stage.record.id
  useLayoutEffect(() => {
    const scroller = list.current?.parentElement
    const row = list.current?.querySelector('[data-current]')
    if (scroller === null || scroller === undefined || row === null || row === undefined || scroller.scrollHeight <= scroller.clientHeight) return
    const [box, at] = [scroller.getBoundingClientRect(), row.getBoundingClientRect()]
    // To the middle: what stands above the list may still grow.
    if (at.top < box.top || at.bottom > box.bottom) scroller.scrollTop += (at.top + at.bottom - box.top - box.bottom) / 2
  }, [chosen])
  return (
    <nav ref={list} aria-label="Jobs and steps" className={styles.tree}>
      <ul>
        {tree.map((stage) => {
          const open = stage.record.id === selection?.stage.record.id
          return (
            <li key={stage.record.id}>
              <Row run={run} record={stage.record} search={{ stage: stageKey(stage.record) }} level={0} expanded={open} state={stageState(run, stage)} />
              {open && (
                <ul>
                  {stage.jobs.map((job) => (
                    <li key={job.record.id}>
                      <Row run={run} record={job.record} within={stage.record} search={{ record: job.record.id }} level={1} current={selection.job?.record.id === job.record.id && selection.step === undefined} />
                      <ul>
                        {job.steps.map((step) => (
                          <li key={step.id}><Row run={run} record={step} within={job.record} search={{ record: step.id }} level={2} current={selection.step?.id === step.id} /></li>
                        ))}
                      </ul>
                    </li>
                  ))}
                  {stage.jobs.length === 0 && <li className={styles.none}>No job yet</li>}
                </ul>
              )}
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

interface RowProps {
  run: RunDetail
  record: TimelineRecord
  search: { stage?: string; record?: string }
  /** Its attempt is only said where it is another than that of what it belongs to. */
  within?: TimelineRecord
  level: number
  current?: boolean
  expanded?: boolean
  /** When the record alone does not know: a stage that waits for a person or a worker. */
  state?: State
}

function Row({ run, record, search, within, level, current, expanded, state }: RowProps) {
  const project = useProject()
  return (
    <Link
      className={styles.row} data-level={level} data-current={current || undefined} to="/$project/runs/$runId" params={{ project, runId: String(run.id) }} search={search}
      replace resetScroll={false} aria-current={current === true ? 'true' : undefined} aria-expanded={expanded} title={record.name}
    >
      <StateIcon state={state ?? stateOfRecord(record)} />
      <span className={styles.name}>{record.name}</span>
      {(record.attempt ?? 1) > 1 && record.attempt !== within?.attempt && <span className={styles.attempt}>attempt {record.attempt}</span>}
      <span className={styles.time}>{record.state !== 'pending' && record.result !== 'skipped' && <Duration start={record.startTime} finish={record.finishTime} />}</span>
    </Link>
  )
}
