import { describe, expect, it } from 'vitest'
import { countTests, testCountText } from './test-counts'

describe('the count on the tab of a run\'s tests', () => {
  it.each([
    [[], ''],
    [[{ totalTests: 0, passedTests: 0, unanalyzedTests: 0 }], ''],
    [[{ totalTests: 2, passedTests: 2, unanalyzedTests: 0 }, { totalTests: 10, passedTests: 9, unanalyzedTests: 0 }], ' 12'],
    [[{ totalTests: 2, passedTests: 1, unanalyzedTests: 1 }, { totalTests: 10, passedTests: 9, unanalyzedTests: 1 }], ' 2/12 failed'],
  ])('%j: "%s"', (runs, text) => expect(testCountText(countTests(runs))).toBe(text))
  it('says nothing before it is known', () => expect(testCountText(undefined)).toBe(''))
})
