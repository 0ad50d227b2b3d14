import { Link, useParams, useRouterState } from '@tanstack/react-router'
import type { ListOf, Matrix, PipelineOverview, RunDetail } from '@/api/types'
import { useCached } from '@/lib/cached'
import { keys } from '@/lib/keys'
import { places } from './places'
import styles from './frame.module.css'

/** Server / project / place / object. Names of objects come from what the page has loaded anyway. */
export function Breadcrumb({ project }: { project: string }) {
  const path = useRouterState({ select: (state) => state.location.pathname })
  const params = useParams({ strict: false })
  const place = places.findLast(({ to }) => path.startsWith(to.replace('$project', encodeURIComponent(project))))
  const runId = Number(params.runId)
  const run = useCached(keys.run(project, runId)) as RunDetail | undefined
  const matrix = useCached([...keys.matrix(project), 'now']) as Matrix | undefined
  const overviews = useCached([...keys.runs(project), 'by pipeline']) as ListOf<PipelineOverview> | undefined
  const object = params.runId !== undefined
    ? run?.number ?? params.runId
    : params.environmentId !== undefined
      ? matrix?.environments.find(({ id }) => id === Number(params.environmentId))?.name ?? params.environmentId
      : params.pipelineId !== undefined
        ? overviews?.value.find(({ id }) => id === Number(params.pipelineId))?.name ?? params.pipelineId
        : undefined
  return (
    <nav aria-label="Breadcrumb" className={styles.crumbs}>
      <ol>
        <li><Link to="/$project" params={{ project }} activeOptions={{ exact: true }}>{project}</Link></li>
        {place !== undefined && place.to !== '/$project' && (
          <li>{object === undefined ? <span aria-current="page">{place.name}</span> : <Link to={place.to} params={{ project }} activeOptions={{ exact: true }}>{place.name}</Link>}</li>
        )}
        {object !== undefined && params.runId !== undefined && run !== undefined && (
          <li className={styles.shrinks}><Link to="/$project/runs" params={{ project }} search={{ pipeline: run.pipeline.id }}>{run.pipeline.name}</Link></li>
        )}
        {object !== undefined && <li><span aria-current="page">{object}</span></li>}
      </ol>
    </nav>
  )
}
