import { Tab, TabList } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import type { TimelineRecord } from '@/api/types'
import { StateIcon } from '@/components/state-icon'
import { useProject } from '@/lib/project'
import { stateOfRecord } from '@/lib/state'
import { attemptsQuery } from '../api/runs'

interface AttemptsProps {
  runId: number
  record: TimelineRecord
  chosen: number | undefined
  onChoose: (attempt: TimelineRecord) => void
}

/** A step that was run more than once keeps the log of every attempt. */
export function Attempts({ runId, record, chosen, onChoose }: AttemptsProps) {
  const attempts = useQuery(attemptsQuery(useProject(), runId, record.id)).data?.value ?? []
  if (attempts.length < 2) return null
  return (
    <TabList size="small" aria-label="Attempts" selectedValue={chosen ?? record.attempt ?? 1} onTabSelect={(_, { value }) => {
      const one = attempts.find((attempt) => attempt.attempt === value)
      if (one !== undefined) onChoose(one)
    }}>
      {attempts.map((one) => <Tab key={one.attempt} value={one.attempt} icon={<StateIcon state={stateOfRecord(one)} size={14} />}>Attempt {one.attempt}</Tab>)}
    </TabList>
  )
}
