import { useQuery } from '@tanstack/react-query'
import { Navigate } from '@tanstack/react-router'
import { projectColumns } from '@/components/project-columns'
import { DataTable } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { projectsQuery } from '@/features/session/api/session'
import { plural } from '@/lib/format'

/** The server's root: with a single project there is nothing to choose. */
export function ProjectChooser() {
  const projects = useQuery(projectsQuery)
  return (
    <main>
      <QueryView query={projects} doing="list the projects" loading={<></>}>
        {({ value }) => value.length === 1 && value[0] !== undefined ? <Navigate to="/$project" params={{ project: value[0].name }} replace /> : (
          <Page title="Projects" sentence={value.length === 0 ? undefined : `${plural(value.length, 'project')} on this server.`}>
            {value.length === 0 ? (
              <Empty title="This server has no project yet." example="slipway up">
                A project holds repositories, pipelines and environments. Import the sample, or create one over the API.
              </Empty>
            ) : (
              <DataTable label="Projects" columns={projectColumns} items={value} keyOf={(one) => one.id} rowHeight={48} />
            )}
          </Page>
        )}
      </QueryView>
    </main>
  )
}
