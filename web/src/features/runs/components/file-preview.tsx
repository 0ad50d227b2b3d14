import { Button } from '@fluentui/react-components'
import { Dismiss16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { YamlView } from '@/components/yaml-view'
import { useProject } from '@/lib/project'
import { artifactContentQuery } from '../api/runs'
import { previewOf } from '../model/preview'
import styles from './artifacts.module.css'

interface FilePreviewProps {
  runId: number
  artifact: string
  path: string
  onClose: () => void
}

/** One file of an artifact, looked at without a download. */
export function FilePreview({ runId, artifact, path, onClose }: FilePreviewProps) {
  const content = useQuery(artifactContentQuery(useProject(), runId, artifact, path))
  return (
    <section className={styles.preview} aria-label={`Preview of ${path}`}>
      <header>
        <code>{path}</code>
        <Button size="small" appearance="subtle" icon={<Dismiss16Regular />} aria-label={`Close the preview of ${path}`} title="Close" onClick={onClose} />
      </header>
      <QueryView query={content} doing={`read ${path}`} loading={<Skeleton rows={4} height={20} />}>
        {(bytes) => <Content path={path} bytes={bytes} />}
      </QueryView>
    </section>
  )
}

function Content({ path, bytes }: { path: string; bytes: Uint8Array }) {
  const preview = useMemo(() => previewOf(path, bytes), [path, bytes])
  switch (preview.kind) {
    case 'image': return <img src={preview.source} alt={path} />
    case 'text': return <YamlView text={preview.text} noun={path} />
    case 'binary': return <p>These bytes are no text: download the file to open it.</p>
  }
}
