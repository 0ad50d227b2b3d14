import { Button, Checkbox, Field, Input } from '@fluentui/react-components'
import { Add16Regular, Delete16Regular } from '@fluentui/react-icons'
import { useState } from 'react'
import type { VariableGroup } from '@/api/types'
import { FormDialog } from '@/components/form-dialog'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { libraryKey, saveGroup } from '../api/library'
import { keepsSecret, problemOf, rowsOf, variablesOf, type VariableRow } from '../model/group-form'
import styles from './group-dialog.module.css'

const empty = (key: number): VariableRow => ({ key, name: '', value: '', isSecret: false, stored: undefined })

/** Makes or changes a variable group. Secrets can be written here, never read. */
export function GroupDialog({ group, onClose }: { group: VariableGroup | undefined; onClose: () => void }) {
  const project = useProject()
  const [name, setName] = useState(group?.name ?? '')
  const [description, setDescription] = useState(group?.description ?? '')
  const [rows, setRows] = useState(() => {
    const list = rowsOf(group)
    return list.length === 0 ? [empty(0)] : list
  })
  const [tried, setTried] = useState(false)
  const send = useSend(saveGroup(project, group?.id), [libraryKey(project)])
  const change = (key: number, part: Partial<VariableRow>) => setRows((before) => before.map((row) => (row.key === key ? { ...row, ...part } : row)))
  const submit = () => {
    setTried(true)
    if (name.trim() === '' || rows.some((row) => problemOf(row, rows) !== undefined)) return
    send.mutate({ name: name.trim(), description: description.trim(), type: 'Vsts', variables: variablesOf(rows) }, { onSuccess: onClose })
  }
  return (
    <FormDialog
      wide title={group === undefined ? 'New variable group' : `Variable group ${group.name}`} submit={group === undefined ? 'Create group' : 'Save group'}
      doing="save the variable group" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}
    >
      <Field label="Name" required {...(tried && name.trim() === '' ? { validationMessage: 'Pipelines take the group in by its name.' } : {})}>
        <Input value={name} autoFocus={group === undefined} onChange={(_, data) => setName(data.value)} />
      </Field>
      <Field label="Description"><Input value={description} onChange={(_, data) => setDescription(data.value)} /></Field>
      <fieldset className={styles.variables}>
        <legend>Variables</legend>
        {rows.map((row) => {
          const problem = tried ? problemOf(row, rows) : undefined
          const called = row.name.trim() === '' ? 'new variable' : row.name.trim()
          return (
            <div key={row.key} className={styles.row}>
              <Input className={styles.name} aria-label={`Name of ${called}`} placeholder="name" value={row.name} aria-invalid={problem !== undefined} aria-describedby={problem === undefined ? undefined : `problem-${row.key}`} input={{ spellCheck: false }} onChange={(_, data) => change(row.key, { name: data.value })} />
              <Input
                className={styles.value} aria-label={`Value of ${called}`} type={row.isSecret ? 'password' : 'text'} placeholder={keepsSecret(row) ? '********' : 'value'} value={row.value}
                input={{ spellCheck: false, autoComplete: row.isSecret ? 'new-password' : 'off' }} onChange={(_, data) => change(row.key, { value: data.value })}
              />
              <Checkbox label="Secret" aria-label={`${called} is a secret`} checked={row.isSecret} onChange={(_, data) => change(row.key, { isSecret: data.checked === true })} />
              <Button appearance="subtle" type="button" icon={<Delete16Regular />} aria-label={`Remove ${called}`} title={`Remove ${called}`} onClick={() => setRows((before) => before.filter((one) => one.key !== row.key))} />
              {problem !== undefined && <p id={`problem-${row.key}`} className={styles.problem} role="alert">{problem}</p>}
              {problem === undefined && keepsSecret(row) && <p className={styles.hint}>Kept as it is unless you type a new value.</p>}
            </div>
          )
        })}
        <Button size="small" type="button" icon={<Add16Regular />} onClick={() => setRows((before) => [...before, empty(Math.max(-1, ...before.map((row) => row.key)) + 1)])}>Add variable</Button>
      </fieldset>
    </FormDialog>
  )
}
