import { describe, expect, it } from 'vitest'
import { matrix } from '@/testing/scenario'
import { note, summary, targetName, viewOf } from './matrix-view'

describe('the matrix', () => {
  const view = viewOf(matrix)
  it('has a column per resource, in the order of the environments', () => expect(view.targets.map(targetName)).toEqual(['dev.default', 'production.eu', 'production.us']))
  it('has a column for an environment without a resource', () => {
    const bare = viewOf({ ...matrix, environments: [{ id: 9, name: 'qa', ordinal: 0, resources: [] }] })
    expect(bare.targets.map(targetName)).toEqual(['qa'])
  })
  it('keeps a deployment that named no resource', () => {
    const mixed = viewOf({ ...matrix, cells: [{ serviceId: 1, environmentId: 1, resourceId: 0, state: 'ok' }] })
    expect(mixed.targets.map(targetName)).toEqual(['dev', 'dev.default', 'production.eu', 'production.us'])
  })
  it('says what goes on in a cell', () => {
    const web = view.services.find(({ key }) => key === 'web')!
    expect(view.targets.map((target) => note(view.cell(web, target)!))).toEqual(['', 'waiting: 41c9e2f, 3 behind', 'failed: 41c9e2f, 3 behind'])
  })
  it('a service that never went somewhere has no cell there', () => {
    const board = view.services.find(({ key }) => key === 'leaderboard')!
    expect(view.cell(board, view.targets[2]!)).toBeUndefined()
  })
  it('sums itself up', () => {
    expect(summary(view)).toBe('2 services in 3 places: 1 being deployed, 1 waiting, 1 failed, 2 behind.')
    expect(summary(viewOf({ ...matrix, cells: [] }))).toBe('2 services in 3 places: everything is as it was deployed.')
  })
})
