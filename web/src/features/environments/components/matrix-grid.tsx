import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { Link } from '@tanstack/react-router'
import { useRef, useState, type KeyboardEvent } from 'react'
import type { MatrixCell, Service } from '@/api/types'
import { StateIcon } from '@/components/state-icon'
import { Time } from '@/components/time'
import { useProject } from '@/lib/project'
import { runName, subject } from '@/lib/format'
import { states } from '@/lib/state'
import { cellKey, note, stateOfCell, targetName, versionText, type MatrixView, type Target } from '../model/matrix-view'
import { CellCard } from './cell-card'
import styles from './matrix-grid.module.css'

interface MatrixGridProps {
  view: MatrixView
  selected: string | undefined
  onSelect: (key: string) => void
  /** The moment that the view shows, when it is not now. */
  moment?: number
}

interface Hovered {
  cell: MatrixCell
  service: Service
  target: Target
  box: DOMRect
}

/** Which version of which service is where. Arrow keys move, Enter opens the history of a cell. */
export function MatrixGrid({ view, selected, onSelect, moment }: MatrixGridProps) {
  const grid = useRef<HTMLTableElement>(null)
  const [at, setAt] = useState<[number, number]>([0, 0])
  const [hovered, setHovered] = useState<Hovered>()
  const wait = useRef<ReturnType<typeof setTimeout>>()
  const { services, targets } = view
  const long = services.length > 60
  const virtualizer = useWindowVirtualizer({ count: services.length, estimateSize: () => 52, overscan: 12, enabled: long, scrollMargin: grid.current?.offsetTop ?? 0 })
  const rows = long ? virtualizer.getVirtualItems().map((item) => item.index) : services.map((_, index) => index)
  const above = long ? (virtualizer.getVirtualItems()[0]?.start ?? 0) - virtualizer.options.scrollMargin : 0
  const below = long ? virtualizer.getTotalSize() - ((virtualizer.getVirtualItems().at(-1)?.end ?? 0) - virtualizer.options.scrollMargin) : 0

  const move = (row: number, column: number) => {
    const next: [number, number] = [Math.min(services.length - 1, Math.max(0, row)), Math.min(targets.length - 1, Math.max(0, column))]
    setAt(next)
    if (long) virtualizer.scrollToIndex(next[0])
    const focus = () => {
      const cell = grid.current?.querySelector<HTMLElement>(`[data-place="${next[0]}-${next[1]}"]`)
      cell?.focus()
      return cell !== null && cell !== undefined
    }
    // At once, so that the next key counts from there; a row that is not drawn yet comes with the next frame.
    if (!focus()) requestAnimationFrame(focus)
  }
  const onKey = (event: KeyboardEvent, row: number, column: number) => {
    const steps: Partial<Record<string, [number, number]>> = {
      ArrowRight: [row, column + 1], ArrowLeft: [row, column - 1], ArrowDown: [row + 1, column], ArrowUp: [row - 1, column],
      Home: event.ctrlKey ? [0, 0] : [row, 0], End: event.ctrlKey ? [services.length - 1, targets.length - 1] : [row, targets.length - 1],
    }
    const step = steps[event.key]
    if (step !== undefined) {
      event.preventDefault()
      move(...step)
    } else if (event.key === 'Escape') setHovered(undefined)
  }
  const show = (next: Hovered, delay: number) => {
    clearTimeout(wait.current)
    wait.current = setTimeout(() => setHovered(next), delay)
  }
  const hide = () => {
    clearTimeout(wait.current)
    setHovered(undefined)
  }

  return (
     
    <div className={styles.scroll} role="region" aria-label="Versions in environments" tabIndex={0} onScroll={hide}>
      <table ref={grid} className={styles.grid} role="grid" aria-rowcount={services.length + 2} aria-colcount={targets.length + 1}>
        <thead>
          <tr>
            <th scope="col" rowSpan={2} className={styles.corner}>Service</th>
            {groupByEnvironment(targets).map(({ first, count }) => (
              <EnvironmentHead key={first.environment.id} target={first} span={count} />
            ))}
          </tr>
          <tr>
            {targets.map((target, index) => (
              <th key={targetName(target)} scope="col" className={styles.place} data-first={isFirst(targets, index) || undefined} title={target.resource === undefined ? 'The environment itself' : `${target.resource.type} ${target.resource.namespace}`}>
                {placeText(target)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr aria-hidden style={{ height: above }} />}
          {rows.map((row) => {
            const service = services[row]
            if (service === undefined) return null
            return (
              <tr key={service.id} aria-rowindex={row + 3}>
                <th scope="row" className={styles.service} title={`${service.key}\n${service.imageRepository}`}><span>{service.key}</span></th>
                {targets.map((target, column) => {
                  const cell = view.cell(service, target)
                  const key = cellKey(service, target)
                  return (
                    <td key={key} className={styles.cell} data-first={isFirst(targets, column) || undefined} data-selected={key === selected || undefined}>
                      <button
                        type="button" className={styles.button} data-place={`${row}-${column}`} tabIndex={at[0] === row && at[1] === column ? 0 : -1}
                        aria-disabled={cell === undefined} onKeyDown={(event) => onKey(event, row, column)}
                        onFocus={(event) => {
                          setAt([row, column])
                          if (cell !== undefined && event.currentTarget.matches(':focus-visible')) show({ cell, service, target, box: event.currentTarget.getBoundingClientRect() }, 600)
                        }}
                        onBlur={hide} onPointerLeave={hide}
                        onPointerEnter={(event) => {
                          if (cell !== undefined && event.pointerType === 'mouse') show({ cell, service, target, box: event.currentTarget.getBoundingClientRect() }, 350)
                        }}
                        onClick={() => {
                          hide()
                          if (cell !== undefined) onSelect(key)
                        }}
                      >
                        <span className="visually-hidden">{service.key} in {targetName(target)}: </span>
                        {cell === undefined ? <span className={styles.never} title="Never deployed"><span aria-hidden>–</span><span className="visually-hidden">never deployed</span></span> : <CellFace cell={cell} moment={moment} />}
                      </button>
                    </td>
                  )
                })}
              </tr>
            )
          })}
          {below > 0 && <tr aria-hidden style={{ height: below }} />}
        </tbody>
      </table>
      {/* Beside the open history of a cell the card would cover it. */}
      {hovered !== undefined && selected === undefined && <CellCard {...hovered} />}
    </div>
  )
}

function CellFace({ cell, moment }: { cell: MatrixCell; moment: number | undefined }) {
  const said = note(cell)
  // With nothing to report, what the version brought is worth the line.
  const second = said === '' && cell.version !== undefined && cell.version !== null ? subject(cell.version.commitMessage) : said
  return (
    <>
      <StateIcon state={stateOfCell(cell)} labelled={false} />
      <span className={styles.lines}>
        <span className={styles.first}>
          <span className="mono">{cell.version === undefined || cell.version === null ? 'none yet' : versionText(cell.version)}</span>
          <span className="visually-hidden">, {states[stateOfCell(cell)].word}, </span>
          {cell.since !== undefined && <span className={styles.age}><Time at={cell.since} until={moment} /></span>}
        </span>
        {second !== '' && <span className={styles.note} data-state={said === '' ? undefined : cell.state}>{second}</span>}
      </span>
    </>
  )
}

function EnvironmentHead({ target, span }: { target: Target; span: number }) {
  const project = useProject()
  const { environment } = target
  return (
    <th scope="colgroup" colSpan={span} className={styles.environment} title={environment.name}>
      <Link to="/$project/environments/$environmentId" params={{ project, environmentId: String(environment.id) }}>{environment.name}</Link>
      {environment.locked !== undefined && (
        <Link className={styles.lock} to="/$project/runs/$runId" params={{ project, runId: String(environment.locked.runId) }} title={`Locked by ${runName(environment.locked)}`}>locked</Link>
      )}
    </th>
  )
}

function placeText({ resource }: Target): string {
  if (resource === undefined) return ' '
  const where = resource.type.toLowerCase() === 'dockerhost' ? 'Docker host' : `ns ${resource.namespace}`
  return resource.name === '' || resource.name === resource.namespace || resource.name === 'default' || resource.name === 'docker' ? where : `${resource.name}: ${where}`
}

function groupByEnvironment(targets: Target[]): { first: Target; count: number }[] {
  const groups: { first: Target; count: number }[] = []
  for (const target of targets) {
    const last = groups.at(-1)
    if (last?.first.environment.id === target.environment.id) last.count += 1
    else groups.push({ first: target, count: 1 })
  }
  return groups
}

const isFirst = (targets: Target[], index: number) => targets[index]?.environment.id !== targets[index - 1]?.environment.id
