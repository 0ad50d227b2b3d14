import type { ReactNode } from 'react'
import styles from './messages.module.css'

/** Nothing here yet: says why, and shows what would fill the place. */
export function Empty({ title, children, example }: { title: string; children?: ReactNode; example?: string }) {
  return (
    <div className={styles.empty}>
      <p className={styles.headline}>{title}</p>
      {children !== undefined && <div>{children}</div>}
      {example !== undefined && <pre className={styles.example}>{example}</pre>}
    </div>
  )
}
