import { expect, it } from 'vitest'
import { testStory } from './test-story'

const of = (outcomes: string) => Array.from(outcomes).map((one, at) => ({ runId: 100 - at, runNumber: `r${100 - at}`, outcome: one === 'x' ? 'Failed' : 'Passed', durationMs: 1 }))

it.each([
  ['x', 'This is its first run.'],
  ['x.', 'New failure: it passed in the run before.'],
  ['x...', 'New failure: it passed in the run before.'],
  ['xxx.', 'Fails since run r98, 3 runs in a row.'],
  ['xxx', 'Fails since run r98, 3 runs in a row.'],
  ['x.x.', 'Changes its mind: failed in 2 of the last 4 runs.'],
  ['..', 'Passed.'],
])('%s', (outcomes, text) => expect(testStory(of(outcomes))).toBe(text))

it('the legs of a matrix count as one run', () => {
  const [now, before] = of('x.')
  expect(testStory([now!, { ...now!, outcome: 'Passed' }, before!])).toBe('New failure: it passed in the run before.')
})
