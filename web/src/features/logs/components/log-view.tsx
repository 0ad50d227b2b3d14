import { Button } from '@fluentui/react-components'
import { ArrowDown16Regular } from '@fluentui/react-icons'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { parseAnsi, type Parsed } from '@/lib/ansi'
import { plural } from '@/lib/format'
import { useStored } from '@/lib/stored'
import { ErrorPanel } from '@/components/error-panel'
import { Skeleton } from '@/components/skeleton'
import { useIsDark } from '@/lib/theme'
import { logDownloadPath } from '../api/log-lines'
import { readLine } from '../model/log-line'
import type { LogStore } from '../model/log-store'
import { hiddenRanges, RowMap, startsFolded, type Group } from '../model/outline'
import { lineAsked, matcher, search } from '../model/search'
import { LogRow } from './log-row'
import { LogToolbar } from './log-toolbar'
import styles from './log-view.module.css'
import { useLog } from './use-log'

export interface LineRange {
  from: number
  to: number
}

interface LogViewProps {
  project: string
  runId: number
  logId: number
  title: string
  /** The step still runs: the view follows the end until the reader scrolls up. */
  live: boolean
  /** The step failed: the view opens at its first error. */
  failed: boolean
  /** Selected lines, counted from 1, as the address has them. */
  lines: LineRange | undefined
  onLines: (lines: LineRange | undefined) => void
}

const rowHeight = 20

