import { Button } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { Empty } from '@/components/empty'
import { Page, Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { endpointsQuery, groupsQuery, libraryKey, removeEndpoint, removeGroup, removeSecureFile, secureFilesQuery } from '@/features/library/api/library'
import { Endpoints } from '@/features/library/components/endpoints'
import { Groups } from '@/features/library/components/groups'
import { SecureFiles } from '@/features/library/components/secure-files'
import { useIsAdmin } from '@/lib/me'
import { useProject } from '@/lib/project'

const GroupDialog = lazy(() => import('@/features/library/components/group-dialog').then((module) => ({ default: module.GroupDialog })))
const EndpointDialog = lazy(() => import('@/features/library/components/endpoint-dialog').then((module) => ({ default: module.EndpointDialog })))
const SecureFileDialog = lazy(() => import('@/features/library/components/secure-file-dialog').then((module) => ({ default: module.SecureFileDialog })))
const RemoveDialog = lazy(() => import('@/components/remove-dialog').then((module) => ({ default: module.RemoveDialog })))

type Removal = { kind: 'group'; id: number; name: string } | { kind: 'connection' | 'secure file'; id: string; name: string }

/** Variables, connections and secure files of the project. What is being edited stands in the address: ?group=new, ?connection=ID, ?file=new. */
export function LibraryRoute() {
  const project = useProject()
  const navigate = useNavigate({ from: '/$project/library' })
  const search = useSearch({ from: '/$project/library' })
  const admin = useIsAdmin()
  const groups = useQuery(groupsQuery(project))
  const endpoints = useQuery(endpointsQuery(project))
  const files = useQuery(secureFilesQuery(project))
  const [removal, setRemoval] = useState<Removal>()
  const go = (next: { group?: string; connection?: string; file?: string }) => void navigate({ search: next, resetScroll: false })
  const group = groups.data?.value.find((one) => String(one.id) === search.group)
  const connection = endpoints.data?.value.find((one) => one.id === search.connection)
  return (
    <Page title="Library" sentence={`Connections, variables and files that pipelines of this project share. Secrets are stored sealed and never shown.${admin ? '' : ' Administrators change them.'}`}>
      <Section title="Service connections" aside={admin && <Button size="small" icon={<Add16Regular />} onClick={() => go({ connection: 'new' })}>New connection</Button>}>
        <QueryView query={endpoints} doing="list the service connections">
          {({ value }) => value.length === 0
            ? <Empty title="No service connection yet." example={'- task: Docker@2\n  inputs:\n    containerRegistry: Container Registry Connection\n    command: buildAndPush'}>A connection holds the address and the credentials of a registry or a cluster. Steps name it:</Empty>
            : <Endpoints endpoints={value} {...(admin ? { onEdit: ({ id }) => go({ connection: id }), onRemove: ({ id, name }) => setRemoval({ kind: 'connection', id, name }) } : {})} />}
        </QueryView>
      </Section>
      <Section title="Variable groups" aside={admin && <Button size="small" icon={<Add16Regular />} onClick={() => go({ group: 'new' })}>New variable group</Button>}>
        <QueryView query={groups} doing="list the variable groups">
          {({ value }) => value.length === 0
            ? <Empty title="No variable group yet." example={'variables:\n- group: Release'}>A group holds values that several pipelines need. A pipeline takes it in with:</Empty>
            : <Groups groups={value} {...(admin ? { onEdit: ({ id }) => go({ group: String(id) }), onRemove: ({ id, name }) => setRemoval({ kind: 'group', id, name }) } : {})} />}
        </QueryView>
      </Section>
      <Section title="Secure files" aside={admin && <Button size="small" icon={<Add16Regular />} onClick={() => go({ file: 'new' })}>New secure file</Button>}>
        <QueryView query={files} doing="list the secure files">
          {({ value }) => value.length === 0
            ? <Empty title="No secure file yet." example={'- task: DownloadSecureFile@1\n  inputs:\n    secureFile: signing.pfx'}>Keys and certificates that steps need as a file are uploaded once and never shown again. A step fetches one:</Empty>
            : <SecureFiles files={value} {...(admin ? { onRemove: ({ id, name }) => setRemoval({ kind: 'secure file', id, name }) } : {})} />}
        </QueryView>
      </Section>
      <Suspense fallback={null}>
        {admin && (search.group === 'new' || group !== undefined) && <GroupDialog key={search.group} group={group} onClose={() => go({})} />}
        {admin && (search.connection === 'new' || connection !== undefined) && <EndpointDialog key={search.connection} endpoint={connection} onClose={() => go({})} />}
        {admin && search.file === 'new' && files.data !== undefined && <SecureFileDialog existing={files.data.value} onClose={() => go({})} />}
        {removal?.kind === 'group' && (
          <RemoveDialog
            title={`Delete the variable group ${removal.name}?`} consequence="Its values are gone for good, secrets too. A pipeline that takes it in no longer starts." doing="delete the variable group"
            remove={removeGroup(project, removal.id)} stale={[libraryKey(project)]} onClose={() => setRemoval(undefined)}
          />
        )}
        {removal?.kind === 'connection' && (
          <RemoveDialog
            title={`Delete the service connection ${removal.name}?`} consequence="Its credentials are gone for good. A pipeline whose steps name it no longer starts." doing="delete the service connection"
            remove={removeEndpoint(project, removal.id)} stale={[libraryKey(project)]} onClose={() => setRemoval(undefined)}
          />
        )}
        {removal?.kind === 'secure file' && (
          <RemoveDialog
            title={`Delete the secure file ${removal.name}?`} consequence="Its content is gone for good. A step that fetches it fails." doing="delete the secure file"
            remove={removeSecureFile(project, removal.id)} stale={[libraryKey(project)]} onClose={() => setRemoval(undefined)}
          />
        )}
      </Suspense>
    </Page>
  )
}
