import type { Agent } from '@/api/types'
import type { State } from '@/lib/state'

/** A worker's state in one word: draining is a disabled worker that still holds jobs; one without room takes none for a reason of its own. */
export function workerState(agent: Agent): { state: State; word: string } {
  const busy = (agent.jobs?.length ?? 0) > 0 || (agent.assignedRequest !== undefined && agent.assignedRequest !== null)
  if (agent.status !== 'online') return { state: 'unknown', word: 'Offline' }
  if (agent.enabled === false) return busy ? { state: 'running', word: 'Draining' } : { state: 'canceled', word: 'Disabled' }
  if (agent.unavailable !== undefined && !busy) return { state: 'waiting', word: 'No room' }
  return busy ? { state: 'running', word: 'Running' } : { state: 'succeeded', word: 'Idle' }
}

/** What is pasted on the machine that joins. The token goes by the environment: arguments of a process are for everybody to see. */
export const joinCommand = (server: string, pool: string, token: string): string =>
  `SLIPWAY_WORKER_TOKEN=${token} \\\n  slipway worker --url ${server} --pool '${pool.replaceAll("'", "'\\''")}'`
