import { expect, it } from 'vitest'
import type { WaitingReason } from '@/api/types'
import { byPlace, queuePlace } from './queue-place'

const reason = (more: Partial<WaitingReason>): WaitingReason => ({ kind: 'worker', stage: 'Build', job: 'A', sentence: 's', pool: 'Default', position: 2, queueLength: 5, ...more })
const limit = { of: 'pool' as const, name: 'Default', maxParallelism: 3, inUse: 3, runs: [] }

it.each<[string, WaitingReason[], string | undefined]>([
  ['nothing waits', [], undefined],
  ['an approval has no queue', [reason({ kind: 'approval' })], undefined],
  ['its place', [reason({})], '2 of 5 in the queue of Default'],
  ['the first of several jobs', [reason({ position: 4 }), reason({ position: 3 })], '3 of 5 in the queue of Default'],
  ['a limit', [reason({ kind: 'limit', limit })], '2 of 5 in the queue of Default; pool Default is at its limit of 3'],
  ['what no worker has', [reason({ missing: ['gpu', 'docker'] })], '2 of 5 in the queue of Default; no worker has gpu, docker'],
  ['no place, no reason', [reason({ position: undefined })], undefined],
])('%s', (_, waiting, text) => expect(queuePlace(waiting)).toBe(text))

it('who gets a worker first comes first, who has no place last', () => expect([{ position: undefined }, { position: 4 }, {}, { position: 2 }].sort(byPlace).map((one) => one.position)).toEqual([2, 4, undefined, undefined]))
