import { Button } from '@fluentui/react-components'
import { ArrowDownload16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import type { Artifact, Change, RunDetail, TestRun } from '@/api/types'
import { Copyable } from '@/components/copyable'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { QueryView } from '@/components/query-view'
import { StateIcon } from '@/components/state-icon'
import { Time } from '@/components/time'
import { TwoLines } from '@/components/cells'
import { bytes, duration, plural, subject } from '@/lib/format'
import { useProject } from '@/lib/project'
import { changesQuery, testsQuery } from '../api/runs'
import styles from './run-tabs.module.css'

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

const artifactColumns: Column<Artifact>[] = [
  { header: 'Artifact', cell: (one) => <span title={one.name}>{one.name}</span> },
  { header: 'Files', width: '80px', align: 'right', cell: (one) => one.files },
  { header: 'Size', width: '96px', align: 'right', cell: (one) => bytes(one.size) },
  { header: 'Download', hideHeader: true, width: '120px', align: 'right', cell: (one) => <Button as="a" size="small" icon={<ArrowDownload16Regular />} href={one.url} download aria-label={`Download ${one.name}`}>Download</Button> },
]

export function Artifacts({ run }: { run: RunDetail }) {
  if (run.artifacts.length === 0)
    return <Empty title="This run published no artifact." example={'- publish: $(Build.ArtifactStagingDirectory)\n  artifact: manifests'}>Files that later stages or people need are published by a step:</Empty>
  return <DataTable label="Artifacts" columns={artifactColumns} items={run.artifacts} keyOf={(one) => one.name} rowHeight={40} />
}

export function Tests({ runId }: { runId: number }) {
  const tests = useQuery(testsQuery(useProject(), runId))
  return (
    <QueryView query={tests} doing="list the tests">
      {({ value }) => {
        if (value.length === 0)
          return <Empty title="This run published no test results." example={'- task: PublishTestResults@2\n  inputs:\n    testResultsFormat: JUnit\n    testResultsFiles: "**/*.xml"'}>A step reads the files that the tests wrote:</Empty>
        const sum = (pick: (one: TestRun) => number) => value.reduce((total, one) => total + pick(one), 0)
        const failed = sum((one) => one.failed)
        return (
          <>
            <p className={styles.sentence}>
              {failed === 0 ? 'All tests passed' : `${plural(failed, 'test')} failed`}: {sum((one) => one.passed)} passed, {sum((one) => one.skipped)} skipped, in {duration(sum((one) => one.durationMs))}.
            </p>
            {[...value].sort((a, b) => b.failed - a.failed).map((one) => <TestRunView key={one.id} run={one} />)}
          </>
        )
      }}
    </QueryView>
  )
}

function TestRunView({ run }: { run: TestRun }) {
  const results = run.results ?? []
  const failed = results.filter((one) => one.outcome.toLowerCase() === 'failed')
  const others = results.filter((one) => one.outcome.toLowerCase() !== 'failed')
  return (
    <section className={styles.tests} aria-label={run.title}>
      <h3 className={styles.testTitle}>
        <StateIcon state={run.failed > 0 ? 'failed' : 'succeeded'} />
        <span>{run.title}</span>
        <span className={styles.counts}>{run.passed} passed, {run.failed} failed, {run.skipped} skipped · {duration(run.durationMs)}</span>
      </h3>
      {failed.map((one) => (
        <details key={one.id ?? one.name} className={styles.failure} open>
          <summary><span className={styles.testName}>{one.name}</span><span className={styles.counts}>{duration(one.durationMs)}</span></summary>
          {one.message !== undefined && one.message !== '' && <p>{one.message}</p>}
          {one.stackTrace !== undefined && one.stackTrace !== '' && <pre>{one.stackTrace}</pre>}
        </details>
      ))}
      {others.length > 0 && (
        <details className={styles.others}>
          <summary>{plural(others.length, 'other test')}</summary>
          <ul>
            {others.map((one) => (
              <li key={one.id ?? one.name}>
                <StateIcon state={one.outcome.toLowerCase() === 'passed' ? 'succeeded' : 'skipped'} size={14} />
                <span className={styles.testName}>{one.name}</span><span className={styles.counts}>{duration(one.durationMs)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  )
}

/** The document that was run: templates expanded, expressions evaluated. */
export function FinalYaml({ text }: { text: string }) {
  if (text === '') return <Empty title="The pipeline could not be expanded.">What is wrong with it stands above.</Empty>
  return (
    <div className={styles.yaml}>
      <div className={styles.yamlHead}><Copyable value={text} label="Copy" noun="expanded YAML" /></div>
      <ol>{text.replace(/\n$/, '').split('\n').map((line, at) => <li key={at}><code>{line === '' ? ' ' : line}</code></li>)}</ol>
    </div>
  )
}
