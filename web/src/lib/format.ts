/** Times, durations and sizes as the portal writes them. `now` is an argument so that every rule can be tested. */

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** "now", "5 min", "2 h", "3 d", "7 mo": the age of a moment in its largest unit. */
export function age(from: string | number, now: number): string {
  const ms = Math.max(0, now - new Date(from).getTime())
  if (ms < minute) return 'now'
  if (ms < hour) return `${Math.floor(ms / minute)} min`
  if (ms < day) return `${Math.floor(ms / hour)} h`
  if (ms < 60 * day) return `${Math.floor(ms / day)} d`
  if (ms < 730 * day) return `${Math.floor(ms / (30 * day))} mo`
  return `${Math.floor(ms / (365 * day))} y`
}

/** The same as part of a sentence: "just now", "5 min ago". */
export function ago(from: string | number, now: number): string {
  const text = age(from, now)
  return text === 'now' ? 'just now' : `${text} ago`
}

/** "0s", "<0.1s", "0.2s", "41s", "2m10s", "1h04m": for columns. */
export function duration(ms: number): string {
  if (ms < 0 || !Number.isFinite(ms)) return ''
  if (ms === 0) return '0s'
  if (ms < 50) return '<0.1s'
  if (ms < 9950) return `${(ms / 1000).toFixed(1)}s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  const pad = (value: number) => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`
  return `${Math.floor(seconds / 3600)}h${pad(Math.floor((seconds % 3600) / 60))}m`
}

/** Milliseconds between two moments; the second defaults to now while something still runs. */
export function elapsed(start: string | null | undefined, finish: string | null | undefined, now: number): number | undefined {
  if (start === null || start === undefined) return undefined
  const end = finish === null || finish === undefined ? now : new Date(finish).getTime()
  return Math.max(0, end - new Date(start).getTime())
}

const exactFormat = new Intl.DateTimeFormat(undefined, {
  year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short',
})
const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const dayFormat = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' })

const dateFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })

/** "28 Nov 2027": a day, when the hour does not matter. */
export const dateOf = (time: string | number): string => dateFormat.format(new Date(time))

/** The whole moment in the reader's own zone, for tooltips. */
export const exact = (time: string | number): string => exactFormat.format(new Date(time))

/** "14:01" today, "Tue 17 Nov 14:01" on another day. */
export function clock(time: string | number, now: number): string {
  const date = new Date(time)
  const text = clockFormat.format(date)
  return date.toDateString() === new Date(now).toDateString() ? text : `${dayFormat.format(date)} ${text}`
}

/** "512 B", "14.2 KiB", "3.0 MiB". */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}

/** A commit or digest as people read it: seven characters, without the algorithm's name. */
export const short = (id: string): string => id.replace(/^sha\d+:/, '').slice(0, 7)

/** "refs/heads/main" as "main", "refs/pull/12/merge" as "pull/12", "refs/tags/v1" as "tag v1". */
export function branchName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '').replace(/^refs\/tags\//, 'tag ').replace(/^refs\/pull\/(\d+)\/.*/, 'pull/$1')
}

/** A name inside a sentence: one that is written from right to left turns neither what is around it nor the order of names (Unicode's isolates). */
export const isolated = (name: string): string => (/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(name) ? `\u2066${name}\u2069` : name)

/** A word of a command to paste: quoted where a shell would read it otherwise. */
export const shellWord = (text: string): string => (/^[\w.@%+:,/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** "1 job", "3 jobs": counts with their noun. */
export const plural = (count: number, noun: string, many = `${noun}s`): string => `${count} ${count === 1 ? noun : many}`

/** Messages of the server are lower case without a full stop; on a page they are sentences. */
export function asSentence(message: string): string {
  const text = message.trim()
  const first = text.charAt(0).toUpperCase() + text.slice(1)
  return first === '' || /[.!?]$/.test(first) ? first : `${first}.`
}

/** The first line of a commit message. */
export const subject = (message: string): string => message.split('\n', 1)[0] ?? ''

/** "web 20261121.1": a run where its pipeline is not said already, as numbers repeat from pipeline to pipeline. */
export function runName(run: { runNumber?: string; pipeline?: { name: string } }): string {
  return `${run.pipeline?.name ?? 'run'} ${run.runNumber ?? ''}`
}
