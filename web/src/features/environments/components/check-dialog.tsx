import { Checkbox, Field, Input, Radio, RadioGroup, Select, Textarea } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { CheckConfiguration } from '@/api/types'
import { FormDialog } from '@/components/form-dialog'
import { QueryView } from '@/components/query-view'
import { keys } from '@/lib/keys'
import { peopleQuery } from '@/lib/people'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { saveCheck } from '../api/environments'
import { checkBody, checkForm, checkProblems, type CheckForm } from '../model/check-form'
import styles from './check-dialog.module.css'

interface CheckDialogProps {
  check: CheckConfiguration | undefined
  environment: { id: number; name: string }
  onClose: () => void
}

/** What must be so before a stage may deploy here. Checks belong to the environment: no pipeline file can take one away. */
export function CheckDialog({ check, environment, onClose }: CheckDialogProps) {
  const project = useProject()
  const people = useQuery(peopleQuery)
  const [form, setForm] = useState(() => checkForm(check))
  const [tried, setTried] = useState(false)
  const send = useSend(saveCheck(project, check?.id), [keys.checks(project)])
  const set = (part: Partial<CheckForm>) => setForm((before) => ({ ...before, ...part }))
  const problems = checkProblems(form)
  const problem = (name: keyof typeof problems) => (tried && problems[name] !== undefined ? { validationMessage: problems[name] } : {})
  const submit = () => {
    setTried(true)
    if (Object.keys(problems).length === 0) send.mutate(checkBody(form, environment.id), { onSuccess: onClose })
  }
  return (
    <FormDialog
      title={check === undefined ? `New check on ${environment.name}` : `Check on ${environment.name}`} submit={check === undefined ? 'Add check' : 'Save check'}
      doing="save the check" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}
    >
      <Field label="Kind">
        <RadioGroup value={form.kind} disabled={check !== undefined} onChange={(_, { value }) => set({ kind: value === 'lock' ? 'lock' : 'approval' })}>
          <Radio value="approval" label="Approval: a person lets each deployment through" />
          <Radio value="lock" label="Exclusive lock: one run at a time" />
        </RadioGroup>
      </Field>
      {form.kind === 'approval' && (
        <>
          <fieldset className={styles.approvers}>
            <legend>Approvers <span aria-hidden className={styles.star}>*</span></legend>
            <div className={styles.people}>
              <QueryView query={people} doing="list the people">
                {({ value }) => value.map((one) => (
                  <Checkbox
                    key={one.id} label={one.displayName === one.uniqueName ? one.displayName : `${one.displayName} (${one.uniqueName})`} checked={form.approvers.includes(one.id)} aria-invalid={tried && problems.approvers !== undefined}
                    onChange={(_, { checked }) => set({ approvers: checked === true ? [...form.approvers, one.id] : form.approvers.filter((id) => id !== one.id) })}
                  />
                ))}
              </QueryView>
            </div>
            {tried && problems.approvers !== undefined && <p role="alert" className={styles.problem}>{problems.approvers}</p>}
          </fieldset>
          <Field label="How many must approve" {...problem('minimum')}>
            <Select value={String(form.minimum)} onChange={(_, { value }) => set({ minimum: Number(value) })}>
              <option value="0">All of them</option>
              {Array.from({ length: Math.max(form.minimum, form.approvers.length, 1) }, (_, at) => <option key={at} value={String(at + 1)}>{at + 1 === 1 ? 'Any one of them' : `Any ${at + 1} of them`}</option>)}
            </Select>
          </Field>
          <div className={styles.box}><Checkbox label="Whoever asked for the run may not approve it" checked={form.requesterMayNot} onChange={(_, { checked }) => set({ requesterMayNot: checked === true })} /></div>
          <Field label="Instructions" hint="Shown to whoever decides.">
            <Textarea value={form.instructions} resize="vertical" onChange={(_, { value }) => set({ instructions: value })} />
          </Field>
        </>
      )}
      <Field label="Days it may wait" hint="After that the stage fails." {...problem('days')}>
        <Input value={form.days} inputMode="decimal" onChange={(_, { value }) => set({ days: value })} />
      </Field>
    </FormDialog>
  )
}
