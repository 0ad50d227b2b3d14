import { expect, it } from 'vitest'
import { moved } from './order'

it.each<[string, number, 1 | -1, string]>([
  ['up', 1, -1, 'bac'], ['down', 1, 1, 'acb'], ['not above the first', 0, -1, 'abc'], ['not below the last', 2, 1, 'abc'],
])('an environment moves %s', (_, at, by, order) => expect(moved(['a', 'b', 'c'], at, by).join('')).toBe(order))
