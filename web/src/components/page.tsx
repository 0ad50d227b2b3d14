import type { ReactNode } from 'react'
import { useTitle } from '@/lib/title'
import type { State } from '@/lib/state'
import { StateIcon } from './state-icon'
import styles from './page.module.css'

interface PageProps {
  title: string
  /** What the browser's tab says, when the title is a whole sentence. */
  tabTitle?: string
  /** One sentence in plain words: what the reader came to know. */
  sentence?: ReactNode
  /** The state of the page's object: stands before the title and in the browser's tab. */
  state?: State
  actions?: ReactNode
  /** Uses the full width (matrix, graph, log) instead of the text's 1440 pixels. */
  wide?: boolean
  /** Fills the window's height, its content scrolls inside. */
  fill?: boolean
  children: ReactNode
}

export function Page({ title, tabTitle, sentence, state, actions, wide, fill, children }: PageProps) {
  useTitle(tabTitle ?? title, state)
  return (
    <div className={styles.page} data-wide={wide || undefined} data-fill={fill || undefined}>
      <header className={styles.header}>
        <div className={styles.words}>
          <h1 className={styles.title}>
            {state !== undefined && <StateIcon state={state} size={20} />}
            <span>{title}</span>
          </h1>
          {sentence !== undefined && <div className={styles.sentence}>{sentence}</div>}
        </div>
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  )
}

/** A titled part of a page. */
export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className={styles.section} aria-label={title}>
      <div className={styles.sectionHead}>
        <h2 className={styles.sectionTitle}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}
