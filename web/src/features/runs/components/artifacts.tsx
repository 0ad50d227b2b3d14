import { Button } from '@fluentui/react-components'
import { ArrowDownload16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Artifact, ArtifactFile, RunDetail } from '@/api/types'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { bytes, plural } from '@/lib/format'
import { useProject } from '@/lib/project'
import { artifactFilesQuery } from '../api/runs'
import styles from './artifacts.module.css'

/** What the run published, and the files in it. */
export function Artifacts({ run }: { run: RunDetail }) {
  if (run.artifacts.length === 0)
    return <Empty title="This run published no artifact." example={'- publish: $(Build.ArtifactStagingDirectory)\n  artifact: manifests'}>Files that later stages or people need are published by a step:</Empty>
  const size = run.artifacts.reduce((sum, one) => sum + one.size, 0)
  return (
    <>
      <p className={styles.sentence}>{plural(run.artifacts.length, 'artifact')}, {bytes(size)}{run.artifacts.length > 1 && ' together'}.</p>
      {run.artifacts.map((one) => <ArtifactView key={one.name} runId={run.id} artifact={one} open={run.artifacts.length === 1} />)}
    </>
  )
}

const columns: Column<ArtifactFile>[] = [
  { header: 'File', cell: (one) => <code className={styles.path} title={one.path}>{one.path}</code> },
  { header: 'Size', width: '104px', align: 'right', cell: (one) => bytes(one.size) },
]

function ArtifactView({ runId, artifact, open: first }: { runId: number; artifact: Artifact; open: boolean }) {
  const [open, setOpen] = useState(first)
  const files = useQuery({ ...artifactFilesQuery(useProject(), runId, artifact.name), enabled: open })
  return (
    <section className={styles.artifact} aria-label={artifact.name}>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <strong>{artifact.name}</strong> <span className={styles.about}>{plural(artifact.files, 'file')}, {bytes(artifact.size)}</span>
        </summary>
        {open && (
          <QueryView query={files} doing={`list the files of ${artifact.name}`} loading={<Skeleton rows={Math.min(artifact.files, 6)} height={32} />}>
            {({ value }) => <DataTable label={`Files of ${artifact.name}`} columns={columns} items={value} keyOf={(one) => one.path} rowHeight={32} />}
          </QueryView>
        )}
      </details>
      <Button as="a" size="small" className={styles.download} icon={<ArrowDownload16Regular />} href={artifact.url} download aria-label={`Download ${artifact.name}`}>Download</Button>
    </section>
  )
}
