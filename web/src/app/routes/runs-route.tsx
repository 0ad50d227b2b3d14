import { Button, Field, Input, Select } from '@fluentui/react-components'
import { Play16Regular } from '@fluentui/react-icons'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { Empty } from '@/components/empty'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { pipelinesQuery } from '@/features/pipelines/api/pipelines'
import { runsQuery, type RunFilter } from '@/features/runs/api/runs'
import { activity } from '@/features/runs/model/activity'
import { RunTable } from '@/features/runs/components/run-table'
import { useHeldBack } from '@/features/runs/components/use-held-back'
import { ago, asSentence, plural, shellWord } from '@/lib/format'
import { useNow } from '@/lib/clock'
import { useProject } from '@/lib/project'
import { stateOfRun, states } from '@/lib/state'
import type { RunSummary } from '@/api/types'
import styles from './routes.module.css'

export function RunsRoute() {
  const project = useProject()
  const navigate = useNavigate({ from: '/$project/runs' })
  const { pipeline, branch, status } = useSearch({ from: '/$project/runs' })
  const known = useQuery(pipelinesQuery(project)).data?.value
  const pipelines = known ?? []
  const filter: RunFilter = { pipelineId: pipeline, branch, status }
  const query = useInfiniteQuery(runsQuery(project, filter))
  const runs = useMemo(() => query.data?.pages.flatMap((page) => page.value) ?? [], [query.data])
  const name = pipelines.find((one) => one.id === pipeline)?.name
  const now = useNow()
  const filtered = branch !== undefined || status !== undefined
  return (
    <Page
      title={name ?? 'Runs'} sentence={query.data === undefined || (runs.length === 0 && known?.length === 0) ? undefined : sentenceOf(runs, now)}
      actions={pipeline === undefined ? undefined : (
        <Button appearance="primary" icon={<Play16Regular />} onClick={() => void navigate({ to: '/$project/pipelines', search: { run: pipeline } })}>Run pipeline</Button>
      )}
    >
      <div className={styles.filters}>
        <Field label="Pipeline" size="small">
          <Select
            size="small" value={pipeline?.toString() ?? ''}
            onChange={(_, { value }) => void navigate({ search: (before) => ({ ...before, pipeline: value === '' ? undefined : Number(value) }) })}
          >
            <option value="">All</option>
            {pipelines.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
          </Select>
        </Field>
        <Field label="State" size="small">
          <Select size="small" value={status ?? ''} onChange={(_, { value }) => void navigate({ search: (before) => ({ ...before, status: value === '' ? undefined : value }) })}>
            <option value="">All</option>
            <option value="inProgress">In progress</option>
            <option value="notStarted">Queued</option>
            <option value="completed">Completed</option>
          </Select>
        </Field>
        <BranchFilter value={branch ?? ''} onChange={(value) => void navigate({ search: (before) => ({ ...before, branch: value === '' ? undefined : value }) })} />
      </div>
      <QueryView query={query} doing="list the runs" loading={<Skeleton rows={8} height={48} />}>
        {() => runs.length === 0 && known?.length === 0 ? <Empty title="Nothing has run yet.">This project has no pipeline that could: begin with <Link to="/$project/pipelines" params={{ project }}>Pipelines</Link>.</Empty> : runs.length === 0 ? (
          <Empty title={filtered ? 'No run matches these filters.' : 'Nothing has run yet.'} example={filtered ? undefined : `slipway queue ${shellWord(name ?? pipelines[0]?.name ?? 'PIPELINE')} --project ${shellWord(project)} --wait`}>
            {filtered ? 'Take a filter away to see more.' : 'A push that a pipeline\'s trigger names starts one; so does Run on the pipelines page, or the terminal:'}
          </Empty>
        ) : <RunList key={JSON.stringify(filter)} runs={runs} more={query.hasNextPage} loading={query.isFetchingNextPage} onMore={() => void query.fetchNextPage()} />}
      </QueryView>
    </Page>
  )
}

function RunList({ runs, more, loading, onMore }: { runs: RunSummary[]; more: boolean; loading: boolean; onMore: () => void }) {
  const { shown, held, show } = useHeldBack(runs)
  return (
    <>
      <div className={styles.held} aria-live="polite">{held > 0 && <Button size="small" onClick={show}>{plural(held, 'new run')}, show</Button>}</div>
      <RunTable runs={shown} />
      {more && <div className={styles.more}><Button size="small" disabled={loading} onClick={onMore}>{loading ? 'Loading' : 'Show older runs'}</Button></div>}
    </>
  )
}

/** Typing must not ask the server for every letter: the filter counts on Enter or when the field is left. */
function BranchFilter({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value)
  return (
    <Field label="Branch" size="small">
      <Input
        size="small" value={text} placeholder="any" onChange={(_, data) => setText(data.value)} onBlur={() => onChange(text.trim())}
        onKeyDown={(event) => { if (event.key === 'Enter') onChange(text.trim()) }}
      />
    </Field>
  )
}

function sentenceOf(runs: RunSummary[], now: number): string {
  const last = runs.find((run) => run.status === 'completed')
  const parts = [
    activity(runs),
    ...(last === undefined ? [] : [`the last to finish ${lastWord(last)} ${ago(last.finishedAt ?? last.queuedAt, now)}`]),
  ]
  return asSentence(parts.join('; '))
}

const lastWord = (run: RunSummary) => (stateOfRun(run) === 'issues' ? 'succeeded with issues' : stateOfRun(run) === 'canceled' ? 'was canceled' : states[stateOfRun(run)].word.toLowerCase())
