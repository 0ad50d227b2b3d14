import { createPortal } from 'react-dom'
import type { MatrixCell, Service } from '@/api/types'
import { StateLabel } from '@/components/state-icon'
import { exact, runName, short, subject } from '@/lib/format'
import { note, stateOfCell, targetName, type Target } from '../model/matrix-view'
import styles from './cell-card.module.css'

interface CellCardProps {
  cell: MatrixCell
  service: Service
  target: Target
  box: DOMRect
}

/** All that is known of a cell, beside it while the pointer rests or the focus stays. */
export function CellCard({ cell, service, target, box }: CellCardProps) {
  const { version } = cell
  const below = box.bottom + 260 < window.innerHeight
  const left = Math.max(8, Math.min(box.left, window.innerWidth - 376))
  const rows: [string, string | undefined][] = [
    ['Commit', version?.commit === undefined || version.commit === '' ? undefined : `${short(version.commit)} ${subject(version.commitMessage)}`],
    ['Tags', version?.tags.map((tag) => (tag.length === 40 ? short(tag) : tag)).join(', ')],
    ['Digest', version?.digest === undefined || version.digest === '' ? undefined : short(version.digest)],
    ['Run', cell.runNumber === undefined ? undefined : runName(cell)],
    ['Since', cell.since === undefined ? undefined : exact(cell.since)],
    ['Let through by', cell.approvedBy?.map((one) => `${one.displayName}${one.comment === undefined || one.comment === '' ? '' : `: ${one.comment}`}`).join('; ')],
    ['Namespace', cell.namespace],
  ]
  return createPortal(
    <div role="tooltip" className={styles.card} style={below ? { left, top: box.bottom + 4 } : { left, bottom: window.innerHeight - box.top + 4 }}>
      <p className={styles.title}>{service.key} in {targetName(target)}</p>
      <p className={styles.state}><StateLabel state={stateOfCell(cell)} /> {note(cell) !== '' && <span>{note(cell)}</span>}</p>
      <dl>
        {rows.filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </div>,
    document.body,
  )
}