/** One log: virtual rows keyed by line number, so that its length costs nothing but memory. */
export function LogView(props: LogViewProps) {
  const { lines } = props
  const store = useLog(props.project, props.runId, props.logId, lines === undefined ? undefined : lines.from - 1)
  const dark = useIsDark()
  const ground = dark ? '#1b2124' : '#ffffff'
  const [wrapStored, setWrap] = useStored('slipway.log.wrap', 'off')
  const [times, setTimes] = useStored('slipway.log.times', 'on')
  const wrap = wrapStored === 'on'
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(-1)
  const [follow, setFollow] = useState(props.live && lines === undefined)
  const [toggled, setToggled] = useState<ReadonlyMap<number, boolean>>(new Map())
  const scroller = useRef<HTMLDivElement>(null)
  const searchBox = useRef<HTMLInputElement>(null)
  const version = store.version()

  const isFolded = useCallback((group: Group) => toggled.get(group.start) ?? startsFolded(group), [toggled])
  const map = useMemo(
    () => new RowMap(hiddenRanges(store.outline, isFolded), store.total),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the store is mutable; its version says when it changed
    [store, version, isFolded],
  )
  const groups = useMemo(
    () => new Map(store.outline.groups.map((group) => [group.start, group])),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- as above
    [store, version],
  )
  const deferredQuery = useDeferredValue(query)
  const found = useMemo(
    () => search(deferredQuery, store.total, (index) => store.line(index)),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- as above
    [store, version, deferredQuery],
  )
  const match = useMemo(() => {
    if (found.problem !== undefined) return undefined
    return matcher(deferredQuery)
  }, [deferredQuery, found.problem])

  const virtualizer = useVirtualizer({
    count: map.rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 24,
    getItemKey: (row) => map.lineOfRow(row),
  })
  const items = virtualizer.getVirtualItems()
  const firstLine = items[0] === undefined ? 0 : map.lineOfRow(items[0].index)
  const lastLine = items.at(-1) === undefined ? 0 : map.lineOfRow(items.at(-1)?.index ?? 0)
  useEffect(() => {
    if (store.loaded) store.want(firstLine, lastLine)
  }, [store, firstLine, lastLine, version])

  const show = useCallback((line: number) => {
    const group = store.outline.groups.find((one) => line > one.start && line <= one.end)
    if (group !== undefined && isFolded(group)) setToggled((before) => new Map(before).set(group.start, false))
    setFollow(false)
    // After the fold has opened, else the row is not there yet.
    requestAnimationFrame(() => setTarget(line))
  }, [store, isFolded])
  const [target, setTarget] = useState<number>()
  useLayoutEffect(() => {
    if (target === undefined) return
    virtualizer.scrollToIndex(map.rowOfLine(target), { align: 'center' })
    setTarget(undefined)
  }, [target, map, virtualizer])

  useOpening(store, props, show)

  useLayoutEffect(() => {
    if (follow && map.rows > 0) virtualizer.scrollToIndex(map.rows - 1, { align: 'end' })
  }, [follow, map.rows, virtualizer])
  useEffect(() => virtualizer.measure(), [wrap, virtualizer])

  // New lines stay announced after the step has ended: whoever read elsewhere has not seen them yet.
  const [wasLive, setWasLive] = useState(props.live)
  if (props.live && !wasLive) setWasLive(true)
  const unseen = useUnseen(store.total, follow || !wasLive)
  const onScroll = () => {
    const element = scroller.current
    if (element === null || !wasLive) return
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < rowHeight * 2
    if (atEnd && !follow && lastScroll.current < element.scrollTop) setFollow(true)
    if (!atEnd && follow && element.scrollTop < lastScroll.current - 4) setFollow(false)
    lastScroll.current = element.scrollTop
  }
  const lastScroll = useRef(0)

  const step = (direction: 1 | -1) => {
    const asked = lineAsked(query)
    if (asked !== undefined) {
      const line = Math.min(asked, store.total)
      props.onLines({ from: line, to: line })
      show(line - 1)
      return
    }
    if (found.lines.length === 0) return
    const next = at < 0 && direction < 0 ? found.lines.length - 1 : (at + direction + found.lines.length) % found.lines.length
    setAt(next)
    show(found.lines[next] ?? 0)
  }
  const stepError = (direction: 1 | -1) => {
    const { errors } = store.outline
    const here = lines === undefined ? (direction > 0 ? -1 : Infinity) : lines.from - 1
    const next = direction > 0 ? errors.find((line) => line > here) ?? errors[0] : errors.findLast((line) => line < here) ?? errors.at(-1)
    if (next === undefined) return
    props.onLines({ from: next + 1, to: next + 1 })
    show(next)
  }
  const select = useCallback((index: number, extend: boolean) => {
    const line = index + 1
    if (extend && lines !== undefined) props.onLines({ from: Math.min(lines.from, line), to: Math.max(lines.from, line) })
    else if (lines?.from === line && lines.to === line) props.onLines(undefined)
    else props.onLines({ from: line, to: line })
    // eslint-disable-next-line react-hooks/exhaustive-deps -- rows are memoised on this function
  }, [lines, props.onLines])
  const toggle = useCallback((start: number) => {
    setFollow(false)
    setToggled((before) => {
      const group = groups.get(start)
      if (group === undefined) return before
      return new Map(before).set(start, !(before.get(start) ?? startsFolded(group)))
    })
  }, [groups])

  const parsed = useParsed(store)
  if (store.error !== undefined && !store.loaded)
    return <ErrorPanel error={store.error} doing="load the log" onRetry={() => store.retry()} />
  return (
    <section className={styles.panel} aria-label={`Log of ${props.title}`}>
      <LogToolbar
        title={props.title} query={query} searchRef={searchBox} found={found} at={at} errors={store.outline.errors.length} wholeLog={store.complete}
        wrap={wrap} times={times} follow={follow} live={props.live} download={logDownloadPath(props.project, props.runId, props.logId)}
        onQuery={(text) => {
          setQuery(text)
          setAt(-1)
        }}
        onStep={step} onError={stepError}
        onOptions={(options) => {
          if (options.wrap !== undefined) setWrap(options.wrap ? 'on' : 'off')
          if (options.times !== undefined) setTimes(options.times)
          if (options.follow !== undefined) setFollow(options.follow)
        }}
      />
      <div
        ref={scroller} className={styles.scroller} role="log" aria-live="off" aria-label="Log lines" tabIndex={0} onScroll={onScroll}
        data-wrap={wrap || undefined} style={{ '--digits': Math.max(3, String(store.total).length) } as React.CSSProperties}
      >
        {!store.loaded && <Skeleton rows={8} height={28} />}
        {store.loaded && store.total === 0 && (
          <p className={styles.nothing}>{props.live ? 'The step has written nothing yet.' : 'The step wrote nothing.'}</p>
        )}
        <div className={styles.sizer} style={{ height: virtualizer.getTotalSize() }}>
          {items.map((item) => {
            const index = map.lineOfRow(item.index)
            const raw = store.line(index)
            const line = raw === undefined ? undefined : readLine(raw)
            const group = groups.get(index)
            return (
              <div
                key={item.key} data-index={item.index} ref={wrap ? virtualizer.measureElement : undefined} className={styles.place}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <LogRow
                  index={index} line={line} spans={line === undefined ? [] : parsed(index, line.text)} group={group}
                  time={times === 'off' ? '' : shortTime(line?.time)} folded={group !== undefined && isFolded(group)}
                  inGroup={insideGroup(store, index)} selected={lines !== undefined && index + 1 >= lines.from && index + 1 <= lines.to}
                  match={match} current={at >= 0 && found.lines[at] === index} ground={ground} wrap={wrap} onSelect={select} onToggle={toggle}
                />
              </div>
            )
          })}
        </div>
      </div>
      {store.error !== undefined && (
        <div className={styles.notice} role="status">
          The log could not be read further. <Button size="small" onClick={() => store.retry()}>Try again</Button>
        </div>
      )}
      {unseen > 0 && store.error === undefined && (
        <Button className={styles.unseen} size="small" appearance="primary" icon={<ArrowDown16Regular />} onClick={() => setFollow(true)}>
          {plural(unseen, 'new line')}
        </Button>
      )}
    </section>
  )
}

