import type { RetentionSettings } from '@/api/types'

export const retentionFields = ['purgeRuns', 'purgeArtifacts', 'purgePullRequestRuns', 'retainRunsPerProtectedBranch'] as const
export type RetentionField = (typeof retentionFields)[number]
export type RetentionForm = Record<RetentionField, string>

export const retentionLabels: Record<RetentionField, string> = {
  purgeRuns: 'Days that runs are kept', purgeArtifacts: 'Days that artifacts are kept', purgePullRequestRuns: 'Days that runs of pull requests are kept',
  retainRunsPerProtectedBranch: 'Newest runs of a pipeline that always stay',
}

export const retentionForm = (settings: RetentionSettings): RetentionForm =>
  Object.fromEntries(retentionFields.map((name) => [name, settings[name] === undefined ? '' : String(settings[name].value)])) as RetentionForm

/** What is wrong with a field: it must be a whole number within what the server allows. */
export function retentionProblem(name: RetentionField, text: string, settings: RetentionSettings): string | undefined {
  const { min = 0, max = 36_500 } = settings[name] ?? {}
  return /^\d{1,6}$/.test(text.trim()) && Number(text) >= min && Number(text) <= max ? undefined : `A whole number from ${min} to ${max}.`
}

/** What has changed, as the server takes it. */
export const retentionBody = (form: RetentionForm, settings: RetentionSettings): RetentionSettings =>
  Object.fromEntries(retentionFields.filter((name) => Number(form[name]) !== settings[name]?.value).map((name) => [name, { value: Number(form[name]) }]))
