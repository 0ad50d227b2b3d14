import { useState } from 'react'
import { short } from '@/lib/format'
import styles from './copyable.module.css'

interface CopyableProps {
  /** What is copied, and shown on hover. */
  value: string
  /** What stands on the page; the first seven characters of an id unless given. */
  label?: string
  noun?: string
}

/** A commit id or digest: seven characters in monospace, copied whole on click. */
export function Copyable({ value, label, noun = 'commit id' }: CopyableProps) {
  const [copied, setCopied] = useState(false)
  const copy = () => {
    void navigator.clipboard.writeText(value).then(() => {
      setCopied(true)
      setTimeout(() => setCopied(false), 1500)
    })
  }
  if (value === '') return null
  return (
    <button type="button" className={styles.copy} title={`${value}\nClick to copy the ${noun}`} onClick={copy}>
      {copied ? 'copied ' : label ?? short(value)}
    </button>
  )
}
