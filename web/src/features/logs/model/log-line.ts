/** One raw log line taken apart: the worker's time stamp, the kind of line that its prefix names, and the text. */
export type LineKind = 'plain' | 'section' | 'command' | 'warning' | 'error' | 'debug' | 'group' | 'endgroup' | 'hidden'

export interface LogLine {
  /** ISO time, when the line carries one. */
  time?: string
  kind: LineKind
  text: string
}

const stamp = /^\uFEFF?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/
const prefix = /^(?:##)?\[(section|command|warning|error|debug|group|endgroup)\]/

export function readLine(raw: string): LogLine {
  const time = stamp.exec(raw)
  const text = time === null ? raw : raw.slice(time[0].length)
  // Commands to the worker are not meant for people.
  if (text.startsWith('##vso[')) return { time: time?.[1], kind: 'hidden', text }
  const kind = prefix.exec(text)
  // Only "[command]" is written without the hash signs (by task libraries).
  if (kind === null || (!text.startsWith('##') && kind[1] !== 'command')) return { time: time?.[1], kind: 'plain', text }
  return { time: time?.[1], kind: kind[1] as LineKind, text: text.slice(kind[0].length) }
}
