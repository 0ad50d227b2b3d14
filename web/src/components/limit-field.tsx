import { Field, Input } from '@fluentui/react-components'
import { limitProblem } from '@/lib/job-limit'

/** How many jobs may run at once; empty for no limit. */
export function LimitField({ value, hint, onChange }: { value: string; hint: string; onChange: (text: string) => void }) {
  const problem = limitProblem(value)
  return (
    <Field label="Jobs at once" hint={hint} {...(problem === undefined ? {} : { validationMessage: problem })}>
      <Input value={value} inputMode="numeric" placeholder="no limit" onChange={(_, data) => onChange(data.value)} />
    </Field>
  )
}
