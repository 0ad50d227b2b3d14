import { parse } from 'yaml'
import { branchName } from '@/lib/format'

/** One thing that starts the pipeline without anybody asking. */
export interface TriggerText {
  kind: 'push' | 'pull request' | 'schedule' | 'pipeline'
  /** What starts it: "A push to main". */
  when: string
  /** What narrows it down: "only below leaderboard". */
  only: string[]
}

type Mapping = Record<string, unknown>

const mapping = (value: unknown): Mapping | undefined => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : undefined)
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [])
const isOff = (value: unknown): boolean => value === 'none' || mapping(value)?.enabled === false
const any = new Set(['*', 'refs/heads/*', '**'])

function branches(filter: unknown): string {
  const include = texts(mapping(filter)?.include ?? filter)
  return include.length === 0 || include.every((name) => any.has(name)) ? 'any branch' : include.map(branchName).join(', ')
}

function narrowing(trigger: Mapping | undefined): string[] {
  const paths = mapping(trigger?.paths)
  const lines: string[] = []
  const add = (words: string, names: string[]) => {
    if (names.length > 0) lines.push(`${words} ${names.join(', ')}`)
  }
  add('not', texts(mapping(trigger?.branches)?.exclude).map(branchName))
  add('only when files change below', texts(paths?.include ?? (Array.isArray(trigger?.paths) ? trigger.paths : undefined)))
  add('not for files below', texts(paths?.exclude))
  if (trigger?.batch === true) lines.push('pushes during a run are gathered into the next')
  if (trigger?.drafts === false) lines.push('drafts do not count')
  return lines
}

/** Reads the triggers off an expanded pipeline file. A file without `trigger` runs on every push, one without `pr` on every pull request. */
export function triggersOf(finalYaml: string): TriggerText[] {
  const file = mapping(parse(finalYaml)) ?? {}
  const found: TriggerText[] = []
  for (const [key, kind, words] of [['trigger', 'push', 'A push to'], ['pr', 'pull request', 'A pull request to']] as const) {
    const value = file[key]
    if (isOff(value)) continue
    const trigger = mapping(value)
    found.push({ kind, when: `${words} ${branches(trigger === undefined ? value : trigger.branches)}`, only: narrowing(trigger) })
    const tags = texts(mapping(trigger?.tags)?.include ?? trigger?.tags)
    if (kind === 'push' && tags.length > 0) found.push({ kind, when: `A tag ${tags.map((tag) => tag.replace(/^refs\/tags\//, '')).join(', ')}`, only: [] })
  }
  for (const one of Array.isArray(file.schedules) ? file.schedules.map(mapping) : []) {
    if (one === undefined) continue
    const name = typeof one.displayName === 'string' ? one.displayName : 'Schedule'
    found.push({ kind: 'schedule', when: `${name}: ${String(one.cron)} (UTC) on ${branches(one.branches)}`, only: one.always === true ? [] : ['only when something has changed since the last time'] })
  }
  const pipelines = mapping(file.resources)?.pipelines
  for (const one of Array.isArray(pipelines) ? pipelines.map(mapping) : []) {
    if (one?.trigger === undefined || isOff(one.trigger)) continue
    found.push({ kind: 'pipeline', when: `A finished run of ${String(one.source ?? one.pipeline)}`, only: narrowing(mapping(one.trigger)) })
  }
  return found
}
