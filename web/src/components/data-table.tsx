import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useRef, useState, type Key, type ReactNode } from 'react'
import styles from './data-table.module.css'

export interface Column<T> {
  header: string
  cell: (item: T) => ReactNode
  width?: string
  align?: 'right'
  /** Left out below this width of the table. */
  from?: 'small' | 'medium' | 'wide'
  hideHeader?: boolean
}

interface DataTableProps<T> {
  label: string
  columns: Column<T>[]
  items: T[]
  keyOf: (item: T) => Key
  rowHeight?: number
}

/** Rows that line up. Long lists draw only what is on the screen; a link in the first cell with class "row-link" covers its row. */
export function DataTable<T>({ label, columns, items, keyOf, rowHeight = 44 }: DataTableProps<T>) {
  const box = useRef<HTMLDivElement>(null)
  const [offset, setOffset] = useState(0)
  useLayoutEffect(() => setOffset(box.current?.offsetTop ?? 0), [])
  const long = items.length > 100
  const virtualizer = useWindowVirtualizer({
    count: items.length, estimateSize: () => rowHeight, overscan: 20, scrollMargin: offset, enabled: long,
  })
  const shown = long ? virtualizer.getVirtualItems() : []
  const first = shown[0]
  const last = shown.at(-1)
  const visible = long ? items.slice(first?.index ?? 0, (last?.index ?? -1) + 1) : items
  const above = first === undefined ? 0 : first.start - offset
  const below = last === undefined ? 0 : virtualizer.getTotalSize() - (last.end - offset)
  return (
    <div className={styles.box} ref={box}>
      <table className={styles.table} aria-label={label} aria-rowcount={long ? items.length : undefined}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.header} scope="col" style={{ width: column.width }} data-align={column.align} data-from={column.from}>
                {column.hideHeader === true ? <span className="visually-hidden">{column.header}</span> : column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr aria-hidden style={{ height: above }} />}
          {visible.map((item) => (
            <tr key={keyOf(item)} style={{ height: rowHeight }}>
              {columns.map((column) => (
                <td key={column.header} data-align={column.align} data-from={column.from}>{column.cell(item)}</td>
              ))}
            </tr>
          ))}
          {below > 0 && <tr aria-hidden style={{ height: below }} />}
        </tbody>
      </table>
    </div>
  )
}
