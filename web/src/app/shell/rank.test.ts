import { describe, expect, it } from 'vitest'
import { rank } from './rank'

describe('rank', () => {
  const items = ['space-game 20261121.3', 'web', 'Approvals', 'leaderboard web']
  const found = (query: string) => rank(items, query, (item) => item)
  it('puts beginnings first', () => expect(found('web')).toEqual(['web', 'leaderboard web']))
  it('needs every word', () => expect(found('web lead')).toEqual(['leaderboard web']))
  it('ignores case', () => expect(found('APPR')).toEqual(['Approvals']))
  it('shows everything for nothing', () => expect(found(' ')).toEqual(items))
})
