import { describe, expect, it } from 'vitest'
import type { Agent } from '@/api/types'
import { joinCommand, workerState } from './worker'

const job = { id: 'j', name: 'Build', runId: 1, runNumber: '1', pipeline: 'p', project: 's' }
const agent = (more: Partial<Agent>): Agent => ({ id: 1, name: 'a', status: 'online', enabled: true, jobs: [], ...more })

describe('a worker', () => {
  it.each<[string, Agent]>([
    ['Idle', agent({})], ['Running', agent({ jobs: [job] })], ['Disabled', agent({ enabled: false })], ['Draining', agent({ enabled: false, jobs: [job] })], ['Offline', agent({ status: 'offline', jobs: [job] })],
    ['No room', agent({ unavailable: 'no disk space' })], ['Running', agent({ unavailable: 'no disk space', jobs: [job] })], ['Disabled', agent({ unavailable: 'no disk space', enabled: false })],
  ])('%s', (word, one) => expect(workerState(one).word).toBe(word))
  it('joins with a command that survives a blank and a quote in the name', () =>
    expect(joinCommand('http://a:8480', "Ada's pool", 'T')).toBe("SLIPWAY_WORKER_TOKEN=T \\\n  slipway worker --url http://a:8480 --pool 'Ada'\\''s pool'"))
})
