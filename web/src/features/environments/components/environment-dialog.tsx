import { Field, Input } from '@fluentui/react-components'
import { useState } from 'react'
import type { Environment } from '@/api/types'
import { FormDialog } from '@/components/form-dialog'
import { keys } from '@/lib/keys'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { saveEnvironment } from '../api/environments'

interface EnvironmentDialogProps {
  environment: Pick<Environment, 'id' | 'name' | 'description'> | undefined
  onClose: () => void
  onSaved: (environment: Environment) => void
}

/** Makes an environment, or renames one: what a deployment job names, and where its checks are kept. */
export function EnvironmentDialog({ environment, onClose, onSaved }: EnvironmentDialogProps) {
  const project = useProject()
  const [name, setName] = useState(environment?.name ?? '')
  const [description, setDescription] = useState(environment?.description ?? '')
  const [tried, setTried] = useState(false)
  const send = useSend(saveEnvironment(project, environment?.id), [keys.matrix(project)])
  const submit = () => {
    setTried(true)
    if (name.trim() !== '') send.mutate({ name: name.trim(), description: description.trim() }, { onSuccess: onSaved })
  }
  return (
    <FormDialog
      title={environment === undefined ? 'New environment' : `Environment ${environment.name}`} submit={environment === undefined ? 'Create environment' : 'Save environment'}
      doing="save the environment" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}
    >
      <Field
        label="Name" required hint={environment === undefined || name.trim() === environment.name ? 'Deployment jobs name it: environment: name' : 'Pipelines that name it by its old name no longer find it.'}
        {...(tried && name.trim() === '' ? { validationMessage: 'Deployment jobs call the environment by its name.' } : {})}
      >
        <Input value={name} autoFocus onChange={(_, { value }) => setName(value)} />
      </Field>
      <Field label="Description"><Input value={description} onChange={(_, { value }) => setDescription(value)} /></Field>
    </FormDialog>
  )
}
