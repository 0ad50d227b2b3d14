import { expect, it } from 'vitest'
import { limitOf, limitProblem, limitText } from './job-limit'

it.each([['', null], ['  ', null], ['4', 4], [' 12 ', 12], ['100000', 100_000]])('"%s" is %s', (text, limit) => {
  expect(limitProblem(text)).toBeUndefined()
  expect(limitOf(text)).toBe(limit)
})
it.each(['0', '-1', '1.5', 'many', '100001'])('"%s" is no limit', (text) => expect(limitProblem(text)).toMatch(/^A whole number/))
it.each([[null, ''], [undefined, ''], [0, ''], [3, '3']])('%s shows as "%s"', (limit, text) => expect(limitText(limit)).toBe(text))
