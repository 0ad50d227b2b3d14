import { Field, Input } from '@fluentui/react-components'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { FormDialog } from '@/components/form-dialog'
import { keys } from '@/lib/keys'
import { useSend } from '@/lib/send'
import { addProject } from '../api/settings'

/** Makes a project and goes on to its first pipeline. */
export function ProjectDialog({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [tried, setTried] = useState(false)
  const send = useSend(addProject, [keys.projects])
  const submit = () => {
    setTried(true)
    if (name.trim() === '') return
    send.mutate({ name: name.trim(), description: description.trim() }, { onSuccess: () => void navigate({ to: '/$project/pipelines/new', params: { project: name.trim() } }) })
  }
  return (
    <FormDialog title="New project" submit="Create project" doing="create the project" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}>
      <Field label="Name" required hint="It stands in addresses." {...(tried && name.trim() === '' ? { validationMessage: 'A project needs a name.' } : {})}>
        <Input value={name} autoFocus onChange={(_, { value }) => setName(value)} />
      </Field>
      <Field label="Description"><Input value={description} onChange={(_, { value }) => setDescription(value)} /></Field>
    </FormDialog>
  )
}
