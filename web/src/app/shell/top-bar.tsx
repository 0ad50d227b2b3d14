import { Button } from '@fluentui/react-components'
import { Navigation20Regular, Search16Regular } from '@fluentui/react-icons'
import { lazy, Suspense } from 'react'
import { useStreamState } from '@/lib/live'
import { Breadcrumb } from './breadcrumb'
import styles from './frame.module.css'

// Menus are a large part of the component library: the page need not wait for this one.
const PersonMenu = lazy(() => import('./person-menu').then((module) => ({ default: module.PersonMenu })))

interface TopBarProps {
  project: string
  onSearch: () => void
  onMenu: () => void
  menuOpen: boolean
}

export function TopBar({ project, onSearch, onMenu, menuOpen }: TopBarProps) {
  return (
    <header className={styles.bar}>
      <Button className={styles.menuButton} appearance="subtle" icon={<Navigation20Regular />} aria-label="Menu" aria-expanded={menuOpen} onClick={onMenu} />
      <Breadcrumb project={project} />
      <LiveMark />
      <button type="button" className={styles.search} onClick={onSearch} aria-keyshortcuts="Control+K">
        <Search16Regular aria-hidden />
        <span className={styles.searchText}>Search or jump</span>
        <kbd aria-hidden>Ctrl K</kbd>
      </button>
      <Suspense fallback={<span className={styles.personPlace} />}><PersonMenu /></Suspense>
    </header>
  )
}

const liveWords = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' } as const

/** Whether what one sees is kept up to date. */
function LiveMark() {
  const state = useStreamState()
  return (
    <span
      className={styles.live} data-state={state} role="status"
      title={state === 'live' ? 'Changes show as they happen.' : 'No connection for changes at the moment; it is being opened again. What you see may be old.'}
    >
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden>
        {state === 'live' ? <circle cx="5" cy="5" r="4" fill="currentColor" /> : <circle cx="5" cy="5" r="3.6" fill="none" stroke="currentColor" strokeWidth="1.6" strokeDasharray="2 2" />}
      </svg>
      <span className={styles.liveWord}>{liveWords[state]}</span>
    </span>
  )
}
