import type { Diagnostic } from '@/api/types'
import { StateIcon } from './state-icon'
import styles from './messages.module.css'

/** What is wrong with a pipeline file: where, what, and what to do about it. */
export function Diagnostics({ list }: { list: Diagnostic[] }) {
  return (
    <ul className={styles.diagnostics}>
      {list.map((one, at) => (
        <li key={at}>
          <StateIcon state={one.severity === 'error' ? 'failed' : 'issues'} />
          <div>
            {one.file !== undefined && one.file !== '' && (
              <code>{one.file}{one.line !== undefined && one.line > 0 ? `:${one.line}${one.column !== undefined && one.column > 0 ? `:${one.column}` : ''}` : ''} </code>
            )}
            <span>{one.message}</span>
            {one.hint !== undefined && one.hint !== '' && <p className={styles.hint}>{one.hint}</p>}
          </div>
        </li>
      ))}
    </ul>
  )
}
