import { describe, expect, it, vi } from 'vitest'
import type { LogLines } from '@/api/types'
import { readRange, writeRange } from './line-range'
import { readLine } from './log-line'
import { LogStore, pageSize } from './log-store'
import { hiddenRanges, Outline, RowMap, startsFolded } from './outline'
import { contrast, readable } from './readable'
import { search } from './search'

describe('a line', () => {
  it.each([
    ['2026-11-21T14:03:07.1234567Z ##[error]no', { time: '2026-11-21T14:03:07.1234567Z', kind: 'error', text: 'no' }],
    ['##[group]Pull', { time: undefined, kind: 'group', text: 'Pull' }], ['[command]ls', { time: undefined, kind: 'command', text: 'ls' }],
    ['[error]is only text without the signs', { time: undefined, kind: 'plain', text: '[error]is only text without the signs' }],
    ['##vso[task.setvariable]x', { time: undefined, kind: 'hidden', text: '##vso[task.setvariable]x' }], ['', { time: undefined, kind: 'plain', text: '' }],
  ])('%s', (raw, line) => expect(readLine(raw)).toEqual(line))
})

function outlineOf(lines: string[]): Outline {
  const outline = new Outline()
  lines.forEach((line) => outline.add(line))
  return outline
}

describe('outline', () => {
  it('groups do not nest and an unclosed one ends with the log', () => {
    const { groups } = outlineOf(['a', '##[group]one', 'b', '##[group]two', 'c', '##[endgroup]', 'd', '##[group]three', 'e'])
    expect(groups.map(({ start, end, open }) => [start, end, open])).toEqual([[1, 2, false], [3, 5, false], [7, 8, true]])
  })
  it('a finished group folds unless it holds an error', () => {
    const { groups } = outlineOf(['##[group]a', '1', '2', '3', '##[endgroup]', '##[group]b', '1', '##[error]x', '3', '##[endgroup]', '##[group]c', '1', '2', '3'])
    expect(groups.map(startsFolded)).toEqual([true, false, false])
  })
  it('takes an incomplete last line back', () => {
    const outline = outlineOf(['a', '##[error]b'])
    outline.dropLast()
    outline.add('b, but no error')
    expect([outline.errors, outline.next]).toEqual([[], 2])
  })
})

describe('rows', () => {
  const lines = ['0', '##[group]1', '2', '3', '##[endgroup]4', '5', '##vso[x]6', '7']
  it('hide what a folded group holds, its end and commands', () => {
    const outline = outlineOf(lines)
    const map = new RowMap(hiddenRanges(outline, () => true), lines.length)
    expect(Array.from({ length: map.rows }, (_, row) => map.lineOfRow(row))).toEqual([0, 1, 5, 7])
    expect([0, 1, 3, 5, 6, 7].map((line) => map.rowOfLine(line))).toEqual([0, 1, 1, 2, 2, 3])
  })
  it('an open group hides only its end', () => {
    const map = new RowMap(hiddenRanges(outlineOf(lines), () => false), lines.length)
    expect(Array.from({ length: map.rows }, (_, row) => map.lineOfRow(row))).toEqual([0, 1, 2, 3, 5, 7])
  })
  it('maps there and back for any folding', () => {
    const many = Array.from({ length: 5000 }, (_, at) => (at % 7 === 1 ? '##[group]g' : at % 7 === 5 ? '##[endgroup]' : at % 11 === 0 ? '##vso[x]' : 'x'))
    const outline = outlineOf(many)
    const map = new RowMap(hiddenRanges(outline, (group) => group.start % 3 === 0), many.length)
    for (let row = 0; row < map.rows; row += 1) {
      const line = map.lineOfRow(row)
      expect(map.rowOfLine(line)).toBe(row)
      if (row > 0) expect(line).toBeGreaterThan(map.lineOfRow(row - 1))
    }
  })
})

/** A server with a log of `lines` that answers at most `most` lines at a time. */
function logServer(lines: string[], sealed: boolean, most = 5000) {
  const state = { lines, sealed, requests: 0 }
  const fetchLines = (from: number, count: number): Promise<LogLines> => {
    state.requests += 1
    return Promise.resolve({ from, total: state.lines.length, sealed: state.sealed, lines: state.lines.slice(from, from + Math.min(count, most)) })
  }
  return { state, fetchLines }
}

