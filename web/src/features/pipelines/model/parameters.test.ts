import { describe, expect, it } from 'vitest'
import type { ParameterAsk } from '@/api/types'
import { choose, chosenOf, fieldText, isMultiple, readField } from './parameters'

const ask = (type: string, more: Partial<ParameterAsk> = {}): ParameterAsk => ({ name: 'p', displayName: 'P', type, required: false, ...more })

describe('parameters', () => {
  it.each([
    ['string', 'a', 'a'], ['number', 2, '2'], ['boolean', true, true], ['boolean', 'false', false], ['object', { a: 1 }, 'a: 1'], ['object', 'a: 1', 'a: 1'], ['string', undefined, ''],
  ])('a %s default of %j stands in its field', (type, value, text) => expect(fieldText(ask(type, { default: value }))).toBe(text))
  it.each([['number', '2.5', 2.5], ['string', '007', '007'], ['boolean', true, true], ['object', 'a: 1', 'a: 1']])('a %s field with %j is read', (type, text, value) => expect(readField(ask(type), text)).toEqual({ value }))
  it('a list of allowed strings is chosen from, several at once', () => {
    const regions = ask('stringList', { values: ['eu', 'us', 'asia'], default: ['us', 'eu'] })
    expect(isMultiple(regions)).toBe(true)
    expect(isMultiple(ask('string', { values: ['eu', 'us'] }))).toBe(false)
    const text = String(fieldText(regions))
    expect([...chosenOf(regions, text)]).toEqual(['eu', 'us'])
    expect(choose(regions, text, 'asia', true)).toBe('- eu\n- us\n- asia')
    expect(choose(regions, '- eu', 'eu', false)).toBe('[]')
  })
  it('a structure must be YAML', () => expect(readField(ask('object'), 'a: [1').problem).toMatch(/^This is not YAML: .*line 1/))
  it('a number must be one', () => expect(readField(ask('number'), 'two').problem).toBe('"two" is not a number.'))
  it('a needed value must be there', () => expect(readField(ask('string', { required: true }), ' ').problem).toBeDefined())
  it('an emptied number falls back to its default', () => expect(readField(ask('number', { default: 3, required: true }), '')).toEqual({ value: 3 }))
})
