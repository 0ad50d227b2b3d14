import { Button } from '@fluentui/react-components'
import { Copy16Regular } from '@fluentui/react-icons'
import { useState } from 'react'
import styles from './secret-once.module.css'

/** A text to take along now: a command to paste, a token that is never shown again. */
export function SecretOnce({ label, value }: { label: string; value: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <div className={styles.box}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls when it is long */}
      <pre className={styles.value} role="group" aria-label={label} tabIndex={0}>{value}</pre>
      <Button size="small" icon={<Copy16Regular />} onClick={() => void navigator.clipboard.writeText(value).then(() => setCopied(true))}>{copied ? 'Copied' : 'Copy'}</Button>
    </div>
  )
}
