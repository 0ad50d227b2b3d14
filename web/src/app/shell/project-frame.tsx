import { useQuery } from '@tanstack/react-query'
import { Outlet, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useState } from 'react'
import { pendingApprovalsQuery } from '@/features/approvals/api/approvals'
import { ApiError } from '@/lib/http'
import { LiveUpdates } from '@/lib/live'
import { ProjectContext } from '@/lib/project'
import { Rail } from './rail'
import { NoSuchProject } from './route-states'
import { TopBar } from './top-bar'
import { useShortcuts } from './shortcuts'
import styles from './frame.module.css'

const Palette = lazy(() => import('./palette').then((module) => ({ default: module.Palette })))
const ShortcutSheet = lazy(() => import('./shortcut-sheet').then((module) => ({ default: module.ShortcutSheet })))

/** Rail, bar and page: what stays while one walks through a project. */
export function ProjectFrame() {
  const { project } = useParams({ from: '/$project' })
  const [overlay, setOverlay] = useState<'none' | 'palette' | 'shortcuts' | 'menu'>('none')
  const close = useCallback(() => setOverlay('none'), [])
  useShortcuts(project, setOverlay)
  // The rail asks the same on every page: one request says whether the project is there.
  const { error } = useQuery(pendingApprovalsQuery(project))
  const missing = error instanceof ApiError && error.status === 404
  return (
    <ProjectContext.Provider value={project}>
      <LiveUpdates project={project}>
        <a className={styles.skip} href="#content">Skip to the content</a>
        <div className={styles.frame}>
          <Rail project={project} open={overlay === 'menu'} onClose={close} />
          <div className={styles.main}>
            <TopBar project={project} onSearch={() => setOverlay('palette')} onMenu={() => setOverlay(overlay === 'menu' ? 'none' : 'menu')} menuOpen={overlay === 'menu'} />
            <main id="content" className={styles.content} tabIndex={-1}>{missing ? <NoSuchProject name={project} /> : <Outlet />}</main>
          </div>
        </div>
        <Suspense fallback={null}>
          {overlay === 'palette' && <Palette project={project} onClose={close} />}
          {overlay === 'shortcuts' && <ShortcutSheet onClose={close} />}
        </Suspense>
      </LiveUpdates>
    </ProjectContext.Provider>
  )
}
