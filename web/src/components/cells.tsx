import type { ReactNode } from 'react'
import styles from './cells.module.css'

/** Two lines in one cell: what it is, and below it in small what belongs to it. Cut text stays readable on hover. */
export function TwoLines({ top, below, title }: { top: ReactNode; below?: ReactNode; title?: string }) {
  return (
    <div className={styles.two} title={title}>
      <div className={styles.top}>{top}</div>
      {below !== undefined && <div className={styles.below}>{below}</div>}
    </div>
  )
}

/** Facts in one row, a middle dot between them; wraps as whole facts. */
export function Facts({ children }: { children: ReactNode[] }) {
  return (
    <span className={styles.facts}>
      <span className={styles.line}>
        {children.filter((child) => child !== null && child !== undefined && child !== false && child !== '').map((child, at) => (
          <span key={at} className={styles.fact}>{child}</span>
        ))}
      </span>
    </span>
  )
}
