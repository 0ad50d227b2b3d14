import { Button } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useState } from 'react'
import type { Project } from '@/api/types'
import { DataTable } from '@/components/data-table'
import { Section } from '@/components/page'
import { projectColumns } from '@/components/project-columns'
import { ProjectDialog } from './project-dialog'

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
