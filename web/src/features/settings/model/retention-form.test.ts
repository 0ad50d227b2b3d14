import { describe, expect, it } from 'vitest'
import { retentionBody, retentionForm, retentionProblem } from './retention-form'

const settings = { purgeRuns: { min: 1, max: 90, value: 30 }, purgeArtifacts: { min: 1, max: 60, value: 30 }, purgePullRequestRuns: { value: 10 }, retainRunsPerProtectedBranch: { min: 0, max: 50, value: 10 } }

describe('the retention of runs', () => {
  it('sends only what has changed', () => {
    const form = retentionForm(settings)
    expect(retentionBody(form, settings)).toEqual({})
    expect(retentionBody({ ...form, purgeRuns: '45' }, settings)).toEqual({ purgeRuns: { value: 45 } })
  })
  it.each([['30', true], ['0', false], ['91', false], ['', false], ['1.5', false], ['-1', false], ['many', false]])('%s days', (text, good) =>
    expect(retentionProblem('purgeRuns', text, settings)).toBe(good ? undefined : 'A whole number from 1 to 90.'))
})