describe('the store', () => {
  it('loads 100,000 lines in bounded requests and knows all of them', async () => {
    const { state, fetchLines } = logServer(Array.from({ length: 100_000 }, (_, at) => `line ${at}`), true)
    const store = new LogStore(fetchLines)
    store.start()
    await vi.waitFor(() => expect(store.complete).toBe(true))
    expect([store.total, store.line(0), store.line(99_999), store.sealed]).toEqual([100_000, 'line 0', 'line 99999', true])
    expect(state.requests).toBeLessThan(30)
  })
  it('begins at the line that is looked at', async () => {
    const { fetchLines } = logServer(Array.from({ length: 50_000 }, (_, at) => `line ${at}`), true)
    const asked: number[] = []
    const store = new LogStore((from, count) => {
      asked.push(from)
      return fetchLines(from, count)
    })
    store.start(42_123)
    await vi.waitFor(() => expect(store.complete).toBe(true))
    expect(asked[0]).toBe(42_000)
  })
  it('follows a log that grows, and reads an incomplete last line again', async () => {
    const { state, fetchLines } = logServer(['one', 'tw'], false)
    const store = new LogStore(fetchLines)
    store.start()
    await vi.waitFor(() => expect(store.total).toBe(2))
    state.lines = ['one', 'two', '##[error]three']
    state.sealed = true
    store.changed()
    await vi.waitFor(() => expect(store.sealed).toBe(true))
    expect([store.line(1), store.line(2), store.outline.errors]).toEqual(['two', '##[error]three', [2]])
  })
  it('grows over a page boundary', async () => {
    const all = Array.from({ length: 3 * pageSize + 7 }, (_, at) => String(at))
    const { state, fetchLines } = logServer(all.slice(0, pageSize - 1), false, 400)
    const store = new LogStore(fetchLines)
    store.start()
    await vi.waitFor(() => expect(store.complete).toBe(true))
    state.lines = all
    store.changed()
    await vi.waitFor(() => expect([store.total, store.complete]).toEqual([all.length, true]))
    expect(all.every((line, at) => store.line(at) === line)).toBe(true)
  })
  it('keeps what it has when a request fails, and goes on after a retry', async () => {
    let broken = true
    const { fetchLines } = logServer(['a'], true)
    const store = new LogStore((from, count) => (broken ? Promise.reject(new Error('away')) : fetchLines(from, count)))
    store.start()
    await vi.waitFor(() => expect(store.error?.message).toBe('away'))
    broken = false
    store.retry()
    await vi.waitFor(() => expect(store.line(0)).toBe('a'))
    expect(store.error).toBeUndefined()
  })
  it('does not ask forever for lines that the server does not have', async () => {
    const store = new LogStore((from) => Promise.resolve({ from, total: 5, sealed: true, lines: [] }))
    store.start()
    await vi.waitFor(() => expect(store.error?.message).toContain('sent none'))
  })
  it('an empty log is loaded, too', async () => {
    const store = new LogStore(logServer([], true).fetchLines)
    store.start()
    await vi.waitFor(() => expect([store.loaded, store.complete, store.error]).toEqual([true, true, undefined]))
  })
})

describe('search', () => {
  const lines = ['a.b', 'axb', '\x1b[31mA.B\x1b[0m', 'c']
  const run = (query: string) => search(query, lines.length, (at) => lines[at])
  it('takes text as text, in any case, without colours', () => expect(run('a.b').lines).toEqual([0, 2]))
  it('takes a pattern between slashes', () => expect(run('/a.b/').lines).toEqual([0, 1]))
  it('says when a pattern is broken', () => expect(run('/a(/').problem).toBeDefined())
  it('an empty query finds nothing', () => expect(run('').lines).toEqual([]))
})

describe('line links', () => {
  it.each([['120', { from: 120, to: 120 }], ['120-140', { from: 120, to: 140 }], ['0', undefined], ['9-3', undefined], ['x', undefined], [undefined, undefined]])('%s', (text, range) => expect(readRange(text)).toEqual(range))
  it('are written short', () => expect([writeRange({ from: 3, to: 3 }), writeRange({ from: 3, to: 5 }), writeRange(undefined)]).toEqual(['3', '3-5', undefined]))
})

describe('colours of a log', () => {
  it.each(['#000000', '#ffffff', '#ff0000', '#ffff00', '#0000ff', '#808080', '#1b2124'])('%s can be read on both grounds', (colour) => {
    for (const ground of ['#ffffff', '#1b2124']) expect(contrast(readable(colour, ground), ground)).toBeGreaterThanOrEqual(4.5)
  })
})
