/** What the server says of one published file of results. */
export interface TestCounts {
  totalTests: number
  passedTests: number
  unanalyzedTests: number
}

export interface TestTotals {
  all: number
  failed: number
}

/** Sums over what a run published. */
export const countTests = (runs: TestCounts[]): TestTotals => runs.reduce((sum, one) => ({ all: sum.all + one.totalTests, failed: sum.failed + one.unanalyzedTests }), { all: 0, failed: 0 })

/** What stands behind the name of the tab: " 12", " 2/12 failed"; nothing without tests. */
export function testCountText(totals: TestTotals | undefined): string {
  if (totals === undefined || totals.all === 0) return ''
  return totals.failed === 0 ? ` ${totals.all}` : ` ${totals.failed}/${totals.all} failed`
}
