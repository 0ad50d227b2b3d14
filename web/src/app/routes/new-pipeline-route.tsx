import { Button, Combobox, Field, Input, Option, Select } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { Repository } from '@/api/types'
import { DiagnosticSummary } from '@/components/diagnostics'
import { Empty } from '@/components/empty'
import { ErrorPanel } from '@/components/error-panel'
import { FormDialog } from '@/components/form-dialog'
import { Page, Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { SecretOnce } from '@/components/secret-once'
import { Skeleton } from '@/components/skeleton'
import { StateLabel } from '@/components/state-icon'
import { YamlView } from '@/components/yaml-view'
import { addRepository, createPipeline, filesQuery, repositoriesQuery, validationQuery } from '@/features/pipelines/api/definitions'
import { folderPath, pipelineFiles, suggestedName } from '@/features/pipelines/model/new-pipeline'
import { branchName, plural } from '@/lib/format'
import { keys } from '@/lib/keys'
import { useIsAdmin } from '@/lib/me'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import styles from './new-pipeline-route.module.css'

/** From a repository to a pipeline: choose the file, see what is wrong in it, create. */
export function NewPipelineRoute() {
  const project = useProject()
  const navigate = useNavigate({ from: '/$project/pipelines/new' })
  const search = useSearch({ from: '/$project/pipelines/new' })
  const repositories = useQuery(repositoriesQuery(project))
  const admin = useIsAdmin()
  const [adding, setAdding] = useState(false)
  const choose = (name: string) => void navigate({ search: { repository: name }, replace: true })
  if (!admin) return (
    <Page title="New pipeline" sentence="Only administrators create pipelines: ask one, with the repository and the path of the file. Settings, People shows who they are.">
      <Link to="/$project/pipelines" params={{ project }}>Back to the pipelines</Link>
    </Page>
  )
  return (
    <Page title="New pipeline" sentence="A pipeline is a YAML file in a repository of this project; the file says what runs, and what starts it.">
      <QueryView query={repositories} doing="list the repositories" loading={<Skeleton rows={3} />}>
        {({ value }) => {
          const chosen = value.find((one) => one.name === search.repository) ?? value[0]
          return (
            <>
              <div className={styles.choice}>
                {chosen !== undefined && (
                  <Field label="Repository">
                    <Select value={chosen.name} onChange={(_, data) => choose(data.value)}>{value.map((one) => <option key={one.id} value={one.name}>{one.name}</option>)}</Select>
                  </Field>
                )}
                <Button icon={<Add16Regular />} onClick={() => setAdding(true)}>New repository</Button>
              </div>
              {chosen === undefined ? <Empty title="This project has no repository yet.">Make one, and push to it what you have.</Empty> : <FileChoice key={chosen.id} repository={chosen} />}
            </>
          )
        }}
      </QueryView>
      {adding && (
        <RepositoryDialog onClose={() => setAdding(false)} onAdded={(name) => {
          setAdding(false)
          choose(name)
        }} />
      )}
    </Page>
  )
}

function RepositoryDialog({ onClose, onAdded }: { onClose: () => void; onAdded: (name: string) => void }) {
  const project = useProject()
  const [name, setName] = useState('')
  const [tried, setTried] = useState(false)
  const send = useSend(addRepository(project), [keys.repositories(project)])
  const submit = () => {
    setTried(true)
    if (name.trim() !== '') send.mutate(name.trim(), { onSuccess: (made) => onAdded(made.name) })
  }
  return (
    <FormDialog title="New repository" submit="Create repository" doing="create the repository" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}>
      <Field label="Name" required {...(tried && name.trim() === '' ? { validationMessage: 'A repository needs a name.' } : {})}><Input value={name} autoFocus onChange={(_, { value }) => setName(value)} /></Field>
    </FormDialog>
  )
}

