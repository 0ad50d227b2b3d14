import { states, type State } from '@/lib/state'
import styles from './state-icon.module.css'

interface StateIconProps {
  state: State
  size?: number
  /** Named for screen readers unless the word stands beside it. */
  labelled?: boolean
}

/** The shape of a state. Shape and word carry the meaning, colour is the echo. */
export function StateIcon({ state, size = 16, labelled = true }: StateIconProps) {
  const { word, role } = states[state]
  return (
    <svg
      className={styles.icon} data-role={role} data-state={state} width={size} height={size} viewBox="0 0 16 16" fill="none"
      {...(labelled ? { role: 'img', 'aria-label': word } : { 'aria-hidden': true })}
    >
      {labelled && <title>{word}</title>}
      {shapes[state]}
    </svg>
  )
}

/** The shape with its word. */
export function StateLabel({ state, word }: { state: State; word?: string }) {
  return (
    <span className={styles.label} data-role={states[state].role}>
      <StateIcon state={state} labelled={false} />
      {word ?? states[state].word}
    </span>
  )
}

const line = { stroke: 'currentColor', strokeWidth: 1.75, strokeLinecap: 'round', strokeLinejoin: 'round' } as const
const cut = { stroke: 'var(--cut)', strokeWidth: 1.75, strokeLinecap: 'round', strokeLinejoin: 'round' } as const

const shapes: Record<State, React.ReactNode> = {
  pending: <circle cx="8" cy="8" r="5.6" {...line} strokeWidth={1.25} />,
  queued: <><circle cx="8" cy="8" r="6.2" {...line} strokeWidth={1.6} /><path d="M8 4.7V8l2.3 1.5" {...line} strokeWidth={1.6} /></>,
  waiting: <path d="M8 1.6 14.4 8 8 14.4 1.6 8Z" {...line} />,
  running: <path className={styles.turning} d="M8 2.2A5.8 5.8 0 1 1 2.2 8" {...line} strokeWidth={2.4} />,
  succeeded: <><circle cx="8" cy="8" r="7" fill="currentColor" /><path d="m4.9 8.2 2.2 2.2 4-4.6" {...cut} /></>,
  issues: <><circle cx="8" cy="8" r="7" fill="currentColor" /><path d="M8 4.4v4.2M8 11.4v.1" {...cut} strokeWidth={2} /></>,
  failed: <><rect x="1.4" y="1.4" width="13.2" height="13.2" rx="2" fill="currentColor" /><path d="m5.3 5.3 5.4 5.4m0-5.4-5.4 5.4" {...cut} /></>,
  canceled: <><circle cx="8" cy="8" r="6" {...line} /><path d="M5 8h6" {...line} /></>,
  skipped: <path d="m6 4.4 3.6 3.6L6 11.6" {...line} />,
  drifted: <><circle cx="6" cy="8" r="4.2" {...line} /><circle cx="10" cy="8" r="4.2" {...line} /></>,
  unknown: <circle cx="8" cy="8" r="5.8" {...line} strokeDasharray="2.6 2.9" />,
}
