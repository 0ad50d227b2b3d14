import { Button, Field, Input } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { RetentionSettings } from '@/api/types'
import { ErrorPanel } from '@/components/error-panel'
import { Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { keys } from '@/lib/keys'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { retentionQuery, saveRetention } from '../api/settings'
import { retentionBody, retentionFields, retentionForm, retentionLabels, retentionProblem } from '../model/retention-form'
import styles from './settings.module.css'

/** How long the project keeps what its runs left behind. */
export function Retention({ admin }: { admin: boolean }) {
  const retention = useQuery(retentionQuery(useProject()))
  return (
    <Section title="Retention">
      <p className={styles.lead}>Runs older than this are deleted with their logs and artifacts. What is deployed now keeps the runs that built it, and the history of deployments stays for ever.</p>
      <QueryView query={retention} doing="read the retention of runs">
        {(settings) => <RetentionFields key={JSON.stringify(settings)} settings={settings} admin={admin} />}
      </QueryView>
    </Section>
  )
}

function RetentionFields({ settings, admin }: { settings: RetentionSettings; admin: boolean }) {
  const project = useProject()
  const [form, setForm] = useState(() => retentionForm(settings))
  const send = useSend(saveRetention(project), [keys.retention(project)])
  const body = retentionBody(form, settings)
  if (!admin) return (
    <dl className={styles.facts}>
      {retentionFields.map((name) => <div key={name}><dt>{retentionLabels[name]}</dt><dd className="num">{form[name]}</dd></div>)}
    </dl>
  )
  const broken = retentionFields.some((name) => retentionProblem(name, form[name], settings) !== undefined)
  return (
    <form className={styles.form} noValidate onSubmit={(event) => {
      event.preventDefault()
      if (!broken) send.mutate(body)
    }}>
      {retentionFields.map((name) => {
        const problem = retentionProblem(name, form[name], settings)
        return (
          <Field key={name} label={retentionLabels[name]} {...(problem === undefined ? {} : { validationMessage: problem })}>
            <Input value={form[name]} inputMode="numeric" onChange={(_, { value }) => setForm((before) => ({ ...before, [name]: value }))} />
          </Field>
        )
      })}
      {send.error !== null && <ErrorPanel error={send.error} doing="save the retention" />}
      <Button type="submit" appearance="primary" disabled={broken || send.isPending || Object.keys(body).length === 0}>Save retention</Button>
    </form>
  )
}
