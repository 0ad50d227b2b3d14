import { Button, Input } from '@fluentui/react-components'
import { Add16Regular, ArrowSort20Regular, History20Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { Empty } from '@/components/empty'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { matrixQuery } from '@/features/environments/api/environments'
import { CellPanel } from '@/features/environments/components/cell-panel'
import { MatrixGrid } from '@/features/environments/components/matrix-grid'
import { cellKey, summary, viewOf, type MatrixView } from '@/features/environments/model/matrix-view'
import { exact } from '@/lib/format'
import { useIsAdmin } from '@/lib/me'
import { useProject } from '@/lib/project'
import styles from './environments-route.module.css'

const EnvironmentDialog = lazy(() => import('@/features/environments/components/environment-dialog').then((module) => ({ default: module.EnvironmentDialog })))

const OrderDialog = lazy(() => import('@/features/environments/components/order-dialog').then((module) => ({ default: module.OrderDialog })))

const example = `- deployment: Deploy
  environment: dev.default
  strategy:
    runOnce:
      deploy:
        steps:
        - task: KubernetesManifest@1
          inputs: { action: deploy, manifests: manifests/*.yml }`

export function EnvironmentsRoute() {
  const project = useProject()
  const navigate = useNavigate({ from: '/$project/environments' })
  const { at, cell } = useSearch({ from: '/$project/environments' })
  const moment = readMoment(at)
  const matrix = useQuery(matrixQuery(project, moment))
  const admin = useIsAdmin()
  const [making, setMaking] = useState(false)
  const [ordering, setOrdering] = useState(false)
  const environments = matrix.data?.environments ?? []
  const view = matrix.data === undefined ? undefined : viewOf(matrix.data)
  const close = () => void navigate({ search: (before) => ({ ...before, cell: undefined }), replace: true })
  useEffect(() => {
    if (cell === undefined) return undefined
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && document.querySelector('[role=dialog]') === null) void navigate({ search: (before) => ({ ...before, cell: undefined }), replace: true })
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [cell, navigate])
  return (
    <Page
      wide title="Environments" sentence={view === undefined || view.services.length === 0 ? undefined : moment === undefined ? summary(view) : 'A look back: what was where at the chosen moment.'}
      actions={<>
        <MomentField moment={moment} onChange={(next) => void navigate({ search: (before) => ({ ...before, at: next }) })} />
        {admin && moment === undefined && environments.length > 1 && <Button icon={<ArrowSort20Regular />} onClick={() => setOrdering(true)}>Order</Button>}
        {admin && <Button icon={<Add16Regular />} onClick={() => setMaking(true)}>New environment</Button>}
      </>}
    >
      {moment !== undefined && (
        <p className={styles.past} role="status">
          As it was on {exact(moment)}. <Button size="small" onClick={() => void navigate({ search: (before) => ({ ...before, at: undefined }) })}>Back to now</Button>
        </p>
      )}
      <QueryView query={matrix} doing="read what is where" loading={<Skeleton rows={4} height={52} />}>
        {() => view === undefined || view.services.length === 0 || view.targets.length === 0 ? (
          <>
            {moment === undefined && view !== undefined && view.targets.length > 0 && <EnvironmentList view={view} />}
            <Empty title={moment === undefined ? 'No version is in any environment yet.' : 'No version was in any environment at that moment.'} example={moment === undefined ? example : undefined}>
              {moment === undefined ? 'This page shows which version of which service is in which environment and namespace. The first deployment job that puts container images in place fills it:' : 'Choose a later moment, or go back to now.'}
            </Empty>
          </>
        ) : (
          <>
            <div className={styles.matrix} data-panel={cell !== undefined || undefined}>
              <MatrixGrid
                view={view} selected={cell} moment={moment === undefined ? undefined : Date.parse(moment)}
                onSelect={(key) => void navigate({ search: (before) => ({ ...before, cell: key }), replace: cell !== undefined, resetScroll: false })}
              />
            </div>
            <SelectedCell view={view} cell={cell} onClose={close} />
          </>
        )}
      </QueryView>
      <Suspense fallback={null}>
        {ordering && <OrderDialog environments={environments} onClose={() => setOrdering(false)} />}
        {making && (
          <EnvironmentDialog
            environment={undefined} onClose={() => setMaking(false)}
            onSaved={({ id }) => void navigate({ to: '/$project/environments/$environmentId', params: { project, environmentId: String(id) }, search: {} })}
          />
        )}
      </Suspense>
    </Page>
  )
}

/** The environments by name, as long as there is nothing to put in a matrix. */
function EnvironmentList({ view }: { view: MatrixView }) {
  const project = useProject()
  const environments = [...new Map(view.targets.map(({ environment }) => [environment.id, environment])).values()]
  return (
    <ul className={styles.environments} aria-label="Environments">
      {environments.map((one) => <li key={one.id}><Link to="/$project/environments/$environmentId" params={{ project, environmentId: String(one.id) }}>{one.name}</Link></li>)}
    </ul>
  )
}

function SelectedCell({ view, cell: key, onClose }: { view: MatrixView; cell: string | undefined; onClose: () => void }) {
  if (key === undefined) return null
  for (const service of view.services) {
    for (const target of view.targets) {
      const cell = cellKey(service, target) === key ? view.cell(service, target) : undefined
      if (cell !== undefined) return <CellPanel service={service} target={target} cell={cell} onClose={onClose} />
    }
  }
  return null
}

/** The whole table as it was at a moment of the past. The field shows once somebody wants to look back. */
function MomentField({ moment, onChange }: { moment: string | undefined; onChange: (moment: string | undefined) => void }) {
  const [asked, setAsked] = useState(false)
  if (!asked && moment === undefined) return <Button icon={<History20Regular />} onClick={() => setAsked(true)}>Look back</Button>
  return (
    <div className={styles.moment}>
      <label htmlFor="moment">As it was on</label>
      <Input
        id="moment" autoFocus={asked} type="datetime-local" value={moment === undefined ? '' : localValue(moment)} max={localValue(new Date().toISOString())}
        onChange={(_, { value }) => onChange(value === '' ? undefined : new Date(value).toISOString())}
      />
    </div>
  )
}

function readMoment(text: string | undefined): string | undefined {
  const time = text === undefined ? NaN : Date.parse(text)
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}

/** The field wants the reader's own time, without a zone. */
function localValue(time: string): string {
  const date = new Date(time)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