function FileChoice({ repository }: { repository: Repository }) {
  const project = useProject()
  const files = useQuery(filesQuery(project, repository.id, branchName(repository.defaultBranch ?? '')))
  if (files.error !== null || files.data?.count === 0) {
    const remote = new URL(`/${encodeURIComponent(project)}/_git/${encodeURIComponent(repository.name)}`, window.location.origin).href
    return (
      <Section title="The repository has no commit yet">
        <p>Push what you have; git asks for a token as password (make one in Settings).</p>
        <SecretOnce label="Commands" value={`git remote add slipway ${remote}\ngit push slipway HEAD:${branchName(repository.defaultBranch ?? 'main') || 'main'}`} />
        <Button className={styles.again} onClick={() => void files.refetch()}>Look again</Button>
      </Section>
    )
  }
  if (files.data === undefined) return <Skeleton rows={3} />
  return <FileForm repository={repository} paths={pipelineFiles(files.data.value.filter((one) => one.isFolder !== true).map((one) => one.path))} />
}

function FileForm({ repository, paths }: { repository: Repository; paths: string[] }) {
  const project = useProject()
  const navigate = useNavigate()
  const [path, setPath] = useState(paths[0] ?? '/azure-pipelines.yml')
  const [typed, setTyped] = useState(path)
  const [name, setName] = useState<string>()
  const [folder, setFolder] = useState('')
  const validation = useQuery(validationQuery(project, { repository: repository.id, path }))
  const create = useSend(createPipeline(project), [keys.pipelines(project), keys.runs(project)])
  const called = name ?? suggestedName(path, repository.name)
  const choose = (next: string) => {
    setTyped(next)
    setPath(next.startsWith('/') ? next : `/${next}`)
  }
  return (
    <form noValidate onSubmit={(event) => {
      event.preventDefault()
      if (called.trim() === '' || create.isPending) return
      create.mutate({ name: called.trim(), folder: folderPath(folder), path, repository: repository.id }, { onSuccess: ({ id }) => void navigate({ to: '/$project/pipelines/$pipelineId', params: { project, pipelineId: String(id) } }) })
    }}>
      <div className={styles.fields}>
        <Field label="File" hint={paths.length === 0 ? 'The repository has no YAML file yet.' : `${plural(paths.length, 'YAML file')} on ${branchName(repository.defaultBranch ?? '')}.`}>
          <Combobox freeform value={typed} selectedOptions={[path]} onChange={(event) => setTyped(event.target.value)} onBlur={() => choose(typed)} onOptionSelect={(_, { optionValue }) => { if (optionValue !== undefined) choose(optionValue) }}>
            {paths.slice(0, 200).map((one) => <Option key={one} value={one}>{one}</Option>)}
          </Combobox>
        </Field>
        <Field label="Name" required {...(called.trim() === '' ? { validationMessage: 'A pipeline needs a name.' } : {})}><Input value={called} onChange={(_, { value }) => setName(value)} /></Field>
        <Field label="Folder" hint="Groups pipelines in the list: team/part."><Input value={folder} onChange={(_, { value }) => setFolder(value)} /></Field>
      </div>
      {create.error !== null && <ErrorPanel error={create.error} doing="create the pipeline" />}
      <div className={styles.create}>
        <Button type="submit" appearance="primary" disabled={create.isPending || called.trim() === ''}>Create pipeline</Button>
        {validation.data !== undefined && <Verdict valid={validation.data.valid} problems={validation.data.diagnostics.length} />}
      </div>
      <Section title={path}>
        <QueryView query={validation} doing="read the file" loading={<Skeleton rows={8} height={20} />}>
          {(data) => (
            <>
              <DiagnosticSummary list={data.diagnostics} />
              {data.text !== '' && <YamlView text={data.text} noun="file" diagnostics={data.diagnostics.filter((one) => one.file === undefined || one.file === data.path || `/${one.file}` === data.path)} />}
            </>
          )}
        </QueryView>
      </Section>
    </form>
  )
}

function Verdict({ valid, problems }: { valid: boolean; problems: number }) {
  return valid
    ? <StateLabel state={problems === 0 ? 'succeeded' : 'issues'} word={problems === 0 ? 'The file is valid' : `Valid, with ${plural(problems, 'warning')}`} />
    : <StateLabel state="failed" word="It would not run, see below" />
}
