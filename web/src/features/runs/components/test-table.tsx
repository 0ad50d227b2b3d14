import { Link } from '@tanstack/react-router'
import type { PipelineTest } from '@/api/types'
import { TwoLines } from '@/components/cells'
import { DataTable, type Column } from '@/components/data-table'
import { StateLabel } from '@/components/state-icon'
import { duration, plural } from '@/lib/format'
import { useProject } from '@/lib/project'
import { markOf, testName, trendOf } from '../model/test-trend'
import styles from './test-history.module.css'

/** Tests over the newest runs: the flaky first, as the server has them. */
export function TestTable({ pipeline, tests }: { pipeline: number; tests: PipelineTest[] }) {
  const project = useProject()
  const columns: Column<PipelineTest>[] = [
    {
      header: 'Test',
      cell: (one) => (
        <TwoLines
          top={<Link to="/$project/tests" params={{ project }} search={{ pipeline, test: testName(one) }} resetScroll={false} className="row-link">{one.name}</Link>}
          below={one.className === '' ? undefined : one.className} title={testName(one)}
        />
      ),
    },
    { header: 'State', width: '112px', cell: (one) => <StateLabel {...markOf(one)} /> },
    { header: 'Failures', width: '128px', from: 'small', align: 'right', cell: (one) => (one.failures === 0 ? 'none' : <><strong>{one.failures}</strong> in {plural(one.runs, 'run')}</>) },
    { header: 'Takes', width: '80px', from: 'small', align: 'right', cell: (one) => duration(one.newerMs) },
    {
      header: 'Trend', width: '88px', from: 'medium', align: 'right',
      cell: (one) => {
        const trend = trendOf(one)
        return trend === undefined ? <span className={styles.even}>even</span>
          : <span data-slower={trend.slower} className={styles.trend} title={`${duration(one.olderMs)} in the older half of the runs, ${duration(one.newerMs)} in the newer`}>{trend.text}</span>
      },
    },
  ]
  return <DataTable label="Tests" columns={columns} items={tests} keyOf={testName} rowHeight={48} />
}
