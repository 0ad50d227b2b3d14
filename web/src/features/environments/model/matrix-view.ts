import type { CellState, Matrix, MatrixCell, MatrixEnvironment, MatrixResource, Service } from '@/api/types'
import { plural, short } from '@/lib/format'
import type { State } from '@/lib/state'

/** One column: an environment's resource, or the environment itself when it has none. */
export interface Target {
  environment: MatrixEnvironment
  resource: MatrixResource | undefined
}

/** The matrix as the page walks it: columns, rows, and each cell by its place. */
export interface MatrixView {
  targets: Target[]
  services: Service[]
  cell: (service: Service, target: Target) => MatrixCell | undefined
}

const place = (serviceId: number, environmentId: number, resourceId: number) => `${serviceId}-${environmentId}-${resourceId}`

export const cellKey = (service: Service, target: Target): string => place(service.id, target.environment.id, target.resource?.id ?? 0)

export function viewOf(matrix: Matrix): MatrixView {
  const cells = new Map(matrix.cells.map((cell) => [place(cell.serviceId, cell.environmentId, cell.resourceId), cell]))
  const environments = [...matrix.environments].sort((a, b) => a.ordinal - b.ordinal || a.id - b.id)
  const targets = environments.flatMap((environment): Target[] => {
    // A deployment that named no resource belongs to the environment itself.
    const bare = environment.resources.length === 0 || matrix.cells.some((cell) => cell.environmentId === environment.id && cell.resourceId === 0)
    return [...(bare ? [{ environment, resource: undefined }] : []), ...environment.resources.map((resource) => ({ environment, resource }))]
  })
  return {
    targets, services: [...matrix.services].sort((a, b) => a.key.localeCompare(b.key)),
    cell: (service, target) => cells.get(cellKey(service, target)),
  }
}

const cellStates: Record<CellState, State> = { ok: 'succeeded', inProgress: 'running', failed: 'failed', waiting: 'waiting' }

export const stateOfCell = (cell: MatrixCell): State => cellStates[cell.state]

/** The second line of a cell: what is on its way, what went wrong, or how far behind it is. */
export function note(cell: MatrixCell): string {
  const coming = cell.pending?.version === undefined || cell.pending.version === null ? undefined : versionText(cell.pending.version)
  const same = coming !== undefined && cell.version !== undefined && cell.version !== null && coming === versionText(cell.version)
  const what = coming === undefined || same ? '' : ` ${coming}`
  const behind = cell.behind !== undefined && cell.behind > 0 ? `${cell.behind} behind` : ''
  switch (cell.state) {
    case 'inProgress': return same ? 'deploying again' : `deploying${what}`
    case 'waiting': return [`waiting:${what === '' ? ' approval' : what}`, behind].filter((text) => text !== '').join(', ')
    case 'failed': return [`failed:${what === '' ? ' last deployment' : what}`, behind].filter((text) => text !== '').join(', ')
    case 'ok': return behind
  }
}

export const versionText = (version: { commit: string; tag: string }): string => (version.commit === '' ? version.tag : short(version.commit))

/** "2 services in 4 places: 1 waiting, 1 failed, 1 behind." */
export function summary(view: MatrixView): string {
  const cells = view.services.flatMap((service) => view.targets.flatMap((target) => view.cell(service, target) ?? []))
  const count = (test: (cell: MatrixCell) => boolean, word: string) => {
    const number = cells.filter(test).length
    return number === 0 ? [] : [`${number} ${word}`]
  }
  const parts = [
    ...count((cell) => cell.state === 'inProgress', 'being deployed'), ...count((cell) => cell.state === 'waiting', 'waiting'),
    ...count((cell) => cell.state === 'failed', 'failed'), ...count((cell) => (cell.behind ?? 0) > 0, 'behind'),
  ]
  return `${plural(view.services.length, 'service')} in ${plural(view.targets.length, 'place')}: ${parts.length === 0 ? 'everything is as it was deployed' : parts.join(', ')}.`
}

export const targetName = (target: Target): string => (target.resource === undefined ? target.environment.name : `${target.environment.name}.${target.resource.name}`)
