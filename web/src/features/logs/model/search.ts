import { plainText } from '@/lib/ansi'

export const maxMatches = 10_000

export interface Found {
  /** Line numbers, ascending, at most `maxMatches`. */
  lines: number[]
  /** Set when the pattern is no valid regular expression. */
  problem?: string
}

/** ":1200" asks for a line by its number, counted from 1. */
export function lineAsked(query: string): number | undefined {
  const asked = /^:(\d{1,9})$/.exec(query.trim())
  return asked === null ? undefined : Math.max(1, Number(asked[1]))
}

/** Makes the test for one line: text between slashes is a regular expression, anything else is text in any case. */
export function matcher(query: string): RegExp | undefined {
  const pattern = /^\/(.+)\/(i?)$/.exec(query)
  if (pattern !== null) return new RegExp(pattern[1] ?? '', `g${pattern[2] ?? ''}`)
  return query === '' || /^:\d*$/.test(query.trim()) ? undefined : new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi')
}

/** Searches the lines that are loaded. */
export function search(query: string, total: number, line: (index: number) => string | undefined): Found {
  let test: RegExp | undefined
  try {
    test = matcher(query)
  } catch (error) {
    return { lines: [], problem: error instanceof Error ? error.message : String(error) }
  }
  const lines: number[] = []
  if (test === undefined) return { lines }
  for (let i = 0; i < total && lines.length < maxMatches; i += 1) {
    const raw = line(i)
    if (raw === undefined) continue
    test.lastIndex = 0
    if (test.test(raw.includes('\x1b') ? plainText(raw) : raw)) lines.push(i)
  }
  return { lines }
}
