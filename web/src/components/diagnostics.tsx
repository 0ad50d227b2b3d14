import type { Diagnostic } from '@/api/types'
import { plural } from '@/lib/format'
import { StateIcon } from './state-icon'
import styles from './messages.module.css'

/** Errors stand open; warnings alone are counted, for whoever wants to read them. */
export function DiagnosticSummary({ list }: { list: Diagnostic[] }) {
  if (list.length === 0) return null
  if (list.some((one) => one.severity === 'error')) return <div className={styles.problems} data-severity="error"><Diagnostics list={list} /></div>
  return (
    <details className={styles.problems} data-severity="warning">
      <summary>{plural(list.length, 'warning')} about the pipeline file</summary>
      <Diagnostics list={list} />
    </details>
  )
}

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
