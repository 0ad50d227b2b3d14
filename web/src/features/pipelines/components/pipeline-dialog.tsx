import { Field, Input, Radio, RadioGroup } from '@fluentui/react-components'
import { useState } from 'react'
import type { Definition } from '@/api/types'
import { FormDialog } from '@/components/form-dialog'
import { LimitField } from '@/components/limit-field'
import { branchName } from '@/lib/format'
import { limitOf, limitProblem, limitText } from '@/lib/job-limit'
import { keys } from '@/lib/keys'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { saveDefinition } from '../api/definitions'
import { folderPath, folderText } from '../model/new-pipeline'

/** Name, place, file and whether it starts: what is not in the file itself. */
export function PipelineDialog({ definition, onClose }: { definition: Definition; onClose: () => void }) {
  const project = useProject()
  const [name, setName] = useState(definition.name)
  const [folder, setFolder] = useState(folderText(definition.path))
  const [file, setFile] = useState(definition.process?.yamlFilename ?? '')
  const [branch, setBranch] = useState(branchName(definition.repository?.defaultBranch ?? ''))
  const [status, setStatus] = useState<string>(definition.queueStatus)
  const [limit, setLimit] = useState(limitText(definition.maxParallelism))
  const [tried, setTried] = useState(false)
  const send = useSend(saveDefinition(project, definition.id), [keys.pipelines(project), keys.runs(project)])
  const submit = () => {
    setTried(true)
    if (name.trim() === '' || file.trim() === '' || limitProblem(limit) !== undefined) return
    send.mutate({
      id: definition.id, revision: definition.revision, name: name.trim(), path: folderPath(folder), queueStatus: status, maxParallelism: limitOf(limit),
      process: { yamlFilename: file.trim() }, ...(branch.trim() === '' ? {} : { repository: { defaultBranch: branch.startsWith('refs/') ? branch : `refs/heads/${branch.trim()}` } }),
    }, { onSuccess: onClose })
  }
  return (
    <FormDialog title={`Pipeline ${definition.name}`} submit="Save pipeline" doing="save the pipeline" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}>
      <Field label="Name" required {...(tried && name.trim() === '' ? { validationMessage: 'A pipeline needs a name.' } : {})}><Input value={name} autoFocus onChange={(_, { value }) => setName(value)} /></Field>
      <Field label="Folder" hint="Groups pipelines in the list: team/part. Empty: no folder."><Input value={folder} onChange={(_, { value }) => setFolder(value)} /></Field>
      <Field label="File" required {...(tried && file.trim() === '' ? { validationMessage: 'Which file of the repository?' } : {})}><Input value={file} input={{ spellCheck: false }} onChange={(_, { value }) => setFile(value)} /></Field>
      <Field label="Default branch"><Input value={branch} input={{ spellCheck: false }} onChange={(_, { value }) => setBranch(value)} /></Field>
      <LimitField value={limit} hint="Of all its runs together; jobs beyond wait. Empty: no limit." onChange={setLimit} />
      <Field label="Starts">
        <RadioGroup value={status} onChange={(_, { value }) => setStatus(value)}>
          <Radio value="enabled" label="By its triggers, and when somebody asks" />
          <Radio value="paused" label="Only when somebody asks" />
          <Radio value="disabled" label="Never" />
        </RadioGroup>
      </Field>
    </FormDialog>
  )
}
