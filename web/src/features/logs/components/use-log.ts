import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { useEventStream } from '@/lib/live'
import { fetchLogLines } from '../api/log-lines'
import { LogStore } from '../model/log-store'

/** The store of one log, kept up to date by the tab's event stream, and dropped with the component. */
export function useLog(project: string, runId: number, logId: number, firstLine: number | undefined): LogStore {
  const stream = useEventStream()
  const store = useMemo(
    () => new LogStore((from, count, signal) => fetchLogLines(project, runId, logId, from, count, signal)),
    [project, runId, logId],
  )
  useEffect(() => {
    store.start(firstLine)
    return () => store.stop()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- where to begin matters once
  }, [store])
  useEffect(() => {
    if (stream === undefined) return undefined
    const offLog = stream.on('log', (event) => {
      if (event.runId === runId && event.logId === logId) store.changed()
    })
    const offReset = stream.onReset(() => store.changed())
    return () => {
      offLog()
      offReset()
    }
  }, [stream, store, runId, logId])
  useSyncExternalStore(store.subscribe, store.version)
  return store
}
