import type { VariableGroup } from '@/api/types'

/** One variable as it is being edited. */
export interface VariableRow {
  key: number
  name: string
  value: string
  isSecret: boolean
  /** Name of the secret that the server keeps for this row; its value is known to nobody here. */
  stored: string | undefined
}

export const rowsOf = (group: Pick<VariableGroup, 'variables'> | undefined): VariableRow[] =>
  Object.entries(group?.variables ?? {}).map(([name, { value, isSecret }], key) => ({
    key, name, value: isSecret === true ? '' : value ?? '', isSecret: isSecret === true, stored: isSecret === true ? name : undefined,
  }))

/** Whether the server keeps the value of this row when none is typed. */
export const keepsSecret = (row: VariableRow): boolean => row.isSecret && row.stored !== undefined && row.stored === row.name.trim() && row.value === ''

/** What is wrong with one row, in the words of the person who types; undefined when nothing is. Rows without any text are left out when saving. */
export function problemOf(row: VariableRow, rows: VariableRow[]): string | undefined {
  const name = row.name.trim()
  if (name === '') return isBlank(row) ? undefined : 'Give the variable a name.'
  // Names compare ignoring case, as they do in a pipeline.
  if (rows.some((other) => other.key < row.key && other.name.trim().toLowerCase() === name.toLowerCase())) return `"${name}" is there twice.`
  if (row.stored !== undefined && row.value === '' && !keepsSecret(row)) return row.isSecret ? 'A renamed secret needs its value again.' : 'The secret is not shown here: type a value, or keep it secret.'
  return undefined
}

const isBlank = (row: VariableRow) => row.name.trim() === '' && row.value === ''

/** The variables as the server takes them: a kept secret goes without a value. */
export function variablesOf(rows: VariableRow[]): Record<string, { value?: string; isSecret?: boolean }> {
  return Object.fromEntries(rows.filter((row) => !isBlank(row)).map((row) => [row.name.trim(), {
    ...(keepsSecret(row) ? {} : { value: row.value }), ...(row.isSecret ? { isSecret: true } : {}),
  }]))
}
