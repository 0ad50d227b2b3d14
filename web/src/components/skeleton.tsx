import styles from './skeleton.module.css'

/** Reserves the space of what loads, so that nothing jumps when it comes. */
export function Skeleton({ rows = 6, height = 36 }: { rows?: number; height?: number }) {
  return (
    <div role="status" aria-label="Loading" className={styles.list}>
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} className={styles.row} style={{ height }}>
          <span style={{ width: `${[38, 52, 30, 46][at % 4] ?? 40}%` }} />
        </div>
      ))}
    </div>
  )
}
