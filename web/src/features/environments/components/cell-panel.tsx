import { Button } from '@fluentui/react-components'
import { Dismiss20Regular } from '@fluentui/react-icons'
import { useEffect, useRef } from 'react'
import type { CellState, MatrixCell, Service } from '@/api/types'
import { RunLink, VersionName } from '@/components/run-bits'
import { StateLabel } from '@/components/state-icon'
import { Time } from '@/components/time'
import { runName } from '@/lib/format'
import { stateOfCell, targetName, type Target } from '../model/matrix-view'
import { HistoryFeed } from './history-feed'
import styles from './cell-panel.module.css'

interface CellPanelProps {
  service: Service
  target: Target
  cell: MatrixCell
  onClose: () => void
}

const coming: Record<CellState, string> = { ok: 'next', inProgress: 'being deployed', waiting: 'waiting', failed: 'failed' }

/** How a service's version in one place got there: beside the matrix, so that one can go from cell to cell. */
export function CellPanel({ service, target, cell, onClose }: CellPanelProps) {
  const panel = useRef<HTMLElement>(null)
  useEffect(() => panel.current?.focus(), [service.id, target])
  return (
    <aside
      ref={panel} className={styles.panel} tabIndex={-1} aria-label={`History of ${service.key} in ${targetName(target)}`}
    >
      <header className={styles.head}>
        <h2>{service.key} in {targetName(target)}</h2>
        <Button appearance="subtle" size="small" icon={<Dismiss20Regular />} aria-label="Close" onClick={onClose} />
      </header>
      <p className={styles.sentence}>
        <StateLabel state={stateOfCell(cell)} />
        {cell.version !== undefined && cell.version !== null && cell.since !== undefined && <span><VersionName version={cell.version} /> since <Time at={cell.since} form="clock" /></span>}
        {cell.pending !== undefined && <span>{coming[cell.state]} in run <RunLink id={cell.pending.runId}>{runName(cell.pending)}</RunLink>{cell.pending.version !== undefined && cell.pending.version !== null && <>: <VersionName version={cell.pending.version} /></>}</span>}
      </p>
      <HistoryFeed filter={{ service: service.key, environmentId: target.environment.id, resourceId: target.resource?.id ?? 0 }} />
    </aside>
  )
}
