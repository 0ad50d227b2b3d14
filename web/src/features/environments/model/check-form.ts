import type { CheckConfiguration } from '@/api/types'
import { plural } from '@/lib/format'

export type CheckKind = 'approval' | 'lock'

/** A check as it is being edited. */
export interface CheckForm {
  kind: CheckKind
  /** Ids of people, in the order in which they were chosen. */
  approvers: string[]
  /** 0: all of them. */
  minimum: number
  requesterMayNot: boolean
  instructions: string
  /** How long it may wait, as typed: days. */
  days: string
}

const minutesPerDay = 24 * 60
const longest = 365

export function kindOfCheck(check: CheckConfiguration): CheckKind | undefined {
  const name = check.type.name.toLowerCase().replace(/[\s_-]/g, '')
  return name === 'approval' ? 'approval' : name === 'exclusivelock' ? 'lock' : undefined
}

interface Approver {
  id?: string
  displayName?: string
}

const approversOf = (check: CheckConfiguration): Approver[] => Array.isArray(check.settings?.approvers) ? check.settings.approvers as Approver[] : []
const numberIn = (value: unknown) => (typeof value === 'number' ? value : 0)
const textIn = (value: unknown) => (typeof value === 'string' ? value : '')

export function checkForm(check: CheckConfiguration | undefined): CheckForm {
  if (check === undefined) return { kind: 'approval', approvers: [], minimum: 1, requesterMayNot: false, instructions: '', days: '30' }
  return {
    kind: kindOfCheck(check) ?? 'approval', approvers: approversOf(check).flatMap(({ id }) => (id === undefined ? [] : [id])), minimum: numberIn(check.settings?.minRequiredApprovers),
    requesterMayNot: check.settings?.requesterCannotBeApprover === true, instructions: textIn(check.settings?.instructions), days: String(Math.round((check.timeout ?? 30 * minutesPerDay) / minutesPerDay * 100) / 100),
  }
}

/** What is wrong with the form, by field. */
export function checkProblems(form: CheckForm): { approvers?: string; minimum?: string; days?: string } {
  const days = Number(form.days.replace(',', '.'))
  return {
    ...(form.kind === 'approval' && form.approvers.length === 0 ? { approvers: 'Somebody must be able to approve.' } : {}),
    ...(form.kind === 'approval' && form.approvers.length > 0 && form.minimum > form.approvers.length ? { minimum: `Only ${plural(form.approvers.length, 'person', 'people')} can approve.` } : {}),
    ...(!(days > 0 && days <= longest) ? { days: `Days, up to ${longest}.` } : {}),
  }
}

export function checkBody(form: CheckForm, environmentId: number) {
  const timeout = Math.max(1, Math.round(Number(form.days.replace(',', '.')) * minutesPerDay))
  const resource = { type: 'environment', id: String(environmentId) }
  if (form.kind === 'lock') return { type: { name: 'ExclusiveLock' }, settings: {}, resource, timeout }
  return {
    type: { name: 'Approval' }, resource, timeout,
    settings: { approvers: form.approvers.map((id) => ({ id })), minRequiredApprovers: form.minimum, requesterCannotBeApprover: form.requesterMayNot, instructions: form.instructions.trim() },
  }
}

/** A check in plain words: who must do what before a deployment begins. */
export function checkSentence(check: CheckConfiguration): string {
  switch (kindOfCheck(check)) {
    case 'lock': return 'Exclusive lock: one run at a time.'
    case 'approval': {
      const names = approversOf(check).flatMap(({ displayName }) => (displayName === undefined || displayName === '' ? [] : [displayName]))
      const minimum = numberIn(check.settings?.minRequiredApprovers)
      const by = names.length === 0 ? '' : names.length === 1 ? ` by ${names[0] ?? ''}` : minimum === 0 || minimum >= names.length ? ` by all of ${names.join(', ')}` : minimum === 1 ? ` by ${names.join(' or ')}` : ` by ${minimum} of ${names.join(', ')}`
      const instructions = textIn(check.settings?.instructions)
      return `Approval${by}${check.settings?.requesterCannotBeApprover === true ? ', never by whoever asked for the run' : ''}.${instructions === '' ? '' : ` "${instructions}"`}`
    }
    default: return `${check.type.name}.`
  }
}
