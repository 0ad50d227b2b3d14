import { Button } from '@fluentui/react-components'
import { asSentence } from '@/lib/format'
import { ApiError } from '@/lib/http'
import { isLostPart } from '@/lib/lost-part'
import { Diagnostics } from './diagnostics'
import { StateIcon } from './state-icon'
import styles from './messages.module.css'

interface ErrorPanelProps {
  error: Error
  /** What was being done, completing "Could not ...". */
  doing: string
  onRetry?: () => void
}

/** What happened, what it means, what to do, and the technical detail folded below. */
export function ErrorPanel({ error, doing, onRetry }: ErrorPanelProps) {
  const { meaning, remedy } = explain(error)
  return (
    <div className={styles.error} role="alert">
      <StateIcon state="failed" labelled={false} />
      <div className={styles.body}>
        <p className={styles.headline}>Could not {doing}.</p>
        <p>{meaning} {remedy}</p>
        {error instanceof ApiError && error.diagnostics.length > 0 && <Diagnostics list={error.diagnostics} />}
        {onRetry !== undefined && <Button size="small" onClick={onRetry}>Try again</Button>}
        <details className={styles.detail}>
          <summary>Technical detail</summary>
          <pre>{detail(error)}</pre>
        </details>
      </div>
    </div>
  )
}

function explain(error: Error): { meaning: string; remedy: string } {
  if (isLostPart(error)) return { meaning: 'The server does not answer, or it has become another version.', remedy: 'The page loads itself anew as soon as it can.' }
  if (!(error instanceof ApiError)) return { meaning: asSentence(error.message), remedy: 'Reload the page; if it stays, report the detail below.' }
  switch (error.status) {
    case 0: return { meaning: 'The server does not answer.', remedy: 'Check that slipway is running; the page goes on by itself when it is back.' }
    case 401: return { meaning: 'You are not signed in.', remedy: 'Open the sign-in link that slipway printed.' }
    case 403: return { meaning: asSentence(error.message), remedy: 'Ask an administrator: Settings, People shows who they are.' }
    case 404: return { meaning: asSentence(error.message), remedy: 'It may have been deleted, or the address has a typing error.' }
    default: return { meaning: asSentence(error.message), remedy: error.status >= 500 ? 'The server\'s log says more.' : '' }
  }
}

const detail = (error: Error): string =>
  error instanceof ApiError ? `${error.request}\nstatus ${error.status}${error.code === '' ? '' : `, ${error.code}`}\n${error.message}` : error.stack ?? error.message
