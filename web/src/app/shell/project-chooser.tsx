import { Button } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Navigate } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { projectColumns } from '@/components/project-columns'
import { DataTable } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { projectsQuery } from '@/features/session/api/session'
import { plural } from '@/lib/format'
import { useIsAdmin } from '@/lib/me'

const ProjectDialog = lazy(() => import('@/features/settings/components/project-dialog').then((module) => ({ default: module.ProjectDialog })))

/** The server's root: with a single project there is nothing to choose. */
export function ProjectChooser() {
  const projects = useQuery(projectsQuery)
  const admin = useIsAdmin()
  const [making, setMaking] = useState(false)
  return (
    <main>
      <QueryView query={projects} doing="list the projects" loading={<></>}>
        {({ value }) => value.length === 1 && value[0] !== undefined ? <Navigate to="/$project" params={{ project: value[0].name }} replace /> : (
          <Page
            title="Projects" sentence={value.length === 0 ? undefined : `${plural(value.length, 'project')} on this server.`}
            actions={admin && <Button appearance={value.length === 0 ? 'primary' : 'secondary'} icon={<Add16Regular />} onClick={() => setMaking(true)}>New project</Button>}
          >
            {value.length === 0 ? (
              <Empty title="This server has no project yet.">
                A project holds repositories, pipelines and environments. {admin ? 'Create one, push a repository to it and run its azure-pipelines.yml.' : 'An administrator creates the first one.'}
              </Empty>
            ) : (
              <DataTable label="Projects" columns={projectColumns} items={value} keyOf={(one) => one.id} rowHeight={48} />
            )}
          </Page>
        )}
      </QueryView>
      <Suspense fallback={null}>{making && <ProjectDialog onClose={() => setMaking(false)} />}</Suspense>
    </main>
  )
}
