import { Button, SearchBox } from '@fluentui/react-components'
import { ArrowDownload16Regular, Eye16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Artifact, ArtifactFile, RunDetail } from '@/api/types'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { bytes, plural } from '@/lib/format'
import { useProject } from '@/lib/project'
import { artifactFilePath, artifactFilesQuery } from '../api/runs'
import { canPreview } from '../model/preview'
import { FilePreview } from './file-preview'
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

function ArtifactView({ runId, artifact, open: first }: { runId: number; artifact: Artifact; open: boolean }) {
  const [open, setOpen] = useState(first)
  const [text, setText] = useState('')
  const [looking, setLooking] = useState<string>()
  const project = useProject()
  const files = useQuery({ ...artifactFilesQuery(project, runId, artifact.name), enabled: open })
  const columns: Column<ArtifactFile>[] = [
    {
      header: 'File',
      cell: (one) => <a href={artifactFilePath(project, runId, artifact.name, one.path)} download={one.path.split('/').at(-1)} title={`Download ${one.path}`}><code className={styles.path}>{one.path}</code></a>,
    },
    { header: 'Size', width: '88px', align: 'right', cell: (one) => bytes(one.size) },
    {
      header: 'Look', hideHeader: true, width: '48px', align: 'right',
      cell: (one) => canPreview(one.path, one.size) && (
        <Button size="small" appearance="subtle" icon={<Eye16Regular />} aria-label={`Preview ${one.path}`} title={`Preview ${one.path}`} aria-expanded={looking === one.path} onClick={() => setLooking(looking === one.path ? undefined : one.path)} />
      ),
    },
  ]
  return (
    <section className={styles.artifact} aria-label={artifact.name}>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <strong>{artifact.name}</strong> <span className={styles.about}>{plural(artifact.files, 'file')}, {bytes(artifact.size)}</span>
        </summary>
        {open && (
          <QueryView query={files} doing={`list the files of ${artifact.name}`} loading={<Skeleton rows={Math.min(artifact.files, 6)} height={32} />}>
            {({ value }) => (
              <>
                {value.length > 20 && <SearchBox size="small" className={styles.filter} placeholder="Filter by path" aria-label={`Filter files of ${artifact.name}`} value={text} onChange={(_, data) => setText(data.value)} />}
                <DataTable label={`Files of ${artifact.name}`} columns={columns} items={value.filter((one) => one.path.toLowerCase().includes(text.toLowerCase()))} keyOf={(one) => one.path} rowHeight={32} />
                {looking !== undefined && <FilePreview key={looking} runId={runId} artifact={artifact.name} path={looking} onClose={() => setLooking(undefined)} />}
              </>
            )}
          </QueryView>
        )}
      </details>
      <Button as="a" size="small" className={styles.download} icon={<ArrowDownload16Regular />} href={artifact.url} download aria-label={`Download ${artifact.name} as zip`}>Zip</Button>
    </section>
  )
}
