import { Field, Input } from '@fluentui/react-components'
import { useState } from 'react'
import type { SecureFile } from '@/api/types'
import { FormDialog } from '@/components/form-dialog'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { addSecureFile, libraryKey } from '../api/library'
import { secureFileProblems } from '../model/secure-file-form'
import styles from './secure-file-dialog.module.css'

/** Uploads a file that only jobs can read again. */
export function SecureFileDialog({ existing, onClose }: { existing: SecureFile[]; onClose: () => void }) {
  const project = useProject()
  const [file, setFile] = useState<File>()
  const [name, setName] = useState('')
  const [tried, setTried] = useState(false)
  const send = useSend(addSecureFile(project), [libraryKey(project)])
  const problems = secureFileProblems(name, file, existing)
  const problem = (field: keyof typeof problems) => (tried && problems[field] !== undefined ? { validationMessage: problems[field] } : {})
  const submit = () => {
    setTried(true)
    if (file !== undefined && Object.keys(problems).length === 0) send.mutate({ name: name.trim(), content: file }, { onSuccess: onClose })
  }
  return (
    <FormDialog title="New secure file" submit="Upload file" doing="upload the secure file" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}>
      <Field label="File" required hint="10 MiB at most. It is sealed on the server: jobs get it, no page shows it again." {...problem('file')}>
        {(field) => (
          <input
            {...field} type="file" className={styles.file}
            onChange={({ target }) => {
              const chosen = target.files?.[0]
              setFile(chosen)
              if (chosen !== undefined && (name === '' || name === file?.name)) setName(chosen.name)
            }}
          />
        )}
      </Field>
      <Field label="Name" required hint="A step fetches it: task DownloadSecureFile@1, secureFile: name" {...problem('name')}>
        <Input value={name} input={{ spellCheck: false }} onChange={(_, { value }) => setName(value)} />
      </Field>
    </FormDialog>
  )
}
