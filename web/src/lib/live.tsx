import { useQueryClient, type QueryClient, type QueryFilters, type QueryKey } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore, type ReactNode } from 'react'
import { EventStream, type StreamState } from './events'
import { apiPath } from './http'
import { keys } from './keys'
import { Refresher } from './refresher'

const StreamContext = createContext<EventStream | undefined>(undefined)

/** The tab's event stream; undefined outside a project. */
export const useEventStream = (): EventStream | undefined => useContext(StreamContext)

/** Whether what the page shows is kept up to date. */
export function useStreamState(): StreamState {
  const stream = useEventStream()
  return useSyncExternalStore(
    (onChange) => stream?.onState(onChange) ?? (() => undefined),
    () => stream?.state ?? 'connecting',
  )
}

/** What a busy server makes stale again and again is asked for this rarely, in milliseconds: what one looks at, what counts over many runs. */
const pauses = { shown: 1000, around: 2000, counted: 10_000 }

/** Asks for anew what events name; how often at most, says Refresher. */
export function feedCache(stream: EventStream, client: QueryClient, project: string): () => void {
  const refresher = new Refresher(client)
  const mark = (queryKey: QueryKey, pauseMs = pauses.shown, rest: QueryFilters = {}) => refresher.mark(JSON.stringify([queryKey, rest]), { queryKey, ...rest }, pauseMs)
  /** Places in queues move when any run does. */
  const isPlace = ({ queryKey: [kind, of, , part] }: { queryKey: QueryKey }) => kind === 'run' && of === project && part === 'explain'
  const isCounted = ({ queryKey: [, , part] }: { queryKey: QueryKey }) => part === 'tests of'
  const isList = (query: { queryKey: QueryKey }) => !isCounted(query)
  /** What a run grows while it goes on; its changes and the bytes of a file stay as they are. */
  const isPart = ({ queryKey: [, , , part] }: { queryKey: QueryKey }) => typeof part === 'string' && ['tests', 'test counts', 'files', 'attempts'].includes(part)
  const run = (runId: number) => {
    mark(keys.run(project, runId), pauses.shown, { exact: true })
    refresher.mark(`parts of ${runId}`, { queryKey: keys.run(project, runId), predicate: isPart }, pauses.around)
  }
  const stops = [
    stream.on('run', ({ runId }) => {
      run(runId)
      refresher.mark('lists of runs', { queryKey: keys.runs(project), predicate: isList }, pauses.shown)
      refresher.mark('counted over runs', { queryKey: keys.runs(project), predicate: isCounted }, pauses.counted)
      refresher.mark('places', { predicate: isPlace }, pauses.around)
      mark(keys.pools, pauses.around)
    }),
    stream.on('approval', ({ runId }) => {
      mark(keys.approvals(project))
      run(runId)
      mark(keys.matrix(project))
    }),
    stream.on('matrix', () => {
      mark(keys.matrix(project))
      mark(keys.history(project))
    }),
    stream.on('worker', () => {
      mark(keys.pools, pauses.around)
      refresher.mark('places', { predicate: isPlace }, pauses.around)
    }),
    stream.onReset(() => void client.invalidateQueries()),
    () => refresher.stop(),
  ]
  return () => stops.forEach((stop) => stop())
}

/** Opens the stream of one project for everything below and lets it feed the query cache. */
export function LiveUpdates({ project, children }: { project: string; children: ReactNode }) {
  const client = useQueryClient()
  const stream = useMemo(() => new EventStream(apiPath(['_apis', 'slipway', 'events'], { project })), [project])
  useEffect(() => {
    const stop = feedCache(stream, client, project)
    stream.open()
    return () => {
      stop()
      stream.close()
    }
  }, [stream, client, project])
  return <StreamContext.Provider value={stream}>{children}</StreamContext.Provider>
}
