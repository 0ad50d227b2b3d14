import { Button, Field, Input } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Project } from '@/api/types'
import { DataTable } from '@/components/data-table'
import { FormDialog } from '@/components/form-dialog'
import { Section } from '@/components/page'
import { projectColumns } from '@/components/project-columns'
import { keys } from '@/lib/keys'
import { useSend } from '@/lib/send'
import { addProject } from '../api/settings'

/** Projects hold repositories, pipelines and environments; pools and people belong to the server. */
export function Projects({ projects, admin }: { projects: Project[]; admin: boolean }) {
  const [making, setMaking] = useState(false)
  return (
    <Section title="Projects" aside={admin && <Button size="small" icon={<Add16Regular />} onClick={() => setMaking(true)}>New project</Button>}>
      <DataTable label="Projects" columns={projectColumns} items={projects} keyOf={(one) => one.id} rowHeight={48} />
      {making && <ProjectDialog onClose={() => setMaking(false)} />}
    </Section>
  )
}

function ProjectDialog({ onClose }: { onClose: () => void }) {
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