/** Where the view opens: the lines of the address, else the first error of a failed step. */
function useOpening(store: LogStore, { lines, failed, live }: LogViewProps, show: (line: number) => void): void {
  const done = useRef<LogStore>()
  const firstError = store.outline.errors[0]
  useEffect(() => {
    if (!store.loaded || done.current === store) return
    if (lines !== undefined) show(lines.from - 1)
    else if (failed && firstError !== undefined) show(firstError)
    else if (failed && !store.complete) return
    else if (live) return
    done.current = store
  }, [store, store.loaded, store.complete, firstError, lines, failed, live, show])
}

/** How many lines came since the reader stopped following. */
function useUnseen(total: number, following: boolean): number {
  const [seen, setSeen] = useState(total)
  useEffect(() => {
    if (following) setSeen(total)
  }, [total, following])
  return following ? 0 : Math.max(0, total - seen)
}

/**
 * Parsed lines of what is on the screen. Colours carry over from line to line; the carry is known where the line
 * before has been parsed, which is the case while reading on, and otherwise starts plain. (Parsing the few rows on the
 * screen takes well under a millisecond, so it needs no worker thread.)
 */
function useParsed(store: LogStore): (index: number, text: string) => Parsed['spans'] {
  const cache = useMemo(() => ({ store, entries: new Map<number, { text: string; parsed: Parsed }>() }), [store])
  return useCallback((index: number, text: string) => {
    const { entries } = cache
    const known = entries.get(index)
    if (known?.text === text) return known.parsed.spans
    if (entries.size > 5000) entries.clear()
    const parsed = parseAnsi(text, entries.get(index - 1)?.parsed.carry)
    entries.set(index, { text, parsed })
    return parsed.spans
  }, [cache])
}

function insideGroup(store: LogStore, line: number): boolean {
  const { groups } = store.outline
  let low = 0
  let high = groups.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((groups[middle]?.start ?? 0) < line) low = middle + 1
    else high = middle
  }
  const group = groups[low - 1]
  return group !== undefined && line <= group.end
}

const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const shortTime = (time: string | undefined): string => (time === undefined ? '' : clockFormat.format(new Date(time)))
