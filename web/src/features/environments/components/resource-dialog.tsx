import { Field, Input, Radio, RadioGroup, Select } from '@fluentui/react-components'
import { useState } from 'react'
import type { ServiceEndpoint } from '@/api/types'
import { FormDialog } from '@/components/form-dialog'
import { keys } from '@/lib/keys'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { addResource, type ResourceKind } from '../api/environments'

interface ResourceDialogProps {
  environment: { id: number; name: string }
  connections: ServiceEndpoint[]
  onClose: () => void
}

const connectionType: Record<ResourceKind, string> = { kubernetes: 'kubernetes', dockerhosts: 'dockerhost' }

/** Gives an environment a place that deployments can be addressed to. */
export function ResourceDialog({ environment, connections, onClose }: ResourceDialogProps) {
  const [kind, setKind] = useState<ResourceKind>('kubernetes')
  const [name, setName] = useState('')
  const [namespace, setNamespace] = useState('')
  const [chosen, setChosen] = useState('')
  const [tried, setTried] = useState(false)
  const project = useProject()
  const send = useSend(addResource(project, environment.id), [keys.matrix(project)])
  const fitting = connections.filter((one) => one.type.toLowerCase() === connectionType[kind])
  const connection = fitting.some((one) => one.id === chosen) ? chosen : kind === 'kubernetes' ? fitting[0]?.id ?? '' : ''
  const kubernetes = kind === 'kubernetes'
  const problems = {
    name: name.trim() === '' ? 'Deployment jobs address it by this name.' : undefined,
    namespace: kubernetes && namespace.trim() === '' ? 'Which namespace of the cluster?' : undefined,
    connection: kubernetes && connection === '' ? 'Make a service connection of the type Kubernetes in the library first.' : undefined,
  }
  const problem = (field: keyof typeof problems) => (tried && problems[field] !== undefined ? { validationMessage: problems[field] } : {})
  const submit = () => {
    setTried(true)
    if (Object.values(problems).some((one) => one !== undefined)) return
    send.mutate({ kind, name: name.trim(), ...(kubernetes ? { namespace: namespace.trim() } : {}), ...(connection === '' ? {} : { serviceEndpointId: connection }) }, { onSuccess: onClose })
  }
  return (
    <FormDialog title={`New resource of ${environment.name}`} submit="Add resource" doing="add the resource" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}>
      <Field label="Kind">
        <RadioGroup value={kind} onChange={(_, { value }) => setKind(value === 'dockerhosts' ? 'dockerhosts' : 'kubernetes')}>
          <Radio value="kubernetes" label="Kubernetes namespace" />
          <Radio value="dockerhosts" label="Docker host" />
        </RadioGroup>
      </Field>
      <Field label="Name" required hint={`Deployment jobs address it: environment: ${environment.name}.${name.trim() === '' ? 'name' : name.trim()}`} {...problem('name')}>
        <Input value={name} onChange={(_, { value }) => setName(value)} />
      </Field>
      {kubernetes && <Field label="Namespace" required {...problem('namespace')}><Input value={namespace} input={{ spellCheck: false }} onChange={(_, { value }) => setNamespace(value)} /></Field>}
      <Field label="Service connection" required={kubernetes} {...problem('connection')}>
        <Select value={connection} onChange={(_, { value }) => setChosen(value)}>
          {!kubernetes && <option value="">The Docker Engine of the worker</option>}
          {kubernetes && fitting.length === 0 && <option value="">None of the type Kubernetes yet</option>}
          {fitting.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
        </Select>
      </Field>
    </FormDialog>
  )
}
