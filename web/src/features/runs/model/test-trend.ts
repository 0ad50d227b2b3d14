import type { PipelineTest } from '@/api/types'
import { plural } from '@/lib/format'
import type { State } from '@/lib/state'
import { hasFailed } from './test-story'

export type TestMark = { word: string; state: State }

/** What one should know of a test before anything else: that it changes its mind, or that it fails now. */
export function markOf(test: Pick<PipelineTest, 'flakyCommits' | 'lastOutcome'>): TestMark {
  if (test.flakyCommits > 0) return { word: 'Flaky', state: 'issues' }
  if (hasFailed(test.lastOutcome)) return { word: 'Fails', state: 'failed' }
  return test.lastOutcome.toLowerCase() === 'passed' ? { word: 'Passes', state: 'succeeded' } : { word: 'Skipped', state: 'skipped' }
}

/** "+25%": how the newer half of the runs compares with the older. Nothing when too short to tell, or when it is the same. */
export function trendOf({ newerMs, olderMs }: Pick<PipelineTest, 'newerMs' | 'olderMs'>): { text: string; slower: boolean } | undefined {
  if (olderMs <= 0 || newerMs <= 0 || Math.abs(newerMs - olderMs) < 20) return undefined
  const percent = Math.round((newerMs / olderMs - 1) * 100)
  return Math.abs(percent) < 10 ? undefined : { text: `${percent > 0 ? '+' : '−'}${Math.abs(percent)}%`, slower: percent > 0 }
}

/** "3 tests: 1 flaky, 1 failing, 1 slower than before." */
export function testsSentence(tests: PipelineTest[]): string {
  const count = (pick: (test: PipelineTest) => boolean, word: string) => {
    const number = tests.filter(pick).length
    return number === 0 ? [] : [`${number} ${word}`]
  }
  const parts = [
    ...count((one) => one.flakyCommits > 0, 'flaky'), ...count((one) => one.flakyCommits === 0 && hasFailed(one.lastOutcome), 'failing'),
    ...count((one) => trendOf(one)?.slower === true, 'slower than before'),
  ]
  return `${plural(tests.length, 'test')}${parts.length === 0 ? ', and nothing to complain about' : `: ${parts.join(', ')}`}.`
}

export const testName = (one: { className?: string; name: string }): string => (one.className === undefined || one.className === '' ? one.name : `${one.className}.${one.name}`)
