import { RunLink } from '@/components/run-bits'
import type { Reason } from '../model/reasons'

/** Sentences about what waits, each with a way to the runs that it waits for. */
export function Reasons({ reasons }: { reasons: Reason[] }) {
  return reasons.map(({ text, runs }) => (
    <p key={text}>
      {text}
      {runs.map((one) => <span key={one.runId}> <RunLink id={one.runId}>Go to {one.pipeline} {one.runNumber}</RunLink></span>)}
    </p>
  ))
}
