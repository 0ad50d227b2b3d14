import { describe, expect, it } from 'vitest'
import { matrix } from '@/testing/scenario'
import { placeSentence } from './place-sentence'

const now = Date.parse('2026-11-28T12:00:00Z')
const cell = matrix.cells.find(({ version }) => version !== undefined && version !== null)!
const here = (service: string, runId: number, hour: number) => ({ service, cell: { ...cell, runId, behind: 0, version: { ...cell.version!, commit: `${runId}`.repeat(40) }, since: new Date(2026, 10, 28, hour, 5).toISOString() } })

describe('the sentence of an environment', () => {
  it('says that nothing is there', () => expect(placeSentence('dev', [], now)).toBe('No version is in dev yet.'))
  it('names what came last', () => expect(placeSentence('dev', [here('web', 1, 8), here('api', 2, 9)], now)).toMatch(/^api \S+ has been in dev since 09:05; one other is older\.$/))
  it('names together what one run brought', () => expect(placeSentence('dev', [here('web', 1, 8), here('api', 1, 8)], now)).toMatch(/^web and api \S+ have been in dev since 08:05\.$/))
  it('counts many', () => expect(placeSentence('dev', ['a', 'b', 'c', 'd'].map((name) => here(name, 1, 8)), now)).toMatch(/^4 services \S+ have been/))
  it('says how far behind it is', () => expect(placeSentence('dev', [{ ...here('web', 1, 8), cell: { ...here('web', 1, 8).cell, behind: 3 } }], now)).toMatch(/, 3 versions behind\.$/))
})
