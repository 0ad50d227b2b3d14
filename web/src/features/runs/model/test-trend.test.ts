import { describe, expect, it } from 'vitest'
import type { PipelineTest } from '@/api/types'
import { markOf, testsSentence, trendOf } from './test-trend'

const test = (more: Partial<PipelineTest>): PipelineTest => ({ className: 'c', name: 'n', runs: 4, failures: 0, flakyCommits: 0, lastOutcome: 'Passed', lastRunId: 1, newerMs: 100, olderMs: 100, ...more })

describe('tests of a pipeline', () => {
  it.each([
    [test({}), 'Passes'], [test({ lastOutcome: 'Failed' }), 'Fails'], [test({ lastOutcome: 'NotExecuted' }), 'Skipped'], [test({ flakyCommits: 1 }), 'Flaky'], [test({ flakyCommits: 1, lastOutcome: 'Failed' }), 'Flaky'],
  ])('%# are marked %2$s', (one, word) => expect(markOf(one).word).toBe(word))
  it.each([[100, 100, undefined], [125, 100, '+25%'], [75, 100, '−25%'], [105, 100, undefined], [3, 1, undefined], [100, 0, undefined], [1050, 1000, undefined], [2000, 1000, '+100%']])(
    '%i ms after %i ms: %s', (newerMs, olderMs, text) => expect(trendOf({ newerMs, olderMs })?.text).toBe(text))
  it('are summed up in a sentence', () => {
    expect(testsSentence([test({})])).toBe('1 test, and nothing to complain about.')
    expect(testsSentence([test({ flakyCommits: 2, lastOutcome: 'Failed' }), test({ lastOutcome: 'Failed' }), test({ newerMs: 200 })])).toBe('3 tests: 1 flaky, 1 failing, 1 slower than before.')
  })
})
