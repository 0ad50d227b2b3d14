import type { TestHistoryEntry } from '@/api/types'
import { plural } from '@/lib/format'

export const hasFailed = (outcome: string): boolean => outcome.toLowerCase() === 'failed'

/**
 * What the newest outcomes of a test say about its failure, newest first and beginning with the run at hand: whether it is new, how
 * long it has lasted, or that the test cannot make up its mind.
 */
export function testStory(history: TestHistoryEntry[]): string {
  const runs = [...new Map(history.map((one) => [one.runId, one])).values()]
  const outcomes = runs.map((run) => history.some((one) => one.runId === run.runId && hasFailed(one.outcome)))
  if (outcomes.length <= 1) return 'This is its first run.'
  const passed = outcomes.indexOf(false)
  const changes = outcomes.filter((failed, at) => at > 0 && failed !== outcomes[at - 1]).length
  if (changes >= 3) return `Changes its mind: failed in ${outcomes.filter(Boolean).length} of the last ${outcomes.length} runs.`
  if (passed === 0) return 'Passed.'
  if (passed === 1) return 'New failure: it passed in the run before.'
  const first = runs[passed < 0 ? runs.length - 1 : passed - 1]
  return `Fails since run ${first?.runNumber ?? ''}, ${plural(passed < 0 ? runs.length : passed, 'run')} in a row.`
}
