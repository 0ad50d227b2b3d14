import { describe, expect, it } from 'vitest'
import type { CheckConfiguration } from '@/api/types'
import { checkBody, checkForm, checkProblems, checkSentence } from './check-form'

const approval = (settings: Record<string, unknown>): CheckConfiguration => ({ id: 1, type: { name: 'Approval' }, timeout: 1440, settings })
const ada = { id: 'a', displayName: 'Ada' }
const jun = { id: 'j', displayName: 'Jun' }

describe('a check', () => {
  it.each<[string, CheckConfiguration, string]>([
    ['of one person', approval({ approvers: [ada], minRequiredApprovers: 1 }), 'Approval by Ada.'],
    ['of either', approval({ approvers: [ada, jun], minRequiredApprovers: 1 }), 'Approval by Ada or Jun.'],
    ['of all', approval({ approvers: [ada, jun], minRequiredApprovers: 0 }), 'Approval by all of Ada, Jun.'],
    ['with words', approval({ approvers: [ada], requesterCannotBeApprover: true, instructions: 'Look first' }), 'Approval by Ada, never by whoever asked for the run. "Look first"'],
    ['that locks', { id: 2, type: { name: 'ExclusiveLock' } }, 'Exclusive lock: one run at a time.'],
    ['of another kind', { id: 3, type: { name: 'Business Hours' } }, 'Business Hours.'],
  ])('%s is a sentence', (_, check, sentence) => expect(checkSentence(check)).toBe(sentence))
  it('goes to the form and back', () => {
    const form = checkForm(approval({ approvers: [ada, jun], minRequiredApprovers: 2, requesterCannotBeApprover: true, instructions: 'Look first' }))
    expect(checkProblems(form)).toEqual({})
    expect(checkBody(form, 7)).toEqual({
      type: { name: 'Approval' }, resource: { type: 'environment', id: '7' }, timeout: 1440,
      settings: { approvers: [{ id: 'a' }, { id: 'j' }], minRequiredApprovers: 2, requesterCannotBeApprover: true, instructions: 'Look first' },
    })
  })
  it('says what is missing', () => {
    expect(checkProblems(checkForm(undefined))).toEqual({ approvers: 'Somebody must be able to approve.' })
    expect(checkProblems({ ...checkForm(undefined), kind: 'lock', days: 'soon' })).toEqual({ days: 'Days, up to 365.' })
  })
})
