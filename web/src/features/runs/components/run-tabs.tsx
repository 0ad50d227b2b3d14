import { useQuery } from '@tanstack/react-query'
import type { Change } from '@/api/types'
import { Copyable } from '@/components/copyable'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { QueryView } from '@/components/query-view'
import { Time } from '@/components/time'
import { TwoLines } from '@/components/cells'
import { YamlView } from '@/components/yaml-view'
import { subject } from '@/lib/format'
import { useProject } from '@/lib/project'
import { changesQuery } from '../api/runs'

const changeColumns: Column<Change>[] = [
  { header: 'Commit', width: '96px', cell: (one) => <Copyable value={one.id} /> },
  { header: 'Change', cell: (one) => <TwoLines top={subject(one.message)} below={one.author?.displayName} title={one.message} /> },
  { header: 'Age', width: '72px', align: 'right', cell: (one) => one.timestamp === undefined ? '' : <Time at={one.timestamp} /> },
]

export function Changes({ runId }: { runId: number }) {
  const changes = useQuery(changesQuery(useProject(), runId))
  return (
    <QueryView query={changes} doing="list the changes">
      {({ value }) => value.length === 0 ? <Empty title="No new commit.">The run before this one built the same commit.</Empty>
        : <DataTable label="Changes since the run before" columns={changeColumns} items={value} keyOf={(one) => one.id} />}
    </QueryView>
  )
}

/** The document that was run: templates expanded, expressions evaluated. */
export function FinalYaml({ text }: { text: string }) {
  if (text === '') return <Empty title="The pipeline could not be expanded.">What is wrong with it stands above.</Empty>
  return <YamlView text={text} noun="expanded YAML" />
}
