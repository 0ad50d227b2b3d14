import { Field, Input, Select, Textarea } from '@fluentui/react-components'
import { useState } from 'react'
import type { ServiceEndpoint } from '@/api/types'
import { FormDialog } from '@/components/form-dialog'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { libraryKey, saveEndpoint } from '../api/library'
import { endpointBody, formOf, isStored, kindOf, kinds, missing, type EndpointField } from '../model/endpoint-form'

/** Makes or changes a service connection: one form per kind. Credentials can be written here, never read. */
export function EndpointDialog({ endpoint, onClose }: { endpoint: ServiceEndpoint | undefined; onClose: () => void }) {
  const project = useProject()
  const [form, setForm] = useState(() => formOf(endpoint))
  const [tried, setTried] = useState(false)
  const send = useSend(saveEndpoint(project, endpoint?.id), [libraryKey(project)])
  const kind = kindOf(form.type)
  const problems = missing(form, endpoint)
  const submit = () => {
    setTried(true)
    if (Object.keys(problems).length === 0) send.mutate(endpointBody(form, endpoint), { onSuccess: onClose })
  }
  const problem = (name: string) => (tried && problems[name] !== undefined ? { validationMessage: problems[name] } : {})
  return (
    <FormDialog
      title={endpoint === undefined ? 'New service connection' : `Service connection ${endpoint.name}`} submit={endpoint === undefined ? 'Create connection' : 'Save connection'}
      doing="save the service connection" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}
    >
      <Field label="Type" hint={kind?.about ?? 'A kind that this page has no form for: name and description can be changed.'}>
        <Select value={form.type} disabled={endpoint !== undefined} onChange={(_, { value }) => setForm((before) => ({ ...before, type: value, values: {} }))}>
          {kind === undefined && <option value={form.type}>{form.type}</option>}
          {kinds.map((one) => <option key={one.type} value={one.type}>{one.label}</option>)}
        </Select>
      </Field>
      <Field label="Name" required {...problem('name')}>
        <Input value={form.name} autoFocus={endpoint === undefined} onChange={(_, { value }) => setForm((before) => ({ ...before, name: value }))} />
      </Field>
      {kind !== undefined && [...(kind.address === undefined ? [] : [kind.address]), ...kind.parameters].map((field) => (
        <ValueField
          key={`${kind.type} ${field.name}`} field={field} stored={isStored(endpoint, field.name)} value={form.values[field.name] ?? ''} problem={problem(field.name)}
          onChange={(value) => setForm((before) => ({ ...before, values: { ...before.values, [field.name]: value } }))}
        />
      ))}
      <Field label="Description"><Input value={form.description} onChange={(_, { value }) => setForm((before) => ({ ...before, description: value }))} /></Field>
    </FormDialog>
  )
}

interface ValueFieldProps {
  field: EndpointField
  stored: boolean
  value: string
  problem: { validationMessage?: string }
  onChange: (value: string) => void
}

function ValueField({ field, stored, value, problem, onChange }: ValueFieldProps) {
  const kept = stored && value === ''
  const hint = kept ? 'Kept as it is unless you type a new value.' : field.hint
  const placeholder = kept ? '********' : field.placeholder
  return (
    <Field label={field.label} required={field.required === true && !stored} {...(hint === undefined ? {} : { hint })} {...problem}>
      {field.file === true
        ? <Textarea value={value} resize="vertical" rows={6} placeholder={placeholder} textarea={{ style: { font: '13px/20px var(--mono)' }, spellCheck: false }} onChange={(_, data) => onChange(data.value)} />
        : <Input value={value} type={field.secret === true ? 'password' : 'text'} placeholder={placeholder} input={{ spellCheck: false, autoComplete: field.secret === true ? 'new-password' : 'off' }} onChange={(_, data) => onChange(data.value)} />}
    </Field>
  )
}
