import { describe, expect, it } from 'vitest'
import { problemOf, rowsOf, variablesOf, type VariableRow } from './group-form'

const row = (more: Partial<VariableRow>): VariableRow => ({ key: 0, name: 'a', value: '1', isSecret: false, stored: undefined, ...more })

describe('a variable group being edited', () => {
  it('never has the value of a secret, and keeps it when none is typed', () => {
    const rows = rowsOf({ variables: { registry: { value: 'here' }, password: { value: 'must not be taken', isSecret: true } } })
    expect(rows.map(({ value }) => value)).toEqual(['here', ''])
    expect(variablesOf(rows)).toEqual({ registry: { value: 'here' }, password: { isSecret: true } })
  })
  it.each<[string, Partial<VariableRow>, string | undefined]>([
    ['a plain variable', {}, undefined],
    ['an empty value', { value: '' }, undefined],
    ['a value without a name', { name: ' ' }, 'Give the variable a name.'],
    ['an empty row', { name: '', value: '' }, undefined],
    ['a kept secret', { isSecret: true, stored: 'a', value: '' }, undefined],
    ['a renamed secret without a value', { isSecret: true, stored: 'b', value: '' }, 'A renamed secret needs its value again.'],
    ['a renamed secret with one', { isSecret: true, stored: 'b' }, undefined],
    ['a secret made plain without a value', { stored: 'a', value: '' }, 'The secret is not shown here: type a value, or keep it secret.'],
  ])('%s', (_, more, problem) => expect(problemOf(row(more), [row(more)])).toBe(problem))
  it('names compare ignoring case', () => {
    const rows = [row({}), row({ key: 1, name: 'A' })]
    expect(rows.map((one) => problemOf(one, rows))).toEqual([undefined, '"A" is there twice.'])
  })
  it('leaves empty rows out', () => expect(variablesOf([row({ name: '', value: '' })])).toEqual({}))
})
