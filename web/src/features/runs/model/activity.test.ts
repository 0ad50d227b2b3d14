import { expect, it } from 'vitest'
import { failedRun, queuedRun, runningRun, waitingRun } from '@/testing/scenario'
import { activity } from './activity'

it.each([
  [[], 'nothing runs at the moment'], [[failedRun], 'nothing runs at the moment'],
  [[failedRun, waitingRun, runningRun, queuedRun, runningRun], '2 running, 1 queued, 1 waiting'], [[queuedRun], '1 queued'],
])('%#', (runs, text) => expect(activity(runs)).toBe(text))
