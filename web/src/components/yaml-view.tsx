import type { Diagnostic } from '@/api/types'
import { Copyable } from './copyable'
import { StateIcon } from './state-icon'
import styles from './yaml-view.module.css'

interface YamlViewProps {
  text: string
  noun: string
  /** Those of this file stand below their lines. */
  diagnostics?: Diagnostic[]
}

/** A file with its line numbers, and what is wrong at the line where it is wrong. */
export function YamlView({ text, noun, diagnostics = [] }: YamlViewProps) {
  const lines = text.replace(/\n$/, '').split('\n')
  const at = new Map<number, Diagnostic[]>()
  for (const one of diagnostics) if (one.line !== undefined && one.line > 0) at.set(one.line, [...(at.get(one.line) ?? []), one])
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways where a line is long
    <div className={styles.yaml} role="group" aria-label={noun} tabIndex={0}>
      <div className={styles.head}><Copyable value={text} label="Copy" noun={noun} /></div>
      <ol>
        {lines.map((line, index) => {
          const list = at.get(index + 1)
          return (
            <li key={index} data-severity={list === undefined ? undefined : list.some((one) => one.severity === 'error') ? 'error' : 'warning'}>
              <code>{line === '' ? ' ' : line}</code>
              {list?.map((one, number) => (
                <p key={number} className={styles.problem} style={{ marginLeft: `${Math.max(0, (one.column ?? 1) - 1)}ch` }}>
                  <StateIcon state={one.severity === 'error' ? 'failed' : 'issues'} size={14} />
                  <span>{one.message}{one.hint !== undefined && one.hint !== '' && <span className={styles.hint}> {one.hint}</span>}</span>
                </p>
              ))}
            </li>
          )
        })}
      </ol>
    </div>
  )
}
