import type { WaitingReason } from '@/api/types'

/** A reason that ends when a worker takes the job. */
export const isInQueue = (one: Pick<WaitingReason, 'kind'>): boolean => one.kind === 'worker' || one.kind === 'limit'

/** Why the run's next job in a queue is still there, when time alone does not end it. */
function obstacle({ limit, missing }: WaitingReason): string | undefined {
  if (limit !== undefined) return `${limit.of} ${limit.name} is at its limit of ${limit.maxParallelism}`
  return missing === undefined || missing.length === 0 ? undefined : `no worker has ${missing.join(', ')}`
}

/** Those that get a worker first come first; what has no place in a queue comes last. */
export const byPlace = (a: Pick<WaitingReason, 'position'>, b: Pick<WaitingReason, 'position'>): number => (a.position ?? Number.MAX_SAFE_INTEGER) - (b.position ?? Number.MAX_SAFE_INTEGER)

/** "2 of 5 in the queue of Default": where the job of a run stands that gets a worker first. Nothing when none waits for one. */
export function queuePlace(waiting: WaitingReason[]): string | undefined {
  const [first] = waiting.filter(isInQueue).sort(byPlace)
  if (first === undefined) return undefined
  const place = first.position === undefined ? undefined : `${first.position} of ${first.queueLength ?? first.position} in the queue of ${first.pool ?? 'its pool'}`
  const parts = [place, obstacle(first)].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join('; ')
}
