import { Field, SearchBox, Select } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { PipelineOverview, PipelineTest } from '@/api/types'
import { Empty } from '@/components/empty'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { pipelineOverviewsQuery } from '@/features/pipelines/api/pipelines'
import { pipelineTestsQuery } from '@/features/runs/api/runs'
import { TestHistory } from '@/features/runs/components/test-history'
import { TestTable } from '@/features/runs/components/test-table'
import { testName, testsSentence } from '@/features/runs/model/test-trend'
import { useProject } from '@/lib/project'
import styles from './routes.module.css'

/** Tests of a pipeline over its newest runs: which are flaky, which fail, which grow slower. */
export function TestsRoute() {
  const project = useProject()
  const overviews = useQuery(pipelineOverviewsQuery(project))
  return (
    <QueryView query={overviews} doing="list the pipelines" loading={<Page title="Tests"><Skeleton rows={8} height={48} /></Page>}>
      {({ value }) => value.length === 0
        ? <Page title="Tests"><Empty title="There is no pipeline yet.">Tests that the runs of a pipeline publish are followed here: begin with <Link to="/$project/pipelines" params={{ project }}>Pipelines</Link>.</Empty></Page>
        : <TestsPage pipelines={value} />}
    </QueryView>
  )
}

const newest = (one: PipelineOverview): string => one.runs[0]?.queuedAt ?? ''

function TestsPage({ pipelines }: { pipelines: PipelineOverview[] }) {
  const project = useProject()
  const navigate = useNavigate({ from: '/$project/tests' })
  const search = useSearch({ from: '/$project/tests' })
  const [text, setText] = useState('')
  // Without a choice, the pipeline that ran last.
  const last = [...pipelines].sort((a, b) => newest(b).localeCompare(newest(a)))[0]?.id ?? 0
  const pipeline = pipelines.some(({ id }) => id === search.pipeline) ? search.pipeline ?? last : last
  const tests = useQuery(pipelineTestsQuery(project, pipeline))
  const matches = (one: PipelineTest) => testName(one).toLowerCase().includes(text.toLowerCase())
  return (
    <Page title="Tests" sentence={tests.data === undefined || tests.data.count === 0 ? undefined : testsSentence(tests.data.value)}>
      <div className={styles.filters}>
        <Field label="Pipeline" size="small">
          <Select size="small" value={String(pipeline)} onChange={(_, { value }) => void navigate({ search: { pipeline: Number(value) } })}>
            {pipelines.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
          </Select>
        </Field>
        <Field label="Name" size="small"><SearchBox size="small" placeholder="any" value={text} onChange={(_, data) => setText(data.value)} /></Field>
      </div>
      <QueryView query={tests} doing="list the tests" loading={<Skeleton rows={8} height={48} />}>
        {({ value }) => {
          if (value.length === 0)
            return <Empty title="Its newest runs published no test results." example={'- task: PublishTestResults@2\n  inputs:\n    testResultsFormat: JUnit\n    testResultsFiles: "**/*.xml"'}>A step reads the files that the tests wrote:</Empty>
          const chosen = value.find((one) => testName(one) === search.test)
          const shown = value.filter(matches)
          return (
            <>
              {chosen !== undefined && <TestHistory key={search.test} test={chosen} onClose={() => void navigate({ search: { pipeline }, resetScroll: false })} />}
              {shown.length === 0 ? <Empty title="No test has that in its name." /> : <TestTable pipeline={pipeline} tests={shown} />}
            </>
          )
        }}
      </QueryView>
    </Page>
  )
}
