import { useQueryClient, type QueryClient, type QueryKey } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore, type ReactNode } from 'react'
import { EventStream, type StreamState } from './events'
import { apiPath } from './http'
import { keys } from './keys'

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

/** Makes what events name stale. Bursts are gathered: one refetch per key and 200 ms however many events arrive. */
export function feedCache(stream: EventStream, client: QueryClient, project: string): () => void {
  const stale = new Map<string, QueryKey>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    timer = undefined
    const list = [...stale.values()]
    stale.clear()
    for (const queryKey of list) void client.invalidateQueries({ queryKey })
  }
  const mark = (...list: QueryKey[]) => {
    for (const key of list) stale.set(JSON.stringify(key), key)
    timer ??= setTimeout(flush, 200)
  }
  const stops = [
    stream.on('run', ({ runId }) => mark(keys.run(project, runId), keys.runs(project))),
    stream.on('approval', ({ runId }) => mark(keys.approvals(project), keys.run(project, runId), keys.matrix(project))),
    stream.on('matrix', () => mark(keys.matrix(project), keys.history(project))),
    stream.on('worker', () => mark(keys.pools)),
    stream.onReset(() => void client.invalidateQueries()),
    () => clearTimeout(timer),
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
