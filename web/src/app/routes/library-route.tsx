import { useQuery } from '@tanstack/react-query'
import { Empty } from '@/components/empty'
import { Page, Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { endpointsQuery, groupsQuery } from '@/features/library/api/library'
import { Endpoints } from '@/features/library/components/endpoints'
import { Groups } from '@/features/library/components/groups'
import { useProject } from '@/lib/project'

export function LibraryRoute() {
  const project = useProject()
  const groups = useQuery(groupsQuery(project))
  const endpoints = useQuery(endpointsQuery(project))
  return (
    <Page title="Library" sentence="Variables and connections that pipelines of this project share. Secrets are stored sealed and never shown.">
      <Section title="Service connections">
        <QueryView query={endpoints} doing="list the service connections">
          {({ value }) => value.length === 0
            ? <Empty title="No service connection yet." example={'- task: Docker@2\n  inputs:\n    containerRegistry: Container Registry Connection\n    command: buildAndPush'}>A connection holds the address and the credentials of a registry or a cluster. Steps name it:</Empty>
            : <Endpoints endpoints={value} />}
        </QueryView>
      </Section>
      <Section title="Variable groups">
        <QueryView query={groups} doing="list the variable groups">
          {({ value }) => value.length === 0
            ? <Empty title="No variable group yet." example={'variables:\n- group: Release'}>A group holds values that several pipelines need. A pipeline takes it in with:</Empty>
            : <Groups groups={value} />}
        </QueryView>
      </Section>
    </Page>
  )
}
